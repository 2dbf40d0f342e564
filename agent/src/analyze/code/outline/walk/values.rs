//! Calls, assignments and composite literals.

use tree_sitter::Node;

use super::nodes::{bare, named};
use super::{At, Walk};
use crate::analyze::code::outline::{Kind, Manner};

impl<'t> Walk<'_, 't> {
    /// `go` and `defer`.
    pub(super) fn call_statement<'n>(
        &mut self,
        node: Node<'n>,
        manner: Manner,
        at: At,
        next: &mut Vec<(Node<'n>, At)>,
    ) {
        for child in named(node) {
            if self.call(child, manner, at) {
                self.children(child, at, next);
            } else {
                next.push((child, at));
            }
        }
    }

    /// Notes a call; `false` when the node is none.
    pub(super) fn call(&mut self, node: Node<'_>, manner: Manner, at: At) -> bool {
        let callee = node.child_by_field_name("function");
        let Some(callee) = callee.or_else(|| node.child_by_field_name("type")) else {
            return false;
        };
        let arguments = match node.child_by_field_name("arguments") {
            Some(arguments) => named(arguments)
                .into_iter()
                .filter(|argument| argument.kind() != "comment")
                .map(|argument| self.of(argument))
                .collect(),
            None => {
                node.child_by_field_name("operand").map(|one| self.of(one)).into_iter().collect()
            }
        };
        let literal = bare(callee).filter(|callee| callee.kind() == "func_literal");
        if let Some(literal) = literal {
            self.calls.insert(literal.id(), self.outline.ops.len());
        }
        let callee = if literal.is_some() { "" } else { self.of(callee) };
        self.op(Kind::Call { callee, arguments, manner, literal: None }, node, at);
        true
    }

    pub(super) fn var_spec(&mut self, node: Node<'_>, at: At) {
        let mut cursor = node.walk();
        let names: Vec<_> = node
            .children_by_field_name("name", &mut cursor)
            .filter(|name| name.kind() == "identifier")
            .map(|name| self.of(name))
            .collect();
        match (node.child_by_field_name("value"), node.child_by_field_name("type")) {
            (None, Some(of)) => {
                let of = self.of(of);
                for name in names {
                    self.op(Kind::Declare { name, of }, node, at);
                }
            }
            (value, _) => self.assign(names, value, node, at),
        }
    }

    pub(super) fn assign(
        &mut self,
        names: Vec<&'t str>,
        value: Option<Node<'_>>,
        node: Node<'_>,
        at: At,
    ) {
        let Some(value) = value else { return };
        let values = if value.kind() == "expression_list" { named(value) } else { vec![value] };
        if let [value] = values[..] {
            self.assign_one(names, value, node, at);
        } else {
            for (name, value) in names.into_iter().zip(values) {
                self.assign_one(vec![name], value, node, at);
            }
        }
    }

    pub(super) fn assign_one(
        &mut self,
        names: Vec<&'t str>,
        value: Node<'_>,
        node: Node<'_>,
        at: At,
    ) {
        if value.kind() == "func_literal"
            && let [name] = names[..]
        {
            self.names.insert(value.id(), name);
        }
        if names.len() > 1 {
            self.checked.insert(value.id());
        }
        let callee = (value.kind() == "call_expression")
            .then(|| value.child_by_field_name("function").map(|callee| self.of(callee)))
            .flatten();
        self.op(Kind::Assign { names, value: self.of(value), callee }, node, at);
    }

    pub(super) fn composite(&mut self, node: Node<'_>, at: At) {
        let Some(owner) = node.child_by_field_name("type").map(|of| self.of(of)) else { return };
        let Some(body) = node.child_by_field_name("body") else { return };
        for element in named(body) {
            let (name, value) = match element.kind() {
                "keyed_element" => {
                    let part = |field| element.child_by_field_name(field).map(|part| self.of(part));
                    let Some(parts) = part("key").zip(part("value")) else { continue };
                    parts
                }
                "literal_element" => ("", self.of(element)),
                _ => continue,
            };
            // Of lists of plain values nothing is to be known.
            if !name.is_empty() || value.starts_with(|c: char| c.is_alphabetic() || c == '&') {
                self.op(Kind::Keyed { owner, name, value }, element, at);
            }
        }
    }

    /// The channel that an expression receives from.
    pub(super) fn received(&self, node: Node<'_>) -> Option<&'t str> {
        let node = bare(node)?;
        let operator = node.child_by_field_name("operator")?;
        let operand = node.child_by_field_name("operand")?;
        (node.kind() == "unary_expression" && operator.kind() == "<-").then(|| self.of(operand))
    }
}

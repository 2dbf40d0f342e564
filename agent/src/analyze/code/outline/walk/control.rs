//! Loops, branches and selects.

use tree_sitter::Node;

use super::nodes::named;
use super::{At, Walk};
use crate::analyze::code::outline::{Kind, Loop, ScopeKind};

impl<'t> Walk<'_, 't> {
    pub(super) fn for_statement<'n>(
        &mut self,
        node: Node<'n>,
        at: At,
        next: &mut Vec<(Node<'n>, At)>,
    ) {
        let body = node.child_by_field_name("body");
        let head =
            named(node).into_iter().find(|&child| Some(child) != body && child.kind() != "comment");
        let kind = match head.map(|head| (head, head.kind())) {
            None => Loop::Endless,
            Some((head, "for_clause")) => match head.child_by_field_name("condition") {
                Some(_) => Loop::Counted,
                None => Loop::Endless,
            },
            Some((_, "range_clause")) => Loop::Range,
            Some((head, _)) if self.of(head) == "true" => Loop::Endless,
            Some(_) => Loop::While,
        };
        let inside = self.scope(ScopeKind::Loop(kind), node, at);
        if let Some(head) = head {
            if let Some(over) = head.child_by_field_name("right").filter(|_| kind == Loop::Range) {
                // The range itself is part of the loop: what follows it in there follows it.
                let over = self.of(over);
                self.op(Kind::Range { over }, head, inside);
                // `for _, x := range list`: x is one of the list.
                if let [_, name] = self.names_in(head, "left")[..] {
                    let kind = Kind::Assign { names: vec![name], value: over, callee: None };
                    self.op(kind, head, inside);
                }
            }
            next.push((head, inside));
        }
        next.extend(body.map(|body| (body, inside)));
    }

    pub(super) fn if_statement<'n>(
        &mut self,
        node: Node<'n>,
        at: At,
        next: &mut Vec<(Node<'n>, At)>,
    ) {
        let chain = at.chain.unwrap_or_else(|| node.start_byte());
        let plain = At { chain: None, ..at };
        for field in ["initializer", "condition"] {
            next.extend(node.child_by_field_name(field).map(|child| (child, plain)));
        }
        for field in ["consequence", "alternative"] {
            let Some(child) = node.child_by_field_name(field) else { continue };
            let inside = if child.kind() == "if_statement" {
                At { chain: Some(chain), ..at }
            } else {
                self.scope(ScopeKind::Branch(chain), child, plain)
            };
            next.push((child, inside));
        }
    }

    pub(super) fn select_statement<'n>(
        &mut self,
        node: Node<'n>,
        at: At,
        next: &mut Vec<(Node<'n>, At)>,
    ) {
        let children = named(node);
        let cases = children.iter().filter(|case| case.kind() == "communication_case").count();
        let default = children.iter().any(|case| case.kind() == "default_case");
        let select = self.outline.ops.len();
        self.op(Kind::Select { cases, default }, node, at);
        for child in children {
            let inside = match child.kind() {
                "communication_case" => self.scope(ScopeKind::Case(select), child, at),
                "default_case" => self.scope(ScopeKind::Default(select), child, at),
                _ => at,
            };
            next.push((child, inside));
        }
    }

    pub(super) fn switch_statement<'n>(
        &mut self,
        node: Node<'n>,
        at: At,
        next: &mut Vec<(Node<'n>, At)>,
    ) {
        let chain = node.start_byte();
        for child in named(node) {
            let inside = match child.kind() {
                "expression_case" | "type_case" | "default_case" => {
                    self.scope(ScopeKind::Branch(chain), child, at)
                }
                _ => at,
            };
            next.push((child, inside));
        }
    }

    /// Whether the last statement in there leaves.
    pub(super) fn jumps(&self, node: Node<'_>) -> bool {
        let list = named(node).into_iter().rfind(|child| child.kind() == "statement_list");
        let last = list.and_then(|list| {
            named(list).into_iter().rfind(|statement| statement.kind() != "comment")
        });
        last.is_some_and(|last| match last.kind() {
            "return_statement" | "break_statement" | "continue_statement" | "goto_statement" => {
                true
            }
            "expression_statement" => {
                let text = self.of(last);
                ["panic(", "os.Exit(", "log.Fatal", "runtime.Goexit("]
                    .iter()
                    .any(|leaves| text.starts_with(leaves))
            }
            _ => false,
        })
    }
}

//! Functions and types.

use tree_sitter::Node;

use super::nodes::{line, named};
use super::{At, MAX_DEPTH, Walk};
use crate::analyze::code::expression::plain_type;
use crate::analyze::code::outline::{
    Binding, Field, FnId, Function, Kind, Manner, Scope, ScopeKind,
};

impl<'t> Walk<'_, 't> {
    pub(super) fn function_declaration<'n>(
        &mut self,
        node: Node<'n>,
        at: At,
        next: &mut Vec<(Node<'n>, At)>,
    ) {
        let name = match node.child_by_field_name("name") {
            Some(name) => self.of(name),
            None => self.names.get(&node.id()).copied().unwrap_or_default(),
        };
        let literal = node.kind() == "func_literal";
        let inner = self.function(node, name, literal.then_some(at.function), Some(at));
        if let Some(&call) = self.calls.get(&node.id())
            && let Kind::Call { literal, manner, .. } = &mut self.outline.ops[call].kind
        {
            *literal = Some(inner.function);
            self.outline.functions[inner.function].deferred = *manner == Manner::Deferred;
        }
        next.extend(node.child_by_field_name("body").map(|body| (body, inner)));
    }

    pub(super) fn type_spec(&mut self, node: Node<'_>) {
        let (Some(owner), Some(of)) =
            (node.child_by_field_name("name"), node.child_by_field_name("type"))
        else {
            return;
        };
        let owner = self.of(owner);
        if of.kind() != "struct_type" {
            if matches!(of.kind(), "type_identifier" | "generic_type") {
                self.outline.views.push((owner, self.of(of)));
            }
            return;
        }
        for field in named(of).into_iter().flat_map(named) {
            let Some(of) = field.child_by_field_name("type").map(|of| self.of(of)) else {
                continue;
            };
            let mut cursor = field.walk();
            let before = self.outline.fields.len();
            for name in field.children_by_field_name("name", &mut cursor) {
                let name = self.of(name);
                self.outline.fields.push(Field { owner, name, of, embedded: false });
            }
            if self.outline.fields.len() == before {
                let name = plain_type(of);
                self.outline.fields.push(Field { owner, name, of, embedded: true });
            }
        }
    }

    pub(super) fn function(
        &mut self,
        node: Node<'_>,
        name: &'t str,
        parent: Option<FnId>,
        around: Option<At>,
    ) -> At {
        let depth = around.map_or(0, |at| self.outline.scopes[at.scope].depth);
        if let Some(at) = around.filter(|_| depth >= MAX_DEPTH) {
            return at;
        }
        let receiver = node.child_by_field_name("receiver");
        let receiver = receiver.and_then(|list| self.bindings(list).into_iter().next());
        let parameters = node.child_by_field_name("parameters");
        let parameters = parameters.map(|list| self.bindings(list)).unwrap_or_default();
        let result =
            node.child_by_field_name("result").map_or("", |result| self.first_type(result));
        let function = self.outline.functions.len();
        self.outline.functions.push(Function {
            result,
            file: self.file,
            name,
            receiver,
            parameters,
            parent,
            deferred: false,
            first: line(node.start_position().row),
            last: line(node.end_position().row),
        });
        let scope = self.outline.scopes.len();
        let kind = ScopeKind::Block;
        self.outline.scopes.push(Scope { kind, parent: None, jumps: false, depth: depth + 1 });
        At { function, scope, chain: None }
    }

    /// The type of a function's first result.
    fn first_type(&self, result: Node<'_>) -> &'t str {
        if result.kind() != "parameter_list" {
            return self.of(result);
        }
        let first = named(result).into_iter().next();
        first.and_then(|first| first.child_by_field_name("type")).map_or("", |of| self.of(of))
    }

    fn bindings(&self, list: Node<'_>) -> Vec<Binding<'t>> {
        let mut bindings = Vec::new();
        for declaration in named(list) {
            let Some(of) = declaration.child_by_field_name("type").map(|of| self.of(of)) else {
                continue;
            };
            let mut cursor = declaration.walk();
            let before = bindings.len();
            for name in declaration.children_by_field_name("name", &mut cursor) {
                if name.is_named() {
                    bindings.push(Binding { name: self.of(name), of });
                }
            }
            if bindings.len() == before {
                bindings.push(Binding { name: "_", of });
            }
        }
        bindings
    }
}

//! From a file's tree to its outline: visits each node once, without recursion.

mod control;
mod declare;
mod nodes;
mod values;

use std::collections::{HashMap, HashSet};

use tree_sitter::{Node, Tree};

use self::nodes::{line, named};
use super::parse::parse;
use super::{FnId, Kind, Manner, Op, Outline, Scope, ScopeId, ScopeKind};

/// Functions and blocks nested deeper than this are taken as one.
const MAX_DEPTH: u32 = 100;
/// Nodes visited and operations kept, of one file.
const MAX_NODES: usize = 4_000_000;
const MAX_OPS: usize = 50_000;

/// The outline of files; one that cannot be parsed in bounded time adds nothing.
pub(in super::super) fn outline<'t>(files: &[&'t str]) -> Outline<'t> {
    let mut outline = Outline::default();
    for (file, text) in files.iter().enumerate() {
        outline.packages.push("");
        if let Some(tree) = parse(text) {
            let mut walk = Walk {
                text,
                file,
                outline: &mut outline,
                names: HashMap::new(),
                calls: HashMap::new(),
                checked: HashSet::new(),
            };
            walk.walk(&tree);
        }
    }
    outline.by_function = vec![Vec::new(); outline.functions.len()];
    for (id, op) in outline.ops.iter().enumerate() {
        outline.by_function[op.function].push(id);
    }
    outline
}

struct Walk<'w, 't> {
    text: &'t str,
    file: usize,
    outline: &'w mut Outline<'t>,
    /// The variables that literals are assigned to, by the literal's node.
    names: HashMap<usize, &'t str>,
    /// The operations that call literals, by the literal's node.
    calls: HashMap<usize, usize>,
    /// The nodes of receives that also ask whether the channel is open.
    checked: HashSet<usize>,
}

/// Where a node stands.
#[derive(Clone, Copy)]
struct At {
    function: FnId,
    scope: ScopeId,
    /// The number of the chain of branches that an `else if` continues.
    chain: Option<usize>,
}

impl<'t> Walk<'_, 't> {
    fn walk(&mut self, tree: &Tree) {
        let root = tree.root_node();
        // What stands outside all functions is in one of its own, without a name.
        let at = self.function(root, "", None, None);
        self.outline.functions[at.function].first = 1;
        let mut todo = vec![(root, at)];
        let mut children = Vec::new();
        for _ in 0..MAX_NODES {
            let Some((node, at)) = todo.pop() else { break };
            if self.outline.ops.len() >= MAX_OPS * (self.file + 1) {
                break;
            }
            self.enter(node, at, &mut children);
            todo.extend(children.drain(..).rev());
        }
    }

    /// Notes what a node does, and says which nodes to visit next, and where they stand.
    fn enter<'n>(&mut self, node: Node<'n>, at: At, next: &mut Vec<(Node<'n>, At)>) {
        let plain = At { chain: None, ..at };
        match node.kind() {
            "function_declaration" | "method_declaration" | "func_literal" => {
                return self.function_declaration(node, at, next);
            }
            "block" => {
                let inner = self.scope(ScopeKind::Block, node, plain);
                self.children(node, inner, next);
                return;
            }
            "for_statement" => return self.for_statement(node, plain, next),
            "if_statement" => return self.if_statement(node, at, next),
            "expression_switch_statement" | "type_switch_statement" => {
                return self.switch_statement(node, plain, next);
            }
            "select_statement" => return self.select_statement(node, plain, next),
            "send_statement" => {
                if let Some(channel) = node.child_by_field_name("channel") {
                    let value =
                        node.child_by_field_name("value").map_or("", |value| self.of(value));
                    self.op(Kind::Send { channel: self.of(channel), value }, node, at);
                }
            }
            "receive_statement" => {
                // The receive itself is the operand on the right; here is only what becomes of it.
                let (left, right) =
                    (self.names_in(node, "left"), node.child_by_field_name("right"));
                if let Some(channel) = right.and_then(|right| self.received(right)) {
                    self.op(Kind::Receive { channel, checked: left.len() > 1 }, node, at);
                    next.extend(
                        right.and_then(|r| r.child_by_field_name("operand")).map(|r| (r, plain)),
                    );
                    return;
                }
            }
            "unary_expression" => {
                if let Some(channel) = self.received(node) {
                    let checked = self.checked.contains(&node.id());
                    self.op(Kind::Receive { channel, checked }, node, at);
                }
            }
            "go_statement" => return self.call_statement(node, Manner::Go, plain, next),
            "defer_statement" => return self.call_statement(node, Manner::Deferred, plain, next),
            "call_expression" | "type_conversion_expression" => {
                self.call(node, Manner::Plain, plain);
            }
            "short_var_declaration" | "assignment_statement" => {
                let names = self.names_in(node, "left");
                self.assign(names, node.child_by_field_name("right"), node, plain);
            }
            "var_spec" => self.var_spec(node, plain),
            "composite_literal" => self.composite(node, plain),
            "type_spec" | "type_alias" => self.type_spec(node),
            "package_clause" => {
                let name = node.named_child(0).map_or("", |name| self.of(name));
                self.outline.packages[self.file] = name;
            }
            "return_statement" => {
                let values = node.named_child(0).map_or("", |values| self.of(values));
                self.op(Kind::Return { values }, node, plain);
            }
            "break_statement" | "goto_statement" => self.op(Kind::Break, node, plain),
            "continue_statement" => self.op(Kind::Continue, node, plain),
            "comment" | "import_declaration" | "interpreted_string_literal" => return,
            _ => {}
        }
        self.children(node, plain, next);
    }

    fn children<'n>(&self, node: Node<'n>, at: At, next: &mut Vec<(Node<'n>, At)>) {
        next.extend(named(node).into_iter().map(|child| (child, at)));
    }

    fn op(&mut self, kind: Kind<'t>, node: Node<'_>, at: At) {
        self.outline.ops.push(Op {
            kind,
            first: line(node.start_position().row),
            last: line(node.end_position().row),
            scope: at.scope,
            function: at.function,
        });
    }

    fn of(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    fn scope(&mut self, kind: ScopeKind, node: Node<'_>, at: At) -> At {
        let depth = self.outline.scopes[at.scope].depth + 1;
        if depth > MAX_DEPTH {
            return At { chain: None, ..at };
        }
        let scope = self.outline.scopes.len();
        self.outline.scopes.push(Scope {
            kind,
            parent: Some(at.scope),
            jumps: !matches!(kind, ScopeKind::Loop(_)) && self.jumps(node),
            depth,
        });
        At { function: at.function, scope, chain: None }
    }

    /// The expressions of a list, as written.
    fn names_in(&self, node: Node<'_>, field: &str) -> Vec<&'t str> {
        let list = node.child_by_field_name(field).map(named).unwrap_or_default();
        list.into_iter().map(|name| self.of(name)).collect()
    }
}

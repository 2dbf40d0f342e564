//! From text to outline: parses with tree-sitter and walks the tree once, without recursion.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};

use super::{
    Binding, Field, FnId, Function, Kind, Loop, Manner, Op, Outline, Scope, ScopeId, ScopeKind,
};

/// Larger texts are generated; nobody blocks in them.
const MAX_TEXT: usize = 4 << 20;
/// The parser reports every hundred of its steps; a large file of the standard library needs some
/// thousand reports. Text that is no Go at all may need any number, and ends here.
const MAX_REPORTS: usize = 200_000;
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

fn parse(text: &str) -> Option<Tree> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_go::LANGUAGE.into()).ok()?;
    let mut reports = 0;
    let mut bounded = |_: &ParseState| {
        reports += 1;
        if reports > MAX_REPORTS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut bounded);
    let mut read = |at: usize, _| text.as_bytes().get(at..).unwrap_or_default();
    parser.parse_with_options(&mut read, None, Some(options))
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
    /// The number of the chain of branches that an `else if` goes on with.
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
                return;
            }
            "block" => {
                let inner = self.scope(ScopeKind::Block, node, plain);
                self.children(node, inner, next);
                return;
            }
            "for_statement" => return self.for_statement(node, plain, next),
            "if_statement" => return self.if_statement(node, at, next),
            "expression_switch_statement" | "type_switch_statement" => {
                let chain = node.start_byte();
                for child in named(node) {
                    let inside = match child.kind() {
                        "expression_case" | "type_case" | "default_case" => {
                            self.scope(ScopeKind::Branch(chain), child, plain)
                        }
                        _ => plain,
                    };
                    next.push((child, inside));
                }
                return;
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
                    (names_of(self, node, "left"), node.child_by_field_name("right"));
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
            "go_statement" | "defer_statement" => {
                let manner =
                    if node.kind() == "go_statement" { Manner::Go } else { Manner::Deferred };
                for child in named(node) {
                    if self.call(child, manner, plain) {
                        self.children(child, plain, next);
                    } else {
                        next.push((child, plain));
                    }
                }
                return;
            }
            "call_expression" | "type_conversion_expression" => {
                self.call(node, Manner::Plain, plain);
            }
            "short_var_declaration" | "assignment_statement" => {
                let names = names_of(self, node, "left");
                self.assign(names, node.child_by_field_name("right"), node, plain);
            }
            "var_spec" => {
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
                            self.op(Kind::Declare { name, of }, node, plain);
                        }
                    }
                    (value, _) => self.assign(names, value, node, plain),
                }
            }
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

    fn for_statement<'n>(&mut self, node: Node<'n>, at: At, next: &mut Vec<(Node<'n>, At)>) {
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
                if let [_, name] = names_of(self, head, "left")[..] {
                    let kind = Kind::Assign { names: vec![name], value: over, callee: None };
                    self.op(kind, head, inside);
                }
            }
            next.push((head, inside));
        }
        next.extend(body.map(|body| (body, inside)));
    }

    fn if_statement<'n>(&mut self, node: Node<'n>, at: At, next: &mut Vec<(Node<'n>, At)>) {
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

    fn select_statement<'n>(&mut self, node: Node<'n>, at: At, next: &mut Vec<(Node<'n>, At)>) {
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

    /// Notes a call; `false` when the node is none.
    fn call(&mut self, node: Node<'_>, manner: Manner, at: At) -> bool {
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

    fn assign(&mut self, names: Vec<&'t str>, value: Option<Node<'_>>, node: Node<'_>, at: At) {
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

    fn assign_one(&mut self, names: Vec<&'t str>, value: Node<'_>, node: Node<'_>, at: At) {
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

    fn composite(&mut self, node: Node<'_>, at: At) {
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

    fn type_spec(&mut self, node: Node<'_>) {
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
                let name = super::plain_type(of);
                self.outline.fields.push(Field { owner, name, of, embedded: true });
            }
        }
    }

    fn function(
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

    /// Whether the last statement in there leaves.
    fn jumps(&self, node: Node<'_>) -> bool {
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

    /// The channel that an expression receives from.
    fn received(&self, node: Node<'_>) -> Option<&'t str> {
        let node = bare(node)?;
        let operator = node.child_by_field_name("operator")?;
        let operand = node.child_by_field_name("operand")?;
        (node.kind() == "unary_expression" && operator.kind() == "<-").then(|| self.of(operand))
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
}

fn names_of<'t>(walk: &Walk<'_, 't>, node: Node<'_>, field: &str) -> Vec<&'t str> {
    let list = node.child_by_field_name(field).map(named).unwrap_or_default();
    list.into_iter().map(|name| walk.of(name)).collect()
}

/// An expression without the parentheses around it.
fn bare(mut node: Node<'_>) -> Option<Node<'_>> {
    while node.kind() == "parenthesized_expression" {
        node = node.named_child(0)?;
    }
    Some(node)
}

fn named(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

fn line(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX).saturating_add(1)
}

//! Which expressions of a program's text mean the same channel, lock or context.
//!
//! Go's types are not known here, so this follows names: a local is its function's, a closure's
//! free name is the enclosing function's, a field is its type's, and a parameter is what the caller
//! gives. Objects that the text ties together are one.

use std::collections::{HashMap, HashSet};

use super::outline::{FnId, Kind, OpId, Outline, last_part, operand, plain_type};

/// An object, as an index.
pub(super) type ObjectId = usize;

/// How a name is made out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Identity<'t> {
    Local {
        function: FnId,
        name: &'t str,
    },
    Package {
        name: &'t str,
    },
    /// `owner` is empty where the type is not known.
    Field {
        owner: &'t str,
        name: &'t str,
    },
    Call {
        text: &'t str,
    },
}

/// The objects of an outline.
#[derive(Debug)]
pub(super) struct Objects<'t> {
    ids: HashMap<Identity<'t>, ObjectId>,
    /// The object that each was found to be the same as.
    same: Vec<ObjectId>,
    /// Those that text which we do not have may use.
    shared: Vec<bool>,
    /// Functions by what declares a name in them.
    declared: HashMap<(FnId, &'t str), Declared<'t>>,
    /// Types of fields, by owner and name.
    fields: HashMap<(&'t str, &'t str), &'t str>,
    /// The types that have a field of this name.
    owners: HashMap<&'t str, Vec<&'t str>>,
}

/// What is known of a declared name.
#[derive(Clone, Copy, Debug, Default)]
struct Declared<'t> {
    of: &'t str,
}

/// As many names are followed, from one to the next.
const MAX_STEPS: usize = 8;

impl<'t> Objects<'t> {
    /// Makes out all names of an outline. Where several callers give different arguments, those in
    /// `preferred` functions count.
    pub(super) fn of(outline: &Outline<'t>, preferred: &[FnId]) -> Self {
        let mut objects = Self {
            ids: HashMap::new(),
            same: Vec::new(),
            shared: Vec::new(),
            declared: HashMap::new(),
            fields: HashMap::new(),
            owners: HashMap::new(),
        };
        objects.declare(outline);
        objects.tie(outline, preferred);
        objects
    }

    /// The object that an expression of a function means.
    pub(super) fn find(
        &self,
        outline: &Outline<'t>,
        function: FnId,
        expression: &'t str,
    ) -> Option<ObjectId> {
        let identity = self.identity(outline, function, expression)?;
        self.ids.get(&identity).map(|&id| self.root(id))
    }

    /// Whether text that we do not have may use an object: it is a field, a package's variable, or
    /// given to functions that are not here.
    pub(super) fn is_shared(&self, object: ObjectId) -> bool {
        let root = self.root(object);
        (0..self.same.len()).any(|id| self.shared[id] && self.root(id) == root)
    }

    /// The types whose fields an object is.
    pub(super) fn owners(&self, object: ObjectId) -> Vec<&'t str> {
        let mut owners: Vec<_> = self
            .ids
            .iter()
            .filter(|&(_, &id)| self.root(id) == self.root(object))
            .filter_map(|(identity, _)| match identity {
                Identity::Field { owner, .. } if !owner.is_empty() => Some(*owner),
                _ => None,
            })
            .collect();
        owners.sort_unstable();
        owners
    }

    /// Whether an object is a field of this name.
    pub(super) fn is_field(&self, object: ObjectId, field: &str) -> bool {
        self.ids.iter().any(|(identity, &id)| {
            matches!(identity, Identity::Field { name, .. } if *name == field)
                && self.root(id) == self.root(object)
        })
    }

    fn declare(&mut self, outline: &Outline<'t>) {
        for field in &outline.fields {
            self.fields.insert((field.owner, field.name), field.of);
            self.owners.entry(field.name).or_default().push(field.owner);
        }
        for (id, function) in outline.functions.iter().enumerate() {
            for binding in function.parameters.iter().chain(&function.receiver) {
                self.declared.insert((id, binding.name), Declared { of: binding.of });
            }
        }
        for op in &outline.ops {
            match &op.kind {
                Kind::Declare { name, of } => {
                    self.declared.entry((op.function, name)).or_insert(Declared { of });
                }
                Kind::Assign { names, value, callee } => {
                    for name in names.iter().filter(|name| is_name(name)) {
                        let known = outline
                            .functions_around(op.function)
                            .any(|function| self.declared.contains_key(&(function, *name)));
                        if !known {
                            let of = made_type(value, *callee);
                            self.declared.insert((op.function, name), Declared { of });
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn tie(&mut self, outline: &Outline<'t>, preferred: &[FnId]) {
        let mut by_name: HashMap<&str, Vec<FnId>> = HashMap::new();
        for (id, function) in outline.functions.iter().enumerate() {
            if !function.name.is_empty() {
                by_name.entry(function.name).or_default().push(id);
            }
        }
        // Every object is known before any is tied, so that what is not here can be told.
        for op in &outline.ops {
            for expression in expressions(&op.kind) {
                self.intern(outline, op.function, expression);
            }
        }
        let mut returns: HashMap<FnId, Vec<&'t str>> = HashMap::new();
        let mut called_for: HashSet<&str> = HashSet::new();
        for op in &outline.ops {
            match &op.kind {
                Kind::Return { values } if is_path(values) => {
                    returns.entry(op.function).or_default().push(values);
                }
                Kind::Assign { callee: Some(callee), .. } => {
                    called_for.insert(last_part(callee));
                }
                _ => {}
            }
        }
        let mut given: HashMap<FnId, Vec<OpId>> = HashMap::new();
        for (id, op) in outline.ops.iter().enumerate() {
            match &op.kind {
                Kind::Assign { names, value, callee: None } => {
                    if let [name] = names[..] {
                        self.tie_two(outline, op.function, name, op.function, value);
                    }
                }
                Kind::Assign { names, callee: Some(callee), .. } => {
                    let Some([called]) = by_name.get(last_part(callee)).map(Vec::as_slice) else {
                        continue;
                    };
                    if let [name] = names[..] {
                        for values in returns.get(called).into_iter().flatten() {
                            self.tie_two(outline, op.function, name, *called, values);
                        }
                    }
                }
                Kind::Keyed { owner, name, value } => {
                    let field = Identity::Field { owner: plain_type(owner), name };
                    let field = self.add(field);
                    if let Some(value) = self.intern(outline, op.function, value) {
                        self.unite(field, value);
                    }
                }
                Kind::Call { callee, arguments, literal, .. } => {
                    let called = match literal {
                        Some(literal) => Some(*literal),
                        None => by_name.get(last_part(callee)).and_then(|all| all.first()).copied(),
                    };
                    match called {
                        Some(called) => given.entry(called).or_default().push(id),
                        None if !is_builtin(callee) => {
                            for argument in arguments {
                                if let Some(object) = self.intern(outline, op.function, argument) {
                                    self.shared[object] = true;
                                }
                            }
                        }
                        None => {}
                    }
                }
                Kind::Return { values } if is_path(values) => {
                    let name = outline.functions[op.function].name;
                    let called = called_for.contains(name)
                        && by_name.get(name).is_some_and(|all| all.len() == 1);
                    if let Some(object) = self.intern(outline, op.function, values)
                        && !called
                    {
                        self.shared[object] = true;
                    }
                }
                _ => {}
            }
        }
        let mut given: Vec<_> = given.into_iter().collect();
        given.sort_unstable();
        for (called, calls) in given {
            let best = calls.iter().find(|&&call| {
                outline
                    .functions_around(outline.ops[call].function)
                    .any(|function| preferred.contains(&function))
            });
            let Some(&call) = best.or(calls.first()) else { continue };
            let Kind::Call { arguments, .. } = &outline.ops[call].kind else { continue };
            for (binding, argument) in outline.functions[called].parameters.iter().zip(arguments) {
                let caller = outline.ops[call].function;
                self.tie_two(outline, called, binding.name, caller, argument);
            }
        }
        let mut sizes: HashMap<ObjectId, usize> = HashMap::new();
        for id in 0..self.same.len() {
            *sizes.entry(self.root(id)).or_default() += 1;
        }
        // A parameter that no call here gives comes from elsewhere.
        for (id, function) in outline.functions.iter().enumerate() {
            for binding in &function.parameters {
                let identity = Identity::Local { function: id, name: binding.name };
                if let Some(&object) = self.ids.get(&identity)
                    && sizes.get(&self.root(object)) == Some(&1)
                {
                    self.shared[object] = true;
                }
            }
        }
    }

    fn tie_two(&mut self, outline: &Outline<'t>, a_in: FnId, a: &'t str, b_in: FnId, b: &'t str) {
        if let (Some(a), Some(b)) = (self.intern(outline, a_in, a), self.intern(outline, b_in, b)) {
            self.unite(a, b);
        }
    }

    fn unite(&mut self, a: ObjectId, b: ObjectId) {
        for mut id in [a, b] {
            // Shortens the way for the next walk.
            while self.same[id] != id {
                self.same[id] = self.same[self.same[id]];
                id = self.same[id];
            }
        }
        let (a, b) = (self.root(a), self.root(b));
        // Always towards the smaller number: then no walk to the root can turn in a circle.
        self.same[a.max(b)] = a.min(b);
    }

    fn root(&self, mut id: ObjectId) -> ObjectId {
        while self.same[id] != id {
            id = self.same[id];
        }
        id
    }

    fn intern(
        &mut self,
        outline: &Outline<'t>,
        function: FnId,
        expression: &'t str,
    ) -> Option<ObjectId> {
        let identity = self.identity(outline, function, expression)?;
        Some(self.add(identity))
    }

    fn add(&mut self, identity: Identity<'t>) -> ObjectId {
        let next = self.same.len();
        // A package's variable or a field can be used by any file; whether this one is, the rules
        // weigh by whether they see how it is used.
        let shared = matches!(identity, Identity::Package { .. } | Identity::Field { .. });
        let id = *self.ids.entry(identity).or_insert(next);
        if id == next {
            self.same.push(id);
            self.shared.push(shared);
        }
        id
    }

    fn identity(
        &self,
        outline: &Outline<'t>,
        function: FnId,
        expression: &'t str,
    ) -> Option<Identity<'t>> {
        let expression = clean(expression);
        if expression.ends_with(')') {
            return Some(Identity::Call { text: expression });
        }
        let expression = expression.split('[').next().unwrap_or_default();
        if !is_path(expression) {
            return None;
        }
        match operand(expression) {
            Some(owner) => {
                let name = last_part(expression);
                let owner = self.type_of(outline, function, owner, MAX_STEPS);
                let owner = match self.owners.get(name).map(Vec::as_slice) {
                    // Embedded and inferred types are not followed: a name that one type has is it.
                    Some([only]) if owner.is_empty() => only,
                    _ => owner,
                };
                Some(Identity::Field { owner, name })
            }
            None => Some(match self.declaring(outline, function, expression) {
                Some(function) if !is_package_level(outline, function) => {
                    Identity::Local { function, name: expression }
                }
                _ => Identity::Package { name: expression },
            }),
        }
    }

    fn declaring(&self, outline: &Outline<'t>, function: FnId, name: &'t str) -> Option<FnId> {
        outline
            .functions_around(function)
            .find(|&function| self.declared.contains_key(&(function, name)))
    }

    fn type_of(
        &self,
        outline: &Outline<'t>,
        function: FnId,
        path: &'t str,
        steps: usize,
    ) -> &'t str {
        if steps == 0 {
            return "";
        }
        let path = clean(path);
        match operand(path) {
            None => self
                .declaring(outline, function, path)
                .and_then(|function| self.declared.get(&(function, path)))
                .map_or("", |declared| plain_type(declared.of)),
            Some(owner) => {
                let owner = self.type_of(outline, function, owner, steps - 1);
                self.fields.get(&(owner, last_part(path))).map_or("", |of| plain_type(of))
            }
        }
    }
}

/// Whether a function is what stands around all functions of a file.
fn is_package_level(outline: &Outline<'_>, function: FnId) -> bool {
    let function = &outline.functions[function];
    function.first == 1 && function.name.is_empty() && function.parent.is_none()
}

fn expressions<'a, 't>(kind: &'a Kind<'t>) -> Vec<&'t str> {
    match kind {
        Kind::Send { channel } | Kind::Receive { channel, .. } => vec![channel],
        Kind::Range { over } => vec![over],
        Kind::Call { callee, arguments, .. } => {
            operand(callee).into_iter().chain(arguments.iter().copied()).collect()
        }
        Kind::Assign { names, .. } => names.clone(),
        Kind::Declare { name, .. } => vec![name],
        Kind::Keyed { value, .. } => vec![value],
        Kind::Return { .. } | Kind::Select { .. } | Kind::Break | Kind::Continue => Vec::new(),
    }
}

/// The type that a value has by the looks of it: `&T{..}`, `T{..}`, `new(T)`, `NewT(..)`.
fn made_type<'t>(value: &'t str, callee: Option<&'t str>) -> &'t str {
    let Some(callee) = callee else {
        return match value.split_once('{') {
            Some((of, _)) if !of.contains(['(', ' ']) => of,
            _ => "",
        };
    };
    if callee == "new" {
        return value.trim_start_matches("new(").trim_end_matches(')');
    }
    last_part(callee).strip_prefix("New").or(last_part(callee).strip_prefix("new")).unwrap_or("")
}

/// An expression without what does not change the object.
fn clean(expression: &str) -> &str {
    let mut expression = expression.trim();
    loop {
        let plain = expression.trim_start_matches(['&', '*', ' ']);
        let plain = plain.strip_prefix('(').and_then(|p| p.strip_suffix(')')).unwrap_or(plain);
        if plain == expression {
            return expression;
        }
        expression = plain;
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text != "_" && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// A name, or names joined by dots.
fn is_path(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.split('.').all(is_name)
        && !matches!(text, "nil" | "true" | "false")
}

fn is_builtin(callee: &str) -> bool {
    matches!(callee, "make" | "close" | "len" | "cap" | "new" | "append" | "print" | "println")
        || callee.ends_with("Lock")
        || callee.starts_with("fmt.")
}

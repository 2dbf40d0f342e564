//! Which expressions of a program's text mean the same channel, lock or context.
//!
//! Go's types are not known here, so this follows names: a local is its function's, a closure's
//! free name is the enclosing function's, a field is its type's, and a parameter is what the caller
//! gives. Objects that the text ties together are one.

use std::collections::{HashMap, HashSet};

use super::outline::{FnId, Kind, OpId, Outline, last_part, operand, plain_type, without_index};

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
    /// Those that text which we do not have may use; once all are tied, by the root.
    shared: Vec<bool>,
    /// Those of which the text tells which value they are of, once all are tied, by the root.
    sure: Vec<bool>,
    /// Functions by what declares a name in them.
    declared: HashMap<(FnId, &'t str), Declared<'t>>,
    /// The types of packages' variables.
    package_variables: HashMap<&'t str, &'t str>,
    /// Types of fields, by owner and name.
    fields: HashMap<(&'t str, &'t str), &'t str>,
    /// The types that a type embeds.
    embeds: HashMap<&'t str, Vec<&'t str>>,
    /// What a type is defined as, where that is another type: `type A B`.
    views: HashMap<&'t str, &'t str>,
    /// The types that have a field of this name.
    owners: HashMap<&'t str, Vec<&'t str>>,
    /// Functions and methods by their names.
    by_name: HashMap<&'t str, Vec<FnId>>,
    /// The functions whose calls' arguments depend on which of them is preferred.
    selective: HashSet<FnId>,
}

/// What is known of a declared name.
#[derive(Clone, Copy, Debug, Default)]
struct Declared<'t> {
    /// Its type, as written; empty where only its value tells.
    of: &'t str,
    /// What it was first given, where that is a name or path.
    value: &'t str,
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
            sure: Vec::new(),
            declared: HashMap::new(),
            package_variables: HashMap::new(),
            fields: HashMap::new(),
            embeds: HashMap::new(),
            views: outline.views.iter().copied().collect(),
            owners: HashMap::new(),
            by_name: HashMap::new(),
            selective: HashSet::new(),
        };
        objects.declare(outline);
        objects.tie(outline, preferred);
        objects.settle();
        objects
    }

    /// Those of some functions that change what is made out when they are preferred.
    pub(super) fn that_matter(&self, preferred: &[FnId]) -> Vec<FnId> {
        preferred.iter().copied().filter(|function| self.selective.contains(function)).collect()
    }

    /// Settles who is whose root, who is shared and who is sure.
    fn settle(&mut self) {
        for id in 0..self.same.len() {
            self.same[id] = self.root(id);
        }
        self.sure = vec![true; self.same.len()];
        for (identity, &id) in &self.ids {
            let root = self.same[id];
            let is_sure = match identity {
                Identity::Local { .. } | Identity::Package { .. } => true,
                Identity::Field { owner, name } => self.fields.contains_key(&(*owner, *name)),
                Identity::Call { .. } => false,
            };
            self.sure[root] &= is_sure;
            if self.shared[id] {
                self.shared[root] = true;
            }
        }
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
        self.shared.get(self.root(object)).copied().unwrap_or(true)
    }

    /// Whether the text tells what an object is: a variable, or a field whose struct type is here.
    pub(super) fn is_sure(&self, object: ObjectId) -> bool {
        self.sure.get(self.root(object)).copied().unwrap_or(false)
    }

    /// The fields that objects are: owner, name, object.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'t str, &'t str, ObjectId)> + '_ {
        self.ids.iter().filter_map(|(identity, &id)| match identity {
            Identity::Field { owner, name } => Some((*owner, *name, self.root(id))),
            _ => None,
        })
    }

    /// The types whose fields an object is.
    pub(super) fn owners(&self, object: ObjectId) -> Vec<&'t str> {
        let object = self.root(object);
        let mut owners: Vec<_> = self
            .fields()
            .filter(|&(owner, _, field)| field == object && !owner.is_empty())
            .map(|(owner, _, _)| owner)
            .collect();
        owners.sort_unstable();
        owners
    }

    /// The field of a struct type.
    pub(super) fn field(&self, owner: &'t str, name: &'t str) -> Option<ObjectId> {
        let owner = self.declaring_type(owner, name, MAX_STEPS).unwrap_or(owner);
        self.ids.get(&Identity::Field { owner, name }).map(|&id| self.root(id))
    }

    /// The function that a call calls, where the text tells.
    pub(super) fn called(&self, outline: &Outline<'t>, op: OpId) -> Option<FnId> {
        let Kind::Call { callee, literal, .. } = &outline.ops[op].kind else { return None };
        literal.or_else(|| self.resolve(outline, outline.ops[op].function, callee))
    }

    /// Whether a name in a function may mean a function or method: it has its name, and nothing says
    /// that it is another.
    pub(super) fn may_mean(
        &self,
        outline: &Outline<'t>,
        within: FnId,
        path: &'t str,
        function: FnId,
    ) -> bool {
        let name = outline.functions[function].name;
        !name.is_empty()
            && last_part(path) == name
            && self.resolve(outline, within, path).is_none_or(|found| found == function)
    }

    fn resolve(&self, outline: &Outline<'t>, within: FnId, callee: &'t str) -> Option<FnId> {
        let candidates = self.by_name.get(last_part(callee))?;
        let all = || candidates.iter().copied();
        let package = |id: FnId| outline.packages.get(outline.functions[id].file).copied();
        let is_plain = |&id: &FnId| {
            outline.functions[id].receiver.is_none() && outline.functions[id].parent.is_none()
        };
        let Some(on) = operand(callee) else {
            let local = all().find(|&id| {
                outline.functions[id].parent.is_some_and(|parent| {
                    outline.functions_around(within).any(|around| around == parent)
                })
            });
            return local
                .or_else(|| all().find(|id| is_plain(id) && package(*id) == package(within)));
        };
        let of = self.type_of(outline, within, on, MAX_STEPS);
        if !of.is_empty() {
            return self.method(outline, of, candidates, MAX_STEPS);
        }
        let is_name = is_name(on) && on != "_";
        let is_variable = !is_name
            || self.declaring(outline, within, on).is_some()
            || self.package_variables.contains_key(on);
        if !is_variable {
            return all().find(|id| is_plain(id) && package(*id) == Some(on));
        }
        // The type is not known: a name that one method has is it.
        let mut methods = all().filter(|&id| outline.functions[id].receiver.is_some());
        methods.next().filter(|_| methods.next().is_none())
    }

    /// The one of some methods that a type has, of its own or through what it embeds.
    fn method(
        &self,
        outline: &Outline<'t>,
        of: &'t str,
        methods: &[FnId],
        steps: usize,
    ) -> Option<FnId> {
        let own = methods.iter().copied().find(|&id| {
            outline.functions[id].receiver.is_some_and(|receiver| plain_type(receiver.of) == of)
        });
        own.or_else(|| {
            let embedded = self.embeds.get(of).filter(|_| steps > 0)?;
            embedded.iter().find_map(|inner| self.method(outline, inner, methods, steps - 1))
        })
    }

    /// The type that declares a field: the type itself, the one that it is defined as, or one that it
    /// embeds.
    fn declaring_type(&self, owner: &'t str, name: &'t str, steps: usize) -> Option<&'t str> {
        if self.fields.contains_key(&(owner, name)) {
            return Some(owner);
        }
        let steps = steps.checked_sub(1)?;
        let view = self.views.get(owner).map(|of| plain_type(of));
        let embedded = self.embeds.get(owner).into_iter().flatten().copied();
        view.into_iter().chain(embedded).find_map(|of| self.declaring_type(of, name, steps))
    }

    fn declare(&mut self, outline: &Outline<'t>) {
        for field in &outline.fields {
            self.fields.insert((field.owner, field.name), field.of);
            if field.embedded {
                self.embeds.entry(field.owner).or_default().push(field.name);
            }
            self.owners.entry(field.name).or_default().push(field.owner);
        }
        for (id, function) in outline.functions.iter().enumerate() {
            if !function.name.is_empty() {
                self.by_name.entry(function.name).or_default().push(id);
            }
            for binding in function.parameters.iter().chain(&function.receiver) {
                self.declared.insert((id, binding.name), Declared { of: binding.of, value: "" });
            }
        }
        for op in &outline.ops {
            match &op.kind {
                Kind::Declare { name, of } => {
                    let declared = Declared { of, value: "" };
                    self.declared.entry((op.function, name)).or_insert(declared);
                }
                Kind::Assign { names, value, callee } => {
                    for name in names.iter().filter(|name| is_name(name)) {
                        let known = outline
                            .functions_around(op.function)
                            .any(|function| self.declared.contains_key(&(function, *name)));
                        if !known {
                            let of = self.made_type(outline, op.function, value, *callee);
                            let value = if callee.is_none() { value } else { "" };
                            self.declared.insert((op.function, name), Declared { of, value });
                        }
                    }
                }
                _ => {}
            }
        }
        let mut variables: Vec<_> = self
            .declared
            .iter()
            .filter(|((function, _), _)| is_package_level(outline, *function))
            .map(|(&(function, name), declared)| (function, name, declared.of))
            .collect();
        variables.sort_unstable();
        self.package_variables = variables.into_iter().map(|(_, name, of)| (name, of)).collect();
    }

    /// The type that a value has by the looks of it: `&T{..}`, `T{..}`, `new(T)`, the result of a
    /// function that is here, `NewT(..)`.
    fn made_type(
        &self,
        outline: &Outline<'t>,
        within: FnId,
        value: &'t str,
        callee: Option<&'t str>,
    ) -> &'t str {
        let Some(callee) = callee else {
            return match value.split_once('{') {
                Some((of, _)) if !of.contains(['(', ' ']) => of,
                _ => "",
            };
        };
        if callee == "new" || callee == "make" {
            let inside = value.get(callee.len() + 1..).unwrap_or_default();
            return inside.trim_end_matches(')').split(", ").next().unwrap_or_default();
        }
        if let Some(called) = self.resolve(outline, within, callee) {
            return outline.functions[called].result;
        }
        let name = last_part(callee);
        name.strip_prefix("New").or(name.strip_prefix("new")).unwrap_or("")
    }

    fn tie(&mut self, outline: &Outline<'t>, preferred: &[FnId]) {
        // Every object is known before any is tied, so that what is not here can be told.
        for op in &outline.ops {
            for expression in expressions(&op.kind) {
                self.intern(outline, op.function, expression);
            }
        }
        let mut returns: HashMap<FnId, Vec<&'t str>> = HashMap::new();
        let mut called_for: HashSet<FnId> = HashSet::new();
        for op in &outline.ops {
            match &op.kind {
                Kind::Return { values } if is_path(values) => {
                    returns.entry(op.function).or_default().push(values);
                }
                Kind::Assign { callee: Some(callee), .. } => {
                    called_for.extend(self.resolve(outline, op.function, callee));
                }
                _ => {}
            }
        }
        self.tie_getters(outline, &returns);
        let mut given: HashMap<FnId, Vec<OpId>> = HashMap::new();
        for (id, op) in outline.ops.iter().enumerate() {
            match &op.kind {
                Kind::Assign { names, value, callee: None } => {
                    if let [name] = names[..] {
                        self.tie_two(outline, op.function, name, op.function, value);
                    }
                }
                Kind::Assign { names, callee: Some(callee), .. } => {
                    let Some(called) = self.resolve(outline, op.function, callee) else {
                        continue;
                    };
                    if let [name] = names[..] {
                        for values in returns.get(&called).into_iter().flatten() {
                            self.tie_two(outline, op.function, name, called, values);
                        }
                    }
                }
                // Where a value goes that is sent, or put in a list, is not followed.
                Kind::Send { value, .. } | Kind::Keyed { name: "", value, .. } => {
                    if let Some(object) = self.intern(outline, op.function, value) {
                        self.shared[object] = true;
                    }
                }
                Kind::Keyed { owner, name, value } => {
                    let owner = plain_type(owner);
                    let owner = self.declaring_type(owner, name, MAX_STEPS).unwrap_or(owner);
                    let field = Identity::Field { owner, name };
                    let field = self.add(field);
                    if let Some(value) = self.intern(outline, op.function, value) {
                        self.unite(field, value);
                    }
                }
                Kind::Call { callee, arguments, .. } => match self.called(outline, id) {
                    Some(called) => given.entry(called).or_default().push(id),
                    None if !is_builtin(callee) => {
                        for argument in arguments {
                            if let Some(object) = self.intern(outline, op.function, argument) {
                                self.shared[object] = true;
                            }
                        }
                    }
                    None => {}
                },
                Kind::Return { values } if is_path(values) => {
                    let called = called_for.contains(&op.function);
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
            for &call in calls.iter().skip(1) {
                self.selective.extend(outline.functions_around(outline.ops[call].function));
            }
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

    /// `s.Done()` is what the one method of that name returns.
    fn tie_getters(&mut self, outline: &Outline<'t>, returns: &HashMap<FnId, Vec<&'t str>>) {
        let mut getters: Vec<_> = self
            .ids
            .iter()
            .filter_map(|(identity, &id)| {
                let Identity::Call { text } = identity else { return None };
                let [called] = self.by_name.get(last_part(text.strip_suffix("()")?))?[..] else {
                    return None;
                };
                let [value] = returns.get(&called)?[..] else { return None };
                Some((id, called, value))
            })
            .collect();
        getters.sort_unstable();
        for (id, called, value) in getters {
            if let Some(value) = self.intern(outline, called, value) {
                self.unite(id, value);
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
        let shared = !matches!(identity, Identity::Local { .. });
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
        // What is in a list or map is taken as one object, like the list.
        let expression = without_index(expression);
        if !is_indexed_path(expression) {
            return None;
        }
        match operand(expression) {
            Some(owner) => {
                let name = last_part(expression);
                let owner = self.type_of(outline, function, owner, MAX_STEPS);
                let owner = match self.owners.get(name).map(Vec::as_slice) {
                    // The type is not known: a name that one type has is it.
                    Some([only]) if owner.is_empty() => only,
                    _ => self.declaring_type(owner, name, MAX_STEPS).unwrap_or(owner),
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

    /// The name of a path's type; empty where it is not known.
    fn type_of(
        &self,
        outline: &Outline<'t>,
        function: FnId,
        path: &'t str,
        steps: usize,
    ) -> &'t str {
        plain_type(self.type_text(outline, function, path, steps))
    }

    /// A path's type as written.
    fn type_text(
        &self,
        outline: &Outline<'t>,
        function: FnId,
        path: &'t str,
        steps: usize,
    ) -> &'t str {
        let Some(steps) = steps.checked_sub(1) else { return "" };
        let path = clean(path);
        let list = without_index(path);
        if list != path {
            return element(self.type_text(outline, function, list, steps));
        }
        match operand(path) {
            None => {
                let Some(declaring) = self.declaring(outline, function, path) else {
                    return self.package_variables.get(path).copied().unwrap_or_default();
                };
                let declared = self.declared.get(&(declaring, path)).copied().unwrap_or_default();
                if !declared.of.is_empty() || declared.value.is_empty() || declared.value == path {
                    return declared.of;
                }
                let of = self.type_text(outline, declaring, declared.value, steps);
                // A range gives the values of a list, any other assignment the list itself.
                if of.starts_with(['[', 'm']) && !element(of).is_empty() { element(of) } else { of }
            }
            Some(owner) => {
                let name = last_part(path);
                let owner = self.type_of(outline, function, owner, steps);
                let owner = self.declaring_type(owner, name, MAX_STEPS).unwrap_or(owner);
                self.fields.get(&(owner, name)).copied().unwrap_or_default()
            }
        }
    }
}

/// The type of what a list, array, map or channel holds; empty for other types.
fn element(of: &str) -> &str {
    let of = of.trim_start_matches(['*', ' ']);
    let list = of.strip_prefix("map").unwrap_or(of);
    if list.starts_with('[') {
        let mut depth = 0_usize;
        for (at, c) in list.char_indices() {
            match c {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return &list[at + 1..];
            }
        }
    }
    of.trim_start_matches("<-")
        .strip_prefix("chan")
        .map_or("", |inner| inner.trim_start_matches("<-").trim())
}

/// Whether a function is what stands around all functions of a file.
fn is_package_level(outline: &Outline<'_>, function: FnId) -> bool {
    let function = &outline.functions[function];
    function.first == 1 && function.name.is_empty() && function.parent.is_none()
}

fn expressions<'t>(kind: &Kind<'t>) -> Vec<&'t str> {
    match kind {
        Kind::Send { channel, value } => vec![channel, value],
        Kind::Receive { channel, .. } => vec![channel],
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

/// A path of which any part may have an index: `s.all[i].quit`.
fn is_indexed_path(text: &str) -> bool {
    if is_path(text) {
        return true;
    }
    let mut rest = text;
    while let Some((before, last)) = rest.rsplit_once('.') {
        if !is_name(last) {
            return false;
        }
        let plain = without_index(before);
        if is_path(plain) {
            return true;
        }
        rest = plain;
    }
    false
}

fn is_builtin(callee: &str) -> bool {
    matches!(callee, "make" | "close" | "len" | "cap" | "new" | "print" | "println")
        || callee.ends_with("Lock")
        || callee.starts_with("fmt.")
}

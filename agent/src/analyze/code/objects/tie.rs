//! Ties together what the text says is one object: by assignment, return, argument and field.

use std::collections::{HashMap, HashSet};

use super::super::expression::{is_path, last_part, operand, plain_type};
use super::super::outline::{FnId, Kind, OpId, Outline};
use super::{Identity, ObjectId, Objects};

/// What functions return, each of their returns a list.
type Returns<'t> = HashMap<FnId, Vec<Vec<&'t str>>>;

impl<'t> Objects<'t> {
    /// Finds all objects of an outline, and which of them are one.
    pub(super) fn tie(&mut self, outline: &Outline<'t>, preferred: &[FnId]) {
        // Every object is known before any is tied, so that what is not here can be told.
        for op in &outline.ops {
            for expression in op.kind.expressions() {
                self.intern(outline, op.function, expression);
            }
        }
        let mut returns: Returns<'t> = HashMap::new();
        let mut called_for: HashSet<FnId> = HashSet::new();
        for op in &outline.ops {
            match &op.kind {
                Kind::Return { values } => {
                    returns.entry(op.function).or_default().push(listed(values));
                }
                Kind::Assign { callee: Some(callee), .. } => {
                    called_for.extend(self.names.resolve(outline, op.function, callee));
                }
                _ => {}
            }
        }
        self.tie_getters(outline, &returns);
        self.tie_receivers(outline);
        let mut given: HashMap<FnId, Vec<OpId>> = HashMap::new();
        for (id, op) in outline.ops.iter().enumerate() {
            match &op.kind {
                Kind::Assign { names, value, callee: None } => {
                    // Of `value, ok := m[key]` the first is what is in the map.
                    if let [name] | [name, _] = names[..] {
                        self.tie_two(outline, op.function, name, op.function, value);
                    }
                }
                Kind::Assign { names, callee: Some(callee), .. } => {
                    let Some(called) = self.names.resolve(outline, op.function, callee) else {
                        continue;
                    };
                    for values in returns.get(&called).into_iter().flatten() {
                        // What is an error, or no variable, is nothing here.
                        let pairs = names.iter().zip(values);
                        for (name, value) in pairs.filter(|(_, value)| is_path(value)) {
                            self.tie_two(outline, op.function, name, called, value);
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
                    let owner = self.names.declaring_type(owner, name);
                    let field = Identity::Field { owner, name };
                    let field = self.add(field);
                    if let Some(value) = self.intern(outline, op.function, value) {
                        self.unite(field, value);
                    }
                }
                Kind::Call { callee, arguments, .. } => match self.names.called(outline, id) {
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

    /// `s.Done()` is what the one method of that name returns, and `merge(a, b)` what that function does.
    fn tie_getters(&mut self, outline: &Outline<'t>, returns: &Returns<'t>) {
        let mut getters: Vec<_> = self
            .ids
            .iter()
            .filter_map(|(identity, &id)| {
                let Identity::Call { text } = identity else { return None };
                let callee = &text[..text.find('(')?];
                let [called] = *self.names.functions(last_part(callee)) else { return None };
                let [values] = &returns.get(&called)?[..] else { return None };
                let [value] = values[..] else { return None };
                is_path(value).then_some((id, called, value))
            })
            .collect();
        getters.sort_unstable();
        for (id, called, value) in getters {
            if let Some(value) = self.intern(outline, called, value) {
                self.unite(id, value);
            }
        }
    }

    /// Values of a type that is no struct, such as `type Semaphore chan struct{}`, are taken as one in its methods, as fields
    /// are, and as what those are called on.
    fn tie_receivers(&mut self, outline: &Outline<'t>) {
        let structs: HashSet<&'t str> = outline.fields.iter().map(|field| field.owner).collect();
        let mut first: HashMap<&'t str, ObjectId> = HashMap::new();
        for (id, function) in outline.functions.iter().enumerate() {
            let Some(receiver) = function.receiver.filter(|it| !it.of.contains('*')) else {
                continue;
            };
            let of = plain_type(receiver.of);
            if structs.contains(of) {
                continue;
            }
            let Some(object) = self.intern(outline, id, receiver.name) else { continue };
            self.shared[object] = true;
            let first = *first.entry(of).or_insert(object);
            self.unite(first, object);
        }
        for (op, it) in outline.ops.iter().enumerate() {
            let Kind::Call { callee, .. } = it.kind else { continue };
            let Some(called) = self.names.called(outline, op) else { continue };
            if let Some(receiver) = outline.functions[called].receiver
                && first.contains_key(plain_type(receiver.of))
                && let Some(value) = operand(callee)
            {
                self.tie_two(outline, called, receiver.name, it.function, value);
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
        // Always towards the smaller number: then no walk to the root can loop.
        self.same[a.max(b)] = a.min(b);
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
}

/// The values of a list, where no comma stands within one of them; else none.
fn listed(values: &str) -> Vec<&str> {
    if values.contains(['(', '{', '"']) {
        Vec::new()
    } else {
        values.split(',').map(str::trim).collect()
    }
}

fn is_builtin(callee: &str) -> bool {
    matches!(callee, "make" | "close" | "len" | "cap" | "new" | "print" | "println")
        || callee.ends_with("Lock")
        || callee.starts_with("fmt.")
}

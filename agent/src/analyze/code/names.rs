//! What the names of a program's text stand for: where they are declared, their types, and the
//! functions that calls call.
//!
//! Go's types are not computed: a type is what the text declares, or what a value looks like.

use std::collections::HashMap;

use super::expression::{clean, element, is_name, last_part, operand, plain_type, without_index};
use super::outline::{FnId, Kind, OpId, Outline};

/// The declared names of an outline.
#[derive(Debug)]
pub(super) struct Names<'t> {
    /// Names by the function that declares them.
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
    functions: HashMap<&'t str, Vec<FnId>>,
}

/// What is known of a declared name.
#[derive(Clone, Copy, Debug, Default)]
struct Declared<'t> {
    /// Its type, as written; empty where only its value tells.
    of: &'t str,
    /// What it was first given, where that is a name or path.
    value: &'t str,
}

/// From one name to the next, at most this many steps are followed.
const MAX_STEPS: usize = 8;

impl<'t> Names<'t> {
    /// Collects the declarations of an outline.
    pub(super) fn of(outline: &Outline<'t>) -> Self {
        let mut names = Self {
            declared: HashMap::new(),
            package_variables: HashMap::new(),
            fields: HashMap::new(),
            embeds: HashMap::new(),
            views: outline.views.iter().copied().collect(),
            owners: HashMap::new(),
            functions: HashMap::new(),
        };
        names.declare(outline);
        names
    }

    /// Whether a struct type with such a field is in the text.
    pub(super) fn has_field(&self, owner: &'t str, name: &'t str) -> bool {
        self.fields.contains_key(&(owner, name))
    }

    /// Functions and methods of a name.
    pub(super) fn functions(&self, name: &str) -> &[FnId] {
        self.functions.get(name).map_or(&[], Vec::as_slice)
    }

    /// The type whose field a path ends in; empty where it is not known.
    pub(super) fn owner(&self, outline: &Outline<'t>, function: FnId, path: &'t str) -> &'t str {
        let name = last_part(path);
        let owner = operand(path).unwrap_or_default();
        let owner = self.type_of(outline, function, owner, MAX_STEPS);
        match self.owners.get(name).map(Vec::as_slice) {
            // The type is not known: a name that one type has is it.
            Some([only]) if owner.is_empty() => only,
            _ => self.declaring_type(owner, name),
        }
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

    /// The function that a name in a function calls, where the text tells.
    pub(super) fn resolve(
        &self,
        outline: &Outline<'t>,
        within: FnId,
        callee: &'t str,
    ) -> Option<FnId> {
        let candidates = self.functions.get(last_part(callee))?;
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
    /// embeds; the type itself where none is known to.
    pub(super) fn declaring_type(&self, owner: &'t str, name: &'t str) -> &'t str {
        self.find_declaring_type(owner, name, MAX_STEPS).unwrap_or(owner)
    }

    fn find_declaring_type(&self, owner: &'t str, name: &'t str, steps: usize) -> Option<&'t str> {
        if self.fields.contains_key(&(owner, name)) {
            return Some(owner);
        }
        let steps = steps.checked_sub(1)?;
        let view = self.views.get(owner).map(|of| plain_type(of));
        let embedded = self.embeds.get(owner).into_iter().flatten().copied();
        view.into_iter().chain(embedded).find_map(|of| self.find_declaring_type(of, name, steps))
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
                self.functions.entry(function.name).or_default().push(id);
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
            .filter(|((function, _), _)| outline.is_package_level(*function))
            .map(|(&(function, name), declared)| (function, name, declared.of))
            .collect();
        variables.sort_unstable();
        self.package_variables = variables.into_iter().map(|(_, name, of)| (name, of)).collect();
    }

    /// The type that a value has by how it is written: `&T{..}`, `T{..}`, `new(T)`, the result of a
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

    /// The innermost function around a function that declares a name.
    pub(super) fn declaring(
        &self,
        outline: &Outline<'t>,
        function: FnId,
        name: &'t str,
    ) -> Option<FnId> {
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
                let owner = self.declaring_type(owner, name);
                self.fields.get(&(owner, name)).copied().unwrap_or_default()
            }
        }
    }
}

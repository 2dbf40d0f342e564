//! Which expressions of a program's text mean the same channel, lock or context.
//!
//! Go's types are not known here, so this follows names: a local is its function's, a closure's
//! free name is the enclosing function's, a field is its type's, and a parameter is what the caller
//! gives. Objects that the text ties together are one.

mod tie;

use std::collections::{HashMap, HashSet};

use super::expression::{clean, is_indexed_path, last_part, operand, without_index};
use super::names::Names;
use super::outline::{FnId, Outline};

/// An object, as an index.
pub(super) type ObjectId = usize;

/// What an expression means.
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

/// A field of a struct type, and the object that it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldObject<'t> {
    /// The type; empty where it is not known.
    owner: &'t str,
    pub(super) name: &'t str,
    pub(super) object: ObjectId,
}

/// The objects of an outline.
#[derive(Debug)]
pub(super) struct Objects<'t> {
    names: Names<'t>,
    ids: HashMap<Identity<'t>, ObjectId>,
    /// The object that each was found to be the same as.
    same: Vec<ObjectId>,
    /// Those that text which we do not have may use; once all are tied, by the root.
    shared: Vec<bool>,
    /// Those of which the text tells which value they are of, once all are tied, by the root.
    sure: Vec<bool>,
    /// The functions whose calls' arguments depend on which of them is preferred.
    selective: HashSet<FnId>,
}

impl<'t> Objects<'t> {
    /// Makes out all names of an outline. Where several callers give different arguments, those in
    /// `preferred` functions count.
    pub(super) fn of(outline: &Outline<'t>, preferred: &[FnId]) -> Self {
        let mut objects = Self {
            names: Names::of(outline),
            ids: HashMap::new(),
            same: Vec::new(),
            shared: Vec::new(),
            sure: Vec::new(),
            selective: HashSet::new(),
        };
        objects.tie(outline, preferred);
        objects.settle();
        objects
    }

    /// Those of some functions that change what names mean when they are preferred.
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
                Identity::Field { owner, name } => self.names.has_field(owner, name),
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

    /// The fields that objects are.
    pub(super) fn fields(&self) -> impl Iterator<Item = FieldObject<'t>> + '_ {
        self.ids.iter().filter_map(|(identity, &id)| match identity {
            Identity::Field { owner, name } => {
                Some(FieldObject { owner, name, object: self.root(id) })
            }
            _ => None,
        })
    }

    /// The types whose fields an object is.
    pub(super) fn owners(&self, object: ObjectId) -> Vec<&'t str> {
        let object = self.root(object);
        let mut owners: Vec<_> = self
            .fields()
            .filter(|field| field.object == object && !field.owner.is_empty())
            .map(|field| field.owner)
            .collect();
        owners.sort_unstable();
        owners
    }

    /// The field of a struct type.
    pub(super) fn field(&self, owner: &'t str, name: &'t str) -> Option<ObjectId> {
        let owner = self.names.declaring_type(owner, name);
        self.ids.get(&Identity::Field { owner, name }).map(|&id| self.root(id))
    }

    /// What names of functions and types mean.
    pub(super) const fn names(&self) -> &Names<'t> {
        &self.names
    }

    /// What an expression of a function means; `None` where it is no name, path or call.
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
        if operand(expression).is_some() {
            let owner = self.names.owner(outline, function, expression);
            return Some(Identity::Field { owner, name: last_part(expression) });
        }
        Some(match self.names.declaring(outline, function, expression) {
            Some(function) if !outline.is_package_level(function) => {
                Identity::Local { function, name: expression }
            }
            _ => Identity::Package { name: expression },
        })
    }

    fn root(&self, mut id: ObjectId) -> ObjectId {
        while self.same[id] != id {
            id = self.same[id];
        }
        id
    }
}

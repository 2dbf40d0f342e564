//! The variables that hold the heap: by name, in the order in which they are followed.

use std::collections::{BTreeMap, HashSet};

use super::Read;
use crate::golang::heap::Walk;
use crate::golang::heap::roots::Variables;
use crate::golang::heap::shape::Shape;
use crate::golang::types::{Label, Types};
use crate::golang::variable_names::{Chain, VariableNames};
use crate::golang::{self, Program};
use crate::model::function::{is_of_runtime, is_standard};

/// The order in which variables are followed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Of the program's own packages, and those that it uses; or nobody knows of whose.
    Own,
    Std,
    Runtime,
}

impl Rank {
    fn of(name: Option<&str>) -> Self {
        match name {
            Some(name) if is_of_runtime(name) => Self::Runtime,
            Some(name) if is_standard(name) => Self::Std,
            _ => Self::Own,
        }
    }
}

/// A variable that points into the heap.
pub(super) struct Named<'n> {
    pub(super) rank: Rank,
    pub(super) name: Option<&'n str>,
    /// Its first word that does.
    pub(super) address: u64,
    pub(super) values: Vec<Held>,
}

/// What a word of a variable points to, and the field that it is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) via: Label,
    pub(super) shape: Shape,
    pub(super) value: u64,
}

/// The variables, in the order in which they are followed. The words of one that has a name are one. And whether
/// any has a type.
pub(super) fn grouped<'n>(
    program: &Program,
    walk: &mut Walk<'_>,
    variables: &Variables,
    names: &'n VariableNames,
) -> Result<(Vec<Named<'n>>, bool), golang::Error> {
    let failed = |source| golang::Error::read(program.process().pid, "variables", source);
    let chains: Vec<Option<Chain<'n>>> =
        variables.into_heap.iter().map(|word| names.find(*word, &variables.among)).collect();
    let wanted: HashSet<u64> = chains.iter().flatten().map(|chain| chain.start).collect();
    let types = walk.types_mut();
    let known = program.variable_types(types, |start| wanted.contains(&start))?;
    let mut by_name: BTreeMap<(Rank, Option<&str>, u64), Named<'n>> = BTreeMap::new();
    for (variable, chain) in variables.into_heap.iter().zip(chains) {
        let name = chain.as_ref().map(|chain| chain.name);
        let rank = Rank::of(name);
        let own = if name.is_some() { 0 } else { variable.at };
        let (via, shape) = match &chain {
            Some(chain) => known.find(types, program.memory(), chain).map_err(failed)?,
            None => of_unnamed(program, types, variable.at).map_err(failed)?,
        };
        let held = Held { via, shape, value: variable.value };
        let new = || Named { rank, name, address: variable.at, values: Vec::new() };
        by_name.entry((rank, name, own)).or_insert_with(new).values.push(held);
    }
    Ok((by_name.into_values().collect(), !known.is_empty()))
}

/// A word of a variable that nobody knows may be an interface's: a type stands before it then.
fn of_unnamed(program: &Program, types: &mut Types, at: u64) -> Read<(Label, Shape)> {
    let before = program.memory().read_u64(at.wrapping_sub(8)).unwrap_or(0);
    let shape = if types.is_within(before) {
        Shape::of_interface(types, program.memory(), before)?
    } else {
        Shape::Unknown
    };
    Ok((Label::EMPTY, shape))
}

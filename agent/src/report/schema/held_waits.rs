//! Who holds what goroutines wait on.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::frame::FrameDoc;
use crate::model::WaitClass;

/// Who holds what a finding's goroutines wait on, by a walk of the heap at the end: why their leak is not proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaitsHeldDoc<'a> {
    /// In which ways it is held, the commonest first: some.
    pub by: Vec<WaitHeldDoc<'a>>,
    /// Of how many goroutines that was looked at. Those that wait on several things, as in a select, count once: for the
    /// one that is held best.
    ///
    /// Unit: goroutines.
    pub looked_at: u64,
    /// Of how many of them what they wait on is held in ways that are not listed.
    ///
    /// Unit: goroutines.
    pub others: u64,
    /// Of how many of them that is not known, since the walk did not see everything.
    ///
    /// Unit: goroutines.
    pub unknown: u64,
}

/// What some goroutines wait on that is held in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaitHeldDoc<'a> {
    /// Who holds it. More kinds may come within v1.
    pub kind: WaitHolderKind,
    /// The variable's name, or that of the function that the goroutines started in.
    ///
    /// Null: it has none, or it is nobody.
    pub name: Option<Cow<'a, str>>,
    /// The path, from the holder on to what they wait on, as text.
    pub path: Cow<'a, str>,
    /// How many of the finding's goroutines wait on what is held so.
    ///
    /// Unit: goroutines.
    pub goroutines: u64,
    /// The ids of goroutines that hold it, some; empty where none do, or they are too many to tell which.
    ///
    /// Unit: goroutine ids.
    #[serde(default)]
    pub goids: Vec<u64>,
    /// How the first of those waits itself.
    ///
    /// Null: no goroutine holds it, or that is not known.
    pub wait_class: Option<WaitClass>,
    /// Where that one is.
    ///
    /// Null: no goroutine holds it, or that is not known.
    pub at: Option<FrameDoc<'a>>,
    /// The id of the other finding that is about those goroutines.
    ///
    /// Null: no goroutine holds it, or no finding is about those that do.
    pub finding: Option<Cow<'a, str>>,
}

/// Who holds what goroutines wait on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WaitHolderKind {
    /// A variable of a package.
    Variable,
    /// Other goroutines, by their stacks.
    Goroutines,
    /// Nothing but goroutines of the finding itself.
    Themselves,
    /// Besides these words on stacks of other goroutines, which may have no use for them any more.
    LeftOnStacks,
    /// Nothing that the walk saw.
    Nothing,
    /// Something else: what finalizers keep, or what came while the walk went on.
    #[serde(other)]
    Other,
}

//! Who waits for whose lock.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::WaitClass;

/// Who waits for whose lock, over the whole process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LockGraphDoc<'a> {
    /// Contended locks, most waiters first: some.
    pub locks: Vec<LockDoc<'a>>,
    /// Deadlock cycles, shortest first: one of each kind. Cycles of one kind are made of goroutines of
    /// the same groups.
    pub cycles: Vec<Vec<WaiterDoc<'a>>>,
    /// How many cycles there are of each kind, in the order of `cycles`.
    ///
    /// Unit: cycles.
    #[serde(default)]
    pub cycle_counts: Vec<u64>,
    /// Contended locks beyond those listed.
    ///
    /// Unit: locks.
    #[serde(default)]
    pub more: u64,
    /// Cycles of kinds beyond those listed.
    ///
    /// Unit: cycles.
    #[serde(default)]
    pub more_cycles: u64,
}

/// A contended lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LockDoc<'a> {
    /// Its address, in hexadecimal.
    pub object: Cow<'a, str>,
    /// What its waiters wait for: `mutex`, `rwmutex`, ...
    pub wait_class: WaitClass,
    /// How many goroutines wait for it.
    ///
    /// Unit: goroutines.
    pub waiting: u64,
    /// The ids of some of those, smallest first.
    ///
    /// Unit: goroutine ids.
    pub goids_sample: Vec<u64>,
    /// The longest wait.
    ///
    /// Unit: s. Null: nobody's is known.
    pub oldest_seconds: Option<f64>,
    /// Who probably holds it.
    ///
    /// Null: no stack tells.
    pub likely_holder: Option<HolderDoc<'a>>,
    /// Whether it was seen to pass from goroutine to goroutine while they waited: contention, and no
    /// deadlock.
    #[serde(default)]
    pub passes: bool,
}

/// A goroutine of a deadlock cycle: it waits for a lock that the next one holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaiterDoc<'a> {
    /// Its id.
    ///
    /// Unit: goroutine id.
    pub goid: u64,
    /// The address of the lock that it waits for, in hexadecimal.
    pub object: Cow<'a, str>,
    /// Where it waits, as `function (file:line)`.
    ///
    /// Null: it is not known.
    pub at: Option<Cow<'a, str>>,
}

/// A goroutine that probably holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HolderDoc<'a> {
    /// Its id.
    ///
    /// Unit: goroutine id.
    pub goid: u64,
    /// What it is doing itself.
    pub doing: Cow<'a, str>,
    /// Whether it has not moved through the window, so that it will not unlock.
    pub is_stuck: bool,
    /// Where it is, as `function (file:line)`.
    ///
    /// Null: it is not known.
    pub at: Option<Cow<'a, str>>,
}

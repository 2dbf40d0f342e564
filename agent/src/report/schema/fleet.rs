//! What `fleet --format json` writes: `leak-agent/fleet/v1`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::name::{Fleet, SchemaName};
use super::place::PlaceDoc;
use crate::model::{Verdict, WaitClass};

/// The groups of a fleet: the goroutines of many instances of a program that wait alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FleetDoc<'a> {
    /// The name of the schema.
    pub schema: SchemaName<Fleet>,
    /// From how many goroutines in one instance a group is listed.
    ///
    /// Unit: goroutines.
    pub threshold: u64,
    /// The instances that were seen, in the order in which they were named.
    pub instances: Vec<FleetInstanceDoc<'a>>,
    /// Those that could not be seen.
    pub failed: Vec<FailedInstanceDoc<'a>>,
    /// The groups that reach the threshold in an instance, largest root mean square first.
    pub groups: Vec<FleetGroupDoc<'a>>,
    /// How many groups stay below the threshold in every instance.
    ///
    /// Unit: groups.
    pub below_threshold: u64,
    /// Groups that reach the threshold and are ignored as idle.
    pub ignored: Vec<FleetIgnoredDoc>,
    /// Small groups that were dropped, since there were too many to keep.
    ///
    /// Unit: groups.
    pub dropped: u64,
}

/// An instance of a fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FleetInstanceDoc<'a> {
    /// What it is called: an address, a path, or the labels that tell it from the others.
    pub name: Cow<'a, str>,
    /// What is known of it, such as its version.
    pub labels: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    /// When it was seen, as RFC 3339 in UTC.
    ///
    /// Null: the time is out of range.
    pub at: Option<Cow<'a, str>>,
    /// How many goroutines it had.
    ///
    /// Unit: goroutines.
    pub goroutines: u64,
}

/// An instance that could not be seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FailedInstanceDoc<'a> {
    /// What it is called.
    pub name: Cow<'a, str>,
    /// Why, in a line.
    pub why: Cow<'a, str>,
}

/// Goroutines that wait alike at one place, over all instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FleetGroupDoc<'a> {
    /// The class of their wait.
    pub wait_class: WaitClass,
    /// Where they wait, as the instance with the most has it.
    ///
    /// Null: no profile names it.
    pub blocked_at: Option<PlaceDoc<'a>>,
    /// What created them.
    ///
    /// Null: no profile names it, as counts of goroutines do not.
    pub created_by: Option<PlaceDoc<'a>>,
    /// How many there are in all instances together.
    ///
    /// Unit: goroutines.
    pub total: u64,
    /// How many instances have any.
    ///
    /// Unit: instances.
    pub instances: u64,
    /// How many instances reach the threshold.
    ///
    /// Unit: instances.
    pub affected: u64,
    /// The root mean square of their numbers over all instances.
    ///
    /// Unit: goroutines.
    pub root_mean_square: f64,
    /// The instances that have the most.
    pub worst: Vec<FleetCountDoc<'a>>,
    /// The surest verdict that an instance's own judgement has on them.
    ///
    /// Null: it has none.
    pub verdict: Option<Verdict>,
    /// Labels whose values affected instances have and hardly any other.
    pub only_where: Vec<OnlyWhereDoc<'a>>,
}

/// How many goroutines of a group an instance has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FleetCountDoc<'a> {
    /// The instance's name.
    pub instance: Cow<'a, str>,
    /// How many it has.
    ///
    /// Unit: goroutines.
    pub count: u64,
}

/// A label's values that tell affected instances from the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OnlyWhereDoc<'a> {
    /// The label.
    pub label: Cow<'a, str>,
    /// Its values at the affected instances.
    pub values: Vec<Cow<'a, str>>,
    /// How many instances have these values.
    ///
    /// Unit: instances.
    pub having: u64,
    /// How many of them are affected.
    ///
    /// Unit: instances.
    pub affected: u64,
}

/// Groups that reach the threshold and are ignored as idle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FleetIgnoredDoc {
    /// Why.
    pub reason: String,
    /// How many.
    ///
    /// Unit: groups.
    pub groups: u64,
    /// The goroutines in them, over all instances.
    ///
    /// Unit: goroutines.
    pub goroutines: u64,
}

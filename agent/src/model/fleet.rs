//! What many instances of a program have in common: the groups of all, where they are and how many each has.

use super::account::IdleReason;
use super::finding::Verdict;
use super::time::Timestamp;
use super::wait::WaitClass;

/// The groups of a fleet, at about one moment.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// The instances that were seen, in the order in which they were named.
    pub instances: Vec<FleetInstance>,
    /// Those that could not be seen, and why.
    pub failed: Vec<FailedInstance>,
    /// The groups that reach the threshold in an instance, worst first.
    pub groups: Vec<FleetGroup>,
    /// From how many goroutines in one instance a group is listed.
    pub threshold: u64,
    /// How many groups stay below the threshold in every instance.
    pub below: u64,
    /// How many groups reach it and are ignored as idle, with their goroutines over all instances, by why.
    pub ignored: Vec<(IdleReason, u64, u64)>,
    /// Groups that were dropped, since there were too many to keep: small ones.
    pub dropped: u64,
}

/// An instance of the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetInstance {
    /// What it is called: an address, a file, or the labels that tell it from the others.
    pub name: String,
    /// What is known of it, such as its version: sorted by key.
    pub labels: Vec<(String, String)>,
    /// When it was seen.
    pub at: Timestamp,
    /// How many goroutines it had.
    pub goroutines: u64,
}

/// An instance that could not be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedInstance {
    /// What it is called.
    pub name: String,
    /// Why, in a line.
    pub why: String,
}

/// Goroutines that wait alike at one place, over all instances.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetGroup {
    /// The class of their wait.
    pub wait: WaitClass,
    /// Where they wait.
    pub blocked_at: Option<FleetLine>,
    /// What created them; `None` where no profile says so.
    pub created_by: Option<FleetLine>,
    /// How many there are in all instances together.
    pub total: u64,
    /// How many instances have any.
    pub instances: u64,
    /// How many instances reach the threshold.
    pub affected: u64,
    /// The root mean square of their numbers over all instances: large where there are many, and larger
    /// where the same number is in few instances. What groups are ranked by.
    pub root_mean_square: f64,
    /// The instances that have the most, as places in [`Fleet::instances`], with their numbers.
    pub worst: Vec<(usize, u64)>,
    /// The surest verdict that an instance's own judgement has on them.
    pub verdict: Option<Verdict>,
    /// Labels whose values affected instances have and hardly any other: the versions, zones, ... that it is
    /// about.
    pub only_where: Vec<OnlyWhere>,
}

/// A label's values that tell affected instances from all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnlyWhere {
    /// The label.
    pub label: String,
    /// Its values at the affected instances, sorted.
    pub values: Vec<String>,
    /// How many instances have these values.
    pub having: u64,
    /// How many of them are affected.
    pub affected: u64,
}

/// A line of source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetLine {
    /// The function, by its full name.
    pub function: String,
    /// The file, as the profile names it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

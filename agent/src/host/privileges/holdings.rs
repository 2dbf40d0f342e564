//! What this process was given, what of it it still holds, and what for.

use super::{Capabilities, Capability, Plan, PrivilegeError, Status, filter};
use crate::host::Seccomp;

/// What was given up and what was kept.
#[derive(Clone, Debug)]
pub struct Holdings {
    /// The capabilities that matter here, one by one.
    pub capabilities: Vec<Holding>,
    /// How many others were given up; `None` when /proc does not say.
    pub others_given_up: Option<u32>,
    /// How many others are still held; `None` when /proc does not say.
    pub others_held: Option<u32>,
    /// Whether a program that it starts can never gain privileges; `None` when /proc does not say.
    pub no_new_privileges: Option<bool>,
    /// Seccomp's hold on it now; `None` when /proc does not say.
    pub seccomp: Option<Seccomp>,
    /// What its own filter refuses.
    pub refused: Vec<&'static str>,
    /// What could not be given up, and why.
    pub problem: Option<String>,
}

/// One capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Its name.
    pub capability: &'static str,
    /// Whether this process was started with it; `None` when /proc does not say.
    pub given: Option<bool>,
    /// Whether it still has it.
    pub held: Option<bool>,
    /// What it is for; `None` when it is not needed.
    pub why: Option<&'static str>,
}

impl Holdings {
    /// Gives up what a plan does not keep, and says what became of it.
    #[must_use]
    pub fn after(plan: &Plan) -> Self {
        let given = permitted();
        let problem = plan.apply().err();
        let refused = match &problem {
            Some(PrivilegeError::Filter(_)) => Vec::new(),
            _ => filter::GROUPS.iter().map(|group| group.name).collect(),
        };
        Self { refused, problem: problem.as_ref().map(with_cause), ..Self::compare(plan, given) }
    }

    /// Says what is held now, and what a plan would keep it for. Gives up nothing.
    #[must_use]
    pub fn detect(plan: &Plan) -> Self {
        Self::compare(plan, permitted())
    }

    fn compare(plan: &Plan, given: Option<Capabilities>) -> Self {
        let now = Status::of_self().ok();
        let held = now.as_ref().map(|status| status.permitted);
        let others = |set: Capabilities| set.without(Capability::ALL.into_iter().collect()).count();
        let holding = |capability: Capability| Holding {
            capability: capability.name(),
            given: given.map(|set| set.has(capability)),
            held: held.map(|set| set.has(capability)),
            why: plan.why(capability),
        };
        Self {
            capabilities: Capability::ALL.map(holding).into(),
            others_given_up: given.zip(held).map(|(given, held)| others(given.without(held))),
            others_held: held.map(others),
            no_new_privileges: now.as_ref().and_then(|status| status.no_new_privileges),
            seccomp: now.and_then(|status| status.seccomp),
            refused: Vec::new(),
            problem: None,
        }
    }
}

fn permitted() -> Option<Capabilities> {
    Status::of_self().ok().map(|status| status.permitted)
}

fn with_cause(problem: &PrivilegeError) -> String {
    let cause = std::error::Error::source(problem);
    cause.map_or_else(|| problem.to_string(), |cause| format!("{problem}: {cause}"))
}

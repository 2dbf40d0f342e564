//! For how long a target stood still for the agent.

use crate::model::{Assessment, Instance};
use crate::report::format::counted;

/// For how long a target stood still; whether that is worth a warning stands beside it.
#[must_use]
pub fn pauses(assessment: &Assessment) -> (bool, String) {
    let pauses = &assessment.overhead.pauses_ms;
    if let Some(longest) = pauses.iter().copied().reduce(f64::max) {
        let count = counted(pauses.len() as u64, "pause", "pauses");
        return (true, format!("{count} of the target, longest {longest:.1}ms"));
    }
    let is_asked = matches!(assessment.target.id.instance, Instance::Endpoint { .. });
    let form = assessment.coverage.profile.as_ref().map(|profile| profile.form);
    let is_dumped = is_asked && form.is_some_and(|form| form.has_ids());
    let text = if is_dumped { "paused by Go while it wrote each dump" } else { "never paused" };
    (false, text.to_owned())
}

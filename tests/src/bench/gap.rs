//! What a reader does to a target's scheduling, as the target's own meter has it (`internal/gap`).

use anyhow::{Context, Result};

use crate::Target;

/// The longest time, in milliseconds, for which a goroutine that always wants to run did not, while something is
/// done. The meter must run: `gap start`.
///
/// # Errors
/// Those of what is done, and when the target has no meter.
pub fn worst(target: &mut Target, action: impl FnOnce() -> Result<()>) -> Result<f64> {
    target.command("gap reset")?;
    action()?;
    let answer = target.command("gap")?;
    let ns = answer.split(' ').next().and_then(|ns| ns.parse::<f64>().ok());
    Ok(ns.with_context(|| format!("{answer:?} is no gap"))? / 1e6)
}

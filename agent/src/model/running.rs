//! Whether the process itself could run: nothing that waits in a stopped one is stuck.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// What the kernel says of how a process runs, at one observation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// What keeps all of its threads from running; `None` if nothing does.
    pub halt: Option<Halt>,
    /// Of the time since the observation before, in seconds: how long it could not run, because it was
    /// halted, or had work to do and got no CPU. `None` in the first.
    pub held_seconds: Option<f64>,
    /// The CPU time that it has used since it started, in seconds; `None` where the kernel does not say.
    pub cpu_seconds: Option<f64>,
}

impl Running {
    /// How long it could not run since the observation before.
    #[must_use]
    pub fn held(&self) -> Duration {
        Duration::try_from_secs_f64(self.held_seconds.unwrap_or(0.0)).unwrap_or_default()
    }
}

/// What keeps a process from running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Halt {
    /// A signal (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU): somebody's, or of a job in the background.
    Stopped,
    /// A tracer: a debugger, strace.
    Traced,
    /// The freezer of its control group: a paused container.
    Frozen,
}

impl Halt {
    /// The name that people and programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// For how much of a window a process could not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// What keeps it from running as of the last observation.
    pub halt: Option<Halt>,
    /// Time within the window in which it could not run.
    pub held: Duration,
    /// The window.
    pub window: Duration,
    /// Whether it could not run at any time of the window; a single observation is one moment.
    pub always: bool,
}

impl Held {
    /// Whether it could run for too little of the window for "nothing was found" to mean anything: for less
    /// than half of it, and for less than half a minute.
    #[must_use]
    pub fn is_mostly(&self) -> bool {
        let ran = self.window.saturating_sub(self.held);
        self.always || (ran < self.held && ran < Duration::from_secs(30))
    }
}

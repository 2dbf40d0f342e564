//! What `doctor` writes: what this machine and its processes allow, and what is missing.

mod host;
mod process;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::AgentDoc;
use super::name::{Doctor, SchemaName};

pub use host::{
    AllowanceDoc, AnswerDoc, AnswerKind, ConfinementDoc, HostDoc, KernelDoc, LockdownDoc,
    LockdownMode, ProbingDoc, SeccompMode, SettingDoc, SettingState,
};
pub use process::{
    AccessKind, FactDoc, ObstacleDoc, ObstacleKind, ProcessAccessDoc, ProgramDoc, ProgramState,
};

/// What this machine and its processes allow, and what is missing.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Examination")]
pub struct DoctorDoc<'a> {
    /// The name of the schema.
    pub schema: SchemaName<Doctor>,
    /// The agent that looked.
    pub agent: AgentDoc<'a>,
    /// This machine, as the agent sees it.
    pub host: HostDoc<'a>,
    /// What of its privileges the agent keeps while it watches, and what for.
    pub privileges: PrivilegesDoc<'a>,
    /// What the agent may not do on this machine.
    pub missing: Vec<MissingDoc<'a>>,
    /// The processes that were asked for.
    pub processes: Vec<ProcessAccessDoc<'a>>,
}

/// What of its privileges the agent keeps while it watches, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrivilegesDoc<'a> {
    /// The capabilities that matter here, one by one.
    pub capabilities: Vec<CapabilityDoc<'a>>,
    /// How many others were given up.
    ///
    /// Unit: capabilities. Null: /proc does not say.
    pub others_given_up: Option<u32>,
    /// How many others are still held.
    ///
    /// Unit: capabilities. Null: /proc does not say.
    pub others_held: Option<u32>,
    /// Whether a program that the agent starts can never gain privileges.
    ///
    /// Null: /proc does not say.
    pub no_new_privileges: Option<bool>,
    /// Seccomp's hold on the agent.
    ///
    /// Null: /proc does not say.
    pub seccomp: Option<SeccompMode>,
    /// What the agent's own filter of system calls refuses.
    pub refused: Vec<Cow<'a, str>>,
    /// What could not be given up, and why.
    ///
    /// Null: nothing.
    pub problem: Option<Cow<'a, str>>,
}

/// A capability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CapabilityDoc<'a> {
    /// Its name, as in `CAP_BPF`.
    pub capability: Cow<'a, str>,
    /// Whether the agent was started with it.
    ///
    /// Null: /proc does not say.
    pub given: Option<bool>,
    /// Whether it still has it.
    ///
    /// Null: /proc does not say.
    pub held: Option<bool>,
    /// What it is for.
    ///
    /// Null: it is not needed.
    pub why: Option<Cow<'a, str>>,
}

/// Something that the agent may not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissingDoc<'a> {
    /// What for, and what is missing.
    pub what: Cow<'a, str>,
    /// What grants it.
    pub remedies: Vec<RemedyDoc<'a>>,
}

/// A command that grants what is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemedyDoc<'a> {
    /// The command, to be run as it stands.
    pub command: Cow<'a, str>,
    /// When to choose it.
    pub when: Cow<'a, str>,
}

//! A process that was asked for: whether it may be read, and the Go program in it.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RemedyDoc;
use super::host::AnswerDoc;

/// A process that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProcessDoc")]
pub struct ProcessAccessDoc<'a> {
    /// Its id, as the agent's pid namespace counts.
    ///
    /// Unit: process id.
    pub pid: u32,
    /// Whether its memory can be read.
    pub access: AccessKind,
    /// Whether its executable can be opened too, for symbols and DWARF.
    ///
    /// Null: its memory cannot be read.
    pub executable: Option<AnswerDoc<'a>>,
    /// What may be behind it that there is no such process.
    ///
    /// Null: there is one, or nothing is known.
    pub hint: Option<Cow<'a, str>>,
    /// What stands in the way, where access is denied: each of these is enough.
    pub obstacles: Vec<ObstacleDoc<'a>>,
    /// What grants access, the mildest first.
    pub remedies: Vec<RemedyDoc<'a>>,
    /// The Go program in it.
    ///
    /// Null: its memory cannot be read.
    pub program: Option<ProgramDoc<'a>>,
}

/// Whether a process's memory can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccessKind {
    /// It can.
    Granted,
    /// There is no process of this id, as far as the agent can see.
    NoSuchProcess,
    /// The process has exited, and its parent has not asked for its exit code yet.
    Exited,
    /// It is a thread of the kernel: it has no memory of its own.
    KernelThread,
    /// The kernel refuses.
    Denied,
}

/// One thing that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObstacleDoc<'a> {
    /// What.
    pub obstacle: ObstacleKind,
    /// The same as a sentence.
    pub reason: Cow<'a, str>,
}

/// What can stand in the way of reading a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ObstacleKind {
    /// It belongs to another user.
    OtherUser,
    /// It belongs to this user, but to another group.
    OtherGroup,
    /// It is marked as not dumpable.
    NotDumpable,
    /// It holds capabilities that the agent lacks.
    MoreCapabilities,
    /// It is in another user namespace, where the agent's capabilities do not count.
    UserNamespace,
    /// Yama's restriction (`kernel.yama.ptrace_scope`).
    PtraceScope,
    /// A seccomp filter around the agent forbids it.
    Seccomp,
    /// By the rules that can be seen it should be allowed: a security module refuses.
    SecurityModule,
}

/// A Go program that was looked for in a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProgramDoc<'a> {
    /// Whether its goroutines can be read.
    pub state: ProgramState,
    /// What is known of it; empty where they cannot.
    pub facts: Vec<FactDoc<'a>>,
    /// Why they cannot.
    ///
    /// Null: they can.
    pub reason: Option<Cow<'a, str>>,
}

/// Whether a program's goroutines can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProgramState {
    /// They can.
    Ready,
    /// They cannot.
    Failed,
}

/// Something that is known of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FactDoc<'a> {
    /// What.
    pub name: Cow<'a, str>,
    /// What is known of it.
    pub text: Cow<'a, str>,
}

//! This machine, as the agent sees it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// This machine, as the agent sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostDoc<'a> {
    /// The kernel and its settings.
    pub kernel: KernelDoc<'a>,
    /// What of probes the kernel has, and which the agent may use.
    pub probes: ProbingDoc<'a>,
    /// The agent's effective user.
    ///
    /// Unit: user id. Null: /proc does not say.
    pub uid: Option<u32>,
    /// The agent's effective capabilities: those that matter, by name.
    ///
    /// Null: /proc does not say.
    pub capabilities: Option<BTreeMap<Cow<'a, str>, bool>>,
    /// Seccomp's hold on the agent.
    ///
    /// Null: /proc does not say.
    pub seccomp: Option<SeccompMode>,
    /// Containers and namespaces around the agent.
    pub confinement: ConfinementDoc<'a>,
    /// What memory its control groups leave the agent.
    ///
    /// Null: no limit can be seen.
    pub memory: Option<AllowanceDoc>,
}

/// The kernel and its settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KernelDoc<'a> {
    /// Its release, as `uname -r` prints it.
    ///
    /// Null: /proc does not say.
    pub release: Option<Cow<'a, str>>,
    /// The machine's architecture, as `uname -m` prints it.
    ///
    /// Null: the kernel does not say.
    pub arch: Option<Cow<'a, str>>,
    /// Yama's restriction of ptrace: 0 none, 1 descendants only, 2 CAP_SYS_PTRACE only, 3 nobody.
    pub ptrace_scope: SettingDoc<'a>,
    /// Lockdown.
    pub lockdown: LockdownDoc<'a>,
    /// Who may use performance events: 2 and more restrict unprivileged users.
    pub perf_event_paranoid: SettingDoc<'a>,
    /// Whether unprivileged users are kept from BPF: 0 no, 1 until reboot, 2 yes.
    pub unprivileged_bpf_disabled: SettingDoc<'a>,
    /// Whether /sys shows the kernel.
    pub sys_is_mounted: bool,
    /// Whether the kernel carries its types (BTF), which BPF's tracing programs may need.
    pub btf: AnswerDoc<'a>,
}

/// What of probes the kernel has, and which the agent may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbingDoc<'a> {
    /// Whether the kernel has uprobes as performance events (Linux 4.17).
    pub uprobes: AnswerDoc<'a>,
    /// Whether the agent may attach those.
    pub may_use_uprobes: AnswerDoc<'a>,
    /// Whether one uprobe_multi link can hold probes of a whole process (Linux 6.10, and later 6.6).
    pub uprobe_multi: AnswerDoc<'a>,
    /// Whether the agent may load BPF tracing programs.
    pub may_load_bpf: AnswerDoc<'a>,
}

/// Containers and namespaces around the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfinementDoc<'a> {
    /// Whether it sees every process of the machine, by the host's process ids.
    pub host_pids: AnswerDoc<'a>,
    /// Whether its capabilities count for the whole machine.
    pub host_users: AnswerDoc<'a>,
    /// The container that it runs in, by its engine's name.
    ///
    /// Null: there is no sign of one.
    pub container: Option<Cow<'a, str>>,
}

/// The control group that leaves the agent the least memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AllowanceDoc {
    /// Its limit.
    ///
    /// Unit: bytes.
    pub limit_bytes: u64,
    /// What its processes use of that and the kernel cannot take back.
    ///
    /// Unit: bytes.
    pub used_bytes: u64,
}

/// Whether something is so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerDoc<'a> {
    /// Whether it is.
    pub answer: AnswerKind,
    /// Why it is not, or why nobody can tell.
    ///
    /// Null: it is so.
    pub reason: Option<Cow<'a, str>>,
}

/// Whether something is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerKind {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// Nobody could find out.
    CannotTell,
}

/// A setting of the kernel that is a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingDoc<'a> {
    /// Whether there is one, and whether it can be read.
    pub state: SettingState,
    /// What it is.
    ///
    /// Unit: level. Null: there is none, or it cannot be read.
    pub value: Option<i64>,
    /// Why it cannot be read.
    ///
    /// Null: it can, or there is none.
    pub reason: Option<Cow<'a, str>>,
}

/// The kernel's lockdown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LockdownDoc<'a> {
    /// Whether the kernel has one, and whether it can be read.
    pub state: SettingState,
    /// What it is.
    ///
    /// Null: there is none, or it cannot be read.
    pub value: Option<LockdownMode>,
    /// Why it cannot be read.
    ///
    /// Null: it can, or there is none.
    pub reason: Option<Cow<'a, str>>,
}

/// Whether a setting can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SettingState {
    /// It can.
    Is,
    /// This kernel has none.
    Absent,
    /// It cannot.
    Unreadable,
}

/// How far the kernel is locked down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LockdownMode {
    /// Not at all.
    None,
    /// Nobody may change the running kernel.
    Integrity,
    /// Nobody may read its secrets either: BPF programs that read kernel memory are refused.
    Confidentiality,
}

/// Seccomp's hold on a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SeccompMode {
    /// None.
    Off,
    /// Only read, write and exit.
    Strict,
    /// A filter decides.
    Filter,
}

//! What was found, as the document that programs read.

use std::borrow::Cow;

use super::program::Located;
use super::{Findings, Missing, Process};
use crate::host::privileges::{Holding, Holdings};
use crate::host::{
    Access, Allowance, Answer, Capabilities, Capability, Confinement, Host, Kernel, Lockdown,
    Obstacle, Probes, Remedy, Seccomp, Setting,
};
use crate::report::schema::doctor::{
    AccessKind, AllowanceDoc, AnswerDoc, AnswerKind, CapabilityDoc, ConfinementDoc, DoctorDoc,
    FactDoc, HostDoc, KernelDoc, LockdownDoc, LockdownMode, MissingDoc, ObstacleDoc, ObstacleKind,
    PrivilegesDoc, ProbingDoc, ProcessAccessDoc, ProgramDoc, ProgramState, RemedyDoc, SeccompMode,
    SettingDoc, SettingState,
};
use crate::report::schema::{AgentDoc, SchemaName};

/// The whole.
pub(super) fn document(findings: &Findings) -> DoctorDoc<'_> {
    DoctorDoc {
        schema: SchemaName::default(),
        agent: AgentDoc { version: env!("CARGO_PKG_VERSION").into() },
        host: host(&findings.host),
        privileges: privileges(&findings.privileges),
        missing: findings.missing.iter().map(missing).collect(),
        processes: findings.processes.iter().map(process).collect(),
    }
}

fn host(host: &Host) -> HostDoc<'_> {
    let Host { kernel, probes, uid, capabilities, seccomp, confinement, memory } = host;
    let Probes { uprobes, may_use_uprobes, uprobe_multi, may_load_bpf } = probes;
    let Confinement { host_pids, host_users, container } = confinement;
    let has = |set: Capabilities| Capability::ALL.map(|it| (Cow::from(it.name()), set.has(it)));
    HostDoc {
        kernel: self::kernel(kernel),
        probes: ProbingDoc {
            uprobes: answer(uprobes),
            may_use_uprobes: answer(may_use_uprobes),
            uprobe_multi: answer(uprobe_multi),
            may_load_bpf: answer(may_load_bpf),
        },
        uid: *uid,
        capabilities: capabilities.map(|set| has(set).into()),
        seccomp: seccomp.map(self::seccomp),
        confinement: ConfinementDoc {
            host_pids: answer(host_pids),
            host_users: answer(host_users),
            container: container.as_deref().map(Into::into),
        },
        memory: memory
            .map(|Allowance { limit_bytes, used_bytes }| AllowanceDoc { limit_bytes, used_bytes }),
    }
}

fn kernel(kernel: &Kernel) -> KernelDoc<'_> {
    let (state, value, reason) = setting(&kernel.lockdown);
    let mode = |lockdown| match lockdown {
        Lockdown::None => LockdownMode::None,
        Lockdown::Integrity => LockdownMode::Integrity,
        Lockdown::Confidentiality => LockdownMode::Confidentiality,
    };
    KernelDoc {
        release: kernel.release.as_deref().map(Into::into),
        arch: kernel.arch.as_deref().map(Into::into),
        ptrace_scope: number(&kernel.ptrace_scope),
        lockdown: LockdownDoc { state, value: value.map(mode), reason },
        perf_event_paranoid: number(&kernel.perf_event_paranoid),
        unprivileged_bpf_disabled: number(&kernel.unprivileged_bpf_disabled),
        sys_is_mounted: kernel.sys_is_mounted,
        btf: answer(&kernel.btf),
    }
}

fn number<T: Copy + Into<i64>>(setting: &Setting<T>) -> SettingDoc<'_> {
    let (state, value, reason) = self::setting(setting);
    SettingDoc { state, value: value.map(Into::into), reason }
}

fn setting<T: Copy>(setting: &Setting<T>) -> (SettingState, Option<T>, Option<Cow<'_, str>>) {
    match setting {
        Setting::Is(value) => (SettingState::Is, Some(*value), None),
        Setting::Absent => (SettingState::Absent, None, None),
        Setting::Unreadable(reason) => (SettingState::Unreadable, None, Some(reason.into())),
    }
}

fn answer(answer: &Answer) -> AnswerDoc<'_> {
    let (answer, reason) = match answer {
        Answer::Yes => (AnswerKind::Yes, None),
        Answer::No(reason) => (AnswerKind::No, Some(reason.into())),
        Answer::CannotTell(reason) => (AnswerKind::CannotTell, Some(reason.into())),
    };
    AnswerDoc { answer, reason }
}

const fn seccomp(mode: Seccomp) -> SeccompMode {
    match mode {
        Seccomp::Off => SeccompMode::Off,
        Seccomp::Strict => SeccompMode::Strict,
        Seccomp::Filter => SeccompMode::Filter,
    }
}

fn privileges(holdings: &Holdings) -> PrivilegesDoc<'_> {
    let capability = |&Holding { capability, given, held, why }: &Holding| CapabilityDoc {
        capability: capability.into(),
        given,
        held,
        why: why.map(Into::into),
    };
    PrivilegesDoc {
        capabilities: holdings.capabilities.iter().map(capability).collect(),
        others_given_up: holdings.others_given_up,
        others_held: holdings.others_held,
        no_new_privileges: holdings.no_new_privileges,
        seccomp: holdings.seccomp.map(seccomp),
        refused: holdings.refused.iter().map(|&refused| refused.into()).collect(),
        problem: holdings.problem.as_deref().map(Into::into),
    }
}

fn missing(Missing { what, remedies }: &Missing) -> MissingDoc<'_> {
    MissingDoc { what: (*what).into(), remedies: self::remedies(remedies) }
}

fn remedies(remedies: &[Remedy]) -> Vec<RemedyDoc<'_>> {
    let remedies = remedies.iter();
    remedies
        .map(|remedy| RemedyDoc { command: (&remedy.command).into(), when: remedy.when.into() })
        .collect()
}

fn process(process: &Process) -> ProcessAccessDoc<'_> {
    let blank = ProcessAccessDoc {
        pid: process.pid,
        access: AccessKind::Exited,
        executable: None,
        hint: None,
        obstacles: Vec::new(),
        remedies: Vec::new(),
        program: process.program.as_ref().map(program),
    };
    match &process.access {
        Access::Exited => blank,
        Access::KernelThread => ProcessAccessDoc { access: AccessKind::KernelThread, ..blank },
        Access::Granted { executable } => ProcessAccessDoc {
            access: AccessKind::Granted,
            executable: Some(answer(executable)),
            ..blank
        },
        Access::NoSuchProcess { hint } => ProcessAccessDoc {
            access: AccessKind::NoSuchProcess,
            hint: hint.as_deref().map(Into::into),
            ..blank
        },
        Access::Denied(denial) => ProcessAccessDoc {
            access: AccessKind::Denied,
            obstacles: denial.obstacles.iter().map(obstacle).collect(),
            remedies: remedies(&denial.remedies),
            ..blank
        },
    }
}

fn obstacle(obstacle: &Obstacle) -> ObstacleDoc<'_> {
    let kind = match obstacle {
        Obstacle::OtherUser { .. } => ObstacleKind::OtherUser,
        Obstacle::OtherGroup { .. } => ObstacleKind::OtherGroup,
        Obstacle::NotDumpable => ObstacleKind::NotDumpable,
        Obstacle::MoreCapabilities => ObstacleKind::MoreCapabilities,
        Obstacle::UserNamespace => ObstacleKind::UserNamespace,
        Obstacle::PtraceScope(_) => ObstacleKind::PtraceScope,
        Obstacle::Seccomp => ObstacleKind::Seccomp,
        Obstacle::SecurityModule => ObstacleKind::SecurityModule,
    };
    ObstacleDoc { obstacle: kind, reason: obstacle.to_string().into() }
}

fn program(program: &Located) -> ProgramDoc<'_> {
    let (state, facts, reason) = match program {
        Located::Ready(facts) => (ProgramState::Ready, &**facts, None),
        Located::Failed(why) => (ProgramState::Failed, &[][..], Some(why.into())),
    };
    let facts =
        facts.iter().map(|fact| FactDoc { name: fact.name.into(), text: (&fact.text).into() });
    ProgramDoc { state, facts: facts.collect(), reason }
}

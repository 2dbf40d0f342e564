//! The page that people read.

use std::fmt::Display;
use std::io::{self, Write};

use super::program::Located;
use super::{Findings, Missing, Process};
use crate::host::privileges::{Holding, Holdings};
use crate::host::{Access, Allowance, Answer, Denial, Host, Lockdown, Remedy, Seccomp, Setting};
use crate::report::format;

/// Writes the page.
pub(super) fn write(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { out };
    page.host(&findings.host)?;
    page.privileges(&findings.privileges, findings.host.uid)?;
    page.missing(&findings.missing)?;
    for process in &findings.processes {
        page.process(process)?;
    }
    Ok(())
}

/// The page that people read: a heading, then rows of a name and a text.
struct Page<'a> {
    out: &'a mut dyn Write,
}

impl Page<'_> {
    fn row(&mut self, name: &str, text: impl Display) -> io::Result<()> {
        // Some texts come from the process that is looked at: none may command the terminal.
        writeln!(self.out, "  {name:<26}{}", format::clean(&text.to_string()))
    }

    fn host(&mut self, host: &Host) -> io::Result<()> {
        let unknown = || "cannot tell".to_owned();
        writeln!(self.out, "This host, as leak-agent {} sees it", env!("CARGO_PKG_VERSION"))?;
        let kernel = &host.kernel;
        let release = kernel.release.clone().unwrap_or_else(unknown);
        self.row("kernel", format!("Linux {release}, {}", kernel.arch.as_deref().unwrap_or("?")))?;
        self.row("user", host.uid.map_or_else(unknown, |uid| format!("uid {uid}")))?;
        self.row("yama ptrace_scope", setting(&kernel.ptrace_scope, scope))?;
        self.row("lockdown", setting(&kernel.lockdown, lockdown))?;
        self.row("seccomp", host.seccomp.map_or("cannot tell", seccomp))?;
        self.row("container", host.confinement.container.as_deref().unwrap_or("no sign of one"))?;
        self.row("host's pids", answer(&host.confinement.host_pids))?;
        self.row("host's users", answer(&host.confinement.host_users))?;
        self.row("/sys", if kernel.sys_is_mounted { "mounted" } else { "not mounted" })?;
        self.row("memory", memory(host.memory))?;
        self.row("BTF", answer(&kernel.btf))?;
        self.row("uprobes", answer(&host.probes.uprobes))?;
        self.row("may use uprobes", answer(&host.probes.may_use_uprobes))?;
        self.row("uprobe_multi", answer(&host.probes.uprobe_multi))?;
        self.row("may load BPF", answer(&host.probes.may_load_bpf))?;
        self.row("perf_event_paranoid", setting(&kernel.perf_event_paranoid, plain))?;
        self.row("unprivileged_bpf_disabled", setting(&kernel.unprivileged_bpf_disabled, plain))
    }

    fn privileges(&mut self, holdings: &Holdings, uid: Option<u32>) -> io::Result<()> {
        writeln!(self.out, "\nWhat leak-agent keeps of its rights while it watches, and why")?;
        for holding in &holdings.capabilities {
            self.row(holding.capability, held(holding))?;
        }
        let others = match (holdings.others_held, holdings.others_given_up) {
            (None, _) | (_, None) => "cannot tell".to_owned(),
            (Some(0), Some(0)) => "none were given".to_owned(),
            (Some(0), Some(count)) => format!("{count} were given, none is kept"),
            (Some(held), Some(_)) => format!("{held} are still held"),
        };
        self.row("other capabilities", others)?;
        self.row(
            "new privileges",
            match holdings.no_new_privileges {
                None => "cannot tell",
                Some(true) => "none can be gained any more",
                Some(false) => "could still be gained",
            },
        )?;
        self.row(
            "seccomp",
            match holdings.seccomp {
                None => "cannot tell",
                Some(mode) => seccomp(mode),
            },
        )?;
        for refused in &holdings.refused {
            self.row("  refused", refused)?;
        }
        if let Some(problem) = &holdings.problem {
            self.row("not dropped", problem)?;
        }
        if uid == Some(0) {
            self.row("user", "still root: files that are root's own stay open to it")?;
        }
        Ok(())
    }

    fn missing(&mut self, missing: &[Missing]) -> io::Result<()> {
        if missing.is_empty() {
            return writeln!(self.out, "\nNothing is missing.");
        }
        writeln!(self.out, "\nWhat is missing")?;
        for Missing { what, remedies } in missing {
            writeln!(self.out, "  {what}")?;
            self.remedies(remedies)?;
        }
        Ok(())
    }

    fn remedies(&mut self, remedies: &[Remedy]) -> io::Result<()> {
        for Remedy { command, when } in remedies {
            writeln!(self.out, "    {when}:\n      {command}")?;
        }
        Ok(())
    }

    fn process(&mut self, process: &Process) -> io::Result<()> {
        writeln!(self.out, "\nProcess {}", process.pid)?;
        match &process.access {
            Access::Granted { executable } => {
                self.row("memory", "can be read")?;
                self.row("executable", answer(executable))?;
            }
            Access::NoSuchProcess { hint } => {
                self.row("memory", "there is no such process")?;
                if let Some(hint) = hint {
                    self.row("", hint)?;
                }
            }
            Access::Exited => self.row("memory", "it has exited")?,
            Access::KernelThread => {
                self.row("memory", "it is a thread of the kernel, with no memory of its own")?;
            }
            Access::Denied(Denial { obstacles, remedies }) => {
                self.row("memory", "cannot be read")?;
                for obstacle in obstacles {
                    self.row("  because", obstacle)?;
                }
                self.remedies(remedies)?;
            }
        }
        match &process.program {
            None => Ok(()),
            Some(Located::Failed(why)) => self.row("goroutines", format!("cannot be read: {why}")),
            Some(Located::Ready(facts)) => {
                facts.iter().try_for_each(|fact| self.row(fact.name, &fact.text))
            }
        }
    }
}

fn held(holding: &Holding) -> String {
    match (holding.held, holding.given, holding.why) {
        (None, ..) => "cannot tell".to_owned(),
        (Some(true), _, Some(why)) => format!("held: {why}"),
        (Some(true), _, None) => "held, and not needed".to_owned(),
        (Some(false), Some(true), _) => "dropped: not needed".to_owned(),
        (Some(false), _, Some(why)) => format!("missing: {why}"),
        (Some(false), _, None) => "not given, not needed".to_owned(),
    }
}

fn memory(allowance: Option<Allowance>) -> String {
    allowance.map_or_else(
        || "no control group limits it, as far as can be seen".to_owned(),
        |allowance| {
            let [left, limit] = [allowance.left_bytes(), allowance.limit_bytes].map(format::bytes);
            format!("its control group leaves it {left} of {limit}")
        },
    )
}

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Yes => "yes".to_owned(),
        Answer::No(reason) => format!("no: {reason}"),
        Answer::CannotTell(reason) => format!("cannot tell: {reason}"),
    }
}

fn setting<T: Copy>(setting: &Setting<T>, say: fn(T) -> String) -> String {
    match setting {
        Setting::Is(value) => say(*value),
        Setting::Absent => "this kernel has none".to_owned(),
        Setting::Unreadable(reason) => format!("cannot tell: {reason}"),
    }
}

fn plain<T: Display>(value: T) -> String {
    value.to_string()
}

fn scope(scope: u8) -> String {
    let meaning = match scope {
        0 => "a user may read all of their processes",
        1 => "without CAP_SYS_PTRACE only parents may read",
        2 => "only CAP_SYS_PTRACE may read",
        _ => "nobody may read until the next boot",
    };
    format!("{scope}: {meaning}")
}

fn lockdown(mode: Lockdown) -> String {
    match mode {
        Lockdown::None => "none",
        Lockdown::Integrity => "integrity",
        Lockdown::Confidentiality => "confidentiality: BPF may be refused",
    }
    .to_owned()
}

const fn seccomp(mode: Seccomp) -> &'static str {
    match mode {
        Seccomp::Off => "off",
        Seccomp::Strict => "strict",
        Seccomp::Filter => "a filter decides which system calls are allowed",
    }
}

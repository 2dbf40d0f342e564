//! `leak-agent doctor`: what this host and its processes allow, what is missing, and the command that grants it.

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

use crate::host::{
    Access, Answer, Capability, Denial, Host, Lockdown, Remedy, Seccomp, Setting, access_to,
};

/// The schema of the JSON form. Keys are only ever added within v1.
const SCHEMA: &str = "leak-agent/doctor/v1";

/// What was found out about a process's Go program: rows of a name and a text, in their order.
pub type Facts = Vec<(String, String)>;

/// Looks at the host and at processes and writes what it found. `facts` is asked about each
/// process whose memory can be read. Gives whether all of them can.
///
/// # Errors
/// What the writer says.
pub fn run(
    pids: &[u32],
    json: bool,
    facts: &dyn Fn(u32) -> Facts,
    out: &mut dyn Write,
) -> io::Result<bool> {
    let host = Host::look();
    let processes = pids.iter().map(|&pid| {
        let access = access_to(pid);
        let facts = if access.is_granted() { facts(pid) } else { Facts::new() };
        Process { pid, access, facts }
    });
    let findings = Findings { missing: missing(&host), processes: processes.collect(), host };
    if json {
        write_json(&findings, out)?
    } else {
        write_terminal(&findings, out)?
    }
    Ok(findings.processes.iter().all(|process| process.access.is_granted()))
}

/// Everything that was found.
#[derive(Serialize)]
struct Findings {
    host: Host,
    missing: Vec<Missing>,
    processes: Vec<Process>,
}

/// One process.
#[derive(Serialize)]
struct Process {
    pid: u32,
    #[serde(flatten)]
    access: Access,
    facts: Facts,
}

/// Something that this process may not do, and how to grant it.
#[derive(Serialize)]
struct Missing {
    what: &'static str,
    remedies: Vec<Remedy>,
}

/// What the host as a whole lacks, whatever the process that is looked at.
fn missing(host: &Host) -> Vec<Missing> {
    let mut missing = Vec::new();
    let has = |capability| host.capabilities.is_some_and(|set| set.has(capability));
    let inside = host.confinement.is_container();
    let by = |capabilities: &str| {
        let set = capabilities.to_lowercase();
        if inside {
            let each = capabilities.split(',').map(|name| name.trim_start_matches("CAP_"));
            let flags: Vec<_> = each.map(|name| format!("--cap-add {name}")).collect();
            let flags = flags.join(" ");
            vec![Remedy {
                command: format!("docker run {flags} --pid=host IMAGE leak-agent doctor"),
                when: "in a container: start it like this",
            }]
        } else {
            vec![
                Remedy { command: "sudo leak-agent doctor".to_owned(), when: "once" },
                Remedy {
                    command: format!("sudo setcap {set}+ep \"$(command -v leak-agent)\""),
                    when: "for good, for every user who may run it",
                },
            ]
        }
    };
    if host.kernel.ptrace_scope.value().is_some_and(|scope| scope >= 3) {
        missing.push(Missing {
            what: "to read any process: kernel.yama.ptrace_scope is 3 until the next boot",
            remedies: Vec::new(),
        });
    } else if !has(Capability::SysPtrace) {
        missing.push(Missing {
            what: "to read other users' processes: CAP_SYS_PTRACE",
            remedies: by("CAP_SYS_PTRACE"),
        });
    }
    if inside && !host.confinement.host_pids.is_yes() {
        missing.push(Missing {
            what: "to see processes outside of this container: the host's pids",
            remedies: by("CAP_SYS_PTRACE"),
        });
    }
    // uprobe_multi needs less than perf events do.
    let may_probe = if host.probes.uprobe_multi.is_yes() {
        host.probes.may_load_bpf.is_yes()
    } else {
        host.probes.may_load_bpf.is_yes() && host.probes.may_use_uprobes.is_yes()
    };
    if host.probes.uprobes.is_yes() && !may_probe {
        missing.push(if host.probes.uprobe_multi.is_yes() {
            Missing {
                what: "for probes: CAP_BPF and CAP_PERFMON",
                remedies: by("CAP_SYS_PTRACE,CAP_BPF,CAP_PERFMON"),
            }
        } else {
            Missing {
                what: "for probes: CAP_SYS_ADMIN (this kernel has no uprobe_multi)",
                remedies: by("CAP_SYS_PTRACE,CAP_BPF,CAP_PERFMON,CAP_SYS_ADMIN"),
            }
        });
    }
    missing
}

fn write_json(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        schema: &'static str,
        agent: Agent,
        #[serde(flatten)]
        findings: &'a Findings,
    }
    #[derive(Serialize)]
    struct Agent {
        version: &'static str,
    }
    let agent = Agent { version: env!("CARGO_PKG_VERSION") };
    serde_json::to_writer_pretty(&mut *out, &Document { schema: SCHEMA, agent, findings })?;
    writeln!(out)
}

fn write_terminal(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { out };
    page.host(&findings.host)?;
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
        let text: String = text.to_string().replace(|c: char| c.is_control(), "\u{fffd}");
        writeln!(self.out, "  {name:<26}{text}")
    }

    fn host(&mut self, host: &Host) -> io::Result<()> {
        let unknown = || "cannot tell".to_owned();
        writeln!(self.out, "This host, as leak-agent {} sees it", env!("CARGO_PKG_VERSION"))?;
        let kernel = &host.kernel;
        let release = kernel.release.clone().unwrap_or_else(unknown);
        self.row("kernel", format!("Linux {release}, {}", kernel.arch.as_deref().unwrap_or("?")))?;
        self.row("user", host.uid.map_or_else(unknown, |uid| format!("uid {uid}")))?;
        match host.capabilities {
            None => self.row("capabilities", unknown())?,
            Some(set) => {
                for capability in Capability::ALL {
                    let held = if set.has(capability) { "yes" } else { "no" };
                    self.row(capability.name(), held)?;
                }
            }
        }
        self.row("yama ptrace_scope", setting(&kernel.ptrace_scope, scope))?;
        self.row("lockdown", setting(&kernel.lockdown, lockdown))?;
        self.row("seccomp", host.seccomp.map_or("cannot tell", seccomp))?;
        self.row("container", host.confinement.container.as_deref().unwrap_or("no sign of one"))?;
        self.row("host's pids", answer(&host.confinement.host_pids))?;
        self.row("host's users", answer(&host.confinement.host_users))?;
        self.row("BTF", answer(&kernel.btf))?;
        self.row("uprobes", answer(&host.probes.uprobes))?;
        self.row("may use uprobes", answer(&host.probes.may_use_uprobes))?;
        self.row("uprobe_multi", answer(&host.probes.uprobe_multi))?;
        self.row("may load BPF", answer(&host.probes.may_load_bpf))?;
        self.row("perf_event_paranoid", setting(&kernel.perf_event_paranoid, plain))?;
        self.row("unprivileged_bpf_disabled", setting(&kernel.unprivileged_bpf_disabled, plain))
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
        for (name, text) in &process.facts {
            self.row(name, text)?;
        }
        Ok(())
    }
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
        0 => "a user may look at all of their processes",
        1 => "without CAP_SYS_PTRACE only parents may look",
        2 => "only CAP_SYS_PTRACE may look",
        _ => "nobody may look until the next boot",
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

#[cfg(test)]
mod tests {
    use super::{Facts, run};

    fn doctor(pids: &[u32], json: bool, facts: &dyn Fn(u32) -> Facts) -> (bool, String) {
        let mut out = Vec::new();
        let all_readable = run(pids, json, facts, &mut out).expect("a vector takes everything");
        (all_readable, String::from_utf8(out).expect("text"))
    }

    #[test]
    fn the_page_names_every_capability_and_the_facts_of_a_readable_process() {
        let facts = |_| vec![("Go version".to_owned(), "go1.27.3\x1b[2J".to_owned())];
        let this = std::process::id();
        let (all_readable, page) = doctor(&[this], false, &facts);
        assert!(all_readable);
        for capability in super::Capability::ALL {
            assert!(page.contains(capability.name()), "{page}");
        }
        assert!(page.contains(&format!("Process {this}")), "{page}");
        assert!(page.contains("go1.27.3") && !page.contains('\x1b'), "{page}");
    }

    #[test]
    fn a_process_that_is_not_there_has_no_facts() {
        let facts = |_| -> Facts { panic!("nobody asks about a process that cannot be read") };
        let (all_readable, page) = doctor(&[u32::MAX], false, &facts);
        assert!(!all_readable);
        assert!(page.contains("no such process"), "{page}");
    }

    #[test]
    fn json_is_one_document_with_the_same_answers() {
        let facts = |_| vec![("Go version".to_owned(), "go1.27.3".to_owned())];
        let (_, text) = doctor(&[std::process::id(), u32::MAX], true, &facts);
        let document: serde_json::Value = serde_json::from_str(&text).expect("one document");
        assert_eq!(document["schema"], super::SCHEMA);
        assert!(document["host"]["capabilities"]["CAP_SYS_PTRACE"].is_boolean());
        assert!(document["host"]["probes"]["uprobes"]["answer"].is_string());
        assert_eq!(document["processes"][0]["access"], "granted");
        assert_eq!(document["processes"][0]["facts"][0][1], "go1.27.3");
        assert_eq!(document["processes"][1]["access"], "no-such-process");
    }
}

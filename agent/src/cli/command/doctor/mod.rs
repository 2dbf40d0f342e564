//! `doctor`: what this host and its processes allow, what is missing, and the command that grants it.

mod document;
mod page;
mod program;

use std::io::{self, Write};

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::Kind;
use crate::cli::privileges::{self, Touch};
use crate::cli::request::Request;
use crate::cli::{Outcome, output, target};
use crate::host::privileges::Holdings;
use crate::host::{Access, Capability, Host, Remedy, access_to};

use document::document;
use program::Located;

/// Looks at the host and at the processes that the flags name, and says what it found.
pub(in crate::cli) fn run(request: &Request) -> Outcome {
    // The host alone is worth showing: no target is no failure here.
    let pids = match target::pids(&request.selection) {
        Ok(pids) => pids,
        Err(Failure::NoTarget) => Vec::new(),
        Err(failure) => return Err(failure),
    };
    let host = Host::detect();
    // From here on with what watching keeps: what is then said of a process is true of watching.
    let privileges = Holdings::after(&privileges::plan(request, Touch::Probes));
    let findings = Findings::of(host, privileges, &pids);
    output::put(&request.delivery, |out| match request.delivery.format.kind {
        Kind::Json => write_json(&findings, out),
        Kind::Text | Kind::Document => page::write(&findings, out),
    })?;
    let ready = findings.processes.iter().all(Process::is_ready);
    Ok(if ready { Exit::Done } else { Exit::Target })
}

/// Everything that was found.
struct Findings {
    host: Host,
    privileges: Holdings,
    missing: Vec<Missing>,
    processes: Vec<Process>,
}

impl Findings {
    fn of(host: Host, privileges: Holdings, pids: &[u32]) -> Self {
        let processes = pids.iter().map(|&pid| Process::examine(pid)).collect();
        Self { missing: missing(&host), processes, host, privileges }
    }
}

/// One process.
struct Process {
    pid: u32,
    access: Access,
    /// The Go program in it; `None` when its memory cannot be read.
    program: Option<Located>,
}

impl Process {
    fn examine(pid: u32) -> Self {
        let access = access_to(pid);
        let program = access.is_granted().then(|| Located::examine(pid));
        Self { pid, access, program }
    }

    /// Whether its goroutines can be read.
    fn is_ready(&self) -> bool {
        matches!(self.program, Some(Located::Ready(_)))
    }
}

/// Something that this process may not do, and how to grant it.
struct Missing {
    what: &'static str,
    remedies: Vec<Remedy>,
}

/// What the host as a whole lacks, whatever the process that is looked at.
fn missing(host: &Host) -> Vec<Missing> {
    let mut missing = Vec::new();
    let has = |capability| host.capabilities.is_some_and(|set| set.has(capability));
    let inside = host.confinement.is_container();
    let is_root = nix::unistd::geteuid().is_root();
    let by = |capabilities: &str| {
        let set = capabilities.to_lowercase();
        if is_root && !inside {
            vec![Remedy {
                command: "grep ^Cap /proc/self/status".to_owned(),
                when: "to see what was taken from root here: start leak-agent where it has them \
                       (systemd: CapabilityBoundingSet=)",
            }]
        } else if inside {
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
    if !has(Capability::DacReadSearch) {
        missing.push(Missing {
            what: "to read executables that only their owner may read: CAP_DAC_READ_SEARCH",
            remedies: by("CAP_SYS_PTRACE,CAP_DAC_READ_SEARCH"),
        });
    }
    if !host.kernel.sys_is_mounted {
        missing.push(Missing {
            what: "for probes, and to see control groups (a frozen or throttled process, a limit of \
                   leak-agent's own memory): /sys",
            remedies: vec![Remedy {
                command: "mount -t sysfs sysfs /sys".to_owned(),
                when: "before leak-agent starts; a container has it unless it was taken away",
            }],
        });
    }
    if inside && !host.confinement.host_pids.is_yes() {
        missing.push(Missing {
            what: "to see processes outside of this container: the host's pids",
            remedies: by("CAP_SYS_PTRACE"),
        });
    }
    missing.extend(probing(host, by));
    missing
}

/// What of probes is missing; `by` says how capabilities are granted here.
fn probing(host: &Host, by: impl Fn(&str) -> Vec<Remedy>) -> Option<Missing> {
    let has = |capability| host.capabilities.is_some_and(|set| set.has(capability));
    let may_load = host.probes.may_load_bpf.is_yes();
    // As attaching itself chooses: links need less than perf events do.
    let through_links = !host.probes.uprobe_multi.is_no();
    let may_probe = may_load && (through_links || host.probes.may_use_uprobes.is_yes());
    if may_probe || !host.probes.uprobes.is_yes() {
        return None;
    }
    if !may_load && has(Capability::Bpf) && has(Capability::Perfmon) {
        return Some(Missing {
            what: "for probes: BPF, which is refused though CAP_BPF and CAP_PERFMON are held: a seccomp filter, a security module, or a kernel without it",
            remedies: vec![if host.confinement.is_container() {
                Remedy {
                    command: "docker run --security-opt seccomp=unconfined --cap-add SYS_PTRACE --cap-add BPF --cap-add PERFMON --pid=host IMAGE leak-agent doctor".to_owned(),
                    when: "in a container: start it like this",
                }
            } else {
                Remedy {
                    command: format!(
                        "{}dmesg | grep -iE 'apparmor|avc|denied|lockdown' | tail",
                        if nix::unistd::geteuid().is_root() { "" } else { "sudo " }
                    ),
                    when: "to see which rule refuses",
                }
            }],
        });
    }
    Some(if through_links {
        Missing {
            what: "for probes: CAP_BPF and CAP_PERFMON",
            remedies: by("CAP_SYS_PTRACE,CAP_BPF,CAP_PERFMON"),
        }
    } else {
        Missing {
            what: "for probes: CAP_SYS_ADMIN (this kernel has no uprobe_multi for processes)",
            remedies: by("CAP_SYS_PTRACE,CAP_BPF,CAP_PERFMON,CAP_SYS_ADMIN"),
        }
    })
}

fn write_json(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(findings))?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::host::privileges::Plan;

    /// Gives up nothing: a filter would be on every test of this program.
    fn findings(pids: &[u32]) -> Findings {
        Findings::of(Host::detect(), Holdings::detect(&Plan::reading().probing(true)), pids)
    }

    fn page(pids: &[u32]) -> String {
        let mut out = Vec::new();
        page::write(&findings(pids), &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_page_names_every_capability_and_what_a_process_is() {
        let page = page(&[std::process::id(), u32::MAX]);
        for capability in Capability::ALL {
            assert!(page.contains(capability.name()), "{page}");
        }
        assert!(page.contains("can be read"), "{page}");
        assert!(page.contains("no such process"), "{page}");
    }

    #[test]
    fn a_program_that_is_not_gos_is_not_ready() {
        let findings = findings(&[std::process::id()]);
        let process = &findings.processes[0];
        assert!(matches!(process.program, Some(Located::Failed(_))) && !process.is_ready());
    }

    #[test]
    fn json_is_one_document_with_the_same_answers() {
        let mut out = Vec::new();
        let findings = findings(&[std::process::id(), u32::MAX]);
        write_json(&findings, &mut out).expect("a vector takes everything");
        let document: serde_json::Value = serde_json::from_slice(&out).expect("one document");
        assert_eq!(document["schema"], "leak-agent/doctor/v1");
        assert!(document["host"]["capabilities"]["CAP_SYS_PTRACE"].is_boolean());
        let kept = &document["privileges"]["capabilities"][0];
        assert_eq!(kept["capability"], "CAP_SYS_PTRACE");
        assert!(kept["held"].is_boolean() && kept["why"].is_string(), "{kept}");
        assert!(document["host"]["probes"]["uprobes"]["answer"].is_string());
        assert_eq!(document["processes"][0]["access"], "granted");
        let program = &document["processes"][0]["program"];
        assert_eq!((&program["state"], &program["facts"]), (&"failed".into(), &json!([])));
        assert!(program["reason"].is_string(), "{program}");
        assert_eq!(document["processes"][1]["access"], "no-such-process");
        assert!(document["processes"][1]["program"].is_null());
    }
}

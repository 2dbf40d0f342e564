//! The test driver in an emulated machine: `guest FOLDER` starts every Go target in a folder and checks what the agent sees.
//!
//! It says `GUEST PASS name` or `GUEST FAIL name: reason` for each test on standard output, and
//! ends with 1 when one failed.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};
use leak_agent::host::{self, Access, Answer, Host};

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: guest FOLDER");
        return ExitCode::from(2);
    };
    let mut failed = 0;
    let mut test = |name: &str, outcome: Result<()>| match outcome {
        Ok(()) => println!("GUEST PASS {name}"),
        Err(error) => {
            failed += 1;
            // One line: the console's reader takes lines.
            println!("GUEST FAIL {name}: {}", format!("{error:#}").replace('\n', " | "));
        }
    };
    let targets = match targets(Path::new(&folder)) {
        Ok(targets) => targets,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::from(2);
        }
    };
    test("the kernel is judged right", kernel());
    for (name, path) in targets {
        test(&format!("{name} can be read"), readable(&path));
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// The targets in a folder by name, in the order of their names. None at all is an error.
fn targets(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().context("an entry without a name")?;
        found.push((name.to_string_lossy().into_owned(), path.clone()));
    }
    found.sort();
    ensure!(!found.is_empty(), "no target in {}", folder.display());
    Ok(found)
}

/// Debian's kernels have uprobes, BTF and Yama, and uprobe_multi since 6.6; here all is permitted.
fn kernel() -> Result<()> {
    let host = Host::look();
    let release = host.kernel.release.clone().context("no kernel release")?;
    let numbers: Vec<u32> = release.split('.').filter_map(|part| part.parse().ok()).collect();
    let &[major, minor, ..] = numbers.as_slice() else { bail!("release {release}") };
    let probes = &host.probes;
    ensure!(probes.uprobes == Answer::Yes, "uprobes: {:?}", probes.uprobes);
    ensure!(probes.may_use_uprobes == Answer::Yes, "may use: {:?}", probes.may_use_uprobes);
    ensure!(probes.may_load_bpf == Answer::Yes, "may load: {:?}", probes.may_load_bpf);
    ensure!(host.kernel.btf == Answer::Yes, "BTF: {:?}", host.kernel.btf);
    let multi_is_there = matches!(probes.uprobe_multi, Answer::Yes);
    let multi_is_not = matches!(probes.uprobe_multi, Answer::No(_));
    ensure!(multi_is_there || multi_is_not, "uprobe_multi: {:?}", probes.uprobe_multi);
    ensure!(
        multi_is_there == ((major, minor) >= (6, 6)),
        "uprobe_multi: {:?}",
        probes.uprobe_multi
    );
    ensure!(host.kernel.ptrace_scope.value().is_some(), "{:?}", host.kernel.ptrace_scope);
    ensure!(host.kernel.lockdown.value().is_some(), "{:?}", host.kernel.lockdown);
    ensure!(host.kernel.arch.as_deref() == Some(std::env::consts::ARCH), "{:?}", host.kernel.arch);
    ensure!(host.confinement.host_pids == Answer::Yes, "{:?}", host.confinement);
    Ok(())
}

fn readable(target: &Path) -> Result<()> {
    let mut target = Target::start(target)?;
    let access = host::access_to(target.pid);
    ensure!(access == Access::Granted { executable: Answer::Yes }, "{access:?}");
    let dump = target.dump()?;
    ensure!(dump.contains("goroutine "), "the dump holds no goroutine");
    Ok(())
}

/// A running target and the lines that it talks by. It ends with its standard input.
struct Target {
    child: Child,
    pid: u32,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Target {
    fn start(path: &Path) -> Result<Self> {
        let mut child = Command::new(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", path.display()))?;
        let commands = child.stdin.take().context("no standard input")?;
        let mut answers = BufReader::new(child.stdout.take().context("no standard output")?);
        let ready = line(&mut answers)?;
        let pid = ready.strip_prefix("READY ").and_then(|pid| pid.parse().ok());
        let pid = pid.with_context(|| format!("the target said {ready:?} in place of READY"))?;
        Ok(Self { child, pid, commands, answers })
    }

    fn dump(&mut self) -> Result<String> {
        self.commands.write_all(b"dump\n")?;
        let head = line(&mut self.answers)?;
        let size = head.strip_prefix("DUMP ").and_then(|size| size.parse().ok());
        let mut dump = vec![0; size.with_context(|| format!("the target said {head:?}"))?];
        self.answers.read_exact(&mut dump)?;
        Ok(String::from_utf8(dump)?)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(answers: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    ensure!(!line.is_empty(), "the target has ended");
    Ok(line.trim_end().to_owned())
}

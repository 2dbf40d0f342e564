//! The agent in a control group that leaves it little memory: it is not killed, it says what it needs.
#![allow(clippy::expect_used)]

use std::fs;
use std::process::{Command, Output};

use leak_agent_tests::cgroup::Group;
use leak_agent_tests::{Target, agent};
use object::{Object, ObjectSegment, SegmentFlags, elf};

/// The agent's machine code, in bytes.
fn code_bytes() -> u64 {
    let program = fs::read(agent::binary().expect("agent")).expect("read");
    let file = object::File::parse(&*program).expect("a program");
    let is_code =
        |flags| matches!(flags, SegmentFlags::Elf { p_flags } if p_flags & elf::PF_X != 0);
    file.segments().filter(|it| is_code(it.flags())).map(|it| it.size()).sum()
}

/// Runs the agent in a group that may take so many MiB beside the agent's code. Its own start needs some of it.
fn limited(group: &Group, file: &str, mib: u64, args: &[&str]) -> Output {
    group.write(file, &((mib << 20) + code_bytes()).to_string()).expect("a limit");
    let script = "echo $$ >\"$1\" && shift && exec \"$@\"";
    Command::new("/bin/sh")
        .args(["-c", script, "sh"])
        .arg(group.folder().join("cgroup.procs"))
        .arg(agent::binary().expect("agent"))
        .args(args)
        .output()
        .expect("a shell")
}

#[test]
fn a_target_that_does_not_fit_is_an_error_and_one_that_does_is_judged() {
    let files = ["memory.limit_in_bytes", "memory.max"];
    let Some((file, group)) = files.iter().find_map(|file| Some((*file, Group::with(file)?)))
    else {
        leak_agent_tests::skip("no control group with a limit of memory can be made here");
        return;
    };
    let mut target = Target::start("1.26.6", "exe", "halted").expect("target");
    target.command("spawn 200000 1").expect("it has many");
    let pid = target.pid().to_string();
    for command in [&["check"][..], &["analyze", "--duration", "1s"]] {
        let args: Vec<&str> =
            command.iter().copied().chain(["--fail-on", "never", "--pid", &pid]).collect();
        let output = limited(&group, file, 32, &args);
        let told = String::from_utf8_lossy(&output.stderr);
        // Killed, it would have no code.
        assert_eq!(output.status.code(), Some(3), "{args:?}: {told}");
        assert!(told.contains("more goroutines than fit in leak-agent's memory"), "{told}");
        assert!(
            told.contains("its control group leaves it ") && told.contains("try: more memory"),
            "{told}"
        );
        let output = limited(&group, file, 120, &args);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {told}");
    }
    // There is room for all goroutines, and none for the kernel's tables of them, nor for a proof.
    let args = ["analyze", "--duration", "4s", "--fail-on", "never", "--pid", &pid];
    let output = limited(&group, file, 90, &args);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("of memory: no probes"), "{said}");
    assert!(said.contains("nothing was proven: a proof may take"), "{said}");
}

//! What the programs in the kernel say of their own work (`-vv`), and that the kernel removes it unless asked for.
#![allow(clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use aya::programs::loaded_programs;
use leak_agent_tests::{Target, agent, each_version};

each_version!(the_log_is_written_when_asked_for_and_removed_when_not);

/// Whatever does not come in this time never does.
const PATIENCE: Duration = Duration::from_secs(60);

/// A watching agent, ended with the test.
struct Watching(Child);

impl Watching {
    fn start(target: &Target, verbosity: &str) -> Self {
        let agent = Command::new(agent::binary().expect("agent"))
            .args(["--pid", &target.pid().to_string(), "--probes", "all", verbosity])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        Self(agent.expect("agent"))
    }

    /// How many bytes each of its programs has in the kernel, once all five are there: what is
    /// left of them when the verifier has removed what cannot be reached.
    fn programs(&self) -> BTreeMap<String, u32> {
        let start = Instant::now();
        loop {
            let ids: Vec<u32> = self.program_ids();
            let programs = loaded_programs().filter_map(Result::ok);
            let sizes: BTreeMap<String, u32> = programs
                .filter(|it| ids.contains(&it.id()))
                .map(|it| (it.name_as_str().unwrap_or_default().to_owned(), it.size_translated()))
                .filter_map(|(name, size)| Some((name, size?)))
                .collect();
            if sizes.len() == 5 {
                return sizes;
            }
            assert!(start.elapsed() < PATIENCE, "the programs were never loaded: {sizes:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The programs that it holds descriptors of.
    fn program_ids(&self) -> Vec<u32> {
        let folder = fs::read_dir(format!("/proc/{}/fdinfo", self.0.id())).expect("descriptors");
        // One that was closed meanwhile is no program of interest.
        let texts = folder.filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
        let is_program =
            |text: &String| text.contains("prog_type:") && !text.contains("link_type:");
        texts
            .filter(is_program)
            .filter_map(|text| {
                text.lines().find_map(|it| it.strip_prefix("prog_id:")?.trim().parse().ok())
            })
            .collect()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn the_log_is_written_when_asked_for_and_removed_when_not(version: &str) {
    let mut target = Target::start(version, "exe", "churn").expect("target");
    let quiet = Watching::start(&target, "-v").programs();

    let mut talking = Watching::start(&target, "-vv");
    let loud = talking.programs();
    for (name, size) in &quiet {
        println!("{name}: {size} bytes without the log, {} with it", loud[name]);
        // Two messages and more are in each; one alone takes hundreds of instructions.
        assert!(loud[name] > size + 800, "{name}: {size} bytes, with the log {}", loud[name]);
    }
    target.command("leak 3").expect("leak");
    let stderr = BufReader::new(talking.0.stderr.take().expect("stderr"));
    let said = stderr
        .lines()
        .map(|line| line.expect("UTF-8"))
        .take_while(|line| !line.is_empty())
        .find(|line| line.starts_with("kernel: creation site ") && line.contains("a stack of"));
    assert!(said.is_some(), "the first creation of a site is said");
}

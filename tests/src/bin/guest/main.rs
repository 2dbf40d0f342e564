//! The test driver in an emulated machine: `guest FOLDER` runs every test on every Go target in a folder.
//!
//! It says `GUEST PASS name` or `GUEST FAIL name: reason` for each test on standard output, and
//! ends with 1 when one failed. It must run as root, on a machine of its own: it changes settings.

mod access;
mod kernel;
mod probes;
mod targets;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [folder] => run(Path::new(folder)),
        // The driver runs itself in this role: as another user, whose process is read.
        [access::BE, program] => access::be(program),
        _ => Err(anyhow::anyhow!("usage: guest FOLDER")),
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs all tests, and gives how many failed.
fn run(folder: &Path) -> Result<usize> {
    let targets = targets::in_folder(folder)?;
    let mut tests = Tests { failed: 0 };
    tests.add("the kernel is judged right", kernel::is_judged_right());
    for (name, path) in &targets {
        tests.add(&format!("{name} is seen as it says"), targets::are_seen_as_they_say(path));
        tests.add(&format!("{name} is reported"), targets::are_reported(path));
        for method in probes::methods() {
            tests.add(
                &format!("{name} is probed by {method}"),
                probes::see_what_happens(path, method),
            );
        }
        tests.add(
            &format!("{name} loses its probes with the agent"),
            probes::go_with_the_agent(path),
        );
    }
    // Last, because the last of them leaves a machine on which nobody may read anything.
    let (_, newest) = &targets[targets.len() - 1];
    access::test(newest, &mut tests);
    Ok(tests.failed)
}

/// Says how tests went.
struct Tests {
    failed: usize,
}

impl Tests {
    fn add(&mut self, name: &str, outcome: Result<()>) {
        match outcome {
            Ok(()) => println!("GUEST PASS {name}"),
            Err(error) => {
                self.failed += 1;
                // One line: the console's reader takes lines.
                println!("GUEST FAIL {name}: {}", format!("{error:#}").replace('\n', " | "));
            }
        }
    }
}

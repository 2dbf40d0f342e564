//! `monitor --state`: what was usual of one process is known of the next one of the same program.
#![allow(clippy::expect_used)]

use std::fs;
use std::path::Path;

use leak_agent_tests::{Target, agent};
use serde_json::Value;

/// What a monitor that remembers in a folder calls unusual, and what it says.
fn monitored(target: &Target, folder: &str) -> (Vec<Value>, String) {
    let pid = target.pid().to_string();
    let paced = ["--interval", "50ms", "--duration", "5s", "--format", "json"];
    let args = [&["monitor", &pid, "--state", folder][..], &paced].concat();
    let output = agent::run(&args).expect("agent");
    let text = String::from_utf8(output.stdout).expect("text");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let unusual = lines.flat_map(|line| line["unusual"].as_array().expect("a list").clone());
    (unusual.collect(), String::from_utf8(output.stderr).expect("text"))
}

fn number(of: &Value) -> f64 {
    of.as_f64().unwrap_or_else(|| panic!("{of} is no number"))
}

#[test]
fn what_is_usual_is_known_of_the_next_process_of_the_same_program() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("usual");
    let _ = fs::remove_dir_all(&folder);
    let folder = folder.to_str().expect("a path of text");
    let start = || Target::start("1.26.6", "exe", "allocated").expect("target");
    let mut small = start();
    small.command("collect").expect("it answers");
    assert_eq!(monitored(&small, folder).0, [] as [Value; 0], "nothing is known yet");
    drop(small);
    let files: Vec<_> = fs::read_dir(folder).expect("a folder").collect();
    let [Ok(file)] = &files[..] else { panic!("{files:?}") };

    let mut large = start();
    large.command("hold 60").expect("it answers");
    large.command("collect").expect("it answers");
    let (found, _) = monitored(&large, folder);
    for quantity in ["resident", "live-heap"] {
        let unusual = found.iter().find(|it| it["quantity"] == quantity);
        let Some(unusual) = unusual else { panic!("{quantity}: {found:#?}") };
        assert!(number(&unusual["now"]) > 1.5 * number(&unusual["high"]), "{unusual}");
    }

    // What is broken is said, and begun anew.
    fs::write(file.path(), "{").expect("written");
    let (found, said) = monitored(&large, folder);
    assert_eq!(found, [] as [Value; 0]);
    assert!(said.contains("begun anew"), "{said}");
    assert!(fs::read_to_string(file.path()).expect("text").contains("leak-agent/state/v1"));
}

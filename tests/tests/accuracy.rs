//! A short form of `cargo xtask accuracy --corpus servers`: real servers from start through load to quiet, in which
//! the agent finds no leak.
#![allow(clippy::expect_used)]

use std::thread;
use std::time::Duration;

use leak_agent_tests::accuracy::agent::Agent;
use leak_agent_tests::accuracy::soak;
use leak_agent_tests::server::Kind;

/// How long the servers run. They do so at once.
const WHOLE: Duration = Duration::from_secs(60);

#[test]
fn servers_at_work_raise_no_alarm() {
    let agent = Agent {
        binary: leak_agent_tests::agent::binary().expect("agent"),
        duration: None,
        proves: false,
    };
    let folder = std::env::temp_dir().join(format!("accuracy-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let runs = thread::scope(|scope| {
        let run = |kind| {
            let (agent, folder) = (&agent, &folder);
            scope.spawn(move || soak::run(kind, "1.26.6", WHOLE, agent, folder))
        };
        Kind::ALL.map(run).map(|it| it.join().expect("run"))
    });
    for run in runs {
        let name = &run.program.name;
        assert!(run.failed.is_none(), "{name}: {:?}", run.failed);
        assert!(run.goroutines > 0, "{name}: nothing was seen");
        let alarms: Vec<String> = run.false_findings().map(ToString::to_string).collect();
        // The reports stay where they say why.
        assert!(alarms.is_empty(), "{name}, reports in {}: {alarms:#?}", folder.display());
    }
    std::fs::remove_dir_all(&folder).expect("the folder");
}

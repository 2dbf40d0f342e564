//! The Debian package: what it installs, and that its service finds a leak as it stands in the unit, with no more
//! privileges than that gives, and shows it on the dashboard and in Prometheus.

use std::env;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use leak_agent_tests::endpoint::Endpoint;
use leak_agent_tests::{Scratch, Target, agent, skip, target};
use serde_json::Value;

const GO: &str = "1.26.6";
/// Longer than anything here takes on a slow machine; nothing is told by it.
const PATIENCE: Duration = Duration::from_secs(120);

fn has(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

fn run(command: &mut Command) -> Output {
    let output = command.output().expect("it can be started");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The package, made of the agent that is tested.
fn package(scratch: &Scratch) -> PathBuf {
    // A test lies in target/<profile>/deps; the chores' program in target/debug.
    let test = env::current_exe().expect("where this is");
    let target = test.ancestors().nth(3).expect("the target folder");
    let chores = target.join("debug/xtask");
    assert!(chores.is_file(), "cargo build -p xtask builds what makes packages");
    let folder = scratch.file("packages");
    let program = agent::binary().expect("agent");
    run(Command::new(chores).args(["package", "--deb"]).arg(program).arg(&folder));
    let made = fs::read_dir(&folder).expect("a folder").map(|it| it.expect("an entry").path());
    let mut made = made.filter(|it| it.extension().is_some_and(|it| it == "deb"));
    made.next().expect("a package")
}

/// Installs it below a folder, as `dpkg` does on a machine.
fn install(package: &Path, root: &Path) {
    let admin = root.join("var/lib/dpkg");
    for folder in ["updates", "info", "triggers"] {
        fs::create_dir_all(admin.join(folder)).expect("a folder");
    }
    for file in ["status", "available"] {
        fs::write(admin.join(file), "").expect("a file");
    }
    let mut dpkg = Command::new("dpkg");
    dpkg.arg("--root").arg(root).args(["--force-script-chrootless", "--force-not-root"]);
    run(dpkg.arg("--log=/dev/null").arg("--install").arg(package));
}

/// The unit's command, below a folder, with the unit's capabilities alone.
fn service(root: &Path, state: &str) -> Command {
    let unit = fs::read_to_string(root.join("usr/lib/systemd/system/leak-agent.service"));
    let unit = unit.expect("the unit");
    let value = |key: &str| {
        let line = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("{key} is in the unit")).to_owned()
    };
    let own = |word: &str| match word.strip_prefix('/') {
        Some("var/lib/leak-agent") => state.to_owned(),
        Some(path) => root.join(path).to_string_lossy().into_owned(),
        None => word.to_owned(),
    };
    let capabilities: String = value("CapabilityBoundingSet")
        .split(' ')
        .map(|it| format!(",+{}", it.trim_start_matches("CAP_").to_lowercase()))
        .collect();
    assert_eq!(value("NoNewPrivileges"), "yes");
    let mut command = Command::new("setpriv");
    command.args(["--no-new-privs", &format!("--bounding-set=-all{capabilities}")]);
    command.args(value("ExecStart").split(' ').map(own));
    command
}

/// A process of this test, which ends with it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Waits until something is there.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// A page of the dashboard, by the link that was told.
fn page(link: &str) -> Option<String> {
    let (address, token) = link.strip_prefix("http://")?.split_once("/?token=")?;
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET / HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n")
        .ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.contains(" 200 ").then_some(text)
}

#[test]
fn what_is_installed_finds_a_leak_with_the_privileges_of_its_unit() {
    for program in ["dpkg", "dpkg-deb", "setpriv", "prometheus"] {
        if !has(program) {
            return skip(format_args!("{program} is not installed"));
        }
    }
    let scratch = Scratch::new("package");
    let root = scratch.0.join("root");
    install(&package(&scratch), &root);
    let installed = fs::read_to_string(root.join("var/lib/dpkg/status")).expect("the status");
    assert!(installed.contains("Status: install ok installed"), "{installed}");
    for (file, mode) in [
        ("usr/bin/leak-agent", 0o755),
        ("usr/share/man/man1/leak-agent.1.gz", 0o644),
        ("usr/share/man/man1/leak-agent-daemon.1.gz", 0o644),
        ("usr/share/bash-completion/completions/leak-agent", 0o644),
        ("etc/leak-agent/leak-agent.toml", 0o644),
    ] {
        let found = fs::metadata(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(found.permissions().mode() & 0o777, mode, "{file}");
    }

    // A program of a name of its own: others' tests run beside.
    let name = format!("p{}-leaks", std::process::id());
    let path = scratch.0.join(&name);
    fs::copy(target::path(GO, "exe", "demo").expect("target"), &path).expect("written");
    let _leaking = Target::start_at(path, &[] as &[&str]).expect("target");
    let said = scratch.file("journal");
    let mut service = service(&root, &scratch.file("state"));
    // Where other programs listen is theirs; all else is as it was installed.
    service.env("LEAK_AGENT_METRICS_LISTEN", "0").env("LEAK_AGENT_DASHBOARD_LISTEN", "0");
    service.env("LEAK_AGENT_ONLY", &name).env("LEAK_AGENT_OFF_FILE", scratch.file("off"));
    service.env("LEAK_AGENT_HOST_BUDGET", "10000%");
    let journal = fs::File::create(&said).expect("a file");
    let _service =
        Running(service.stdout(Stdio::null()).stderr(journal).spawn().expect("it starts"));
    let link = |words: &str| {
        until(words, || {
            let said = fs::read_to_string(&said).ok()?;
            said.lines().find_map(|line| Some(line.split_once(words)?.1.to_owned()))
        })
    };
    let dashboard = link("dashboard: ");
    until("it is on the dashboard", || {
        page(&dashboard).filter(|page| page.contains(&name) && page.contains("finding"))
    });

    let scrape = fs::read_to_string(root.join("usr/share/doc/leak-agent/prometheus.yml"));
    let metrics = link("metrics: ");
    let served = metrics.trim_start_matches("http://").trim_end_matches("/metrics");
    let scrape = scrape.expect("the file").replace("127.0.0.1:9477", served).replace("15s", "1s");
    let config = scratch.write("prometheus.yml", &scrape);
    let rules = root.join("usr/share/doc/leak-agent/leak-agent.rules.yml");
    fs::copy(rules, scratch.file("leak-agent.rules.yml")).expect("the rules");
    let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
    let _prometheus = Running(
        Command::new("prometheus")
            .args([format!("--config.file={config}"), format!("--web.listen-address={free}")])
            .arg(format!("--storage.tsdb.path={}", scratch.file("data")))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus"),
    );
    let api = Endpoint::of(&format!("http://{free}/api/v1/")).expect("a URL");
    let found = until("Prometheus knows of it", || {
        let mut answer = Vec::new();
        api.read("query?query=leak_agent_findings_likely%3E0", &mut answer).ok()?;
        let answer: Value = serde_json::from_slice(&answer).ok()?;
        let result = answer["data"]["result"].as_array()?.first()?;
        Some(result["metric"]["service_name"].as_str()?.to_owned())
    });
    assert_eq!(found, name);
}

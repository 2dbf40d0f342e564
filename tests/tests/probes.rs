//! What the probes see is what the target did, and the target is none the worse for it.
#![allow(clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use leak_agent::collect::attach::probes::{Birth, Event, Method, ProbeError, Sizes, Slot, State};
use leak_agent::golang::Program;
use leak_agent::golang::heap::LargeObject;
use leak_agent::host::probes::uprobe_multi;
use leak_agent::report::schema::DoctorDoc;
use leak_agent::report::schema::doctor::AnswerKind;
use leak_agent_tests::code::Code;
use leak_agent_tests::holders::{Complaint, Holders, complaints, is_link, open_files};
use leak_agent_tests::probed::{Instructions, Probed};
use leak_agent_tests::scale::times;
use leak_agent_tests::{Target, agent, each_version, target::until_all_parts_went_on};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

each_version!(counts_are_exact);
each_version!(goroutines_are_who_they_are);
each_version!(coroutines_are_seen);
each_version!(descriptors_are_known_by_the_stack_that_opened_them);
each_version!(too_many_descriptors_are_counted);
each_version!(large_objects_are_known_by_the_stack_that_allocated_them);
each_version!(too_many_large_objects_are_counted);
each_version!(perf_events_see_the_same);
each_version!(survives_attaching_and_detaching);
each_version!(no_probe_is_at_an_entry);

each_version!(each_has_only_what_it_needs);
each_version!(survives_the_death_of_the_holder);
each_version!(a_dead_server_is_noticed);
each_version!(three_capabilities_suffice);
each_version!(full_tables_are_counted);
each_version!(what_was_there_before_is_no_newcomer);
each_version!(the_end_of_the_target_is_no_fault);

/// The targets' build mode for this machine.
const MODE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "exe" };

/// Whatever does not come in this time never does.
const PATIENCE: Duration = Duration::from_secs(60);

const SIZES: Sizes = Sizes {
    slots: 1 << 14,
    sites: 1 << 10,
    call_sites: 1 << 8,
    descriptors: 1 << 10,
    large: 1 << 10,
};

fn number(text: &str) -> u64 {
    text.rsplit('=').next().and_then(|it| it.parse().ok()).expect("a number")
}

/// All threads create and end goroutines as fast as they can, and nothing is missed.
fn counts_are_exact(version: &str) {
    let mut target = Target::start(version, MODE, "churn").expect("target");
    let mut probed = Probed::load(&target, SIZES, None).expect("load");
    probed.attach_all().expect("attach");
    target.command("start 3").expect("start");
    thread::sleep(Duration::from_millis(times(1_500, 30_000)));
    let created = number(&target.command("stop").expect("stop"));
    let leaked = target.command("leak 7").expect("leak").split(' ').count() as u64 - 1;

    let brief = probed.sites_in("main.createUntil").expect("sites");
    let seen: u64 = brief.iter().map(|site| site.created).sum();
    assert_eq!((brief.len(), seen), (2, created), "{brief:?}");
    for site in &brief {
        assert_eq!(site.created, site.exited, "{site:?}");
        assert_eq!(site.lifetimes.iter().sum::<u64>(), site.exited, "{site:?}");
    }
    let held = probed.sites_in("main.twig").expect("sites");
    let [held] = &held[..] else { panic!("{held:?}") };
    assert_eq!((held.created, held.exited), (leaked, 0), "{held:?}");

    let live: u64 = probed
        .slots()
        .expect("slots")
        .iter()
        .filter(|slot| slot.gopc == held.gopc && slot.state() != State::Dead)
        .count() as u64;
    assert_eq!(live, leaked);
    let counters = probed.probes.counters().expect("counters");
    let lost = [counters.slots_full, counters.sites_full, counters.bad_reads];
    assert_eq!(lost, [0; 3], "{counters:?}");
    assert!(counters.hits(Event::Create) >= created + leaked, "{counters:?}");
    assert!(counters.hits(Event::Park) > created / 2, "{counters:?}");

    target.command("release").expect("release");
    let held = probed.sites_in("main.twig").expect("sites");
    assert_eq!((held[0].created, held[0].exited), (leaked, leaked), "{held:?}");
}

/// Ids, parents, creation sites, starts and the whole creator's stack, as the target itself knows
/// them.
fn goroutines_are_who_they_are(version: &str) {
    check_identities(version, None);
}

fn perf_events_see_the_same(version: &str) {
    check_identities(version, Some(Method::PerfEvent));
}

fn check_identities(version: &str, method: Option<Method>) {
    let mut target = Target::start(version, MODE, "churn").expect("target");
    let mut probed = Probed::load(&target, SIZES, method).expect("load");
    assert!(method.is_none_or(|method| probed.probes.method() == method));
    probed.attach_all().expect("attach");
    // Go uses g structs again: let there be some that have had another owner.
    target.command("churn on").expect("churn");
    target.command("churn off").expect("churn");
    let answer = target.command("leak 50").expect("leak");
    let ids: Vec<u64> = answer.split(' ').map(number).collect();
    let (parent, ids) = ids.split_first().expect("ids");

    let slots = probed.slots().expect("slots");
    let by_id: BTreeMap<u64, &Slot> =
        slots.iter().filter(|it| it.state() != State::Dead).map(|it| (it.goid, it)).collect();
    let site = probed.sites_in("main.twig").expect("sites")[0];
    for id in ids {
        let slot = by_id.get(id).unwrap_or_else(|| panic!("{id} is not in {slots:#?}"));
        assert_eq!((slot.parent, slot.gopc), (*parent, site.gopc), "{slot:?}");
        assert_eq!(probed.code.name_of(slot.startpc).expect("name"), "main.hold");
        assert_eq!(slot.state(), State::Parked, "{slot:?}");
        assert!(slot.created_ns > 0 && slot.parked_ns >= slot.created_ns, "{slot:?}");
        assert!(slot.parks > 0 && slot.lock != 0, "{slot:?}");
    }

    let callers = target.command("callers").expect("callers");
    let callers: Vec<u64> =
        callers.split(' ').map(|pc| u64::from_str_radix(pc, 16).expect("a pc")).collect();
    let creator = site.creator();
    let names = |pcs: &[u64]| -> Vec<String> {
        pcs.iter().map(|pc| probed.code.name_of(*pc).expect("name")).collect()
    };
    // In the innermost frame the `go` statement follows the call that recorded the stack.
    assert_eq!(creator[1..], callers[1..], "{:?}", names(creator));
    assert_eq!(names(creator)[..3], ["main.twig", "main.branch", "main.trunk"]);
    assert_eq!(names(callers.as_slice()), names(creator));
}

/// The files that a target has open, by number.
fn uploads(target: &Target) -> Vec<u64> {
    let folder = fs::read_dir(format!("/proc/{}/fd", target.pid())).expect("descriptors");
    let files = folder.filter_map(|entry| {
        let entry = entry.expect("an entry");
        let path = fs::read_link(entry.path()).ok()?;
        let is_one = path.to_string_lossy().contains("/upload-");
        is_one.then(|| entry.file_name().to_string_lossy().parse().expect("a number"))
    });
    files.collect()
}

/// Each of them, however many numbers were used before, and none that no `os.File` is made for.
fn descriptors_are_known_by_the_stack_that_opened_them(version: &str) {
    let mut target = Target::start(version, MODE, "resources").expect("target");
    target.command("open 7").expect("open");
    let older = uploads(&target);
    let mut probed = Probed::load(&target, SIZES, None).expect("load");
    probed.attach_all().expect("attach");
    let before = probed.probes.counters().expect("counters").opens;
    target.command("open 40").expect("open");
    target.command("pipe 3").expect("pipe");
    let open = uploads(&target);
    assert_eq!(open.len(), 47);
    let sites = probed.probes.call_sites();
    for number in open {
        let birth = probed.probes.birth(number);
        if older.contains(&number) {
            assert_eq!(birth, None, "{number}");
            continue;
        }
        let birth = birth.unwrap_or_else(|| panic!("{number} has no birth: {sites:#?}"));
        let site = &sites[birth.site()];
        let stack: Vec<String> =
            site.stack().iter().map(|pc| probed.code.name_of(*pc).expect("name")).collect();
        let own: Vec<&str> =
            stack.iter().map(String::as_str).filter(|it| it.starts_with("main.")).collect();
        assert_eq!(own[..2], ["main.files", "main.times"], "{stack:#?}");
        assert!(stack.last().is_some_and(|it| it.starts_with("runtime.goexit")), "{stack:#?}");
        assert_eq!(site.opened, 40, "{site:?}");
    }
    let counters = probed.probes.counters().expect("counters");
    assert_eq!((counters.opens - before, counters.opens_lost), (40, 0), "{counters:?}");
}

/// What does not fit in is counted, and the rest is right.
fn too_many_descriptors_are_counted(version: &str) {
    let mut target = Target::start(version, MODE, "resources").expect("target");
    let sizes = Sizes { descriptors: 16, ..SIZES };
    let mut probed = Probed::load(&target, sizes, None).expect("load");
    probed.attach_all().expect("attach");
    target.command("open 40").expect("open");
    let numbers = uploads(&target);
    let kept = numbers.iter().filter(|number| probed.probes.birth(**number).is_some()).count();
    assert_eq!(kept, numbers.iter().filter(|number| **number < 16).count());
    let counters = probed.probes.counters().expect("counters");
    assert_eq!(counters.opens_lost, 40 - kept as u64, "{counters:?}");
}

/// Objects of this many bytes, of two lines.
const LARGE: u64 = 40_000;
const LARGER: u64 = 150_000;

/// The stacks, with the runtime's own functions left out, and how many objects of each are still there.
fn large(probed: &Probed, program: &Program) -> BTreeMap<Vec<String>, (u64, u64)> {
    let (objects, sites) = (probed.probes.large(), probed.probes.call_sites());
    let known: Vec<LargeObject> = objects
        .iter()
        .map(|it| LargeObject { span: it.span, start: it.start, pages: it.pages })
        .collect();
    let heap = program.heap().expect("a heap");
    let are_there = heap.are_there(program.memory(), &known).expect("read");
    let mut found: BTreeMap<Vec<String>, (u64, u64)> = BTreeMap::new();
    for (object, _) in objects.iter().zip(are_there).filter(|(_, is_there)| *is_there) {
        let birth = Birth::from_word(object.birth).expect("it was born");
        let names = sites[birth.site()].stack().iter();
        let names = names.map(|pc| probed.code.name_of(*pc).expect("name"));
        let own: Vec<String> = names.filter(|name| name.starts_with("main.")).collect();
        let sum = found.entry(own).or_default();
        *sum = (sum.0 + 1, sum.1 + object.bytes());
    }
    found
}

/// Those that are in use, and not those that were freed, whatever came in their place.
fn large_objects_are_known_by_the_stack_that_allocated_them(version: &str) {
    let mut target = Target::start(version, MODE, "heap").expect("target");
    target.command("large 5").expect("made");
    let mut probed = Probed::load(&target, SIZES, None).expect("load");
    probed.attach_all().expect("attach");
    let program = Program::attach(target.pid()).expect("attach");
    target.command("large 30").expect("made");
    let pages = |bytes: u64| bytes.next_multiple_of(8192);
    let expected = |count: u64, more: u64| {
        let stack =
            |line: &str| [line, "main.keepLarge", "main.main.func"].map(str::to_owned).to_vec();
        BTreeMap::from([
            (stack("main.keepBytes"), (count, count * pages(LARGE))),
            (stack("main.keepNodes"), (more, more * pages(LARGER))),
        ])
    };
    let seen = |probed: &Probed| {
        let cut = |mut names: Vec<String>| {
            let last = names.pop().expect("a name");
            assert!(last.starts_with("main.main"), "{last}");
            // What closures are called differs between versions.
            names.retain(|name| !name.starts_with("main.main"));
            names.push("main.main.func".to_owned());
            names
        };
        let large = large(probed, &program).into_iter();
        large.map(|(names, sum)| (cut(names), sum)).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(seen(&probed), expected(30, 30), "{version}");
    // Most go, and others of one line come, some in the same place.
    target.command("free-large").expect("freed");
    target.command("large 7").expect("made");
    assert_eq!(seen(&probed), expected(7, 7), "{version}");
    let counters = probed.probes.counters().expect("counters");
    assert!(counters.allocations >= 74, "{counters:?}");
    assert_eq!((counters.allocations_lost, counters.bad_reads), (0, 0), "{counters:?}");
}

/// What does not fit in is counted, and the rest is right.
fn too_many_large_objects_are_counted(version: &str) {
    let mut target = Target::start(version, MODE, "heap").expect("target");
    let sizes = Sizes { large: 16, ..SIZES };
    let mut probed = Probed::load(&target, sizes, None).expect("load");
    probed.attach_all().expect("attach");
    target.command("large 40").expect("made");
    let counters = probed.probes.counters().expect("counters");
    assert_eq!(probed.probes.large().len(), 16, "{counters:?}");
    assert_eq!(counters.allocations_lost, counters.allocations - 16, "{counters:?}");
}

/// No `go` statement makes them, and yet they are created, live and end.
fn coroutines_are_seen(version: &str) {
    let mut target = Target::start(version, MODE, "churn").expect("target");
    let mut probed = Probed::load(&target, SIZES, None).expect("load");
    probed.attach_all().expect("attach");
    let pulled = number(&target.command("pull 9").expect("pull"));
    let expected = if version < "1.23" { 0 } else { 9 };
    assert_eq!(pulled, expected);
    let counts = |probed: &Probed| -> (u64, u64) {
        let mut sites = Vec::new();
        probed.probes.sites(&mut sites);
        let named = |site: &u64| probed.code.name_of(*site).expect("name").starts_with("iter.Pull");
        let coroutines = sites.iter().filter(|site| named(&site.gopc));
        coroutines.fold((0, 0), |sum, site| (sum.0 + site.created, sum.1 + site.exited))
    };
    assert_eq!(counts(&probed), (expected, 0));
    target.command("unpull").expect("unpull");
    assert_eq!(counts(&probed), (expected, expected));
}

/// Attached and detached again and again, in everything that a runtime finds hard.
fn survives_attaching_and_detaching(version: &str) {
    let cycles = times(40, 500);
    let mut target = Target::start(version, MODE, "stress").expect("target");
    let mut probed = Probed::load(&target, SIZES, None).expect("load");
    let instructions = Instructions::of(&target, &probed.code).expect("instructions");
    for cycle in 0..cycles {
        probed.attach_all().expect("attach");
        assert_eq!(instructions.probed().expect("memory").len(), 5);
        if cycle % 10 == 0 {
            let before = target.alive().expect("alive");
            until_all_parts_went_on(&mut target, &before).expect("well while probed");
        }
        probed.detach_all().expect("detach");
        assert_eq!(instructions.probed().expect("memory").len(), 0, "cycle {cycle}");
    }
    let counters = probed.probes.counters().expect("counters");
    assert!(Event::ALL.iter().all(|event| counters.hits(*event) > 0), "{counters:?}");
    assert_eq!(counters.bad_reads, 0, "{counters:?}");
    let before = target.alive().expect("alive");
    until_all_parts_went_on(&mut target, &before).expect("well");
}

/// Every place that a probe is ever attached at.
fn no_probe_is_at_an_entry(version: &str) {
    let target = Target::start(version, MODE, "churn").expect("target");
    let probed = Probed::load(&target, SIZES, None).expect("load");
    let entries = probed.code.entries().expect("entries");
    let points: Vec<_> = probed.probes.points().collect();
    assert_eq!(points.len(), Event::ALL.len());
    for point in points {
        assert!(!entries.contains(&point.file_offset()), "{point:?}");
        let entry = point.file_offset() - u64::from(point.offset());
        assert!(entries.contains(&entry), "{point:?}");
    }
}

/// Nobody but a holder has a probe, and nobody has more than it needs.
fn each_has_only_what_it_needs(version: &str) {
    let target = Target::start(version, MODE, "churn").expect("target");
    let instructions = instructions(&target);
    let mut agent = Killable::start(&target, &["stay"]);
    agent.until_attached();
    while instructions.probed().expect("memory").len() < Event::ALL.len() {
        thread::sleep(Duration::from_millis(5));
    }
    let id = agent.child.id();
    let Holders { server, holders } = Holders::of(id).expect("/proc").expect("a server");
    let of_agent = open_files(id).expect("files");
    assert!(!of_agent.iter().any(|file| is_link(file)), "{of_agent:?}");
    let of_server = open_files(server).expect("files");
    assert!(matches!(&of_server[..], [socket] if socket.starts_with("socket:")), "{of_server:?}");
    assert_eq!(holders.len(), Event::ALL.len());
    for holder in holders {
        let files = open_files(holder).expect("files");
        assert!(
            matches!(&files[..], [link, socket] if is_link(link) && socket.starts_with("socket:")),
            "{files:?}"
        );
        assert_eq!(capabilities(holder), 0);
    }
    // CAP_SYS_ADMIN, CAP_PERFMON and CAP_BPF.
    assert_eq!(capabilities(server) & !(1 << 21 | 1 << 38 | 1 << 39), 0);
    agent.kill(Victim::Agent);
    instructions.until_unprobed().expect("no probe");
}

/// What a process may do.
fn capabilities(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("status");
    let line = status.lines().find_map(|line| line.strip_prefix("CapPrm:\t"));
    u64::from_str_radix(line.expect("capabilities"), 16).expect("a mask")
}

/// Killed at any moment, mostly while it detaches or attaches: the agent, the server, the holders,
/// or all at once.
fn survives_the_death_of_the_holder(version: &str) {
    let mut target = Target::start(version, MODE, "stress").expect("target");
    let instructions = instructions(&target);
    let before_all = complaints();
    let mut agents = BTreeSet::new();
    for (death, moment) in moments(times(16, 200)).enumerate() {
        // Each victim with links and with perf events.
        let method: &[&str] = if death % 8 < 4 { &["cycle"] } else { &["cycle", "perf-event"] };
        let mut agent = Killable::start(&target, method);
        agents.insert(agent.child.id());
        if death % 5 != 0 {
            agent.until_attached();
        }
        thread::sleep(moment);
        let victim = Victim::ALL[death % Victim::ALL.len()];
        let holders = agent.kill(victim);
        if victim != Victim::Agent && victim != Victim::All {
            // It goes on, or ends because it can't, and takes the other probes with it.
            thread::sleep(moment / 4);
            agent.kill(Victim::Agent);
        }
        instructions
            .until_unprobed()
            .unwrap_or_else(|error| panic!("{victim:?} at {moment:?}: {error:#}"));
        let start = Instant::now();
        while holders.as_ref().is_some_and(|holders| !holders.are_gone()) {
            assert!(start.elapsed() < PATIENCE, "{holders:?} are left behind");
            thread::sleep(Duration::from_millis(5));
        }
    }
    let before = target.alive().expect("alive");
    until_all_parts_went_on(&mut target, &before).expect("well");
    // One that is itself killed before it has its probe can't undo what it has not done, and that is
    // what the kernel then complains of.
    let killed = KILLED.lock().expect("no panic");
    let is_new = |complaint: &Complaint| !before_all.contains(complaint);
    for complaint in complaints().into_iter().filter(is_new) {
        assert!(!agents.contains(&complaint.pid), "{complaint:?}");
        assert!(!complaint.is_holder || killed.contains(&complaint.pid), "{complaint:?}");
    }
}

/// Without the server no more probes can be attached, and that is said; those that are there stay.
fn a_dead_server_is_noticed(version: &str) {
    let target = Target::start(version, MODE, "churn").expect("target");
    let instructions = instructions(&target);
    let mut agent = Killable::start(&target, &["cycle"]);
    agent.until_attached();
    agent.kill(Victim::Server);
    let status = agent.child.wait().expect("wait");
    let mut said = String::new();
    agent.child.stderr.take().expect("stderr").read_to_string(&mut said).expect("text");
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("(leak-agent-hold) was ended by somebody else"), "{said}");
    instructions.until_unprobed().expect("no probe");
}

/// The same moments in each run, so that a failure comes back; spread by a multiplicative hash.
fn moments(count: u64) -> impl Iterator<Item = Duration> {
    (1..=count).map(|at| Duration::from_micros(at.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 100_000))
}

fn instructions(target: &Target) -> Instructions {
    let code = Code::read(target.path()).expect("code");
    Instructions::of(target, &code).expect("instructions")
}

/// Whom a SIGKILL hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Agent,
    Server,
    Holders,
    All,
}

impl Victim {
    const ALL: [Self; 4] = [Self::Agent, Self::All, Self::Holders, Self::Server];
}

/// Holders that were killed by the tests of this process.
static KILLED: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A program that holds probes, to be killed.
struct Killable {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Killable {
    fn start(target: &Target, how: &[&str]) -> Self {
        let mut command = holder(&[], target.pid());
        command.args(how).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("holder");
        let said = BufReader::new(child.stdout.take().expect("stdout"));
        Self { child, said }
    }

    fn until_attached(&mut self) {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("a line");
        assert!(line.starts_with("ATTACHED"), "{line:?}");
    }

    /// Kills, and gives who else was there at that moment.
    fn kill(&mut self, victim: Victim) -> Option<Holders> {
        let holders = Holders::of(self.child.id()).expect("/proc");
        let send = |pid: i32| {
            // One that has ended by itself is as dead.
            let _ = signal::kill(Pid::from_raw(pid), Signal::SIGKILL);
        };
        if let Some(holders) = &holders {
            let server = i32::try_from(holders.server).expect("a pid");
            let kill_holders = || {
                KILLED.lock().expect("no panic").extend(&holders.holders);
                holders.holders.iter().for_each(|it| send(i32::try_from(*it).expect("a pid")));
            };
            match victim {
                Victim::Agent => {}
                Victim::Server => send(server),
                Victim::Holders => kill_holders(),
                Victim::All => {
                    send(server);
                    kill_holders();
                }
            }
        }
        if matches!(victim, Victim::Agent | Victim::All) {
            self.child.kill().expect("kill");
            self.child.wait().expect("wait");
        }
        holders
    }
}

/// What `doctor` says of this kernel's links is what attaching does.
#[test]
fn doctor_and_attaching_agree() {
    let target = Target::start("1.26.6", MODE, "churn").expect("target");
    let told = agent::run(&["doctor", "--format", "json"]).expect("agent").stdout;
    let told: DoctorDoc<'_> = serde_json::from_slice(&told).expect("a document");
    let multi = told.host.probes.uprobe_multi;
    assert_ne!(multi.answer, AnswerKind::CannotTell, "root may try: {multi:?}");
    let mut probed = Probed::load(&target, Sizes::for_goroutines(100), None).expect("probes");
    let is_link = probed.probes.method() == Method::UprobeMulti;
    assert_eq!(is_link, multi.answer == AnswerKind::Yes, "{multi:?}");
    probed.attach_all().expect("attached as told");
}

/// As an ordinary user with nothing but these three.
fn three_capabilities_suffice(version: &str) {
    if !uprobe_multi().is_yes() {
        leak_agent_tests::skip(
            "this kernel has no uprobe_multi, and perf events need CAP_SYS_ADMIN",
        );
        return;
    }
    let target = Target::start(version, MODE, "churn").expect("target");
    const THREE: &str = "-all,+bpf,+perfmon,+sys_ptrace";
    let inheritable = format!("--inh-caps={THREE}");
    let ambient = format!("--ambient-caps={THREE}");
    let bounding = format!("--bounding-set={THREE}");
    let setpriv = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        &inheritable,
        &ambient,
        &bounding,
        "--no-new-privs",
    ];
    let mut holder = holder(&setpriv, target.pid()).stdout(Stdio::piped()).spawn().expect("holder");
    let mut said = String::new();
    BufReader::new(holder.stdout.take().expect("stdout")).read_line(&mut said).expect("a line");
    let status = fs::read_to_string(format!("/proc/{}/status", holder.id())).expect("status");
    holder.kill().expect("kill");
    holder.wait().expect("wait");
    assert_eq!(said, "ATTACHED by uprobe_multi\n");
    // CAP_SYS_PTRACE is number 19, CAP_PERFMON 38, CAP_BPF 39.
    let held = (1_u64 << 19 | 1 << 38 | 1 << 39).to_be_bytes();
    let held: String = held.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(status.contains(&format!("CapEff:\t{held}\n")), "{status}");
    assert!(status.contains("Uid:\t65534\t"), "{status}");
    instructions(&target).until_unprobed().expect("no probe");
}

/// A program that attaches every probe, again and again, until it is killed.
fn holder(before: &[&str], pid: u32) -> Command {
    let program = env!("CARGO_BIN_EXE_hold_probes");
    let pid = pid.to_string();
    let words: Vec<&str> = before.iter().copied().chain([program, &pid]).collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Tables that are too small lose what does not fit in, count it, and get the rest right.
fn full_tables_are_counted(version: &str) {
    let mut target = Target::start(version, MODE, "churn").expect("target");
    let sizes = Sizes { slots: 8, ..SIZES };
    let mut probed = Probed::load(&target, sizes, None).expect("load");
    probed.attach_all().expect("attach");
    target.command("leak 100").expect("leak");
    let mut slots = Vec::new();
    let reading = probed.probes.goroutines(&mut slots);
    assert!(reading.is_full && reading.capacity == 8 && reading.torn == 0, "{reading:?}");
    assert_eq!(slots.len(), 8);
    let counters = probed.probes.counters().expect("counters");
    assert!(counters.slots_full >= 92, "{counters:?}");
    let site = probed.sites_in("main.twig").expect("sites")[0];
    assert_eq!((site.created, site.exited), (100, 0), "a site has its counts all the same");
    drop(probed);

    let sizes = Sizes { slots: 1 << 10, sites: 1, ..SIZES };
    let mut probed = Probed::load(&target, sizes, None).expect("load");
    probed.attach_all().expect("attach");
    target.command("leak 3").expect("leak");
    assert!(probed.probes.sites(&mut Vec::new()).is_full);
    assert!(probed.probes.counters().expect("counters").sites_full > 0);
}

/// What was created before is known by its ends and parks, and is not said to be new.
fn what_was_there_before_is_no_newcomer(version: &str) {
    let mut target = Target::start(version, MODE, "churn").expect("target");
    target.command("leak 5").expect("leak");
    let mut probed = Probed::load(&target, SIZES, None).expect("load");
    probed.attach_all().expect("attach");
    target.command("release").expect("release");
    let site = probed.sites_in("main.twig").expect("sites")[0];
    assert_eq!((site.created, site.exited), (0, 5), "{site:?}");
    assert_eq!(site.lifetimes.iter().sum::<u64>(), 0, "nobody saw how long they lived");
    assert!(site.creator().is_empty());

    // While only parks are seen, a g changes hands unseen: its slot must not.
    probed.probes.detach(Event::Create).expect("detach");
    probed.probes.detach(Event::Exit).expect("detach");
    let answer = target.command("leak 20").expect("leak");
    let ids = answer.split(' ').skip(1).map(number);
    let slots = probed.slots().expect("slots");
    for id in ids {
        let slot = slots.iter().find(|it| it.goid == id && it.state() == State::Parked);
        let slot = slot.unwrap_or_else(|| panic!("{id} is not in {slots:#?}"));
        assert_eq!((slot.created_ns, slot.gopc), (0, site.gopc), "{slot:?}");
    }
}

/// A process that is gone is said to be gone.
fn the_end_of_the_target_is_no_fault(version: &str) {
    let mut target = Target::start(version, MODE, "churn").expect("target");
    let mut probed = Probed::load(&target, SIZES, None).expect("load");
    probed.probes.attach(Event::Park).expect("attach");
    let pid = target.pid();
    target.command("exit").expect("exit");
    drop(target);
    let error = probed.probes.attach(Event::Exit).expect_err("it is gone");
    assert!(matches!(error, ProbeError::Exited { pid: of } if of == pid), "{error:?}");
    probed.probes.detach(Event::Park).expect("detach");
    probed.probes.counters().expect("counters");
}

//! What the agent has proven of a program, against what the program's own runtime says, what Go's test expects, and
//! what its goroutines do afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use serde::Serialize;
use serde_json::Value;

use super::agent::{Agent, Way, saved};
use super::expect::Expected;
use super::leaks;
use super::report::Finding;
use super::sums::Part;
use crate::debug2::{Dump, Goroutine};
use crate::target::Target;

/// How often the runtime is asked for leaks: of one look it may lose some.
const ASKED: usize = 3;

/// How long a program runs on behind all else, for what is proven falsely to run.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// The functions of the goroutines that `plant` starts (tests/leakprofile/main.go).
const LEAK: &str = "main.plantedLeak";
const WAITER: &str = "main.plantedWaiter";

/// What was proven of a program.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Proof {
    /// Goroutines that are proven to leak.
    pub proven: usize,
    /// From the agent's start to the sample that has the first of them.
    pub verdict_seconds: Option<f64>,
    /// Those that ran again or were gone, by the agent or by the program.
    pub wrong: Vec<String>,
    /// For how long the target stood, each time.
    pub pauses_ms: Vec<f64>,
    /// Why there was no proof, in the agent's words.
    pub refused: Option<String>,
    /// Only of programs of Go's.
    pub compared: Option<Compared>,
}

/// What was proven beside what others know.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Compared {
    /// Of what the runtime reports, what is proven; `None` where it has no such profile.
    pub reported: Option<Part>,
    /// Proven only when the agent looked again, behind the runtime.
    pub late: usize,
    /// Reported and not proven.
    pub missed: Vec<String>,
    /// Of what is proven and not reported at once, what the runtime reports when it is asked again.
    pub added: Part,
    /// What it never reports.
    pub unconfirmed: Vec<String>,
    /// Of what Go's test expects and stood all along, what is proven; where no runtime can say more.
    pub expected: Part,
    /// Expected and not proven.
    pub unproven: Vec<String>,
    /// Proven and neither expected nor planted, where no runtime can say more.
    pub unexpected: Vec<String>,
    /// Whether the goroutine that was planted to leak is proven, if only by a second look, and the one that was planted
    /// to wait is not.
    pub control: bool,
}

/// What an analysis has kept.
struct Kept {
    goids: BTreeSet<u64>,
    first_ns: Option<i64>,
    contradicted: u64,
    pauses_ms: Vec<f64>,
    refused: Option<String>,
}

/// What the analysis that began then, and kept its report so, has proven.
///
/// # Errors
/// When what it saw cannot be read.
pub fn of_analysis(started: SystemTime, keep: &Path) -> Result<(Proof, BTreeSet<u64>)> {
    let Kept { goids, first_ns, contradicted, pauses_ms, refused } = read(&saved(keep))?;
    let started = started.duration_since(UNIX_EPOCH)?.as_nanos() as i64;
    let proof = Proof {
        proven: goids.len(),
        verdict_seconds: first_ns.map(|ns| (ns - started) as f64 / 1e9),
        wrong: (0..contradicted).map(|_| "ran again, by the agent's own account".into()).collect(),
        pauses_ms,
        refused,
        compared: None,
    };
    Ok((proof, goids))
}

/// Compares what was proven of a program of Go's, and was kept in `keep`, with what it says of itself: `before` and, from
/// here on, as soon as can be.
///
/// # Errors
/// When the program says nothing, or the agent fails when it looks again.
pub fn compare(
    target: &mut Target,
    (agent, keep): (&Agent, &Path),
    (expected, before): (&Expected, &Dump),
    goids: &BTreeSet<u64>,
    proof: &mut Proof,
) -> Result<()> {
    let asked = (0..ASKED).map(|_| target.dump_of("leaks")).collect::<Result<Vec<_>>>()?;
    let is_finding = |it: &&Goroutine| it.leaked && it.goid != 1;
    let reported = |dump: &Dump| {
        dump.goroutines.iter().filter(is_finding).map(|it| it.goid).collect::<BTreeSet<_>>()
    };
    let mut compared = Compared::default();
    let at_once = reported(&asked[0]);
    let mut late = BTreeSet::new();
    let planted = |function| in_function(before, function);
    if !at_once.is_subset(goids) || planted(LEAK).is_none_or(|goid| !goids.contains(&goid)) {
        let again = keep.with_extension("again.json");
        agent.analyze(&Way::Pid(target.pid()), &again)?;
        late.extend(read(&saved(&again))?.goids);
    }
    let is_proven = |goid: &u64| goids.contains(goid) || late.contains(goid);
    if !asked[0].goroutines.is_empty() {
        let right = at_once.iter().filter(|it| is_proven(it)).count();
        compared.reported = Some(Part { right, of: at_once.len() });
        compared.late = at_once.difference(goids).filter(|it| late.contains(it)).count();
        let missed = at_once.iter().filter(|it| !is_proven(it));
        compared.missed = missed.map(|goid| in_words(&asked[0], *goid)).collect();
        let ever: BTreeSet<u64> = asked.iter().flat_map(reported).collect();
        let added: Vec<u64> = goids.difference(&at_once).copied().collect();
        let (confirmed, rest): (Vec<u64>, Vec<u64>) =
            added.into_iter().partition(|it| ever.contains(it));
        compared.added = Part { right: confirmed.len(), of: confirmed.len() + rest.len() };
        compared.unconfirmed = rest.iter().map(|goid| in_words(before, *goid)).collect();
    }
    let now = target.dump()?;
    thread::sleep(AFTERWARDS);
    let after = target.dump()?;
    let stood: BTreeMap<u64, &Goroutine> = before
        .goroutines
        .iter()
        .filter(|it| after.goroutine(it.goid).is_some_and(|later| it.stands_as(later)))
        .map(|it| (it.goid, it))
        .collect();
    let has_stayed = |goid: u64| {
        let then = now.goroutine(goid).zip(after.goroutine(goid));
        then.is_some_and(|(now, later)| now.stands_as(later))
    };
    let wrong = goids.iter().filter(|goid| !has_stayed(**goid));
    proof.wrong.extend(wrong.map(|goid| in_words(&now, *goid)));
    for (goid, goroutine) in &stood {
        let is_planted = [planted(LEAK), planted(WAITER)].contains(&Some(*goid));
        // Where the runtime reports leaks, that is more exact: not all that comes about is one.
        if *goid == 1 || is_planted || compared.reported.is_some() {
            continue;
        }
        if !leaks::is_expected(expected, goroutine) {
            if goids.contains(goid) {
                compared.unexpected.push(in_words(before, *goid));
            }
            continue;
        }
        compared.expected.of += 1;
        compared.expected.right += usize::from(is_proven(goid));
        if !is_proven(goid) {
            compared.unproven.push(in_words(before, *goid));
        }
    }
    let told = |function| planted(function).map(|goid| is_proven(&goid));
    compared.control = (told(LEAK), told(WAITER)) == (Some(true), Some(false));
    proof.compared = Some(compared);
    Ok(())
}

/// Whether a finding is of what was planted to leak.
#[must_use]
pub fn is_planted(finding: &Finding) -> bool {
    let at = finding.blocked_at.as_ref().and_then(|it| it.function.as_deref());
    at == Some(LEAK)
}

/// The goroutine that is in a function.
fn in_function(dump: &Dump, function: &str) -> Option<u64> {
    let is_it = |it: &&Goroutine| it.calls().any(|call| call.function == function);
    dump.goroutines.iter().find(is_it).map(|it| it.goid)
}

fn in_words(dump: &Dump, goid: u64) -> String {
    let Some(goroutine) = dump.goroutine(goid) else { return format!("goroutine {goid}") };
    let own = goroutine.calls().find(|it| it.function.starts_with("main."));
    let function = own.map_or("of no function of its own", |it| &it.function);
    format!("goroutine {goid}, {function} [{}]", goroutine.state)
}

/// Reads the observations that `--save` has kept (`docs/saved.md`).
fn read(folder: &Path) -> Result<Kept> {
    let list = fs::read_dir(folder).with_context(|| format!("there is no {}", folder.display()))?;
    let mut files = list.map(|it| Ok(it?.path())).collect::<Result<Vec<_>>>()?;
    files.sort();
    let mut kept = Kept {
        goids: BTreeSet::new(),
        first_ns: None,
        contradicted: 0,
        pauses_ms: Vec::new(),
        refused: None,
    };
    for file in files {
        let mut text = String::new();
        GzDecoder::new(File::open(&file)?).read_to_string(&mut text)?;
        let it: Value = serde_json::from_str(&text)?;
        let rows = it["goroutines"].as_array().context("there are no goroutines in it")?;
        let proven = rows
            .iter()
            .filter_map(Value::as_array)
            .filter(|row| row.last().is_some_and(|it| it == &Value::Bool(true)));
        kept.goids = proven.filter_map(|row| row.first()?.as_u64()).collect();
        if !kept.goids.is_empty() && kept.first_ns.is_none() {
            kept.first_ns = it["at"].as_i64();
        }
        let coverage = &it["coverage"]["proof"];
        kept.contradicted = coverage["contradicted"].as_u64().unwrap_or_default();
        let latest = &coverage["latest"];
        let why = ["Refused", "Failed"].iter().find_map(|how| latest[how]["why"].as_str());
        kept.refused = why.map(str::to_owned);
        let pauses = it["overhead"]["pauses_ms"].as_array();
        kept.pauses_ms = pauses.iter().flat_map(|it| it.iter()).filter_map(Value::as_f64).collect();
    }
    Ok(kept)
}

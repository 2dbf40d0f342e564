//! From what was named to series: what each file holds, which belong together, and in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::item::{self, Inspected, Item, is_contention};
use super::merge::merge;
use super::walk::{Group, Place, Walk};
use super::{Error, Unread, time};
use crate::model::{NotJudged, ProfileForm, TimeBasis, Timestamp};
use crate::profile::proto::Kind;
use crate::units::plural;

/// How the names of files end that `--save` writes.
const SAVED: &str = ".observation.gz";

/// Modification times that are closer together than this, in the mean, are those of a copy.
const MIN_STEP_NS: i64 = 100_000_000;

/// What was found in all that was named.
#[derive(Default)]
pub struct Found {
    /// Profiles and dumps.
    pub series: Vec<Series>,
    /// Files that `--save` wrote.
    pub observations: Vec<PathBuf>,
}

/// Profiles or dumps of one program, in the order of their times.
pub struct Series {
    /// The file or folder, as people say it.
    pub path: String,
    pub(super) items: Vec<Item>,
    pub(super) times: TimeBasis,
    pub(super) unread: Vec<Unread>,
    pub(super) not_judged: Vec<NotJudged>,
    pub(super) others: u64,
}

impl Series {
    /// How many profiles and dumps it has, where each file has one.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether none could be read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

/// Finds the profiles, dumps and saved observations in what was named: files, folders, patterns, and `-` for
/// standard input.
///
/// # Errors
/// When something is named that is not there, or nothing can be read of all that was named.
pub fn find(named: &[PathBuf]) -> Result<Found, Error> {
    let Walk { groups, mut unread, .. } = Walk::of(named)?;
    let mut found = Found::default();
    let (mut files, mut nothing) = (0, Vec::new());
    for group in groups {
        files += group.files.len() as u64;
        let mut sorted = Sorted::default();
        sorted.unread.append(&mut unread);
        sorted.inspect(&group);
        found.observations.append(&mut sorted.observations);
        let reasons = sorted.unread.iter().chain(&sorted.without).chain(&sorted.not_alone);
        nothing.extend(reasons.cloned());
        found.series.extend(sorted.into_series(&group));
    }
    nothing.extend(unread);
    if found.observations.is_empty() && found.series.iter().all(Series::is_empty) {
        return Err(Error::Nothing { files, unread: nothing });
    }
    Ok(found)
}

/// What the files of a group are.
#[derive(Default)]
struct Sorted {
    items: BTreeMap<(u8, bool), Vec<Item>>,
    /// Block, mutex and heap profiles.
    beside: Vec<Item>,
    observations: Vec<PathBuf>,
    unread: Vec<Unread>,
    not_judged: BTreeMap<String, u64>,
    /// Files that say nothing where they are all that there is.
    not_alone: Vec<Unread>,
    /// Texts of a folder that have no goroutines in them.
    without: Vec<Unread>,
}

impl Sorted {
    fn inspect(&mut self, group: &Group) {
        for place in &group.files {
            if let Place::File(path) = place
                && path.as_os_str().as_encoded_bytes().ends_with(SAVED.as_bytes())
            {
                self.observations.push(path.clone());
                continue;
            }
            match item::inspect(place) {
                Ok(inspected) => {
                    for (file, what) in inspected {
                        self.add(file, what, group.folder.is_some());
                    }
                }
                Err(error) => {
                    let file = place.path().display().to_string();
                    self.unread.push(Unread { file, why: item::why(&error) });
                }
            }
        }
    }

    fn add(&mut self, file: String, what: Inspected, is_in_folder: bool) {
        let why = match what {
            Inspected::Item(item) if item.beside.is_some() => {
                if item.beside == Some(Kind::Heap) {
                    let why = "a heap profile says nothing without goroutines beside it".to_owned();
                    self.not_alone.push(Unread { file, why });
                }
                self.beside.push(item);
                return;
            }
            Inspected::Item(item) => {
                self.items.entry((item.form as u8, item.only_leaked)).or_default().push(item);
                return;
            }
            Inspected::Other(kind) => {
                let why = format!("nothing is judged of a profile of this kind: {kind}");
                self.not_alone.push(Unread { file, why });
                *self.not_judged.entry(kind).or_default() += 1;
                return;
            }
            Inspected::NoGoroutines if is_in_folder => {
                self.without.push(Unread { file, why: "no goroutines in it".to_owned() });
                return;
            }
            Inspected::NoGoroutines => "no goroutines in it".to_owned(),
            Inspected::Observation => {
                format!("--save wrote it, under another name: it has to end in {SAVED}")
            }
            Inspected::Nothing(why) => why,
        };
        self.unread.push(Unread { file, why });
    }

    fn into_series(self, group: &Group) -> Vec<Series> {
        let Self { items, mut beside, unread, mut not_judged, without, .. } = self;
        let has_contention = beside.iter().any(|item| item.beside.is_some_and(is_contention));
        if items.is_empty() && !has_contention && !beside.is_empty() {
            // The heap alone says nothing that is judged.
            *not_judged.entry("heap".to_owned()).or_default() += beside.len() as u64;
            beside.clear();
        }
        let not_judged: Vec<NotJudged> =
            not_judged.into_iter().map(|(kind, files)| NotJudged { kind, files }).collect();
        let others = without.len() as u64;
        if items.is_empty() && !beside.is_empty() {
            let (items, times) = of_contention(beside);
            let path = path_of(group, &items);
            return vec![Series { path, items, times, unread, not_judged, others }];
        }
        if items.is_empty() {
            // Something should have been there: that it was not read is no all-clear.
            let is_lost = !unread.is_empty();
            let path = path_of(group, &[]);
            let nothing = Series {
                path,
                items: Vec::new(),
                times: TimeBasis::Order,
                unread,
                not_judged,
                others,
            };
            return if is_lost { vec![nothing] } else { Vec::new() };
        }
        let forms = items.len();
        let mut series = Vec::new();
        for ((_, only_leaked), mut items) in items {
            let times = in_order(&mut items);
            let mut path = path_of(group, &items);
            by_name(&mut beside);
            let items = merge(items, std::mem::take(&mut beside), times);
            if forms > 1
                && let Some(form) = items.last().map(|item| item.form)
            {
                path.push_str(&format!(" ({})", form_name(form, only_leaked)));
            }
            series.push(Series {
                path,
                items,
                times,
                unread: unread.clone(),
                not_judged: not_judged.clone(),
                others,
            });
        }
        series
    }
}

/// A series without goroutines: contention of the kind of which there is more makes observations, the rest goes
/// with them.
fn of_contention(all: Vec<Item>) -> (Vec<Item>, TimeBasis) {
    let count = |kind| all.iter().filter(|item| item.beside == Some(kind)).count();
    let kind = if count(Kind::Mutex) > count(Kind::Block) { Kind::Mutex } else { Kind::Block };
    let (mut items, mut beside) =
        all.into_iter().partition::<Vec<_>, _>(|item| item.beside == Some(kind));
    let times = in_order(&mut items);
    by_name(&mut beside);
    (merge(items, beside, times), times)
}

fn form_name(form: ProfileForm, only_leaked: bool) -> &'static str {
    match (form, only_leaked) {
        (ProfileForm::Dump, _) => "debug=2",
        (ProfileForm::Counts, false) => "debug=1",
        (ProfileForm::Counts, true) => "goroutineleak, debug=1",
        (ProfileForm::Proto, false) => "pprof",
        (ProfileForm::Proto, true) => "goroutineleak, pprof",
    }
}

/// The folder, or the first file and how many more there are.
fn path_of(group: &Group, items: &[Item]) -> String {
    if let Some(folder) = &group.folder {
        return folder.display().to_string();
    }
    let named: BTreeSet<&Path> = items.iter().map(|item| item.place.path()).collect();
    let first = items
        .first()
        .map(Item::name)
        .or_else(|| group.files.first().map(|place| place.path().display().to_string()));
    let first = first.unwrap_or_default();
    match items.len().max(named.len()).saturating_sub(1) {
        0 => first,
        more => format!("{first} and {more} {}", plural(more as u64, "other", "others")),
    }
}

fn by_name(items: &mut [Item]) {
    items.sort_by(|a, b| {
        let (a, b) = (a.name(), b.name());
        time::order(&a).cmp(&time::order(&b))
    });
}

/// Sorts them by their times, and says where these come from: the best source that says something of all of
/// them, and not the same.
fn in_order(items: &mut [Item]) -> TimeBasis {
    by_name(items);
    let bases = [TimeBasis::Profile, TimeBasis::Name, TimeBasis::Log, TimeBasis::Modified];
    let basis = bases.into_iter().find(|&basis| tells_apart(items, basis));
    match basis {
        None => TimeBasis::Order,
        Some(basis) => {
            items.sort_by_key(|item| item.times.of(basis));
            basis
        }
    }
}

fn tells_apart(items: &[Item], basis: TimeBasis) -> bool {
    let times: Option<BTreeSet<Timestamp>> =
        items.iter().map(|item| item.times.of(basis)).collect();
    let Some(times) = times else { return false };
    let is_copy = basis == TimeBasis::Modified
        && times.first().zip(times.last()).is_some_and(|(first, last)| {
            let steps = items.len() as i64 - 1;
            last.unix_ns() - first.unix_ns() < steps * MIN_STEP_NS
        });
    !is_copy && times.len() * 2 > items.len()
}

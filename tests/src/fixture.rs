//! What each Go version says of `tests/targets/profiles`: the files of `cargo xtask fixtures`.

use std::fs;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use leak_agent::profile::{Entry, Reading, Record, counts, dump, proto};

/// A record that outlives what it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// How many goroutines it stands for.
    pub count: u64,
    /// Its id; 0 for none.
    pub goid: u64,
    /// Its state's text, and its marks: `durable`, `leaked`, `locked`, `scan`, `bubble 1`, `3 minutes`.
    pub state: String,
    /// The same.
    pub marks: Vec<String>,
    /// Its labels.
    pub labels: Vec<(String, String)>,
    /// Its stack, a line a frame: `main.f main.go:3`, with `inlined` behind.
    pub stack: Vec<String>,
    /// Where it was created, in the same form, and in which goroutine; 0 for none.
    pub created: Option<(String, u64)>,
}

impl Owned {
    /// Of a record.
    #[must_use]
    pub fn of(record: &Record<'_>) -> Self {
        let mut marks = Vec::new();
        if let Some(state) = &record.state {
            let set = [
                (state.leaked, "leaked"),
                (state.scan, "scan"),
                (state.durable, "durable"),
                (state.locked_to_thread, "locked"),
            ];
            marks.extend(set.iter().filter(|(is, _)| *is).map(|(_, name)| (*name).to_owned()));
            marks.extend(state.minutes.map(|minutes| format!("{minutes} minutes")));
            marks.extend(state.bubble.map(|bubble| format!("bubble {bubble}")));
        }
        let id = |id: Option<std::num::NonZeroU64>| id.map_or(0, std::num::NonZeroU64::get);
        Self {
            count: record.count.into(),
            goid: id(record.goid),
            state: record.state.map(|state| state.text.to_owned()).unwrap_or_default(),
            marks,
            labels: record
                .labels
                .iter()
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .collect(),
            stack: record.stack.iter().map(line).collect(),
            created: record.created_by.map(|site| {
                (format!("{} {}:{}", site.function, site.file, site.line), id(site.parent))
            }),
        }
    }

    /// Whether a function is on its stack, by the name that dumps have: pprof's own form names the types of
    /// an instance, where they have three dots.
    #[must_use]
    pub fn is_in(&self, function: &str) -> bool {
        self.stack.iter().any(|line| {
            let name = line.split(' ').next().unwrap_or_default();
            match (name.find('['), name.rfind(']')) {
                (Some(open), Some(close)) if open < close => {
                    function == format!("{}...{}", &name[..=open], &name[close..])
                }
                _ => name == function,
            }
        })
    }
}

fn line(entry: &Entry<'_>) -> String {
    match entry {
        Entry::Call(call) => {
            let inlined = if call.inlined { " inlined" } else { "" };
            format!("{} {}:{}{inlined}", call.function, call.file, call.line)
        }
        Entry::Address(pc) => format!("{pc:#x}"),
        Entry::Elided(Some(count)) => format!("{count} elided"),
        Entry::Elided(None) => "some elided".to_owned(),
    }
}

/// A fixture's bytes.
///
/// # Errors
/// When it was not made.
pub fn bytes(version: &str, file: &str) -> Result<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/dumps").join(version);
    let path = folder.join(file);
    fs::read(&path)
        .with_context(|| format!("cannot read {}; run: cargo xtask fixtures", path.display()))
}

/// A fixture that is packed with gzip.
///
/// # Errors
/// When it was not made, or is not packed so.
pub fn unpacked(version: &str, file: &str) -> Result<Vec<u8>> {
    let packed = bytes(version, file)?;
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&*packed).read_to_end(&mut plain)?;
    Ok(plain)
}

/// Reads a dump.
pub fn read_dump(text: &[u8], mut take: impl FnMut(&Record<'_>)) -> Reading {
    let mut reader = dump::Reader::new(&mut take);
    reader.feed(text);
    reader.finish()
}

/// Reads counts.
pub fn read_counts(text: &[u8], mut take: impl FnMut(&Record<'_>)) -> Reading {
    let mut reader = counts::Reader::new(&mut take);
    reader.feed(text);
    reader.finish()
}

/// Reads a profile of goroutines in pprof's own form.
///
/// # Errors
/// When it is none.
pub fn read_proto(plain: &[u8], mut take: impl FnMut(&Record<'_>)) -> Result<Reading> {
    Ok(proto::Profile::read(plain)?.goroutines(&mut take)?)
}

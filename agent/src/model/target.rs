//! Whom an observation is of.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// Whom an observation is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// What tells it from every other target.
    #[serde(flatten)]
    pub id: TargetId,
    /// The executable's file name; with a shared library's behind a slash where the Go runtime is in one.
    /// `None` where the source does not know, as most files of profiles do not.
    pub exe: Option<String>,
    /// Go's version string, experiments and all (`go1.26.6-X:nogreenteagc`).
    pub go_version: Option<String>,
    /// How the executable was built.
    pub build: Option<Build>,
    /// When its process was forked, in clock ticks since boot, as the source that attached to it found it: with the pid
    /// what tells it from every other process. `None` for what is no process that is seen live: it is never saved.
    #[serde(skip)]
    pub forked_ticks: Option<u64>,
}

impl Target {
    /// One of which no more is known than what tells it from others.
    #[must_use]
    pub const fn of(id: TargetId) -> Self {
        Self { id, exe: None, go_version: None, build: None, forked_ticks: None }
    }

    /// The process id, as the agent's pid namespace counts; `None` where the target is no process that
    /// the agent attached to.
    #[must_use]
    pub const fn pid(&self) -> Option<u32> {
        self.id.pid()
    }

    /// Whether what is seen of it was saved before: it may be over by now.
    #[must_use]
    pub const fn is_saved(&self) -> bool {
        self.id.recording.is_some() || matches!(self.id.instance, Instance::Files { .. })
    }

    /// What people call it: its executable, or what its source is called where that is not known.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        self.exe.as_deref().map_or_else(|| Cow::Owned(self.id.to_string()), Cow::Borrowed)
    }
}

/// What tells a target from every other: the key of windows, events, findings that were told, and views.
///
/// Two processes that had one pid after each other have two ids, and so have two programs that one process
/// executed after each other, and two recordings of one program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetId {
    /// Which one of its kind.
    #[serde(flatten)]
    pub instance: Instance,
    /// When it started, by the wall clock of when the agent attached, in whole seconds; `None` where the
    /// source does not know.
    #[serde(default)]
    pub started: Option<Timestamp>,
    /// How often the process has executed itself, or another program, anew since it was attached to.
    /// What was seen before is of another program.
    #[serde(default)]
    pub generation: u32,
    /// When the first observation of the recording was made through which it is seen, in whole
    /// milliseconds; `None` where it is seen live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<Timestamp>,
}

impl TargetId {
    /// The process id, as the agent's pid namespace counts; `None` for what is no such process.
    #[must_use]
    pub const fn pid(&self) -> Option<u32> {
        match self.instance {
            Instance::Process { pid, .. } => Some(pid),
            Instance::Endpoint { .. } | Instance::Files { .. } | Instance::Stored(_) => None,
        }
    }

    /// The same id for all programs that a process executes after each other: the key of what goes on
    /// through them.
    #[must_use]
    pub fn of_all_generations(&self) -> Self {
        Self { generation: 0, ..self.clone() }
    }
}

/// As people say it: `pid 4711`. Of several that look the same, the start tells them apart.
impl fmt::Display for TargetId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.instance.fmt(out)
    }
}

/// Which one of its kind a target is: one variant for each kind of source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Instance {
    /// A Go runtime in a running process that the agent attached to.
    #[serde(rename = "pid")]
    Process {
        /// The process id, as the agent's pid namespace counts.
        pid: u32,
        /// The file name of the shared library that holds the Go runtime; `None` for the executable.
        #[serde(default)]
        library: Option<String>,
    },
    /// A program that serves its profiles by `net/http/pprof`.
    #[serde(rename = "url")]
    Endpoint {
        /// Where its index of profiles is, without credentials: `http://host:6060/debug/pprof/`.
        url: String,
    },
    /// A program whose profiles or dumps lie in files: one series of them.
    #[serde(rename = "files")]
    Files {
        /// The file or folder, as it was named.
        path: String,
    },
    /// A program whose profiles a store keeps.
    #[serde(rename = "store")]
    Stored(Box<InStore>),
}

/// A program whose profiles a store keeps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InStore {
    /// Which kind of store that is.
    pub store: Store,
    /// Where it is, without credentials.
    pub url: String,
    /// The labels that tell it from others there: `{instance="10.0.0.7:6060"}`.
    pub labels: String,
}

/// A kind of store of profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// Parca.
    Parca,
    /// Grafana Pyroscope.
    Pyroscope,
}

impl fmt::Display for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Parca => "Parca",
            Self::Pyroscope => "Pyroscope",
        })
    }
}

/// `pid 4711`, or `pid 4711 (libmail.so)`; the address, path or labels of others.
impl fmt::Display for Instance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { pid, library: None } => write!(out, "pid {pid}"),
            Self::Process { pid, library: Some(library) } => write!(out, "pid {pid} ({library})"),
            Self::Endpoint { url } => out.write_str(url),
            Self::Files { path } => out.write_str(path),
            Self::Stored(of) => out.write_str(&of.labels),
        }
    }
}

/// How an executable was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Neither symbol table nor DWARF.
    pub stripped: bool,
    /// Position independent.
    pub pie: bool,
    /// With cgo.
    pub cgo: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(library: Option<&str>, started: Option<i64>) -> TargetId {
        TargetId {
            instance: Instance::Process { pid: 4711, library: library.map(str::to_owned) },
            started: started.map(Timestamp::from_unix_ns),
            generation: 0,
            recording: None,
        }
    }

    #[test]
    fn two_lives_of_one_pid_are_two_targets() {
        let (first, second) = (id(None, Some(1)), id(None, Some(2)));
        assert!(first != second && first < second && first != id(Some("libmail.so"), Some(1)));
        let anew = TargetId { generation: 1, ..first.clone() };
        assert_ne!(anew, first);
        assert_eq!(anew.of_all_generations(), first);
        assert_eq!(id(None, None).to_string(), "pid 4711");
        assert_eq!(id(Some("libmail.so"), None).to_string(), "pid 4711 (libmail.so)");
    }

    #[test]
    fn what_a_store_keeps_is_called_by_its_labels() {
        let of = InStore {
            store: Store::Parca,
            url: "http://parca:7070/".to_owned(),
            labels: r#"{pod="web-1"}"#.to_owned(),
        };
        let instance = Instance::Stored(Box::new(of));
        let id = TargetId { instance, ..id(None, None) };
        assert_eq!(id.to_string(), r#"{pod="web-1"}"#);
        let text = serde_json::to_string(&id).expect("JSON");
        assert!(text.starts_with(r#"{"kind":"store","store":"parca","url":"#), "{text}");
        assert_eq!(serde_json::from_str::<TargetId>(&text).expect("JSON"), id);
    }

    #[test]
    fn what_has_no_executable_is_called_by_its_source() {
        let url = "http://shop:6060/debug/pprof/".to_owned();
        let instance = Instance::Endpoint { url: url.clone() };
        let mut target = Target::of(TargetId { instance, ..id(None, None) });
        assert_eq!((target.pid(), &*target.name()), (None, &*url));
        let text = serde_json::to_string(&target).expect("JSON");
        assert!(text.starts_with(&format!(r#"{{"kind":"url","url":"{url}","#)), "{text}");
        target.exe = Some("shop".to_owned());
        assert_eq!(target.name(), "shop");
    }

    #[test]
    fn its_form_is_flat_and_that_of_older_files_is_read() {
        let target = Target {
            exe: Some("host/libmail.so".to_owned()),
            ..Target::of(id(Some("libmail.so"), Some(7)))
        };
        let text = serde_json::to_string(&target).expect("JSON");
        assert!(text.starts_with(r#"{"kind":"pid","pid":4711,"library":"libmail.so","#), "{text}");
        assert_eq!(serde_json::from_str::<Target>(&text).expect("JSON"), target);
        let old = r#"{"kind":"pid","pid":4711,"exe":"potato","go_version":null,"build":null}"#;
        assert_eq!(serde_json::from_str::<Target>(old).expect("JSON").id, id(None, None));
        let nobody = r#"{"kind":"pid","pid":null,"exe":"potato","go_version":null,"build":null}"#;
        assert!(serde_json::from_str::<Target>(nobody).is_err());
    }
}

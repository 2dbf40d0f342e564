//! What is kept of the agent's report.

use anyhow::{Result, bail};
use leak_agent::model::pattern::Pattern;
use leak_agent::model::{CauseClass, GrowthPattern, ResourceKind, Verdict};
use leak_agent::report::schema::{self, FindingDoc, FrameDoc};
use serde::Serialize;

/// What is kept of a report.
#[derive(Clone, Debug)]
pub struct Report {
    /// What it found.
    pub findings: Vec<Finding>,
    /// How well the program is, 0 to 100.
    pub health: Option<u8>,
    /// How many goroutines there were in the last sample.
    pub goroutines: u64,
}

impl Report {
    /// Reads the report of one target.
    ///
    /// # Errors
    /// When it is none, or one of several targets.
    pub fn read(text: &[u8]) -> Result<Self> {
        let documents = schema::read(text)?;
        let [document] = &*documents else { bail!("it is of {} targets", documents.len()) };
        Ok(Self {
            findings: document.findings.iter().map(Finding::of).collect(),
            health: document.health,
            goroutines: document.totals.as_ref().map_or(0, |totals| totals.goroutines),
        })
    }
}

/// A leak that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The kind of leak.
    pub class: CauseClass,
    /// How sure the agent is.
    pub verdict: Verdict,
    /// How many goroutines.
    pub count: u64,
    /// The known mistake that it looks like.
    pub pattern: Option<Pattern>,
    /// How what it is about grows.
    pub shape: Option<GrowthPattern>,
    /// Who holds the memory: a path, from its holder on.
    pub held_by: Option<String>,
    /// What piles up, alone or with the goroutines.
    pub resources: Vec<ResourceKind>,
    /// Where they block.
    pub blocked_at: Option<Frame>,
    /// The program's own line that causes it.
    pub caused_at: Option<Frame>,
    /// Where each kind of goroutines blocks that one cause joins; empty where there is one kind.
    #[serde(skip)]
    pub parts: Vec<Frame>,
    /// Their stack, innermost first; empty where it could not be read.
    #[serde(skip)]
    pub stack: Vec<Frame>,
}

impl Finding {
    fn of(document: &FindingDoc<'_>) -> Self {
        let stack = document.stack.iter().flatten().map(|it| Frame::of(&it.frame));
        let parts = document.parts.iter().filter_map(|part| part.blocked_at.as_ref());
        Self {
            class: document.class,
            verdict: document.verdict,
            count: document.count,
            pattern: document.pattern,
            shape: document.growth.map(|it| it.pattern),
            held_by: document.held_by.iter().flatten().next().map(|it| it.clone().into_owned()),
            resources: document
                .resource
                .iter()
                .chain(&document.piled_up)
                .map(|it| it.kind)
                .collect(),
            blocked_at: document.blocked_at.as_ref().map(Frame::of),
            caused_at: document.caused_at.as_ref().map(|it| Frame::of(&it.frame)),
            parts: parts.map(Frame::of).collect(),
            stack: stack.collect(),
        }
    }

    /// Whether the path to the memory begins at this variable or a field of it, or at goroutines that started in this
    /// function.
    #[must_use]
    pub fn is_held_by(&self, name: &str) -> bool {
        let path = self.held_by.as_deref().unwrap_or_default();
        let holder = path.split(" -> ").next().unwrap_or_default();
        let holder = holder.split(' ').next_back().unwrap_or_default();
        holder.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

/// A place in the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// The function, where it has a name.
    pub function: Option<String>,
    /// Its file.
    pub file: Option<String>,
    /// The line in it.
    pub line: Option<u32>,
}

impl Frame {
    fn of(document: &FrameDoc<'_>) -> Self {
        let text = |it: &Option<std::borrow::Cow<'_, str>>| it.as_deref().map(str::to_owned);
        Self { function: text(&document.function), file: text(&document.file), line: document.line }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { class, verdict, count, blocked_at, caused_at, .. } = self;
        write!(f, "{} {class}", verdict.name())?;
        if *count > 0 {
            write!(f, ", {count} goroutines")?;
        } else {
            let (of, how) =
                (self.resources.first().map(|it| it.name()), self.shape.map(|it| it.name()));
            for word in of.into_iter().chain(how) {
                write!(f, ", {word}")?;
            }
        }
        if let Some(path) = &self.held_by {
            write!(f, ", held by {path}")?;
        }
        for (word, frame) in [("at", blocked_at), ("caused at", caused_at)] {
            if let Some(frame) = frame {
                write!(f, ", {word} {frame}")?;
            }
        }
        Ok(())
    }
}

impl std::fmt::Display for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { function, file, line } = self;
        f.write_str(function.as_deref().unwrap_or("an unknown function"))?;
        match file.as_deref().zip(*line) {
            Some((file, line)) => write!(f, " ({}:{line})", super::matching::tail(file)),
            None => Ok(()),
        }
    }
}

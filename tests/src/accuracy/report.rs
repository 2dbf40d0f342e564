//! What is read of the agent's report: a document of the schema `leak-agent/report/v1`.

use leak_agent::model::finding::Verdict;
use serde::{Deserialize, Serialize};

/// A report.
#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    /// What it found.
    pub findings: Vec<Finding>,
    /// How well the program is, 0 to 100.
    pub health: Option<u8>,
    /// The goroutines in all.
    pub totals: Totals,
}

/// Counts over all goroutines.
#[derive(Clone, Debug, Deserialize)]
pub struct Totals {
    /// How many there were at the last look.
    pub goroutines: u64,
}

/// A leak that was found.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Finding {
    /// The kind of leak, by its name.
    pub class: String,
    /// How sure the agent is.
    pub verdict: Verdict,
    /// How many goroutines.
    pub count: u64,
    /// The known mistake that it looks like, by its name.
    pub pattern: Option<String>,
    /// Where they block.
    pub blocked_at: Option<Frame>,
    /// The program's own line that causes it.
    pub caused_at: Option<Frame>,
    /// The kinds of goroutines that one cause joins; empty where there is one kind.
    #[serde(default, skip_serializing)]
    pub parts: Vec<Part>,
    /// Their stack, innermost first.
    #[serde(skip_serializing)]
    pub stack: Option<Vec<Frame>>,
}

/// Goroutines of one kind in a finding.
#[derive(Clone, Debug, Deserialize)]
pub struct Part {
    /// Where they block.
    pub blocked_at: Option<Frame>,
}

/// A place in the program.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Frame {
    /// The function, where it has a name.
    pub function: Option<String>,
    /// Its file.
    pub file: Option<String>,
    /// The line in it.
    pub line: Option<u32>,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { class, verdict, count, blocked_at, caused_at, .. } = self;
        write!(f, "{} {class}, {count} goroutines", verdict.name())?;
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

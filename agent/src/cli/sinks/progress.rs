//! How far a command is whose report is all that matters: one line on standard error that is written
//! anew with each sample and each second, and gone before the report.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write};
use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};

use super::{is_dumb, write_replaced};
use crate::cli::request::Request;
use crate::model::{TargetId, Update, Verdict};
use crate::pipeline::{Inbox, Keep, Role, Sink, SinkError, Stop, Terms};
use crate::report::{format, phrases};
use crate::watch::{lines, terminal_size};

/// How often the time that is left is written anew.
const TICK: Duration = Duration::from_secs(1);

/// Over how much of the window the growth is taken that is shown.
const RECENT_SECONDS: f64 = 10.0;

/// Back to the line's beginning, and what stands on it erased.
const ERASE: &str = "\r\x1b[2K";

/// Progress on standard error. What it cannot write there, nobody reads: it then is silent.
pub(in crate::cli) struct Progress {
    form: Form,
    duration: Option<Duration>,
    /// For how much longer it may go on.
    gc_wait: Duration,
    /// Whether it ends before that, as soon as something is found.
    until_found: bool,
    /// Observations that were saved are no progress in time.
    is_saved: bool,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// One line that changes, on a terminal.
    Line,
    /// A line a sample, for who wants to see all that is done (`-v`).
    Lines,
    /// One line at the beginning.
    Start,
}

impl Progress {
    pub(in crate::cli) fn new(request: &Request) -> Self {
        let is_terminal = io::stderr().is_terminal() && !is_dumb();
        let form = match request.verbosity {
            0 if is_terminal => Form::Line,
            0 => Form::Start,
            _ => Form::Lines,
        };
        Self {
            form,
            duration: request.pace.duration,
            gc_wait: request.pace.gc_wait,
            until_found: request.pace.until_found.is_some(),
            is_saved: request.is_saved(),
        }
    }

    fn start(&self) -> Option<String> {
        let duration = self.duration.map(format::duration)?;
        let line = if self.until_found {
            format!("sampling until something is found, for at most {duration}")
        } else {
            format!("sampling for {duration}")
        };
        let line = if self.gc_wait.is_zero() {
            line
        } else {
            let wait = format::duration(self.gc_wait);
            format!("{line}, and for at most {wait} more until enough collections were seen")
        };
        (self.form == Form::Start && !self.is_saved).then_some(line)
    }
}

impl Sink for Progress {
    fn name(&self) -> &'static str {
        "the progress line"
    }

    fn terms(&self) -> Terms {
        let keep = match self.form {
            Form::Line => Keep::Newest,
            Form::Lines | Form::Start => super::MAX_WAITING,
        };
        Terms::shows(keep, Role::Follows)
    }

    fn run(self: Box<Self>, inbox: &Inbox, stop: &Stop) -> Result<(), SinkError> {
        let mut out = io::stderr();
        let start = Instant::now();
        if let Some(line) = self.start() {
            writeln!(out, "{line}").map_err(SinkError::Write)?;
        }
        let mut shown = Shown::default();
        loop {
            let next = inbox.next_within(TICK);
            if let Ok(update) = &next {
                if self.form == Form::Line && update.replaced.is_some() {
                    write!(out, "{ERASE}").map_err(SinkError::Write)?;
                }
                write_replaced(update, &mut out).map_err(SinkError::Write)?;
                if self.form == Form::Lines && !self.is_saved {
                    let line = lines::line(&update.assessment, update.now);
                    writeln!(out, "{line}").map_err(SinkError::Write)?;
                }
            }
            let is_over = matches!(next, Err(TryRecvError::Disconnected)) || stop.is_requested();
            if let Ok(update) = next {
                shown.take(update);
            }
            if self.form == Form::Line {
                let left = self.duration.filter(|_| !self.is_saved);
                let left = left.map(|duration| duration.saturating_sub(start.elapsed()));
                let left = left.filter(|left| self.gc_wait.is_zero() || !left.is_zero());
                let width = terminal_size().map_or(80, |(columns, _)| usize::from(columns));
                let line = if is_over { String::new() } else { shown.line(left, width) };
                write!(out, "{ERASE}{line}")
                    .and_then(|()| out.flush())
                    .map_err(SinkError::Write)?;
            }
            if is_over {
                return Ok(());
            }
        }
    }
}

/// The newest sample of each target.
#[derive(Default)]
struct Shown {
    newest: BTreeMap<TargetId, Update>,
    samples: u64,
}

impl Shown {
    fn take(&mut self, update: Update) {
        self.samples = self.samples.max(update.assessment.window.observations);
        self.newest.insert(update.key(), update);
    }

    /// `23 s left  2,182 goroutines  +50.1/s  1 likely, 2 suspect: main.leak  leak.go:33`, in at most
    /// `width` columns, the last one left free for the cursor.
    fn line(&self, left: Option<Duration>, width: usize) -> String {
        let time = match left {
            Some(left) => format!("{} left", whole_seconds(left)),
            None => format::counted(self.samples, "sample", "samples"),
        };
        let mut parts = vec![time];
        if !self.newest.is_empty() {
            let all = || self.newest.values().map(|update| &update.assessment);
            if let Some(goroutines) = all().map(|seen| seen.goroutines()).sum() {
                parts.push(format::counted(goroutines, "goroutine", "goroutines"));
            } else if let [only] = &*all().collect::<Vec<_>>() {
                parts.extend(phrases::memory_in_brief(only.memory.as_ref()));
            }
            let growth: Vec<f64> =
                all().filter_map(|seen| recent(&seen.judgement.as_ref()?.history)).collect();
            if !growth.is_empty() {
                parts.push(format::growth(growth.iter().sum()));
            }
            parts.push(self.findings());
        }
        format::cut(&format::clean(&parts.join("  ")), width.saturating_sub(1))
    }

    fn findings(&self) -> String {
        let judged = || {
            self.newest.values().filter_map(|update| {
                Some((&update.assessment, update.assessment.judgement.as_ref()?))
            })
        };
        let found =
            || judged().flat_map(|(seen, judged)| judged.findings.iter().map(move |it| (seen, it)));
        let counts = [Verdict::Proven, Verdict::Likely, Verdict::Suspect].into_iter().filter_map(
            |verdict| {
                let count =
                    found().filter(|(_, finding)| finding.verdict == verdict).count() as u64;
                (count > 0).then(|| format!("{} {}", format::count(count), verdict.name()))
            },
        );
        let mut text = counts.collect::<Vec<_>>().join(", ");
        if text.is_empty() {
            return "nothing found yet".to_owned();
        }
        // The surest; of equals the one that costs most.
        let worst = found().max_by_key(|(_, finding)| (finding.verdict, finding.score.total()));
        let line = worst.and_then(|(seen, finding)| {
            let frame = phrases::lead(finding, finding.group_in(&seen.groups))?;
            Some(format::frame(&seen.stacks, frame).brief())
        });
        if let Some(line) = line {
            text.push_str(&format!(": {line}"));
        }
        text
    }
}

/// `23 s`, `12.5m`: nobody reads more than seconds while they change.
fn whole_seconds(time: Duration) -> String {
    match time.as_secs_f64().ceil() {
        seconds if seconds < 120.0 => format!("{seconds} s"),
        _ => format::duration(time),
    }
}

/// Change by the second over the last seconds; `None` before the second sample.
fn recent(history: &[(f64, u64)]) -> Option<f64> {
    let &(last, count) = history.last()?;
    let &(first, before) = history.iter().find(|(at, _)| last - at <= RECENT_SECONDS)?;
    (last > first).then(|| (count as f64 - before as f64) / (last - first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::sample::leaking;

    #[test]
    fn a_line_says_how_far_it_is_and_what_is_found() {
        let mut window = Window::default();
        let mut shown = Shown::default();
        assert_eq!(shown.line(Some(Duration::from_secs(30)), 80), "30 s left");
        for second in 0..40 {
            window.push(&leaking(u64::from(second) * 20).observe(second));
            let assessment = judge(&window, &Settings::default(), &mut CodeFiles::default());
            let assessment = assessment.expect("observed").into();
            shown.take(Update {
                assessment,
                now: window.rates_now(),
                replaced: None,
                observation: None,
            });
        }
        let line = shown.line(Some(Duration::from_millis(2500)), 200);
        assert!(line.contains("783 goroutines  +20.0/s  1 likely"), "{line}");
        assert!(line.contains("leakGoroutines"), "{line}");
        assert_eq!(shown.line(None, 200).split("  ").next(), Some("40 samples"));
        assert!(format::width(&shown.line(None, 30)) < 30);
    }

    #[test]
    fn growth_is_that_of_the_last_seconds() {
        assert_eq!(recent(&[]), None);
        assert_eq!(recent(&[(0.0, 5)]), None);
        assert_eq!(recent(&[(0.0, 1000), (30.0, 20), (35.0, 30)]), Some(2.0));
    }
}

//! What `monitor` writes: a line a sample, and a line when a finding appears, changes or ends.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::{MAX_WAITING, Out, narrowed, news, write_replaced};
use crate::analyze::changes::Changes;
use crate::analyze::settings::Filter;
use crate::cli::format::Kind;
use crate::cli::request::Request;
use crate::model::{Quantity, TargetId, Update};
use crate::pipeline::{Inbox, Role, Sink, SinkError, Stop, Terms};
use crate::watch::lines;

/// Tells what is new among the findings.
pub(in crate::cli) struct Monitor {
    /// Each sample is a line of JSON.
    is_json: bool,
    out: Out,
    filter: Filter,
}

/// What was told of a target.
#[derive(Default)]
struct Told {
    findings: Changes,
    /// What there is far more of than usual.
    unusual: BTreeSet<Quantity>,
}

impl Monitor {
    pub(in crate::cli) fn new(request: &Request) -> Self {
        let is_json = request.delivery.format.kind == Kind::Json;
        Self {
            is_json,
            // A line of JSON a sample is what standard output is for here.
            out: if is_json { Out::Stdout } else { Out::of(request) },
            filter: request.settings.filter.clone(),
        }
    }
}

impl Sink for Monitor {
    fn name(&self) -> &'static str {
        "what reads the lines"
    }

    fn terms(&self) -> Terms {
        Terms::shows(MAX_WAITING, Role::Leads)
    }

    fn run(self: Box<Self>, inbox: &Inbox, _: &Stop) -> Result<(), SinkError> {
        let mut told = BTreeMap::new();
        let mut out = self.out.writer();
        while let Some(update) = inbox.next() {
            self.write(&narrowed(update, &self.filter), &mut told, &mut out)
                .map_err(SinkError::Write)?;
        }
        Ok(())
    }
}

impl Monitor {
    /// What was told before is compared with target by target.
    fn write(
        &self,
        update: &Update,
        told: &mut BTreeMap<TargetId, Told>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let told = told.entry(update.key()).or_default();
        let changes = told.findings.take(&update.assessment);
        if self.is_json {
            news::write_json(update, &changes, out)?;
        } else {
            write_replaced(update, out)?;
            writeln!(out, "{}", lines::line(&update.assessment, update.now))?;
            for change in &changes {
                writeln!(out, "  {}", news::line(change, &update.assessment))?;
            }
            for line in news::unusual(&mut told.unusual, &update.assessment) {
                writeln!(out, "  {line}")?;
            }
        }
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::sample::{Sample, leaking};

    fn updates(sample: impl Fn(u64) -> Sample) -> Vec<Update> {
        let mut window = Window::default();
        let update = |second| {
            window.push(&sample(u64::from(second) * 20).observe(second));
            let assessment = judge(&window, &Settings::default(), &mut CodeFiles::default());
            let assessment = assessment.expect("observed").into();
            Update { assessment, now: window.rates_now(), replaced: None, observation: None }
        };
        (0..40).map(update).collect()
    }

    #[test]
    fn two_lives_of_one_pid_are_not_mixed() {
        let (first, later) = (
            updates(leaking),
            updates(|leaked| {
                let mut sample = leaking(leaked);
                sample.started = None;
                sample
            }),
        );
        assert_eq!(first[0].assessment.target.pid(), later[0].assessment.target.pid());
        let monitor = Monitor { is_json: false, out: Out::Stdout, filter: Filter::default() };
        let (mut told, mut out) = (BTreeMap::new(), Vec::new());
        // The one leaks from its beginning; of the other only the beginning is seen, in turn with it.
        for (one, other) in first.iter().zip(later.iter().take(1).cycle()) {
            monitor.write(one, &mut told, &mut out).expect("a vector takes everything");
            monitor.write(other, &mut told, &mut out).expect("a vector takes everything");
        }
        let text = String::from_utf8(out).expect("text");
        let of = |sign: &str| text.lines().filter(|line| line.starts_with(sign)).count();
        assert_eq!((of("  + "), of("  - ")), (1, 0), "{text}");
    }
}

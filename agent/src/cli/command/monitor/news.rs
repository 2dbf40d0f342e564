//! What is new among the findings of a look.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::model::{Assessment, CauseClass, Finding, Level, Severity, Verdict};
use crate::report::{json, words};
use crate::watch::Event;

/// The schema of a line of JSON. Keys are only ever added within v1.
const SCHEMA: &str = "leak-agent/monitor/v1";

/// Findings of the look before, by id.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<String, Brief>);

/// What matters of a finding from look to look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Brief {
    id: String,
    class: CauseClass,
    verdict: Verdict,
    severity: Severity,
    count: u64,
    cause: String,
}

/// Something that happened to a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct News {
    event: What,
    finding: Brief,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    /// It was not there at the look before.
    Appeared,
    /// Its verdict or its severity is another.
    Changed,
    /// It is no longer one.
    Ended,
}

impl Known {
    /// What is new in a look, which is what the next one is held against.
    pub(super) fn news(&mut self, assessment: &Assessment) -> Vec<News> {
        let findings = assessment.judgement.iter().flat_map(|judgement| &judgement.findings);
        let now: BTreeMap<_, _> =
            findings.map(|finding| (finding.id.clone(), Brief::of(finding))).collect();
        let before = std::mem::replace(&mut self.0, now);
        let mut news = Vec::new();
        for (id, finding) in &self.0 {
            let event = match before.get(id) {
                None => What::Appeared,
                Some(before) if before.weight() != finding.weight() => What::Changed,
                Some(_) => continue,
            };
            news.push(News { event, finding: finding.clone() });
        }
        let ended = before.into_iter().filter(|(id, _)| !self.0.contains_key(id));
        news.extend(ended.map(|(_, finding)| News { event: What::Ended, finding }));
        news
    }
}

impl Brief {
    fn of(finding: &Finding) -> Self {
        Self {
            id: finding.id.clone(),
            class: finding.class,
            verdict: finding.verdict,
            severity: finding.severity(),
            count: finding.goroutines().count,
            cause: finding.cause.clone(),
        }
    }

    const fn weight(&self) -> (Verdict, Severity) {
        (self.verdict, self.severity)
    }
}

impl News {
    /// `+ likely high f-12ab channel-send at main.work /src/a.go:3: why`.
    pub(super) fn line(&self, assessment: &Assessment) -> String {
        let Brief { id, class, verdict, severity, cause, .. } = &self.finding;
        let sign = match self.event {
            What::Appeared => '+',
            What::Changed => '~',
            What::Ended => return format!("- {id} {class} has ended"),
        };
        let findings = assessment.judgement.iter().flat_map(|judgement| &judgement.findings);
        let group = findings
            .filter(|finding| finding.id == *id)
            .find_map(|finding| assessment.groups.get(finding.goroutines().group));
        let at = group.and_then(|group| group.blocked_at).map(|frame| {
            let text = words::frame(&assessment.stacks, frame);
            format!(" at {} {}", text.function, text.place)
        });
        format!(
            "{sign} {} {} {id} {class}{}: {}",
            verdict.name(),
            severity.name(),
            at.unwrap_or_default(),
            words::clean(cause)
        )
    }
}

/// Writes a look as one line of JSON.
pub(super) fn write_json(event: &Event, news: &[News], out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        schema: &'static str,
        at: Option<String>,
        pid: u32,
        exe: &'a str,
        goroutines: u64,
        level: Option<Level>,
        health: Option<u8>,
        created_per_second: Option<f64>,
        exited_per_second: Option<f64>,
        rates_basis: Option<&'static str>,
        findings: Vec<Brief>,
        events: &'a [News],
        /// What there is to say if the process has executed another program since the line before.
        replaced: Option<&'a str>,
    }
    let assessment = &event.assessment;
    let judged = assessment.judgement.as_ref();
    let line = Line {
        schema: SCHEMA,
        at: json::time(assessment.window.last),
        pid: event.pid,
        exe: &assessment.target.exe,
        goroutines: assessment.totals.goroutines,
        level: judged.map(|judged| judged.level),
        health: assessment.health(),
        created_per_second: event.now.map(|now| now.created_per_second),
        exited_per_second: event.now.map(|now| now.exited_per_second),
        rates_basis: event.now.map(|now| now.basis.name()),
        findings: judged.iter().flat_map(|judged| &judged.findings).map(Brief::of).collect(),
        events: news,
        replaced: event.replaced.as_deref(),
    };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::sample::leaking;

    #[test]
    fn a_finding_appears_once_and_ends_once() {
        let mut window = Window::default();
        let mut known = Known::default();
        let mut told = Vec::new();
        let mut last = None;
        let counts = (0..40).map(|second: u32| u64::from(second) * 20).chain([0]);
        for (second, leaked) in (0..).zip(counts) {
            window.push(&leaking(leaked).observe(second));
            let assessment = judge(&window, &Settings::default(), &mut CodeFiles::default());
            let assessment = assessment.expect("observed");
            told.extend(known.news(&assessment).into_iter().map(|news| news.event));
            last = Some(assessment);
        }
        let of = |what| told.iter().filter(|&&event| event == what).count();
        assert_eq!((of(What::Appeared), of(What::Ended)), (1, 1), "{told:?}");
        assert_eq!((told.first(), told.last()), (Some(&What::Appeared), Some(&What::Ended)));

        let event =
            Event { pid: 7, assessment: last.expect("observed").into(), now: None, replaced: None };
        let mut out = Vec::new();
        write_json(&event, &[], &mut out).expect("a vector takes everything");
        assert_eq!(out.iter().filter(|&&byte| byte == b'\n').count(), 1);
        let line: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(line["goroutines"], 3);
        assert_eq!(line["level"], "normal");
    }
}

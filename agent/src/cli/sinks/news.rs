//! How `monitor` tells what is new among the findings of a sample: for people and for programs.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::analyze::changes::{Change, ChangeKind, Weight};
use crate::model::{Assessment, Finding, Quantity, Update, Usual};
use crate::report::schema::{
    EventDoc, EventKind, MonitorLine, NewsDoc, PlaceDoc, SchemaName, WasDoc,
};
use crate::report::{format, json, phrases};

/// `+ likely high f-12ab channel-send at main.work /src/a.go:3: why`. A finding that is there is told with
/// its line and its cause; one that has ended has neither any more.
pub(super) fn line(change: &Change, assessment: &Assessment) -> String {
    let Change { id, kind, before, now } = change;
    let Some(Weight { class, verdict, severity, .. }) = now.or(*before) else {
        return format!("- {id} has ended");
    };
    let now = format!("{} {}", verdict.name(), severity.name());
    let what = match (kind, before) {
        (ChangeKind::Ended, _) => return format!("- {id} {class} has ended"),
        (ChangeKind::Worsened, Some(before)) => format!("! {now} ({}) {id} {class}", was(*before)),
        (ChangeKind::Changed, Some(before)) => format!("~ {now} ({}) {id} {class}", was(*before)),
        _ => format!("+ {now} {id} {class}"),
    };
    let finding = findings(assessment).find(|finding| finding.id == *id);
    let frame = finding.and_then(|it| phrases::lead(it, it.group_in(&assessment.groups)));
    let at = frame.map(|frame| {
        let text = format::frame(&assessment.stacks, frame);
        format!(" at {} {}", text.function, text.place)
    });
    let why = finding.map(|it| phrases::cause(it, &assessment.stacks));
    let why = why.map(|why| format!(": {}", format::clean(&why)));
    format!("{what}{}{}", at.unwrap_or_default(), why.unwrap_or_default())
}

/// What has become far more than usual since the sample before, or has not any more, a line each; `told` is what was
/// told before.
pub(super) fn unusual(told: &mut BTreeSet<Quantity>, assessment: &Assessment) -> Vec<String> {
    let usual = assessment.judgement.iter().flat_map(|judgement| &judgement.usual);
    let news = usual.filter(|it| match it.is_above {
        true => told.insert(it.quantity),
        false => told.remove(&it.quantity),
    });
    let line = |it: &Usual| {
        let sign = if it.is_above { '^' } else { '=' };
        format!("{sign} {}", phrases::usual(it))
    };
    news.map(line).collect()
}

/// `was suspect medium`.
fn was(before: Weight) -> String {
    format!("was {} {}", before.verdict.name(), before.severity.name())
}

fn findings(assessment: &Assessment) -> impl Iterator<Item = &Finding> {
    assessment.judgement.iter().flat_map(|judgement| &judgement.findings)
}

fn told<'a>(id: &'a str, weight: Weight, assessment: &'a Assessment) -> NewsDoc<'a> {
    let Weight { class, verdict, severity, count } = weight;
    let finding = findings(assessment).find(|finding| finding.id == id);
    let frame = finding.and_then(|it| phrases::lead(it, it.group_in(&assessment.groups)));
    let frame = frame.and_then(|frame| assessment.stacks.lookup(frame).ok());
    let at = frame.map(|frame| PlaceDoc {
        function: frame.function.into(),
        file: frame.file.into(),
        line: frame.line,
    });
    let cause = finding.map(|it| phrases::cause(it, &assessment.stacks).into());
    NewsDoc { id: id.into(), class, verdict, severity, count, cause, at }
}

fn event<'a>(change: &'a Change, assessment: &'a Assessment) -> Option<EventDoc<'a>> {
    let was =
        |Weight { class, verdict, severity, count }| WasDoc { class, verdict, severity, count };
    Some(EventDoc {
        event: match change.kind {
            ChangeKind::Appeared => EventKind::Appeared,
            ChangeKind::Worsened | ChangeKind::Changed => EventKind::Changed,
            ChangeKind::Ended => EventKind::Ended,
        },
        worsened: change.kind == ChangeKind::Worsened,
        finding: told(&change.id, change.now.or(change.before)?, assessment),
        was: change.before.map(was),
    })
}

/// Writes a sample as one line of JSON.
pub(super) fn write_json(
    update: &Update,
    changes: &[Change],
    out: &mut dyn Write,
) -> io::Result<()> {
    let (assessment, replaced) = (&update.assessment, update.replaced.as_deref());
    let line = MonitorLine {
        schema: SchemaName::default(),
        at: json::time(assessment.window.last).map(Into::into),
        pid: assessment.target.pid(),
        exe: assessment.target.exe.as_deref().map(Into::into),
        goroutines: assessment.goroutines(),
        level: assessment.level(),
        raised_thresholds: assessment.judgement.as_ref().and_then(|it| it.raised),
        health: assessment.health(),
        created_per_second: update.now.map(|now| now.created_per_second),
        exited_per_second: update.now.map(|now| now.exited_per_second),
        rates_basis: update.now.map(|now| now.basis),
        findings: findings(assessment).map(|it| told(&it.id, Weight::of(it), assessment)).collect(),
        unusual: json::unusual(assessment),
        events: changes.iter().filter_map(|it| event(it, assessment)).collect(),
        replaced: replaced.map(|program| phrases::replaced(&assessment.target, program).into()),
    };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::changes::Changes;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::sample::leaking;

    #[test]
    fn a_change_is_told_with_its_line_to_people_and_programs() {
        let (mut window, mut changes) = (Window::default(), Changes::default());
        let (mut lines, mut events) = (Vec::new(), Vec::new());
        for (second, leaked) in (0..).zip((0..40).map(|second| second * 20).chain([0])) {
            window.push(&leaking(leaked).observe(second));
            let assessment = judge(&window, &Settings::default(), &mut CodeFiles::default());
            let assessment = assessment.expect("observed");
            let changes = changes.take(&assessment);
            lines.extend(changes.iter().map(|change| line(change, &assessment)));
            let update = Update {
                assessment: assessment.into(),
                now: None,
                replaced: None,
                observation: None,
            };
            let mut out = Vec::new();
            write_json(&update, &changes, &mut out).expect("a vector takes everything");
            assert_eq!(out.iter().filter(|&&byte| byte == b'\n').count(), 1);
            let line: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
            assert_eq!((&line["pid"], &line["level"]), (&4711.into(), &"normal".into()));
            assert_eq!(line["goroutines"], leaked + 3);
            events.extend(line["events"].as_array().expect("a list").iter().cloned());
        }
        assert!(lines[0].starts_with("+ "), "{lines:?}");
        assert!(
            lines[0].contains(" at main.leakGoroutines.func1 /src/app/leak.go:33: "),
            "{lines:?}"
        );
        assert!(lines.iter().any(|line| line.starts_with("! likely ")), "{lines:?}");
        assert!(lines.last().expect("it ended").ends_with("has ended"), "{lines:?}");
        assert_eq!(events.len(), lines.len());
        assert_eq!((&events[0]["event"], &events[0]["was"]), (&"appeared".into(), &().into()));
        assert_eq!(events[0]["finding"]["at"]["line"], 33);
        assert!(events.iter().any(|it| it["event"] == "changed" && it["worsened"] == true));
        let ended = events.last().expect("it ended");
        assert_eq!((&ended["event"], &ended["finding"]["cause"]), (&"ended".into(), &().into()));
    }
}

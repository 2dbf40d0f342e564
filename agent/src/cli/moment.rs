//! Moments that were saved: the groups of a JSON report, of profiles and dumps, or of saved observations.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::failure::Failure;
use super::input::find;
use crate::analyze::compare::{
    About, FindingAt, GroupAt, Line, MemoryAt, Moment, Named, ResourcesAt,
};
use crate::analyze::settings::Filter;
use crate::analyze::{CodeFiles, Settings, Window, assess, judge, view};
use crate::collect::files::{Found, Series};
use crate::collect::saved::Recording;
use crate::model::{HeapProfileBasis, Instance, ResourceKind, Subjects, Timestamp};
use crate::pipeline;
use crate::report::json;
use crate::report::schema::{
    self, Document, FindingDoc, FrameDoc, GroupDoc, MemoryAccountDoc, ResourceAccountDoc,
    ResourceGroupDoc,
};

/// A report is no larger than this.
const MAX_BYTES: u64 = 1 << 30;

/// The last moment of a JSON report, or of profiles, dumps or saved observations, whoever it is of.
pub(super) fn last(path: &Path) -> Result<Moment, Failure> {
    let Some(window) = window(path, Keep::Last, Subjects::ALL)? else {
        return read(path, &Filter::default(), Subjects::ALL);
    };
    Ok(assess(&window).as_ref().map(Moment::of).unwrap_or_default())
}

/// The same, of what a filter lets pass, and with what is found in all that was observed.
pub(super) fn judged(path: &Path, settings: &Settings) -> Result<Moment, Failure> {
    let subjects = settings.subjects;
    let Some(window) = window(path, Keep::All, subjects)? else {
        return read(path, &settings.filter, subjects);
    };
    let Some(mut assessment) = judge(&window, settings, &mut CodeFiles::default()) else {
        return Ok(Moment::default());
    };
    view::filtered(&mut assessment, &settings.filter);
    Ok(Moment::of(&assessment))
}

/// Which observations are needed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Last,
    All,
}

/// What was observed: the newest recording, or else the longest series; `None` for a file that is neither.
fn window(path: &Path, keep: Keep, subjects: Subjects) -> Result<Option<Window>, Failure> {
    let Found { series, observations } = match find(&[path.to_owned()]) {
        Ok(found) => found,
        Err(Failure::Target { .. }) if path.is_file() => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let newest = Recording::of(&observations).into_iter().max_by_key(|found| found.start_ms);
    let longest = series.into_iter().max_by_key(Series::len);
    let mut source = match (newest, longest) {
        (Some(mut newest), _) => {
            if keep == Keep::Last {
                newest.numbers.drain(..newest.numbers.len().saturating_sub(1));
            }
            pipeline::replay(newest)
        }
        (None, Some(longest)) => pipeline::files(longest),
        (None, None) => return Ok(None),
    };
    let target = || Instance::Files { path: path.display().to_string() };
    let mut window = Window::default();
    let mut last = None;
    while let Some(mut observation) =
        source.observe().map_err(|source| Failure::of(target(), source))?
    {
        observation.limit_to(subjects);
        match keep {
            Keep::All => window.take(observation),
            Keep::Last => last = Some(observation),
        }
    }
    last.into_iter().for_each(|observation| window.take(observation));
    Ok(Some(window))
}

fn read(path: &Path, filter: &Filter, subjects: Subjects) -> Result<Moment, Failure> {
    let unreadable = |source| Failure::Unreadable { path: path.to_owned(), source };
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut text))
        .map_err(unreadable)?;
    let documents = schema::read(&text)
        .map_err(|error| unreadable(io::Error::new(io::ErrorKind::InvalidData, error)))?;
    Ok(reported(&documents, filter, subjects))
}

/// Of one report, or of several as one: what of them is looked at.
fn reported(documents: &[Document<'_>], filter: &Filter, subjects: Subjects) -> Moment {
    let mut moment = Moment::default();
    for (index, report) in documents.iter().enumerate() {
        moment.at = moment.at.or_else(|| time(report.window.last.as_deref()?));
        let target = &report.target;
        let name = target.exe.as_ref().or(target.source.as_ref());
        moment.exe = name.cloned().unwrap_or_default().into_owned();
        let goroutines = report.totals.as_ref().filter(|_| subjects.goroutines);
        let goroutines = goroutines.map(|totals| totals.goroutines);
        moment.goroutines = match index {
            0 => goroutines,
            _ => {
                moment.goroutines.zip(goroutines).map(|(before, more)| before.saturating_add(more))
            }
        };
        let memory = report.memory.as_ref().filter(|_| subjects.memory).map(memory);
        moment.memory = match index {
            0 => memory,
            _ => moment.memory.zip(memory).map(|(before, more)| before.and(more)),
        };
        let resources = report.resources.as_ref().filter(|_| subjects.memory).map(resources);
        moment.resources = match index {
            0 => resources,
            _ => moment.resources.zip(resources).map(|(before, more)| before.and(&more)),
        };
        let groups = || {
            let all = report.groups.iter().filter(|_| subjects.goroutines);
            all.filter(|group| passes(group, filter))
        };
        for group in groups() {
            moment.add(
                &group.signature,
                GroupAt {
                    count: group.count,
                    wait: group.wait_class,
                    blocked_at: group.blocked_at.as_ref().and_then(line),
                    created_by: group.created_by.as_ref().and_then(line),
                },
            );
        }
        for finding in &report.findings {
            let about = about(finding, groups());
            let is_looked_at = match about {
                About::Goroutines(_) => subjects.goroutines,
                About::Memory(_) | About::Resource { .. } => subjects.memory,
            };
            if is_looked_at {
                let FindingDoc { verdict, severity, .. } = *finding;
                moment.findings.push(FindingAt { verdict, severity, about });
            }
        }
    }
    moment
}

/// What a finding of a report is about; `groups` are the report's, as far as they are wanted.
fn about<'a>(finding: &FindingDoc<'_>, groups: impl Iterator<Item = &'a GroupDoc<'a>>) -> About {
    if let Some(growth) = finding.memory_growth {
        return About::Memory(growth.kind);
    }
    if let Some(growth) = &finding.resource {
        return About::Resource { id: finding.id.clone().into_owned(), count: growth.to };
    }
    let own = groups.filter(|group| group.finding.as_ref() == Some(&finding.id));
    About::Goroutines(own.map(|group| group.signature.clone().into_owned()).collect())
}

/// The memory of a report.
fn memory(account: &MemoryAccountDoc) -> MemoryAt {
    let heap = account.heap.as_ref();
    let in_use = account.heap_profile.map(|profile| profile.in_use_bytes);
    let is_estimated = account.heap_profile.is_some_and(|it| it.basis == HeapProfileBasis::Sampled);
    let estimated = in_use.filter(|_| is_estimated);
    MemoryAt {
        live_bytes: heap.and_then(|heap| heap.live_bytes).or(estimated),
        objects_bytes: heap.map(|heap| heap.objects_bytes).or(in_use),
        stacks_bytes: heap.map(|heap| heap.stacks_bytes),
        outside_bytes: account.resident.map(|parts| parts.outside_bytes),
        rss_bytes: account.process.map(|process| process.rss_bytes),
    }
}

/// What a report says that is held of the kernel's.
fn resources(account: &ResourceAccountDoc<'_>) -> ResourcesAt {
    let totals = [
        (ResourceKind::Descriptor, account.descriptors),
        (ResourceKind::Thread, account.threads),
        (ResourceKind::Mapping, account.mappings),
        (ResourceKind::Child, account.children),
    ];
    let totals = totals.into_iter().filter_map(|(kind, usage)| Some((kind, usage?.count)));
    let named = account.held_at_seconds.map(|_| {
        let key = |it: &ResourceGroupDoc<'_>| {
            json::resource_key(it.kind, it.name.as_deref(), it.leads_to)
        };
        let counts = account.held.iter().map(|it| (key(it), it.count));
        Named::new(counts, account.one_in.unwrap_or(1))
    });
    ResourcesAt { totals: totals.collect(), named }
}

/// Whether a filter lets a group of a report pass.
fn passes(group: &GroupDoc<'_>, filter: &Filter) -> bool {
    let stack = group.stack.iter().flatten().map(|frame| &frame.frame);
    let frames = stack.chain(&group.created_by);
    filter.lets_pass(frames.filter_map(|frame| frame.function.as_deref()))
}

/// Where a frame of a report is, if that is known.
fn line(frame: &FrameDoc<'_>) -> Option<Line> {
    Some(Line {
        function: frame.function.clone()?.into_owned(),
        file: frame.file.clone()?.into_owned(),
        line: frame.line?,
    })
}

/// A time of RFC 3339.
fn time(text: &str) -> Option<Timestamp> {
    let at = text.parse::<jiff::Timestamp>().ok()?;
    Some(Timestamp::from_unix_ns(i64::try_from(at.as_nanosecond()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::settings::Rule;
    use crate::report::json::Json;
    use crate::report::{Render as _, Report};
    use crate::sample::leaking;

    #[test]
    fn a_report_tells_the_same_as_the_assessment() {
        let mut window = Window::default();
        for second in 0..30 {
            window.push(&leaking(u64::from(second) * 20).observe(second));
        }
        let judged = judge(&window, &Settings::default(), &mut CodeFiles::default());
        let mut assessment = judged.expect("observed");
        let mut text = Vec::new();
        let report = Report {
            generated_at: Timestamp::from_unix_ns(0),
            assessments: std::slice::from_ref(&assessment),
            several: false,
        };
        Json.render(&report, &mut text).expect("a vector takes everything");
        let documents = schema::read(&text).expect("a report");
        let moment = Moment::of(&assessment);
        assert_eq!((moment.goroutines, moment.findings.len()), (Some(583), 1));
        let everything = Filter::default();
        assert_eq!(reported(&documents, &everything, Subjects::ALL), moment);
        let memory = reported(&documents, &everything, Subjects::MEMORY);
        assert_eq!((memory.goroutines, memory.groups.len(), memory.findings.len()), (None, 0, 0));

        let exclude = vec![Rule::new("main.leak*", None)];
        let filter = Filter { exclude, ..everything };
        view::filtered(&mut assessment, &filter);
        let less = reported(&documents, &filter, Subjects::ALL);
        assert_eq!(less.groups, Moment::of(&assessment).groups);
        assert!(less.findings.iter().all(|finding| finding.about == About::Goroutines(Vec::new())));
    }
}

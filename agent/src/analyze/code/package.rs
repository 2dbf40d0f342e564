//! The files of a package, parsed once for all questions about them.

use super::blocked::Blocked;
use super::channels::is_timer;
use super::facts::{Awaits, Facts, Question};
use super::index::Index;
use super::objects::Objects;
use super::outline::{FnId, Outline, outline};
use super::rules;
use super::scene::Scene;
use crate::model::SourceNote;

/// The files of one package, and possibly one of another package that starts goroutines in it.
#[derive(Debug)]
pub(in super::super) struct Package<'t> {
    outline: Outline<'t>,
    /// With every caller alike.
    plain: Named<'t>,
    /// With some callers preferred: the last ones that were asked for.
    preferring: Option<(Vec<FnId>, Named<'t>)>,
}

/// Which names mean the same, and what is done to what they mean.
#[derive(Debug)]
struct Named<'t> {
    objects: Objects<'t>,
    index: Index,
}

impl<'t> Named<'t> {
    fn of(outline: &Outline<'t>, preferred: &[FnId]) -> Self {
        let objects = Objects::of(outline, preferred);
        let index = Index::of(outline, &objects);
        Self { objects, index }
    }
}

impl<'t> Package<'t> {
    /// Parses files. Any text is fine: it takes bounded time, and what cannot be parsed is ignored.
    pub(in super::super) fn of(texts: &[&'t str]) -> Self {
        let outline = outline(texts);
        let plain = Named::of(&outline, &[]);
        Self { outline, plain, preferring: None }
    }

    /// How many operations the files hold. A question costs time in proportion.
    pub(in super::super) fn operations(&self) -> usize {
        self.outline.ops.len()
    }

    /// What the code says; `None` where no function stands at that line.
    pub(in super::super) fn examine(&mut self, question: &Question) -> Option<Facts> {
        let place = Blocked::of(&self.outline, question)?;
        let preferred: Vec<_> = [place.op.map(|_| place.function), place.creator(&self.outline)]
            .into_iter()
            .flatten()
            .collect();
        let preferred = self.plain.objects.that_matter(&preferred);
        if !preferred.is_empty()
            && self.preferring.as_ref().is_none_or(|(known, _)| *known != preferred)
        {
            let named = Named::of(&self.outline, &preferred);
            self.preferring = Some((preferred.clone(), named));
        }
        let named = match &self.preferring {
            Some((_, named)) if !preferred.is_empty() => named,
            _ => &self.plain,
        };
        Some(facts(&self.outline, named, question, &place))
    }
}

fn facts<'s>(
    outline: &'s Outline<'s>,
    named: &'s Named<'s>,
    question: &Question,
    place: &Blocked,
) -> Facts {
    let mut facts = Facts {
        is_found: place.op.is_some(),
        mistake: None,
        awaits: Awaits::Other,
        wakes: false,
        awaits_signal: false,
        is_worker_loop: None,
        remarks: Vec::new(),
    };
    let Some(op) = place.op else {
        // One that runs may be at any line.
        if question.wait.is_blocked() {
            facts.remarks.push(SourceNote::NothingWaits { line: question.blocked.line });
        }
        return facts;
    };
    let scene = Scene {
        outline,
        objects: &named.objects,
        index: &named.index,
        wait: question.wait,
        op,
        function: place.function,
        go: place.go,
        creator: place.creator(outline),
    };
    facts.awaits = scene.awaits();
    facts.wakes = scene.cases(op).iter().any(|(_, channel)| is_timer(channel));
    facts.awaits_signal = scene.awaits_signal();
    facts.is_worker_loop = scene.is_worker_loop();
    facts.remarks = scene.channel_made().into_iter().chain(rules::remark(&scene)).collect();
    facts.mistake = rules::apply(&scene);
    facts
}

//! What became of the groups between two moments: which are new, gone, larger or smaller; and of the memory, and of what
//! the process holds of the kernel's.

mod history;
mod memory;
mod resources;

use std::collections::{BTreeMap, HashMap};

use super::signature;
use crate::model::{
    Assessment, FrameId, MemoryKind, Severity, StackTable, Subject, Timestamp, Verdict, WaitClass,
};

pub use history::History;
pub use memory::MemoryAt;
pub use resources::{Named, ResourceChange, ResourcesAt};

/// The groups of one moment, of a process or of several as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: Option<Timestamp>,
    /// Of whom.
    pub exe: String,
    /// How many goroutines in all; `None` where they were not looked at.
    pub goroutines: Option<u64>,
    /// By signature; empty where goroutines were not looked at.
    pub groups: BTreeMap<String, GroupAt>,
    /// How much memory; `None` where nothing is known of it.
    pub memory: Option<MemoryAt>,
    /// What was held of the kernel's; `None` where nothing is known of it.
    pub resources: Option<ResourcesAt>,
    /// What was found.
    pub findings: Vec<FindingAt>,
}

/// A group at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupAt {
    /// How many goroutines.
    pub count: u64,
    /// What they wait for.
    pub wait: WaitClass,
    /// Where they block.
    pub blocked_at: Option<Line>,
    /// What created them.
    pub created_by: Option<Line>,
}

/// A finding at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingAt {
    /// How sure it is.
    pub verdict: Verdict,
    /// How bad it is.
    pub severity: Severity,
    /// What of.
    pub about: About,
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Goroutines of the groups of these signatures.
    Goroutines(Vec<String>),
    /// Memory of this kind.
    Memory(MemoryKind),
    /// Resources.
    Resource {
        /// The finding's id, which is that of any about the same.
        id: String,
        /// How many there are.
        count: u64,
    },
}

impl About {
    /// How many there are of the resources of an id.
    fn count(&self, of: &str) -> Option<u64> {
        match self {
            Self::Resource { id, count } if id == of => Some(*count),
            _ => None,
        }
    }
}

/// A line of source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The function, by its full name.
    pub function: String,
    /// The file, as the binary names it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl Line {
    /// Where a frame is, if that is known.
    #[must_use]
    pub fn of(stacks: &StackTable, frame: FrameId) -> Option<Self> {
        let frame = stacks.lookup(frame).ok()?;
        Some(Self {
            function: frame.function.to_owned(),
            file: frame.file.to_owned(),
            line: frame.line,
        })
    }
}

impl Moment {
    /// The last moment of an assessment's window.
    #[must_use]
    pub fn of(assessment: &Assessment) -> Self {
        let stacks = &assessment.stacks;
        let mut moment = Self {
            at: Some(assessment.window.last),
            exe: assessment.target.name().into_owned(),
            goroutines: assessment.goroutines(),
            memory: assessment.memory.as_ref().map(MemoryAt::of),
            resources: assessment.resources.as_ref().map(ResourcesAt::of),
            ..Self::default()
        };
        for group in &assessment.groups {
            moment.add(
                &group.signature,
                GroupAt {
                    count: group.count,
                    wait: group.wait,
                    blocked_at: group.blocked_at.and_then(|frame| Line::of(stacks, frame)),
                    created_by: group.created_by.and_then(|frame| Line::of(stacks, frame)),
                },
            );
        }
        let findings = assessment.judgement.iter().flat_map(|judgement| &judgement.findings);
        moment.findings = findings
            .map(|finding| FindingAt {
                verdict: finding.verdict,
                severity: finding.severity(),
                about: match &finding.subject {
                    Subject::Goroutines(_) => {
                        let groups = finding.groups().iter();
                        let of =
                            |&index: &usize| Some(assessment.groups.get(index)?.signature.clone());
                        About::Goroutines(groups.filter_map(of).collect())
                    }
                    Subject::Memory(growth) => About::Memory(growth.kind),
                    Subject::Resource(growth) => {
                        About::Resource { id: finding.id.clone(), count: growth.to }
                    }
                },
            })
            .collect();
        moment
    }

    /// Adds a group, or more of one that is there.
    pub fn add(&mut self, signature: &str, group: GroupAt) {
        let count = self.count(signature).saturating_add(group.count);
        self.groups.insert(signature.to_owned(), GroupAt { count, ..group });
    }

    /// How large each group was, for judging what comes after it.
    #[must_use]
    pub fn baseline(&self) -> HashMap<String, u64> {
        self.groups.iter().map(|(signature, group)| (signature.clone(), group.count)).collect()
    }

    /// Whether it says who created anybody. Profiles that only count stacks do not.
    fn knows_creators(&self) -> bool {
        self.groups.is_empty() || self.groups.values().any(|group| group.created_by.is_some())
    }

    /// The same by stacks alone, without the creators and what is waited for.
    fn by_stack(&self) -> Self {
        let mut moment = Self { groups: BTreeMap::new(), ..self.clone() };
        for (signature, group) in &self.groups {
            moment.add(signature::stack(signature), group.clone());
        }
        for finding in &mut moment.findings {
            if let About::Goroutines(signatures) = &mut finding.about {
                let stacks =
                    signatures.iter().map(|signature| signature::stack(signature).to_owned());
                *signatures = stacks.collect();
            }
        }
        moment
    }

    fn count(&self, signature: &str) -> u64 {
        self.groups.get(signature).map_or(0, |group| group.count)
    }
}

/// How two moments differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Groups whose count is another, largest change first.
    pub groups: Vec<Changed>,
    /// How many groups are as large as before.
    pub unchanged: u64,
    /// Resources of which there are more or fewer: the totals first, and then what has changed most.
    pub resources: Vec<ResourceChange>,
    /// Findings of the later moment about a group that is new or larger, memory or resources that are more.
    pub findings: Vec<FindingAt>,
}

/// A group that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// How it is not.
    pub change: Change,
    /// Which group.
    pub signature: String,
    /// How many goroutines it had.
    pub before: u64,
    /// As it is; with the count that it had, where it is gone.
    pub group: GroupAt,
    /// How many goroutines it has.
    pub after: u64,
}

/// What became of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    New,
    /// It is larger.
    Grown,
    /// It is smaller.
    Shrunk,
    /// It is not there any more.
    Gone,
}

impl Change {
    const fn of(before: u64, after: u64) -> Option<Self> {
        match (before, after) {
            _ if before == after => None,
            (0, _) => Some(Self::New),
            (_, 0) => Some(Self::Gone),
            _ if after > before => Some(Self::Grown),
            _ => Some(Self::Shrunk),
        }
    }

    /// As reports spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Grown => "grown",
            Self::Shrunk => "shrunk",
            Self::Gone => "gone",
        }
    }
}

impl Difference {
    /// What is not as it was. Where one of both does not say who created anybody, stacks alone are compared.
    #[must_use]
    pub fn of(before: &Moment, after: &Moment) -> Self {
        if before.knows_creators() == after.knows_creators() {
            Self::of_alike(before, after)
        } else {
            Self::of_alike(&before.by_stack(), &after.by_stack())
        }
    }

    fn of_alike(before: &Moment, after: &Moment) -> Self {
        // Where goroutines were not looked at, none have come or gone.
        let both = before.goroutines.and(after.goroutines).is_some();
        let nobody = Moment::default();
        let (old, new) = if both { (before, after) } else { (&nobody, &nobody) };
        let mut groups = Vec::new();
        let mut unchanged = 0;
        let gone = old.groups.iter().filter(|(key, _)| !new.groups.contains_key(*key));
        for (signature, group) in new.groups.iter().chain(gone) {
            let counts = (old.count(signature), new.count(signature));
            match Change::of(counts.0, counts.1) {
                Some(change) => groups.push(Changed {
                    change,
                    signature: signature.clone(),
                    before: counts.0,
                    after: counts.1,
                    group: group.clone(),
                }),
                None => unchanged += 1,
            }
        }
        // The sort keeps the order of signatures among equals.
        groups.sort_by_key(|group| std::cmp::Reverse(group.before.abs_diff(group.after)));
        let is_more = |signature: &String| new.count(signature) > old.count(signature);
        let is_known = before.memory.zip(after.memory);
        let has_grown =
            |kind| is_known.is_none_or(|(before, after)| before.is_less_than(&after, kind));
        let had = |id: &str| before.findings.iter().find_map(|finding| finding.about.count(id));
        let is_news = |finding: &&FindingAt| match &finding.about {
            About::Goroutines(signatures) => signatures.iter().any(is_more),
            About::Memory(kind) => has_grown(*kind),
            About::Resource { id, count } => had(id).is_none_or(|before| before < *count),
        };
        let findings = after.findings.iter().filter(is_news).cloned().collect();
        let resources = before.resources.as_ref().zip(after.resources.as_ref());
        let resources = resources.map(|(before, after)| before.changes(after)).unwrap_or_default();
        Self { groups, unchanged, resources, findings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::sample::leaking;

    fn moment(leaked: u64) -> Moment {
        let mut window = Window::default();
        window.push(&leaking(leaked).observe(0));
        Moment::of(
            &judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed"),
        )
    }

    fn only_change(before: u64, after: u64) -> (Change, u64) {
        let difference = Difference::of(&moment(before), &moment(after));
        let [group] = &*difference.groups else { panic!("{difference:?}") };
        (group.change, difference.unchanged)
    }

    #[test]
    fn groups_come_grow_shrink_and_go() {
        assert_eq!(only_change(0, 5), (Change::New, 3));
        assert_eq!(only_change(5, 9), (Change::Grown, 3));
        assert_eq!(only_change(9, 5), (Change::Shrunk, 3));
        assert_eq!(only_change(5, 0), (Change::Gone, 3));
        assert!(Difference::of(&moment(5), &moment(5)).groups.is_empty());
    }

    #[test]
    fn what_knows_no_creators_is_compared_by_its_stacks() {
        let mut counted = leaking(5);
        for goroutine in counted.goroutines() {
            (goroutine.created_by, goroutine.wait) = (None, WaitClass::Unknown);
        }
        let mut window = Window::default();
        window.push(&counted.observe(0));
        let counted = judge(&window, &Settings::default(), &mut CodeFiles::default());
        let counted = Moment::of(&counted.expect("observed"));
        let difference = Difference::of(&counted, &moment(5));
        assert_eq!((difference.groups.len(), difference.unchanged), (0, 4), "{difference:?}");
        let difference = Difference::of(&moment(3), &counted);
        let [group] = &*difference.groups else { panic!("{difference:?}") };
        assert_eq!((group.before, group.after), (3, 5));
    }

    #[test]
    fn findings_of_groups_that_did_not_grow_are_no_news() {
        let mut grown = moment(9);
        let signatures = grown.groups.iter().find(|(_, group)| group.count == 9);
        let signatures = vec![signatures.expect("it leaks").0.clone()];
        let finding = FindingAt {
            verdict: Verdict::Likely,
            severity: Severity::High,
            about: About::Goroutines(signatures),
        };
        grown.findings = vec![finding.clone()];
        assert_eq!(Difference::of(&moment(5), &grown).findings, [finding]);
        assert_eq!(Difference::of(&moment(9), &grown).findings, []);
        assert_eq!(Difference::of(&moment(12), &grown).findings, []);
    }

    #[test]
    fn findings_about_memory_that_did_not_grow_are_no_news() {
        let with = |live: u64| {
            let memory = MemoryAt { live_bytes: Some(live), ..MemoryAt::default() };
            let finding = FindingAt {
                verdict: Verdict::Likely,
                severity: Severity::High,
                about: About::Memory(MemoryKind::Heap),
            };
            Moment { memory: Some(memory), findings: vec![finding], ..moment(5) }
        };
        assert_eq!(Difference::of(&with(1), &with(2)).findings.len(), 1);
        assert_eq!(Difference::of(&with(2), &with(2)).findings, []);
        // What was before is not known.
        assert_eq!(Difference::of(&moment(5), &with(2)).findings.len(), 1);
    }

    #[test]
    fn findings_about_resources_are_news_where_there_are_more() {
        let with = |count: u64| {
            let finding = FindingAt {
                verdict: Verdict::Likely,
                severity: Severity::High,
                about: About::Resource { id: "f-1".to_owned(), count },
            };
            Moment { findings: vec![finding], ..moment(5) }
        };
        assert_eq!(Difference::of(&with(1), &with(2)).findings.len(), 1);
        assert_eq!(Difference::of(&with(2), &with(2)).findings, []);
        assert_eq!(Difference::of(&moment(5), &with(2)).findings.len(), 1);
    }

    #[test]
    fn memory_of_several_is_known_only_where_that_of_each_is() {
        let one = MemoryAt { live_bytes: Some(5), rss_bytes: Some(9), ..MemoryAt::default() };
        let other = MemoryAt { rss_bytes: Some(u64::MAX), ..MemoryAt::default() };
        let both = one.and(other);
        assert_eq!((both.live_bytes, both.rss_bytes), (None, Some(u64::MAX)));
    }
}

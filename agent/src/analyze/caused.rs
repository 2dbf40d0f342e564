//! The line of the program's own code that leads to goroutines: on their stacks, at their `go` statement, or
//! among those who created them, and those who created these, as far as that is known.

use rustc_hash::FxHashMap;

use super::life::Life;
use crate::model::function::Origin;
use crate::model::{CauseBasis, CausedAt, FrameId, Group, Site, StackId, StackTable};

/// Generations of creators that are followed.
const MAX_GENERATIONS: usize = 8;

/// The line of the program's own that leads to goroutines, and what it calls there.
#[derive(Clone, Copy, Debug)]
pub(super) struct CauseLine {
    pub(super) at: CausedAt,
    /// The function of a library that is called at that line; `None` where the line is a `go` statement of
    /// a function of the program's own, or blocks there itself.
    pub(super) callee: Option<FrameId>,
}

/// Who created whom, as far as the last sample and the probes know.
pub(super) struct Causes<'a> {
    stacks: &'a StackTable,
    groups: &'a [Group],
    lives: &'a [Life],
    /// Creation sites, by the function that their goroutines start in: the one that created most.
    by_entry: FxHashMap<FrameId, &'a Site>,
    /// Creation sites, by their `go` statement.
    by_statement: FxHashMap<FrameId, &'a Site>,
    /// The function that the creator's own goroutine started in, by the creator's stack.
    created_in: FxHashMap<StackId, FrameId>,
    home: Option<&'a str>,
}

impl<'a> Causes<'a> {
    pub(super) fn new(
        stacks: &'a StackTable,
        groups: &'a [Group],
        lives: &'a [Life],
        sites: &'a [Site],
    ) -> Self {
        let by_entry = busiest(sites, |site| site.started_in);
        let by_statement = busiest(sites, |site| site.created_by);
        let created_in = sites
            .iter()
            .filter_map(|site| Some((site.creation_stack?, site.created_in?)))
            .collect();
        let main = groups.iter().zip(lives).find(|(_, life)| life.has_main);
        let main = main.and_then(|(group, _)| group.stack);
        let home = main.and_then(|stack| home(stacks, stack));
        Self { stacks, groups, lives, by_entry, by_statement, created_in, home }
    }

    /// Whether a frame is the program's own.
    fn is_own(&self, frame: FrameId) -> bool {
        match self.stacks.origin(frame) {
            Some(Origin::User) => true,
            Some(Origin::Dependency) => self.home.is_some_and(|home| {
                self.stacks.lookup(frame).is_ok_and(|frame| frame.file.starts_with(home))
            }),
            Some(Origin::Runtime | Origin::Std) | None => false,
        }
    }

    /// What leads to the goroutines of a group; `parent` is the group that one of their creators is in now.
    pub(super) fn of(&self, group: &Group, parent: Option<u32>) -> Option<CauseLine> {
        // What stands on the stack of an iterator is the iterator; who pulled at it made it.
        if is_coroutine(group) {
            let created = self.created(group.created_by, group.creation_stack, None, 0);
            if created.is_some() {
                return created;
            }
        }
        if let Some(cause) = group.stack.and_then(|stack| self.on(stack, CauseBasis::Stack)) {
            return Some(cause);
        }
        self.created(group.created_by, group.creation_stack, parent, 0)
    }

    /// The line that leads to descriptors that were opened at a stack, by a goroutine that a `go` statement
    /// created.
    pub(super) fn of_opening(
        &self,
        stack: StackId,
        created_by: Option<FrameId>,
    ) -> Option<CausedAt> {
        let line = self.on(stack, CauseBasis::Stack).or_else(|| {
            let site = created_by.and_then(|statement| self.by_statement.get(&statement));
            self.created(created_by, site.and_then(|site| site.creation_stack), None, 0)
        });
        line.map(|line| line.at)
    }

    /// Whether a line of the program's own is on a group's stack.
    pub(super) fn is_on_stack(&self, group: &Group) -> bool {
        group.stack.is_some_and(|stack| self.on(stack, CauseBasis::Stack).is_some())
    }

    /// The innermost line of the program's own on a stack.
    fn on(&self, stack: StackId, basis: CauseBasis) -> Option<CauseLine> {
        let frames = self.stacks.frames_of(stack);
        let own = |&frame: &FrameId| self.is_own(frame) && !self.stacks.is_wrapper(frame);
        let at = frames.iter().position(own)?;
        let callee = frames[..at].iter().rev().copied().find(|&frame| !self.is_runtimes(frame));
        Some(CauseLine { at: CausedAt { frame: frames[at], basis }, callee })
    }

    /// Who created goroutines at a `go` statement that is not the program's own, or is.
    fn created(
        &self,
        created_by: Option<FrameId>,
        creation_stack: Option<StackId>,
        parent: Option<u32>,
        generation: usize,
    ) -> Option<CauseLine> {
        if let Some(frame) = created_by
            && self.is_own(frame)
        {
            let basis =
                if generation == 0 { CauseBasis::CreationSite } else { CauseBasis::CreationStack };
            return Some(CauseLine { at: CausedAt { frame, basis }, callee: None });
        }
        if generation >= MAX_GENERATIONS {
            return None;
        }
        if let Some(stack) = creation_stack {
            if let Some(cause) = self.on(stack, CauseBasis::CreationStack) {
                return Some(cause);
            }
            // The creator ran in a goroutine of a library's: who created that?
            let entry = self.created_in.get(&stack);
            if let Some(site) = entry.and_then(|entry| self.by_entry.get(entry)) {
                let found =
                    self.created(site.created_by, site.creation_stack, None, generation + 1);
                if found.is_some() {
                    return found;
                }
            }
        }
        let parent = parent? as usize;
        let (group, life) = (self.groups.get(parent)?, self.lives.get(parent)?);
        let there = group.stack.and_then(|stack| self.on(stack, CauseBasis::Creator));
        there.or_else(|| {
            self.created(group.created_by, group.creation_stack, life.parent_group, generation + 1)
        })
    }

    fn is_runtimes(&self, frame: FrameId) -> bool {
        self.stacks.origin(frame) == Some(Origin::Runtime)
    }
}

/// Of the sites that have something in common, the one that created most.
fn busiest(sites: &[Site], by: impl Fn(&Site) -> Option<FrameId>) -> FxHashMap<FrameId, &Site> {
    let mut busiest: FxHashMap<FrameId, &Site> = FxHashMap::default();
    for site in sites {
        let Some(key) = by(site) else { continue };
        let known = busiest.entry(key).or_insert(site);
        if site.created > known.created {
            *known = site;
        }
    }
    busiest
}

/// Whether a group's goroutines are coroutines (`iter.Pull`, Go 1.23 and later), which are the user's, though
/// they wait for the runtime (`waitReasonCoroutine`).
pub(super) fn is_coroutine(group: &Group) -> bool {
    group.reason.as_deref() == Some("coroutine")
}

/// The folder of the main module, where the program was built from the module cache, as `go install` does:
/// all of it is a dependency's by its path.
fn home(stacks: &StackTable, main: StackId) -> Option<&str> {
    let frames = stacks.frames_of(main).iter().filter_map(|&frame| stacks.lookup(frame).ok());
    let file =
        frames.filter(|frame| frame.function == "main.main").map(|frame| frame.file).next_back()?;
    let version = file.rfind("@v")?;
    let end = file[version..].find('/')?;
    Some(&file[..version + end + 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::busy::Runners;
    use crate::analyze::life::Span;
    use crate::analyze::{group, signature::Signatures};
    use crate::model::{Resolved, StackView, WaitClass};
    use crate::sample::Sample;

    const MOD: &str = "/root/go/pkg/mod/example.com/rpc@v1.4.0/";

    fn lib(function: &'static str, line: u32) -> (&'static str, String, u32) {
        (function, format!("{MOD}conn.go"), line)
    }

    fn stack(sample: &mut Sample, frames: &[(&str, String, u32)]) -> StackId {
        let frames: Vec<(&str, &str, u32)> =
            frames.iter().map(|(function, file, line)| (*function, file.as_str(), *line)).collect();
        sample.stack(&frames)
    }

    /// A site, the function that its goroutines start in, and the one that its creators' start in.
    fn site(
        (at, stack): (FrameId, StackId),
        started_in: FrameId,
        created_in: Option<FrameId>,
    ) -> Site {
        Site {
            created_by: Some(at),
            creation_stack: Some(stack),
            created_in,
            started_in: Some(started_in),
            created: 40,
            exited: 0,
            created_per_second: None,
            rate_basis: crate::model::RateBasis::Exact,
            created_interval: None,
            lifetimes: Vec::new(),
        }
    }

    /// The cause of the first group that waits in a select, as function, line, basis and callee.
    fn cause(sample: &Sample) -> Option<(String, u32, CauseBasis, Option<String>)> {
        let observation = sample.observe(0);
        let (groups, lives, _) = group::groups(
            &observation,
            (Span::default(), &Runners::default()),
            &mut Signatures::default(),
        );
        let causes = Causes::new(&observation.stacks, &groups, &lives, &observation.sites);
        let at = groups.iter().position(|group| group.wait == WaitClass::Select)?;
        let cause = causes.of(&groups[at], lives[at].parent_group)?;
        let name = |frame| {
            observation.stacks.lookup(frame).map(|it: Resolved<'_>| it.function.to_owned()).ok()
        };
        let line = observation.stacks.lookup(cause.at.frame).ok()?.line;
        Some((name(cause.at.frame)?, line, cause.at.basis, cause.callee.and_then(name)))
    }

    fn reader(sample: &mut Sample) -> &mut crate::model::Goroutine {
        let read = stack(sample, &[lib("example.com/rpc.(*conn).read", 20)]);
        let at = sample.frame("example.com/rpc.connect", &format!("{MOD}conn.go"), 9);
        let reader = sample.add(50, WaitClass::Select, StackView::Read(read));
        reader.created_by = Some(at);
        reader
    }

    #[test]
    fn it_is_on_the_stack_or_at_the_go_statement() {
        let mut sample = Sample::new();
        let both = stack(
            &mut sample,
            &[lib("example.com/rpc.Call", 3), ("main.ask", "/src/main.go".to_owned(), 7)],
        );
        sample.add(9, WaitClass::Select, StackView::Read(both));
        let callee = Some("example.com/rpc.Call".to_owned());
        assert_eq!(cause(&sample), Some(("main.ask".to_owned(), 7, CauseBasis::Stack, callee)));

        let mut sample = Sample::new();
        let go = sample.frame("main.start", "/src/main.go", 12);
        reader(&mut sample).created_by = Some(go);
        assert_eq!(
            cause(&sample),
            Some(("main.start".to_owned(), 12, CauseBasis::CreationSite, None))
        );
    }

    #[test]
    fn it_is_found_through_generations_of_a_librarys_goroutines() {
        let mut sample = Sample::new();
        let read_at = reader(&mut sample).created_by.expect("set");
        let within = stack(
            &mut sample,
            &[lib("example.com/rpc.connect", 9), lib("example.com/rpc.(*client).dialer", 30)],
        );
        let dialer = sample.frame("example.com/rpc.(*client).dialer", &format!("{MOD}conn.go"), 28);
        let go = sample.frame("example.com/rpc.Dial", &format!("{MOD}conn.go"), 4);
        let dialed = stack(
            &mut sample,
            &[lib("example.com/rpc.Dial", 4), ("main.ask", "/src/main.go".to_owned(), 7)],
        );
        let first = site((read_at, within), read_at, Some(dialer));
        let second = site((go, dialed), dialer, None);
        sample.sites = vec![first, second];
        let callee = Some("example.com/rpc.Dial".to_owned());
        assert_eq!(
            cause(&sample),
            Some(("main.ask".to_owned(), 7, CauseBasis::CreationStack, callee))
        );
        // Stacks that lead back to themselves end.
        sample.sites[1].creation_stack = Some(within);
        sample.sites[1].created_in = Some(dialer);
        assert_eq!(cause(&sample), None);
    }

    #[test]
    fn without_probes_a_creator_that_is_still_there_tells() {
        let mut sample = Sample::new();
        reader(&mut sample).parent = std::num::NonZeroU64::new(7);
        let now = stack(&mut sample, &[("main.poll", "/src/main.go".to_owned(), 70)]);
        sample.add(7, WaitClass::Sleep, StackView::Read(now));
        assert_eq!(cause(&sample), Some(("main.poll".to_owned(), 70, CauseBasis::Creator, None)));
    }

    #[test]
    fn a_program_of_the_module_cache_has_its_own_module() {
        let mut sample = Sample::new();
        let home = "/root/go/pkg/mod/example.com/web/v2@v2.9.1/";
        let main = stack(&mut sample, &[("main.main", format!("{home}cmd/web/main.go"), 5)]);
        sample.add(1, WaitClass::ChanReceive, StackView::Read(main));
        let waits = stack(
            &mut sample,
            &[
                lib("example.com/rpc.Call", 3),
                ("example.com/web/v2.(*App).load", format!("{home}app.go"), 8),
            ],
        );
        sample.add(9, WaitClass::Select, StackView::Read(waits));
        let found = cause(&sample).expect("it is the module of main");
        assert_eq!((found.0.as_str(), found.1), ("example.com/web/v2.(*App).load", 8));
    }
}

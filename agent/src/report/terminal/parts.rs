//! Parts of the report by themselves, as lines of roles: for a screen that scrolls and colours them.

use std::io;

use super::{Page, Terminal, locks};
use crate::model::{Assessment, Coverage, Judgement, LockGraph, StackTable};
use crate::report::style::{self, Role, Span, Style};

/// The roles are read back from the colours that they are painted in.
const PAINTED: Style = Style { colour: true };

/// One part, in lines of at most the width that was asked for.
pub type Lines = Vec<Vec<Span>>;

/// Everything known of a finding, the stack of its largest group included. Empty where there is no
/// such finding.
#[must_use]
pub fn finding(assessment: &Assessment, index: usize, width: usize) -> Lines {
    let judged = assessment.judgement.as_ref();
    let Some(finding) = judged.and_then(|judged| judged.findings.get(index)) else {
        return Lines::new();
    };
    let group = finding.group_in(&assessment.groups);
    part(width, |page| {
        page.finding(index + 1, finding, group, assessment)?;
        match group {
            Some(group) => {
                page.field("stack", "")?;
                page.stack_of(group, &assessment.stacks)
            }
            None => Ok(()),
        }
    })
}

/// Everything known of a group. Empty where there is no such group.
#[must_use]
pub fn group(assessment: &Assessment, index: usize, width: usize) -> Lines {
    let Some(group) = assessment.groups.get(index) else { return Lines::new() };
    let judged = assessment.judgement.as_ref();
    let finding = judged.and_then(|judged| {
        judged.findings.iter().find(|finding| finding.groups().contains(&index))
    });
    part(width, |page| {
        page.group(index + 1, group, finding.map(|finding| &*finding.id), assessment)
    })
}

/// A deadlock cycle of the lock graph.
#[must_use]
pub fn cycle(assessment: &Assessment, graph: &LockGraph, index: usize, width: usize) -> Lines {
    let at = |of: &[u64]| of.get(index).copied();
    let cycle = LockGraph {
        cycles: graph.cycles.get(index).cloned().into_iter().collect(),
        alike: at(&graph.alike).into_iter().collect(),
        // They name the locks of the cycle.
        locks: graph.cycles.get(index).map_or_else(Vec::new, |cycle| {
            let of_cycle = |object| cycle.iter().any(|waiter| waiter.object == object);
            graph.locks.iter().filter(|lock| of_cycle(lock.object)).cloned().collect()
        }),
        ..LockGraph::default()
    };
    drawn(&cycle, &assessment.stacks, width)
}

/// A contended lock of the lock graph.
#[must_use]
pub fn lock(assessment: &Assessment, graph: &LockGraph, index: usize, width: usize) -> Lines {
    let locks = graph.locks.get(index).cloned().into_iter().collect();
    drawn(&LockGraph { locks, ..LockGraph::default() }, &assessment.stacks, width)
}

fn drawn(graph: &LockGraph, stacks: &StackTable, width: usize) -> Lines {
    part(width, |page| {
        locks::draw((graph, stacks), (page.style, page.width), true, page.out).map(|_| ())
    })
}

/// What makes the number of goroutines rise; empty where it does not.
#[must_use]
pub fn rise(assessment: &Assessment, judgement: &Judgement, width: usize) -> Lines {
    part(width, |page| page.rise(judgement, assessment))
}

/// What a judgement rests on: where all goroutines went.
#[must_use]
pub fn basis(assessment: &Assessment, judgement: &Judgement, width: usize) -> Lines {
    part(width, |page| page.basis(judgement, assessment))
}

/// What a judgement cannot say, and what it lacks.
#[must_use]
pub fn not_analysed(assessment: &Assessment, judgement: &Judgement, width: usize) -> Lines {
    part(width, |page| page.not_analysed(judgement, assessment))
}

/// What was read, dropped and not seen, probes aside.
#[must_use]
pub fn coverage(assessment: &Assessment, width: usize) -> Lines {
    let coverage = Coverage { probes: Vec::new(), ..assessment.coverage.clone() };
    part(width, |page| page.coverage(&coverage).and_then(|()| page.notes(assessment)))
}

/// Memory in a few lines: what there is, what grows, which limit that leads to. Empty where nothing is known of it.
#[must_use]
pub fn memory(assessment: &Assessment, width: usize) -> Lines {
    part(width, |page| page.memory(assessment))
}

/// What the process holds of the kernel's. Empty where nothing is known of it.
#[must_use]
pub fn resources(assessment: &Assessment, width: usize) -> Lines {
    part(width, |page| page.resources(assessment))
}

/// Memory: what there is, where it is, what grows, which limits that leads to. Empty where nothing is known of
/// it.
#[must_use]
pub fn memory_in_full(assessment: &Assessment, width: usize) -> Lines {
    part(width, |page| {
        page.details = true;
        page.memory(assessment)
    })
}

/// What observing costs.
#[must_use]
pub fn overhead(assessment: &Assessment, width: usize) -> Lines {
    part(width, |page| page.overhead(assessment))
}

/// Creation sites whose goroutines came and went between samples.
#[must_use]
pub fn sites(assessment: &Assessment, width: usize) -> Lines {
    part(width, |page| page.sites(assessment))
}

/// A sentence in as many lines as it takes.
#[must_use]
pub fn sentence(role: Role, text: &str, width: usize) -> Lines {
    part(width, |page| page.line("", &[(role, text.to_owned())]))
}

fn part(width: usize, write: impl FnOnce(&mut Page<'_>) -> io::Result<()>) -> Lines {
    let terminal = Terminal { style: PAINTED, width, top: None, groups: true };
    let mut out = Vec::new();
    // Memory takes everything.
    if write(&mut terminal.page(true, &mut out)).is_err() {
        return Lines::new();
    }
    style::spans(&String::from_utf8_lossy(&out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::judged;

    fn text(lines: &Lines) -> String {
        let line = |line: &Vec<Span>| line.iter().map(|span| &*span.text).collect::<String>();
        lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_finding_has_its_source_fix_evidence_and_stack() {
        let assessment = judged::assessment(vec![judged::deadlock(), judged::leak()]);
        let lines = finding(&assessment, 1, 100);
        let said = text(&lines);
        for part in ["2  LIKELY", "results <- result", "fix ", "steady-growth: ", "runtime.gopark"]
        {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("--all"), "{said}");
        assert!(lines.iter().flatten().any(|span| span.role == Role::Alarm), "{lines:?}");
        assert!(finding(&assessment, 2, 100).is_empty());
    }

    #[test]
    fn a_lock_and_a_cycle_stand_alone() {
        let assessment = judged::assessment(vec![judged::deadlock()]);
        let graph = &assessment.judgement.as_ref().expect("judged").lock_graph;
        let said = text(&cycle(&assessment, graph, 0, 100));
        assert!(said.contains("2 goroutines wait for each other in a cycle"), "{said}");
        let said = text(&lock(&assessment, graph, 0, 100));
        assert!(said.contains("wait for mutex 0xc000007000") && !said.contains("cycle"), "{said}");
        assert!(lock(&assessment, graph, 1, 100).is_empty());
    }

    #[test]
    fn the_basis_of_no_finding_says_what_is_not_known() {
        let assessment = judged::assessment(Vec::new());
        let judgement = assessment.judgement.as_ref().expect("judged");
        let said = text(&basis(&assessment, judgement, 100));
        assert!(said.contains("ignored as idle") && said.contains("listener (1)"), "{said}");
    }
}

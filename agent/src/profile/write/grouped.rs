//! A profile of an assessment's groups, for where the sample itself is not kept.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use super::pprof::pprof;
use crate::model::{
    Assessment, FrameId, Goroutine, Group, LabelsId, Memory, NoStack, ObjectRange, Observation,
    Resources, StackId, StackView, Status, WaitClass,
};

/// Writes the goroutines of an assessment's last sample by their groups: how many there are of each, at the stack of one of
/// them, with the labels that all of them share. It has no waits.
///
/// # Errors
/// When `out` fails.
pub fn pprof_of_groups(assessment: &Assessment, out: &mut dyn Write) -> io::Result<()> {
    pprof(&observation(assessment), None, out)
}

fn observation(assessment: &Assessment) -> Observation {
    let mut reasons: Vec<String> = Vec::new();
    let mut labels = vec![Vec::new()];
    let mut goroutines = Vec::with_capacity(assessment.groups.len());
    for group in &assessment.groups {
        let reason = group.reason.as_ref().and_then(|reason| {
            let place = reasons.iter().position(|other| other == reason).unwrap_or_else(|| {
                reasons.push(reason.clone());
                reasons.len() - 1
            });
            u8::try_from(place).ok()
        });
        let set = labels.iter().position(|set| *set == group.labels).unwrap_or_else(|| {
            labels.push(group.labels.clone());
            labels.len() - 1
        });
        let labels = LabelsId(u32::try_from(set).unwrap_or(0));
        let started_in = group.stack.and_then(|stack| start(assessment, stack));
        goroutines.push(goroutine(group, reason, labels, started_in));
    }
    Observation {
        at: assessment.window.last,
        elapsed: assessment.window.duration,
        uptime: None,
        target: Arc::clone(&assessment.target),
        goroutines,
        stacks: Arc::clone(&assessment.stacks),
        reasons: reasons.into(),
        objects: Vec::new(),
        channels: Vec::new(),
        mentions: Vec::new(),
        labels,
        rates: None,
        rates_so_far: None,
        sites: Vec::new(),
        contention: None,
        memory: Memory::default(),
        resources: Resources::default(),
        coverage: assessment.coverage.clone(),
        overhead: assessment.overhead.clone(),
    }
}

fn goroutine(
    group: &Group,
    reason: Option<u8>,
    labels: LabelsId,
    started_in: Option<FrameId>,
) -> Goroutine {
    Goroutine {
        goid: None,
        parent: None,
        objects: ObjectRange::default(),
        stack: match (group.stack, group.no_stack) {
            (Some(stack), _) => StackView::Read(stack),
            (None, Some(NoStack::Torn)) => StackView::Torn,
            (None, Some(NoStack::NotUnwound)) => StackView::NotUnwound,
            (None, _) => StackView::Running,
        },
        created_by: group.created_by,
        started_in,
        labels,
        reason,
        wait: group.wait,
        status: match group.wait {
            WaitClass::Running => Status::Running,
            WaitClass::Runnable => Status::Runnable,
            WaitClass::Syscall | WaitClass::Cgo => Status::Syscall,
            _ => Status::Waiting,
        },
        locked_to_thread: group.locked_to_thread == group.count,
        blocked: None,
        age: None,
        seen_for: None::<Duration>,
        came: None,
        parks: None,
        stack_bytes: None,
        weight: u32::try_from(group.count).unwrap_or(u32::MAX),
        proven: false,
    }
}

/// The function that the goroutines of a stack started in.
fn start(assessment: &Assessment, stack: StackId) -> Option<FrameId> {
    let stacks = &assessment.stacks;
    let is_start = |frame: &&FrameId| {
        stacks.lookup(**frame).is_ok_and(|frame| frame.function != "runtime.goexit")
    };
    stacks.frames_of(stack).iter().rev().find(is_start).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{Window, assess};
    use crate::profile::packed::{self, Limits};
    use crate::profile::proto::message::Profile;
    use crate::sample::leaking;
    use prost::Message as _;

    fn profile(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Profile {
        let mut bytes = Vec::new();
        write(&mut bytes).expect("a vector takes everything");
        let whole = packed::whole(&bytes, Limits::of_bytes(1 << 20)).expect("gzip").into_owned();
        Profile::decode(&*whole).expect("a profile")
    }

    #[test]
    fn groups_count_as_their_goroutines_do() {
        let seen = leaking(40).observe(0);
        let mut window = Window::default();
        window.push(&seen);
        let assessment = assess(&window).expect("observed");
        let of_groups = profile(|out| pprof_of_groups(&assessment, out));
        let of_sample = profile(|out| pprof(&seen, None, out));
        // A sample tells apart for how long they wait, which groups do not.
        let count = |profile: &Profile| -> i64 {
            profile.sample.iter().map(|sample| sample.value[0]).sum()
        };
        let sent = |profile: &Profile| {
            let of = |text: &str| profile.string_table.iter().any(|it| it == text);
            of("main.leakGoroutines.func1") && of("/src/app/leak.go")
        };
        // The runtime's own are left out: of the one in this sample its stack alone tells that it is one.
        assert_eq!((count(&of_groups), count(&of_sample)), (42, 43));
        assert!(of_groups.sample.iter().any(|sample| sample.value[0] == 40));
        assert!(sent(&of_groups) && sent(&of_sample));
        assert_eq!(of_groups.time_nanos, seen.at.unix_ns());
    }
}

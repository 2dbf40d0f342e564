//! What a graph says of a goroutine in words.

use super::waits::{Identified, Waits};
use crate::analyze::summary;
use crate::model::{Goroutine, Holder, Observation, StackView, WaitClass};

/// The line where a goroutine is, as `function (file:line)`; empty where it is not known.
pub(super) fn at(observation: &Observation, goroutine: &Goroutine) -> String {
    let stacks = &observation.stacks;
    let frame = goroutine.stack.id().and_then(|id| summary::blocked_at(stacks, id));
    match frame.and_then(|frame| stacks.lookup(frame).ok()) {
        Some(frame) => format!("{} ({}:{})", frame.function, frame.file, frame.line),
        None => String::new(),
    }
}

/// A holder and what it is doing.
pub(super) fn holder(
    observation: &Observation,
    waits: &Waits<'_>,
    goroutine: Identified<'_>,
    is_stuck: bool,
    in_cycle: bool,
) -> Holder {
    let mut doing = match waits.of_goid(goroutine.goid) {
        Some((_, lock)) => format!("waits for {} {lock:#x}", goroutine.wait.name()),
        None => doing(observation, &goroutine),
    };
    if in_cycle {
        doing.push_str(", in a deadlock cycle");
    }
    Holder { goid: goroutine.goid, doing, is_stuck, at: at(observation, &goroutine) }
}

/// What a holder does without the address of what it waits for, which others like it do not share.
pub(super) fn without_address(doing: &str) -> String {
    doing.split(' ').filter(|word| !word.starts_with("0x")).collect::<Vec<_>>().join(" ")
}

fn doing(observation: &Observation, goroutine: &Goroutine) -> String {
    let object = match observation.objects_of(goroutine) {
        &[object] => format!(" {object:#x}"),
        _ => String::new(),
    };
    match goroutine.wait {
        WaitClass::ChanSend => format!("waits to send on channel{object}"),
        WaitClass::ChanReceive => format!("waits to receive from channel{object}"),
        WaitClass::NilChannel => "waits on a nil channel, for ever".to_owned(),
        WaitClass::Select => "waits in a select".to_owned(),
        WaitClass::EmptySelect => "waits in a select without cases, for ever".to_owned(),
        WaitClass::Mutex
        | WaitClass::RwMutex
        | WaitClass::Cond
        | WaitClass::WaitGroup
        | WaitClass::Semaphore => format!("waits for {}{object}", goroutine.wait.name()),
        WaitClass::IoWait => "waits for the network or a pipe".to_owned(),
        WaitClass::Sleep => "sleeps".to_owned(),
        WaitClass::Syscall => "is in a system call".to_owned(),
        WaitClass::Cgo => "is in a call into C".to_owned(),
        WaitClass::Runtime => "waits for the runtime".to_owned(),
        WaitClass::Running => "runs".to_owned(),
        WaitClass::Runnable => "is ready to run".to_owned(),
        WaitClass::Unknown if goroutine.stack == StackView::Torn => "moves".to_owned(),
        WaitClass::Unknown => "waits for something unknown".to_owned(),
    }
}

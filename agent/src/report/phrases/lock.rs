//! Who waits for whose lock, and what holders do.

use super::place::{brief_place, place};
use crate::model::{Doing, Holder, Holders, LockWait, StackTable, WaitClass};
use crate::report::format::{count, counted};

/// What a goroutine does that probably holds a lock, to follow `which itself`.
#[must_use]
pub fn does(doing: Doing) -> String {
    let Doing::Wait { class, object, in_cycle } = doing else { return "moves".to_owned() };
    let object = object.map(|object| format!(" {object:#x}")).unwrap_or_default();
    let mut text = match class {
        WaitClass::ChanSend => format!("waits to send on channel{object}"),
        WaitClass::ChanReceive => format!("waits to receive from channel{object}"),
        WaitClass::NilChannel => "waits on a nil channel, for ever".to_owned(),
        WaitClass::Select => "waits in a select".to_owned(),
        WaitClass::EmptySelect => "waits in a select without cases, for ever".to_owned(),
        WaitClass::Mutex
        | WaitClass::RwMutex
        | WaitClass::Cond
        | WaitClass::WaitGroup
        | WaitClass::Semaphore => format!("waits for {}{object}", class.name()),
        WaitClass::IoWait => "waits for the network or a pipe".to_owned(),
        WaitClass::Sleep => "sleeps".to_owned(),
        WaitClass::Syscall => "is in a system call".to_owned(),
        WaitClass::Cgo => "is in a call into C".to_owned(),
        WaitClass::Runtime => "waits for the runtime".to_owned(),
        WaitClass::Running => "runs".to_owned(),
        WaitClass::Runnable => "is ready to run".to_owned(),
        WaitClass::Unknown => "waits for something unknown".to_owned(),
    };
    if in_cycle {
        text.push_str(", in a deadlock cycle");
    }
    text
}

/// How much of a place there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// With directories.
    Full,
    /// Without.
    Brief,
}

pub(super) fn at(stacks: &StackTable, frame: Option<crate::model::FrameId>, room: Room) -> String {
    let place = frame.and_then(|frame| match room {
        Room::Full => place(stacks, frame),
        Room::Brief => brief_place(stacks, frame),
    });
    place.map(|place| format!(" at {place}")).unwrap_or_default()
}

/// Who probably holds a lock, and what it does.
#[must_use]
pub fn holder(holder: &Holder, stacks: &StackTable, room: Room) -> String {
    let Holder { goid, doing, at: frame, is_stuck: _ } = *holder;
    format!("goroutine {goid}, probably: {}{}", does(doing), at(stacks, frame, room))
}

/// Who probably hold several locks, and what they do.
#[must_use]
pub fn holders(holders: &Holders, stacks: &StackTable, room: Room) -> String {
    let Holders { doing, at: frame, waiters } = *holders;
    let (does, at) = (does(doing), at(stacks, frame, room));
    let who = counted(waiters, "goroutine", "goroutines");
    format!("each by a goroutine of its own, probably: {does}{at} (so for {who})")
}

/// How many deadlock cycles a finding has, if there are more than the one that is shown.
#[must_use]
pub fn cycles(lock_wait: &LockWait) -> Option<String> {
    (lock_wait.cycles > 1).then(|| {
        format!(
            "{} cycles, {} in them, such as:",
            count(lock_wait.cycles),
            counted(lock_wait.in_cycles, "goroutine", "goroutines")
        )
    })
}

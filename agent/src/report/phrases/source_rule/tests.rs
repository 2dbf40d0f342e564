//! Each mistake with its two sentences.

use super::*;
use crate::model::source_rule::{
    ChannelMistake, CloseWhere, EndMistake, LockMistake, MakeSite, ReceiveMistake, SelectCase,
    SendMistake, SendProblem, SkippedBy, WaitMistake,
};

fn said(mistake: Mistake) -> (String, String) {
    let advice = fix(&mistake);
    (note(&SourceNote::Mistake(mistake)), advice)
}

fn named(name: &str) -> String {
    name.to_owned()
}

fn assert_said(cases: impl IntoIterator<Item = (Mistake, &'static str, &'static str)>) {
    for (mistake, shows, advice) in cases {
        assert_eq!(said(mistake), (shows.to_owned(), advice.to_owned()));
    }
}

#[test]
fn remarks_name_lines() {
    let made = |buffer| SourceNote::ChannelMade {
        channel: named("ch"),
        made: MakeSite { line: 4, buffer },
    };
    let holds = |function| SourceNote::HolderWaits { lock: named("s.mu"), function, line: 9 };
    for (remark, expected) in [
        (made(BufferSize::Unbuffered), "Line 4 makes ch without a buffer."),
        (made(BufferSize::Constant(8)), "Line 4 makes ch with a buffer of 8."),
        (made(BufferSize::Computed), "Line 4 makes ch with a buffer whose size is not a constant."),
        (
            SourceNote::NothingWaits { line: 3 },
            "Line 3 has nothing that could wait in this way: the file may be of another version.",
        ),
        (
            holds(CodeFunction::Named(named("Store.put"))),
            "Line 9 may wait while Store.put holds s.mu.",
        ),
        (
            holds(CodeFunction::LiteralIn(named("serve"))),
            "Line 9 may wait while a function literal in serve holds s.mu.",
        ),
        (holds(CodeFunction::Literal), "Line 9 may wait while a function literal holds s.mu."),
        (
            SourceNote::WaitsBeforeDone { line: 5, done: 7 },
            "Line 5 may wait, and the Done of line 7 comes after it.",
        ),
        (
            SourceNote::RowsNotClosed { rows: named("rows"), made: 4 },
            "The rows of line 4 are never closed: they keep their connection. Defer rows.Close() after the error check.",
        ),
    ] {
        assert_eq!(note(&remark), expected);
    }
}

#[test]
fn channels() {
    let never_made =
        |declared| ChannelMistake::NeverMade { channel: named("ch"), declared, used: 8 };
    let not_called = |receiver| ChannelMistake::EndNotCalled {
        channel: named("w.quit"),
        close: 7,
        method: named("Stop"),
        receiver,
    };
    let cases = [
        (
            never_made(Some(2)),
            "Line 2 declares ch and nothing makes it.",
            "Make ch before line 8 uses it: make(chan ...).",
        ),
        (
            never_made(None),
            "ch is nil in line 8: the wait cannot end.",
            "Make ch before line 8 uses it, on every path that leads there.",
        ),
        (
            not_called(Some(named("Worker"))),
            "Line 7 closes w.quit in Stop, and nothing in the files at hand calls Stop.",
            "Call Stop on each Worker when it is no longer needed.",
        ),
        (
            not_called(None),
            "Line 7 closes w.quit in Stop, and nothing in the files at hand calls Stop.",
            "Call Stop on each value when it is no longer needed.",
        ),
        (
            ChannelMistake::EndSkipped {
                channel: named("w.quit"),
                method: named("Stop"),
                call: 19,
                start: 11,
                skip: 15,
            },
            "Line 15 returns without the Stop of line 19, which ends the wait for w.quit.",
            "Defer the Stop of line 19 right after the start in line 11.",
        ),
        (
            ChannelMistake::NeverEnded { channel: named("done"), wait: 6 },
            "Line 6 waits for done to end, and nothing closes it or sends on it.",
            "Close done where the work of line 6 is over.",
        ),
        (
            ChannelMistake::EmptySelect { select: 5 },
            "Line 5 is a select without cases: it never ends.",
            "Replace the empty select in line 5 by a receive from a context or a channel that is closed at the end.",
        ),
    ];
    assert_said(cases.map(|(mistake, shows, advice)| (Mistake::Channel(mistake), shows, advice)));
}

#[test]
fn sends() {
    const ROOM_FOR_ONE: &str = "Make ch in line 4 with a buffer of one, so that the send in line 6 always succeeds; or select in line 6 between the send and the end of a context.";
    const ROOM_FOR_SENDERS: &str = "Make ch in line 4 with a buffer of the number of senders, so that the send in line 6 always succeeds; or select in line 6 between the send and the end of a context.";
    let send = |problem| {
        let made = Some(MakeSite { line: 4, buffer: BufferSize::Unbuffered });
        Mistake::Send(SendMistake { channel: named("ch"), send: 6, made, problem })
    };
    let case = |line, channel| SelectCase { line, channel: named(channel) };
    assert_said([
        (
            send(SendProblem::NoReceiver),
            "Nothing in the files at hand receives what line 6 sends on ch.",
            "Receive from ch for as long as line 6 sends, or select there between the send and the end of a context.",
        ),
        (
            send(SendProblem::LoopLeft { out: 12, receive: 10 }),
            "Line 12 leaves the loop that receives from ch in line 10, while others may still send.",
            "Make ch in line 4 with a buffer of all that is sent, so that the send in line 6 always succeeds; or select in line 6 between the send and the end of a context.",
        ),
        (
            send(SendProblem::ReturnsFirst { skip: 9, receive: 11 }),
            "Line 9 returns before line 11 receives from ch.",
            ROOM_FOR_ONE,
        ),
        (
            send(SendProblem::EndedBy {
                exit: case(12, "time.After(d)"),
                is_timer: true,
                receive: 10,
            }),
            "Line 12 ends the wait of line 10 when it times out (time.After(d)); then nothing receives from ch.",
            ROOM_FOR_ONE,
        ),
        (
            send(SendProblem::EndedBy {
                exit: case(12, "ctx.Done()"),
                is_timer: false,
                receive: 10,
            }),
            "Line 12 ends the wait of line 10 when it is told to end (ctx.Done()); then nothing receives from ch.",
            ROOM_FOR_ONE,
        ),
        (
            send(SendProblem::MayTakeOther { select: 9, other: case(12, "errs") }),
            "The select in line 9 may take errs in line 12; then nothing receives from ch.",
            ROOM_FOR_ONE,
        ),
        (
            send(SendProblem::HasDefault { select: 9 }),
            "The select in line 9 has a default: it does not wait for ch.",
            ROOM_FOR_ONE,
        ),
        (
            send(SendProblem::SendsTwice { first: 6, second: 8 }),
            "Line 6 sends on ch and does not return; line 8 sends again.",
            "Return after the send in line 6.",
        ),
        (
            send(SendProblem::StartedInLoop { go: 5, receive: 9 }),
            "Line 5 starts senders in a loop, and line 9 receives one value from ch.",
            ROOM_FOR_SENDERS,
        ),
        (
            send(SendProblem::SeveralSenders { senders: 2, receive: 9 }),
            "2 goroutines send on ch, and line 9 receives one value.",
            ROOM_FOR_SENDERS,
        ),
        (
            send(SendProblem::SendsInLoop { receive: 9 }),
            "Line 6 sends on ch in a loop, and line 9 receives one value.",
            "Select in line 6 between the send and the end of a context, and end the context when the receiver of line 9 is done.",
        ),
        (
            send(SendProblem::SomePathsOnly { receive: 9 }),
            "Line 9 receives from ch on some paths only.",
            ROOM_FOR_ONE,
        ),
    ]);
}

#[test]
fn room_for_what_is_sent_depends_on_how_the_channel_is_made() {
    let advice = |made| {
        let problem = SendProblem::HasDefault { select: 9 };
        fix(&Mistake::Send(SendMistake { channel: named("ch"), send: 6, made, problem }))
    };
    assert_eq!(
        advice(Some(MakeSite { line: 4, buffer: BufferSize::Constant(1) })),
        "Make the buffer of ch in line 4 as large as the number of sends, or select in line 6 between the send and the end of a context."
    );
    assert_eq!(
        advice(None),
        "Give ch room for what is sent, or select in line 6 between the send and the end of a context."
    );
}

#[test]
fn receives() {
    let channel = || named("ch");
    let never_closed = |close| ReceiveMistake::NeverClosed { channel: channel(), read: 8, close };
    const NEVER_CLOSED: &str =
        "Line 8 reads ch until it is closed, and nothing in the files at hand closes it.";
    let no_sender = |ends| ReceiveMistake::NoSender { channel: channel(), receive: 8, ends };
    const NO_SENDER: &str =
        "Nothing in the files at hand sends on ch or closes it; line 8 waits for that.";
    let close_skipped = |waits_after| ReceiveMistake::CloseSkipped {
        channel: channel(),
        close: 16,
        skip: 12,
        waits_after,
    };
    const CLOSE_SKIPPED: &str = "Line 12 returns without the close of ch in line 16.";
    let send_skipped =
        |by| ReceiveMistake::SendSkipped { channel: channel(), send: 9, receive: 13, by };
    const CLOSE_BY_DEFER: &str =
        "Close ch by defer in the function that sends in line 9, so that line 13 always continues.";
    let cases = [
        (
            ReceiveMistake::NoCaseServed { select: 5 },
            "Nothing serves any case of the select in line 5.",
            "Add a case for the end of a context to the select in line 5, and see who should serve the others.",
        ),
        (
            ReceiveMistake::NoCaseEnds { select: 5 },
            "The select in line 5 is in an endless loop, and no case ends it.",
            "Add a case for the end of a context to the select in line 5, and return there.",
        ),
        (
            never_closed(CloseWhere::AfterAllSenders),
            NEVER_CLOSED,
            "Close ch once all who send on it have ended: count them with a sync.WaitGroup, wait for it, then close(ch).",
        ),
        (
            never_closed(CloseWhere::AfterSend(6)),
            NEVER_CLOSED,
            "Close ch right after the last send (line 6).",
        ),
        (
            never_closed(CloseWhere::WhenSenderReturns(6)),
            NEVER_CLOSED,
            "Close ch after the last send (line 6): defer close(ch) in the function that sends.",
        ),
        (never_closed(CloseWhere::WhenDone), NEVER_CLOSED, "Close ch when nothing more is sent."),
        (no_sender(true), NO_SENDER, "Close ch where the wait of line 8 should end."),
        (
            no_sender(false),
            NO_SENDER,
            "Send on ch or close it, or select in line 8 between the receive and the end of a context.",
        ),
        (
            close_skipped(Some(17)),
            CLOSE_SKIPPED,
            "Close ch before the return in line 12 too. Do not defer the close: line 17 may wait for it.",
        ),
        (
            close_skipped(None),
            CLOSE_SKIPPED,
            "Defer the close of line 16, so that every return closes ch.",
        ),
        (
            ReceiveMistake::ClosedAfterWait { channel: channel(), close: 9, wait: 8 },
            "Line 9 closes ch only after line 8 has waited for it.",
            "Close ch in the goroutine that sends on it.",
        ),
        (
            send_skipped(SkippedBy::Return(7)),
            "Line 7 returns without the send on ch in line 9.",
            CLOSE_BY_DEFER,
        ),
        (
            send_skipped(SkippedBy::Select(8)),
            "The select in line 8 may not take the send on ch in line 9.",
            CLOSE_BY_DEFER,
        ),
        (
            send_skipped(SkippedBy::Condition),
            "A condition may skip the send on ch in line 9.",
            CLOSE_BY_DEFER,
        ),
        (
            ReceiveMistake::TooFewSends { channel: channel(), receive: 8, send: 6 },
            "Line 8 receives from ch more often than line 6 sends.",
            "Close ch after the last send, so that every receiver continues.",
        ),
    ];
    assert_said(cases.map(|(mistake, shows, advice)| (Mistake::Receive(mistake), shows, advice)));
}

#[test]
fn locks() {
    let lock = || named("s.mu");
    let left_held =
        |waits_after| LockMistake::LeftHeld { lock: lock(), taken: 4, skip: 6, waits_after };
    let cases = [
        (
            LockMistake::TakenTwice { lock: lock(), first: 4, again: 6, reading: false },
            "Line 4 takes s.mu already; line 6 takes it again before it is released.",
            "Unlock s.mu before line 6, or take it once and call what needs it with the lock held.",
        ),
        (
            LockMistake::Upgraded { lock: lock(), read: 4, write: 6 },
            "Line 4 takes s.mu for reading; the Lock of line 6 waits until that is released.",
            "RUnlock s.mu before line 6, and check again under the Lock what was read; or Lock it in line 4.",
        ),
        (
            LockMistake::HeldOfAnother {
                lock: lock(),
                taken: 6,
                held: named("other.mu"),
                held_since: 4,
            },
            "Line 6 takes s.mu while other.mu is held since line 4.",
            "Take the locks of lines 4 and 6 in one order, such as by an id of the values, whichever comes first.",
        ),
        (
            LockMistake::HeldByCaller {
                lock: lock(),
                function: named("get"),
                call: 5,
                held_since: 4,
                again: 10,
                reading: false,
            },
            "Line 5 calls get with s.mu held since line 4; line 10 takes it again.",
            "Unlock before the call in line 5, or give get a form that expects the lock to be held.",
        ),
        (
            LockMistake::BothOrders { lock: lock(), one: 5, other: 11 },
            "Line 5 takes s.mu while another lock is held; line 11 takes that one while s.mu is held.",
            "Take the two locks in one order everywhere: change line 5 or line 11.",
        ),
        (
            LockMistake::NeverReleased { lock: lock(), taken: 4 },
            "The function that takes s.mu in line 4 never releases it.",
            "Defer the Unlock of s.mu right after line 4.",
        ),
        (
            left_held(false),
            "Line 6 leaves with s.mu still held since line 4.",
            "Defer the Unlock of s.mu right after line 4.",
        ),
        (
            left_held(true),
            "Line 6 leaves with s.mu still held since line 4.",
            "Unlock s.mu before line 6 leaves.",
        ),
    ];
    assert_said(cases.map(|(mistake, shows, advice)| (Mistake::Lock(mistake), shows, advice)));
}

#[test]
fn wait_groups_and_conditions() {
    let group = || named("wg");
    let done_skipped =
        |waits_after| WaitMistake::DoneSkipped { group: group(), skip: 7, done: 9, waits_after };
    let too_few = |dones| WaitMistake::TooFewDones { added: 3, dones, add: 4 };
    const FIT: &str = "Make the Add of line 4 fit the number of goroutines that call Done.";
    let cases = [
        (
            WaitMistake::Copied { parameter: named("wg"), done: 9 },
            "Line 9 calls Done on a copy: wg is given by value.",
            "Give wg as *sync.WaitGroup.",
        ),
        (
            WaitMistake::NoDone { group: group(), wait: 11 },
            "Nothing in the files at hand calls wg.Done; line 11 waits for it.",
            "Defer wg.Done in each goroutine that wg.Add counts.",
        ),
        (
            done_skipped(true),
            "Line 7 returns without the Done of line 9.",
            "Call wg.Done before the return in line 7 too.",
        ),
        (
            done_skipped(false),
            "Line 7 returns without the Done of line 9.",
            "Defer wg.Done at the start of the goroutine, in place of line 9.",
        ),
        (
            WaitMistake::NothingStarted { add: 4, jump: 6 },
            "Line 6 leaves after the Add of line 4 without starting a goroutine.",
            "Move the Add of line 4 to right before the go statement.",
        ),
        (too_few(1), "Line 4 adds up to 3, and 1 call of Done is there.", FIT),
        (too_few(2), "Line 4 adds up to 3, and 2 calls of Done are there.", FIT),
        (
            WaitMistake::WaitInLoop { add: 4, wait: 9 },
            "Line 9 waits inside the loop for all that line 4 adds before it.",
            "Move the Wait of line 9 behind the loop.",
        ),
        (
            WaitMistake::DoneOnSomePaths { group: group(), done: 9 },
            "The Done of line 9 is reached on some paths only.",
            "Defer wg.Done at the start of the goroutine, in place of line 9.",
        ),
        (
            WaitMistake::LostSignal { cond: named("c"), wait: 9, signal: 5 },
            "Line 9 waits without a condition that it checks in a loop: if line 5 signals first, the signal is lost.",
            "Keep what c stands for in a variable under its lock, set it before line 5, and wait in line 9 in a loop while it is not set.",
        ),
    ];
    assert_said(cases.map(|(mistake, shows, advice)| (Mistake::Wait(mistake), shows, advice)));
}

#[test]
fn what_is_not_ended() {
    let cases = [
        (
            EndMistake::CancelDropped { context: named("ctx"), made: 4 },
            "Line 4 drops the cancel function of ctx.",
            "Keep the cancel function that line 4 drops, and defer it.",
        ),
        (
            EndMistake::CancelNeverCalled { cancel: named("cancel"), made: 4 },
            "Nothing in the files at hand calls cancel, which line 4 makes.",
            "Defer cancel() right after line 4.",
        ),
        (
            EndMistake::CancelHandedOn {
                cancel: named("cancel"),
                made: 4,
                given: 5,
                skip: Some(8),
            },
            "Line 5 hands on cancel, which line 4 makes, and line 8 returns without a call of it.",
            "Call cancel() before line 8 returns, and wherever the work ends for which line 5 hands it on.",
        ),
        (
            EndMistake::CancelHandedOn { cancel: named("cancel"), made: 4, given: 5, skip: None },
            "Line 5 hands on cancel, which line 4 makes; whoever has it then has not called it.",
            "Call cancel() wherever the work ends for which line 5 hands it on.",
        ),
        (
            EndMistake::CancelSkipped { cancel: named("cancel"), made: 4, call: 9, skip: 6 },
            "Line 6 returns without the cancel() of line 9.",
            "Defer cancel() right after line 4.",
        ),
        (
            EndMistake::TickerStopped { channel: named("t.C"), receive: 7, stop: 12 },
            "Line 12 stops the ticker, which does not close t.C: line 7 then waits for ever.",
            "Select in line 7 between t.C and a channel that is closed where line 12 stops the ticker.",
        ),
        (
            EndMistake::TickerNotStopped { made: 5, tick: 7 },
            "The ticker of line 5 is never stopped, and the loop around line 7 has no way out.",
            "Select in line 7 between the tick and the end of a context; use time.NewTicker and defer its Stop.",
        ),
        (
            EndMistake::SleepsForEver { sleep: 5 },
            "Line 5 sleeps in a loop that nothing ends.",
            "Select in line 5 between time.After and the end of a context, and return there.",
        ),
        (
            EndMistake::BodyNotClosed { response: named("resp"), made: 4 },
            "The body of resp (line 4) is never closed.",
            "After the error check of line 4: defer resp.Body.Close().",
        ),
        (
            EndMistake::NoDeadline { line: 4 },
            "Line 4 reads or writes, and nothing in the files at hand sets a deadline.",
            "Set a deadline before line 4 (SetDeadline, or the client's Timeout).",
        ),
    ];
    assert_said(cases.map(|(mistake, shows, advice)| (Mistake::End(mistake), shows, advice)));
}

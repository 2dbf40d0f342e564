//! Mistakes with channels.

use crate::model::source_rule::{
    BufferSize, ChannelMistake, CloseWhere, ReceiveMistake, SelectCase, SendMistake, SendProblem,
    SkippedBy,
};

/// What the code does with a channel.
pub(super) fn shows(mistake: &ChannelMistake) -> String {
    match mistake {
        ChannelMistake::NeverMade { channel, declared: Some(declared), .. } => {
            format!("Line {declared} declares {channel} and nothing makes it.")
        }
        ChannelMistake::NeverMade { channel, declared: None, used } => {
            format!("{channel} is nil in line {used}: the wait cannot end.")
        }
        ChannelMistake::EndNotCalled { channel, close, method, .. } => format!(
            "Line {close} closes {channel} in {method}, and nothing in the files at hand calls {method}."
        ),
        ChannelMistake::EndSkipped { channel, method, call, skip, .. } => format!(
            "Line {skip} returns without the {method} of line {call}, which ends the wait for {channel}."
        ),
        ChannelMistake::NeverEnded { channel, wait } => {
            format!("Line {wait} waits for {channel} to end, and nothing closes it or sends on it.")
        }
        ChannelMistake::EmptySelect { select } => {
            format!("Line {select} is a select without cases: it never ends.")
        }
    }
}

pub(super) fn fix(mistake: &ChannelMistake) -> String {
    match mistake {
        ChannelMistake::NeverMade { channel, declared: Some(_), used } => {
            format!("Make {channel} before line {used} uses it: make(chan ...).")
        }
        ChannelMistake::NeverMade { channel, declared: None, used } => {
            format!("Make {channel} before line {used} uses it, on every path that leads there.")
        }
        ChannelMistake::EndNotCalled { method, receiver, .. } => {
            let receiver = receiver.as_deref().unwrap_or("value");
            format!("Call {method} on each {receiver} when it is no longer needed.")
        }
        ChannelMistake::EndSkipped { method, call, start, .. } => {
            format!("Defer the {method} of line {call} right after the start in line {start}.")
        }
        ChannelMistake::NeverEnded { channel, wait } => {
            format!("Close {channel} where the work of line {wait} is over.")
        }
        ChannelMistake::EmptySelect { select } => format!(
            "Replace the empty select in line {select} by a receive from a context or a channel that is closed at the end."
        ),
    }
}

/// Why nobody receives.
pub(super) fn shows_send(mistake: &SendMistake) -> String {
    let SendMistake { channel, send, problem, .. } = mistake;
    match problem {
        SendProblem::NoReceiver => {
            format!("Nothing in the files at hand receives what line {send} sends on {channel}.")
        }
        SendProblem::LoopLeft { out, receive } => format!(
            "Line {out} leaves the loop that receives from {channel} in line {receive}, while others may still send."
        ),
        SendProblem::ReturnsFirst { skip, receive } => {
            format!("Line {skip} returns before line {receive} receives from {channel}.")
        }
        SendProblem::EndedBy { exit: SelectCase { line, channel: case }, is_timer, receive } => {
            let why = if *is_timer { "times out" } else { "is told to end" };
            format!(
                "Line {line} ends the wait of line {receive} when it {why} ({case}); then nothing receives from {channel}."
            )
        }
        SendProblem::MayTakeOther { select, other: SelectCase { line, channel: case } } => format!(
            "The select in line {select} may take {case} in line {line}; then nothing receives from {channel}."
        ),
        SendProblem::HasDefault { select } => {
            format!("The select in line {select} has a default: it does not wait for {channel}.")
        }
        SendProblem::SendsTwice { first, second } => format!(
            "Line {first} sends on {channel} and does not return; line {second} sends again."
        ),
        SendProblem::StartedInLoop { go, receive } => format!(
            "Line {go} starts senders in a loop, and line {receive} receives one value from {channel}."
        ),
        SendProblem::SeveralSenders { senders, receive } => format!(
            "{senders} goroutines send on {channel}, and line {receive} receives one value."
        ),
        SendProblem::SendsInLoop { receive } => format!(
            "Line {send} sends on {channel} in a loop, and line {receive} receives one value."
        ),
        SendProblem::SomePathsOnly { receive } => {
            format!("Line {receive} receives from {channel} on some paths only.")
        }
    }
}

pub(super) fn fix_send(mistake: &SendMistake) -> String {
    let SendMistake { channel, send, problem, .. } = mistake;
    match problem {
        SendProblem::NoReceiver => format!(
            "Receive from {channel} for as long as line {send} sends, or select there between the send and the end of a context."
        ),
        SendProblem::SendsTwice { first, .. } => {
            format!("Return after the send in line {first}.")
        }
        SendProblem::SendsInLoop { receive } => format!(
            "Select in line {send} between the send and the end of a context, and end the context when the receiver of line {receive} is done."
        ),
        SendProblem::LoopLeft { .. } => make_room(mistake, "all that is sent"),
        SendProblem::StartedInLoop { .. } | SendProblem::SeveralSenders { .. } => {
            make_room(mistake, "the number of senders")
        }
        SendProblem::ReturnsFirst { .. }
        | SendProblem::EndedBy { .. }
        | SendProblem::MayTakeOther { .. }
        | SendProblem::HasDefault { .. }
        | SendProblem::SomePathsOnly { .. } => make_room(mistake, "one"),
    }
}

/// How to let a sender go that nobody waits for any more.
fn make_room(mistake: &SendMistake, room: &str) -> String {
    let SendMistake { channel, send, made, .. } = mistake;
    match made {
        Some(made) if made.buffer == BufferSize::Unbuffered => format!(
            "Make {channel} in line {} with a buffer of {room}, so that the send in line {send} always succeeds; or select in line {send} between the send and the end of a context.",
            made.line
        ),
        Some(made) => format!(
            "Make the buffer of {channel} in line {} as large as the number of sends, or select in line {send} between the send and the end of a context.",
            made.line
        ),
        None => format!(
            "Give {channel} room for what is sent, or select in line {send} between the send and the end of a context."
        ),
    }
}

/// Why nothing comes.
pub(super) fn shows_receive(mistake: &ReceiveMistake) -> String {
    match mistake {
        ReceiveMistake::NoCaseServed { select } => {
            format!("Nothing serves any case of the select in line {select}.")
        }
        ReceiveMistake::NoCaseEnds { select } => {
            format!("The select in line {select} is in an endless loop, and no case ends it.")
        }
        ReceiveMistake::NeverClosed { channel, read, .. } => format!(
            "Line {read} reads {channel} until it is closed, and nothing in the files at hand closes it."
        ),
        ReceiveMistake::NoSender { channel, receive, .. } => format!(
            "Nothing in the files at hand sends on {channel} or closes it; line {receive} waits for that."
        ),
        ReceiveMistake::CloseSkipped { channel, close, skip, .. } => {
            format!("Line {skip} returns without the close of {channel} in line {close}.")
        }
        ReceiveMistake::ClosedAfterWait { channel, close, wait } => {
            format!("Line {close} closes {channel} only after line {wait} has waited for it.")
        }
        ReceiveMistake::SendSkipped { channel, send, by, .. } => {
            let skips = match by {
                SkippedBy::Return(line) => format!("Line {line} returns without"),
                SkippedBy::Select(line) => format!("The select in line {line} may not take"),
                SkippedBy::Condition => "A condition may skip".to_owned(),
            };
            format!("{skips} the send on {channel} in line {send}.")
        }
        ReceiveMistake::TooFewSends { channel, receive, send } => {
            format!("Line {receive} receives from {channel} more often than line {send} sends.")
        }
    }
}

pub(super) fn fix_receive(mistake: &ReceiveMistake) -> String {
    match mistake {
        ReceiveMistake::NoCaseServed { select } => format!(
            "Add a case for the end of a context to the select in line {select}, and see who should serve the others."
        ),
        ReceiveMistake::NoCaseEnds { select } => format!(
            "Add a case for the end of a context to the select in line {select}, and return there."
        ),
        ReceiveMistake::NeverClosed { channel, close, .. } => fix_close(channel, *close),
        ReceiveMistake::NoSender { channel, receive, ends: true } => {
            format!("Close {channel} where the wait of line {receive} should end.")
        }
        ReceiveMistake::NoSender { channel, receive, ends: false } => format!(
            "Send on {channel} or close it, or select in line {receive} between the receive and the end of a context."
        ),
        ReceiveMistake::CloseSkipped { channel, skip, waits_after: Some(wait), .. } => format!(
            "Close {channel} before the return in line {skip} too. Do not defer the close: line {wait} may wait for it."
        ),
        ReceiveMistake::CloseSkipped { channel, close, waits_after: None, .. } => {
            format!("Defer the close of line {close}, so that every return closes {channel}.")
        }
        ReceiveMistake::ClosedAfterWait { channel, .. } => {
            format!("Close {channel} in the goroutine that sends on it.")
        }
        ReceiveMistake::SendSkipped { channel, send, receive, .. } => format!(
            "Close {channel} by defer in the function that sends in line {send}, so that line {receive} always continues."
        ),
        ReceiveMistake::TooFewSends { channel, .. } => {
            format!("Close {channel} after the last send, so that every receiver continues.")
        }
    }
}

fn fix_close(channel: &str, close: CloseWhere) -> String {
    match close {
        CloseWhere::AfterAllSenders => format!(
            "Close {channel} once all who send on it have ended: count them with a sync.WaitGroup, wait for it, then close({channel})."
        ),
        CloseWhere::AfterSend(send) => {
            format!("Close {channel} right after the last send (line {send}).")
        }
        CloseWhere::WhenSenderReturns(send) => format!(
            "Close {channel} after the last send (line {send}): defer close({channel}) in the function that sends."
        ),
        CloseWhere::WhenDone => format!("Close {channel} when nothing more is sent."),
    }
}

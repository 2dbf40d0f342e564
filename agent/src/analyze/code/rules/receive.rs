//! Blocked receivers and selects: who should have sent, closed, stopped or cancelled.

use super::super::channels::{is_context, is_exit, is_timer};
use super::super::expression::{last_part, shown};
use super::super::facts::{Confidence, Found};
use super::super::index::Uses;
use super::super::outline::{Kind, Loop, Manner, OpId};
use super::super::scene::Scene;
use super::{channel, ending};
use crate::model::source_rule::{CloseWhere, ReceiveMistake, SkippedBy};
use crate::model::{Mistake, Pattern};

fn found(pattern: Pattern, confidence: Confidence, mistake: ReceiveMistake) -> Found {
    Found { pattern, confidence, mistake: Mistake::Receive(mistake) }
}

/// A receive from, or a range over, a channel.
pub(super) fn apply<'t>(scene: &Scene<'t>, channel: &'t str) -> Option<Found> {
    if is_context(channel) {
        return ending::lost_cancel(scene, scene.op, channel);
    }
    if let Some(found) = ending::ticker(scene, scene.op, channel) {
        return Some(found);
    }
    if is_timer(channel) {
        return None;
    }
    let object = scene.object(scene.op, channel)?;
    let uses = scene.uses(object);
    let confidence = scene.confidence(object);
    let is_range = matches!(scene.outline.ops[scene.op].kind, Kind::Range { .. });
    let until_closed = is_range
        || matches!(scene.outline.ops[scene.op].kind, Kind::Receive { checked: true, .. })
            && scene.is_repeated(scene.op);
    if !uses.closes.is_empty() {
        return channel::contract(scene, scene.op, channel, uses)
            .or_else(|| close_skipped(scene, channel, uses))
            .or_else(|| closed_by_itself(scene, channel, uses));
    }
    // Another owner's name for it may be closed or sent on.
    if uses.maybe.closed {
        return None;
    }
    if until_closed {
        return Some(unclosed(scene, channel, uses, is_range, confidence));
    }
    if uses.maybe.sent {
        return None;
    }
    if uses.sends.is_empty() {
        return Some(no_sender(scene, channel, uses, confidence));
    }
    sender_skipped(scene, channel, uses).or_else(|| too_few(scene, channel, uses))
}

/// A select of which no case comes true.
pub(super) fn select(scene: &Scene<'_>) -> Option<Found> {
    let cases = scene.cases(scene.op);
    if let Some(&(at, context)) = cases.iter().find(|(_, channel)| is_context(channel))
        && let Some(found) = ending::lost_cancel(scene, at, context)
    {
        return Some(found);
    }
    for &(at, channel) in &cases {
        if is_context(channel) || is_timer(channel) {
            continue;
        }
        if let Some(object) = scene.object(at, channel)
            && is_exit(channel)
            && let Some(found) = channel::contract(scene, at, channel, scene.uses(object))
        {
            return Some(found);
        }
    }
    let has_exit = cases.iter().any(|(_, channel)| is_exit(channel));
    if has_exit {
        return None;
    }
    for &(at, channel) in &cases {
        if let Some(found) = ending::ticker(scene, at, channel) {
            return Some(found);
        }
    }
    if cases.iter().any(|(_, channel)| is_timer(channel)) {
        return None;
    }
    let dead = |&(at, channel): &(OpId, &str)| {
        let Some(object) = scene.objects.find(
            scene.outline,
            scene.outline.ops[at].function,
            scene.channel_of(at).unwrap_or(""),
        ) else {
            return false;
        };
        let uses = scene.uses(object);
        let served = match scene.outline.ops[at].kind {
            Kind::Send { .. } => !uses.receives.is_empty() || uses.maybe.received,
            _ => {
                !uses.sends.is_empty()
                    || !uses.closes.is_empty()
                    || uses.maybe.sent
                    || uses.maybe.closed
            }
        };
        !served && !scene.objects.is_shared(object) && !channel.is_empty()
    };
    let select = scene.line(scene.op);
    if !cases.is_empty() && cases.iter().all(dead) {
        let sends =
            cases.iter().all(|&(at, _)| matches!(scene.outline.ops[at].kind, Kind::Send { .. }));
        let pattern = if sends { Pattern::BlockedProducer } else { Pattern::BlockedConsumer };
        let mistake = ReceiveMistake::NoCaseServed { select };
        return Some(found(pattern, Confidence::High, mistake));
    }
    let endless = matches!(scene.outline.loop_around(scene.op), Some((_, Loop::Endless)));
    let leaves = scene.way_out(scene.op).is_some();
    let mistake = ReceiveMistake::NoCaseEnds { select };
    (endless && !leaves).then(|| found(Pattern::LoopForEver, Confidence::Low, mistake))
}

fn unclosed(
    scene: &Scene<'_>,
    channel: &str,
    uses: &Uses,
    is_range: bool,
    confidence: Confidence,
) -> Found {
    let close = match uses.sends.last() {
        Some(_) if are_several(scene, &uses.sends) => CloseWhere::AfterAllSenders,
        Some(&send) if scene.waits_after(send).is_some() => CloseWhere::AfterSend(scene.line(send)),
        Some(&send) => CloseWhere::WhenSenderReturns(scene.line(send)),
        None => CloseWhere::WhenDone,
    };
    let pattern = if is_range { Pattern::UnclosedRange } else { Pattern::MissingClose };
    let read = scene.line(scene.op);
    let mistake = ReceiveMistake::NeverClosed { channel: shown(channel), read, close };
    found(pattern, confidence, mistake)
}

/// Whether more than one goroutine sends.
fn are_several(scene: &Scene<'_>, sends: &[OpId]) -> bool {
    let function = |op: OpId| scene.outline.ops[op].function;
    let Some(&first) = sends.first() else { return false };
    let is_started_often = |op: OpId| {
        (0..scene.outline.ops.len()).any(|call| {
            matches!(scene.outline.ops[call].kind, Kind::Call { manner: Manner::Go, .. })
                && scene.is_repeated(call)
                && scene.called(call) == Some(function(op))
        })
    };
    sends.iter().any(|&op| function(op) != function(first)) || is_started_often(first)
}

fn no_sender(scene: &Scene<'_>, channel: &str, uses: &Uses, confidence: Confidence) -> Found {
    let ends = is_exit(channel) && !uses.assigned;
    let pattern = if ends { Pattern::MissingClose } else { Pattern::BlockedConsumer };
    let receive = scene.line(scene.op);
    let mistake = ReceiveMistake::NoSender { channel: shown(channel), receive, ends };
    found(pattern, confidence, mistake)
}

/// A return that skips the close.
fn close_skipped(scene: &Scene<'_>, channel: &str, uses: &Uses) -> Option<Found> {
    let is_range = matches!(scene.outline.ops[scene.op].kind, Kind::Range { .. });
    let close = uses.closes.iter().copied().find(|&close| {
        matches!(scene.outline.ops[close].kind, Kind::Call { manner: Manner::Plain, .. })
            && !scene.outline.functions[scene.outline.ops[close].function].deferred
    })?;
    if uses.closes.len() > 1 {
        return None;
    }
    let function = scene.outline.ops[close].function;
    let made = uses.made.map(|(made, _)| made);
    let begin = scene
        .outline
        .ops_of(function)
        .filter(|&op| Some(op) == made || Some(op) == scene.go || uses.sends.contains(&op))
        .find(|&op| op < close);
    let first = begin.or_else(|| scene.outline.ops_of(function).next())?;
    let skip = scene.outline.ops_of(function).find(|&op| {
        op > first && op < close && matches!(scene.outline.ops[op].kind, Kind::Return { .. })
    });
    let pattern = if is_range { Pattern::UnclosedRange } else { Pattern::MissingClose };
    let mistake = ReceiveMistake::CloseSkipped {
        channel: shown(channel),
        close: scene.line(close),
        skip: scene.line(skip?),
        waits_after: scene.waits_after(close).map(|wait| scene.line(wait)),
    };
    Some(found(pattern, Confidence::Medium, mistake))
}

/// The close comes after the very wait that it should end.
fn closed_by_itself(scene: &Scene<'_>, channel: &str, uses: &Uses) -> Option<Found> {
    let own =
        |&close: &OpId| scene.outline.ops[close].function == scene.function && close > scene.op;
    let close = *uses.closes.first().filter(|_| uses.closes.iter().all(own))?;
    let object = scene.object(scene.op, scene.channel_of(scene.op)?)?;
    let mistake = ReceiveMistake::ClosedAfterWait {
        channel: shown(channel),
        close: scene.line(close),
        wait: scene.line(scene.op),
    };
    let is_own = !scene.objects.is_shared(object);
    is_own.then(|| found(Pattern::MissingClose, Confidence::Medium, mistake))
}

/// The sender can return before it sends.
fn sender_skipped(scene: &Scene<'_>, channel: &str, uses: &Uses) -> Option<Found> {
    if uses.receives.iter().any(|&receive| {
        receive != scene.op && matches!(scene.outline.ops[receive].kind, Kind::Range { .. })
    }) {
        return None;
    }
    let (send, by) = uses.sends.iter().copied().find_map(|send| {
        let function = scene.outline.ops[send].function;
        if function == scene.function {
            return None;
        }
        let alternatives = uses
            .sends
            .iter()
            .any(|&other| other != send && scene.outline.ops[other].function == function);
        if alternatives {
            return None;
        }
        let skip = scene
            .outline
            .ops_of(function)
            .find(|&op| op < send && matches!(scene.outline.ops[op].kind, Kind::Return { .. }));
        let select = scene.outline.select_of(send);
        match (skip, select) {
            (Some(skip), _) => Some((send, SkippedBy::Return(scene.line(skip)))),
            (None, Some(select)) if scene.outline.communications(select).count() > 1 => {
                Some((send, SkippedBy::Select(scene.line(select))))
            }
            (None, None) if scene.outline.is_in_branch(send) => Some((send, SkippedBy::Condition)),
            _ => None,
        }
    })?;
    let mistake = ReceiveMistake::SendSkipped {
        channel: shown(channel),
        send: scene.line(send),
        receive: scene.line(scene.op),
        by,
    };
    Some(found(Pattern::BlockedConsumer, Confidence::Medium, mistake))
}

/// More receives than sends.
fn too_few(scene: &Scene<'_>, channel: &str, uses: &Uses) -> Option<Found> {
    let repeated = |op: &OpId| scene.is_repeated(*op);
    let started_often = uses.sends.iter().any(|&send| {
        let function = scene.outline.ops[send].function;
        scene.outline.ops.iter().enumerate().any(|(op, kind)| {
            matches!(&kind.kind, Kind::Call { literal, callee, .. }
                if (*literal == Some(function)
                    || (!callee.is_empty()
                        && last_part(callee)
                            == scene.outline.functions[function].name))
                    && scene.is_repeated(op))
        })
    });
    let object = scene.object(scene.op, scene.channel_of(scene.op)?)?;
    if uses.sends.iter().any(repeated) || started_often || scene.objects.is_shared(object) {
        return None;
    }
    let receivers =
        if scene.is_repeated(scene.op) || scene.go.is_some_and(|go| scene.is_repeated(go)) {
            usize::MAX
        } else {
            uses.receives.len()
        };
    let &send = uses.sends.first().filter(|_| receivers > uses.sends.len())?;
    let mistake = ReceiveMistake::TooFewSends {
        channel: shown(channel),
        receive: scene.line(scene.op),
        send: scene.line(send),
    };
    Some(found(Pattern::BlockedConsumer, Confidence::Medium, mistake))
}

//! Channels that were never made, and who should have closed the others.

use super::super::channels::is_exit;
use super::super::expression::{last_part, shown};
use super::super::facts::{Confidence, Found};
use super::super::index::Uses;
use super::super::outline::{FnId, Kind, Manner, OpId};
use super::super::scene::Scene;
use crate::model::source_rule::ChannelMistake;
use crate::model::{Mistake, Pattern, WaitClass};

fn found(pattern: Pattern, confidence: Confidence, mistake: ChannelMistake) -> Found {
    Found { pattern, confidence, mistake: Mistake::Channel(mistake) }
}

/// `select {}`.
pub(super) fn empty_select(scene: &Scene<'_>) -> Found {
    let mistake = ChannelMistake::EmptySelect { select: scene.line(scene.op) };
    found(Pattern::EmptySelect, Confidence::High, mistake)
}

/// `var ch chan T`, and no `make` for it.
pub(super) fn never_made(scene: &Scene<'_>, channel: &str) -> Option<Found> {
    let object = scene.channel_of(scene.op).and_then(|channel| scene.object(scene.op, channel))?;
    let uses = scene.uses(object);
    let declared = uses.declared.filter(|_| uses.made.is_none() && !uses.assigned);
    let known_nil = scene.wait == WaitClass::NilChannel;
    if !known_nil && (declared.is_none() || scene.objects.is_shared(object)) {
        return None;
    }
    let confidence = if declared.is_some() { Confidence::High } else { Confidence::Medium };
    let mistake = ChannelMistake::NeverMade {
        channel: shown(channel),
        declared: declared.map(|declared| scene.line(declared)),
        used: scene.line(scene.op),
    };
    Some(found(Pattern::NilChannel, confidence, mistake))
}

/// A channel that a method such as `Stop` closes, when nobody calls that method; or that nothing
/// closes although its name says that it ends things.
pub(super) fn contract(scene: &Scene<'_>, at: OpId, channel: &str, uses: &Uses) -> Option<Found> {
    let closing = uses.closes.iter().copied().find_map(|close| {
        let function = scene.outline.ops[close].function;
        let method = scene
            .outline
            .functions_around(function)
            .find(|&id| scene.outline.functions[id].receiver.is_some())?;
        let name = scene.outline.functions[method].name;
        is_end(name).then_some((close, method, name))
    });
    if let Some((close, closer, method)) = closing {
        let is_it = |op, path| scene.may_mean(op, path, closer);
        let calls: Vec<OpId> = (0..scene.outline.ops.len())
            .filter(|&op| match &scene.outline.ops[op].kind {
                Kind::Call { callee, arguments, .. } => {
                    (callee.contains('.') && is_it(op, callee))
                        || arguments.iter().any(|given| given.contains('.') && is_it(op, given))
                }
                // `stop := w.Stop`, `return w.Stop`.
                Kind::Assign { value, .. } | Kind::Return { values: value } => {
                    value.contains('.') && is_it(op, value)
                }
                Kind::Keyed { value, .. } | Kind::Send { value, .. } => {
                    value.contains('.') && is_it(op, value)
                }
                _ => false,
            })
            .collect();
        if calls.is_empty() {
            let object = scene.object(scene.op, channel);
            let receiver = object.and_then(|object| scene.objects.owners(object).first().copied());
            let mistake = ChannelMistake::EndNotCalled {
                channel: shown(channel),
                close: scene.line(close),
                method: method.to_owned(),
                receiver: receiver.map(str::to_owned),
            };
            return Some(found(Pattern::ContractViolation, Confidence::Medium, mistake));
        }
        return skipped(scene, closer, channel, &calls);
    }
    let object = scene.object(at, channel)?;
    let is_ended = !uses.closes.is_empty() || uses.maybe.closed;
    if is_ended || !uses.sends.is_empty() || uses.maybe.sent || uses.assigned {
        return None;
    }
    is_exit(channel).then(|| {
        let mistake = ChannelMistake::NeverEnded { channel: shown(channel), wait: scene.line(at) };
        found(Pattern::MissingClose, scene.confidence(object), mistake)
    })
}

/// A path that returns before the only call of `Stop`.
fn skipped(scene: &Scene<'_>, closer: FnId, channel: &str, calls: &[OpId]) -> Option<Found> {
    let [call] = calls[..] else { return None };
    // It may be the method of another type that is called.
    if scene.called(call) != Some(closer) {
        return None;
    }
    let method = scene.outline.functions[closer].name;
    let Kind::Call { manner: Manner::Plain, .. } = scene.outline.ops[call].kind else {
        return None;
    };
    let function = scene.outline.ops[call].function;
    let start = scene.outline.ops_of(function).find(|&op| match &scene.outline.ops[op].kind {
        Kind::Call { callee, .. } => last_part(callee).to_lowercase().starts_with("start"),
        Kind::Assign { callee: Some(callee), .. } => last_part(callee).starts_with("New"),
        _ => false,
    })?;
    // The error of the start itself is no running worker.
    let skip = scene.outline.return_between(start, call)?;
    if scene.line(skip) <= scene.line(start) + 2 {
        return None;
    }
    let mistake = ChannelMistake::EndSkipped {
        channel: shown(channel),
        method: method.to_owned(),
        call: scene.line(call),
        start: scene.line(start),
        skip: scene.line(skip),
    };
    Some(found(Pattern::ContractViolation, Confidence::Medium, mistake))
}

fn is_end(method: &str) -> bool {
    ["Stop", "Close", "Shutdown", "Cancel", "Quit", "Exit", "End", "Finish", "Terminate"]
        .iter()
        .any(|word| method.to_lowercase().starts_with(&word.to_lowercase()))
}

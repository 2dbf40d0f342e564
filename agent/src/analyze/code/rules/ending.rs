//! What was started and is not ended: contexts, tickers, sleep loops, response bodies, connections.

use super::super::expression::{last_part, plain_type, shown};
use super::super::facts::{Confidence, Found};
use super::super::index::Uses;
use super::super::outline::{Kind, Loop, Manner, OpId, ScopeKind};
use super::super::scene::Scene;
use super::channel;
use crate::model::source_rule::EndMistake;
use crate::model::{Mistake, Pattern, SourceNote, WaitClass};

fn found(pattern: Pattern, confidence: Confidence, mistake: EndMistake) -> Found {
    Found { pattern, confidence, mistake: Mistake::End(mistake) }
}

/// A context whose cancel function is dropped, or skipped by a return.
pub(super) fn lost_cancel<'t>(scene: &Scene<'t>, at: OpId, channel: &'t str) -> Option<Found> {
    let context = channel.strip_suffix(".Done()")?;
    let object = scene.object(at, context)?;
    let outline = &scene.outline;
    let (made, cancel, ends_itself) = (0..outline.ops.len()).find_map(|op| {
        let Kind::Assign { names, callee: Some(callee), .. } = &outline.ops[op].kind else {
            return None;
        };
        let [context, cancel] = names[..] else { return None };
        let makes = matches!(*callee, "signal.NotifyContext" | "context.WithCancel")
            || callee.starts_with("context.With");
        let ends_itself = callee.contains("Timeout") || callee.contains("Deadline");
        (makes && scene.object(op, context) == Some(object)).then_some((op, cancel, ends_itself))
    })?;
    let line = scene.line(made);
    let lost = |confidence, mistake| {
        // A time-out ends the wait even so, if late.
        let confidence = if ends_itself { Confidence::Low } else { confidence };
        Some(found(Pattern::LostCancel, confidence, mistake))
    };
    if cancel == "_" {
        let mistake = EndMistake::CancelDropped { context: context.to_owned(), made: line };
        return lost(Confidence::High, mistake);
    }
    let object = scene.object(made, cancel)?;
    let is_it = |op: OpId, expression| scene.object(op, expression) == Some(object);
    let calls: Vec<OpId> = (0..outline.ops.len())
        .filter(
            |&op| matches!(outline.ops[op].kind, Kind::Call { callee, .. } if is_it(op, callee)),
        )
        .collect();
    let given = (0..outline.ops.len()).find(|&op| match &outline.ops[op].kind {
        Kind::Call { arguments, .. } => arguments.iter().any(|&argument| is_it(op, argument)),
        Kind::Assign { names, value, .. } => names[..] != ["_"] && is_it(op, value),
        Kind::Keyed { value, .. } => is_it(op, value),
        Kind::Return { values } => values.split(',').any(|value| is_it(op, value.trim())),
        _ => false,
    });
    let Some(&call) = calls.first() else {
        let cancel = cancel.to_owned();
        let Some(given) = given else {
            let mistake = EndMistake::CancelNeverCalled { cancel, made: line };
            return lost(Confidence::High, mistake);
        };
        let skip = outline.ops_of(outline.ops[made].function).find(|&op| {
            let is_return = matches!(outline.ops[op].kind, Kind::Return { .. });
            op > given && is_return && outline.is_in_branch(op)
        });
        let (given, skip) = (scene.line(given), skip.map(|skip| scene.line(skip)));
        let mistake = EndMistake::CancelHandedOn { cancel, made: line, given, skip };
        return lost(Confidence::Low, mistake);
    };
    let uses = Uses { closes: calls.clone(), ..Uses::default() };
    if let Some(contract) = channel::contract(scene, at, channel, &uses) {
        return Some(contract);
    }
    let plain = calls.iter().all(|&op| {
        matches!(outline.ops[op].kind, Kind::Call { manner: Manner::Plain, .. })
            && outline.ops[op].function == outline.ops[made].function
    });
    let skip = outline.return_between(made, call).filter(|_| plain && given.is_none())?;
    let mistake = EndMistake::CancelSkipped {
        cancel: cancel.to_owned(),
        made: line,
        call: scene.line(call),
        skip: scene.line(skip),
    };
    lost(Confidence::Medium, mistake)
}

/// A loop on a ticker that nothing ends.
pub(super) fn ticker<'t>(scene: &Scene<'t>, at: OpId, channel: &'t str) -> Option<Found> {
    let outline = &scene.outline;
    let made = ticker_of(scene, at, channel)?;
    let endless = match outline.loop_around(at) {
        Some((_, Loop::Endless)) => true,
        Some((_, Loop::Range)) => matches!(outline.ops[at].kind, Kind::Range { .. }),
        _ => false,
    };
    if !endless || scene.way_out(at).is_some() {
        return None;
    }
    let line = scene.line(at);
    let object = channel.strip_suffix(".C").and_then(|ticker| scene.object(at, ticker));
    let stop = object.and_then(|object| {
        scene
            .calls_on(object, &["Stop"])
            .into_iter()
            .find(|&stop| outline.ops[stop].function != outline.ops[at].function)
    });
    if let Some(stop) = stop {
        let mistake = EndMistake::TickerStopped {
            channel: shown(channel),
            receive: line,
            stop: scene.line(stop),
        };
        return Some(found(Pattern::MissingClose, Confidence::High, mistake));
    }
    // A program's main loop may tick for as long as it lives.
    let creator = scene.creator.map(|creator| outline.functions[creator].name);
    let for_good = matches!(creator, Some("main" | "init"));
    let confidence = if for_good { Confidence::Low } else { Confidence::Medium };
    let mistake = EndMistake::TickerNotStopped { made: scene.line(made), tick: line };
    Some(found(Pattern::TickerNotStopped, confidence, mistake))
}

/// The operation that makes the ticker behind a channel.
fn ticker_of<'t>(scene: &Scene<'t>, at: OpId, channel: &'t str) -> Option<OpId> {
    if channel.starts_with("time.Tick(") {
        return Some(at);
    }
    let (name, maker) = match channel.strip_suffix(".C") {
        Some(ticker) => (ticker, "time.NewTicker"),
        None => (channel, "time.Tick"),
    };
    let object = scene.object(at, name)?;
    (0..scene.outline.ops.len()).find(|&op| match &scene.outline.ops[op].kind {
        Kind::Assign { names, callee: Some(callee), .. } => {
            *callee == maker && names.iter().any(|&name| scene.object(op, name) == Some(object))
        }
        Kind::Assign { names, value, callee: None } => {
            value.strip_suffix(".C").is_some()
                && maker == "time.Tick"
                && names.iter().any(|&name| scene.object(op, name) == Some(object))
        }
        Kind::Keyed { owner, name, value } => {
            value.starts_with(maker) && scene.objects.field(plain_type(owner), name) == Some(object)
        }
        _ => false,
    })
}

/// `for { time.Sleep(..) }` without a way out.
pub(super) fn endless_sleep(scene: &Scene<'_>) -> Option<Found> {
    let (_, kind) = scene.outline.loop_around(scene.op)?;
    let out = (0..scene.outline.ops.len()).any(|op| {
        scene.outline.ops[op].function == scene.function
            && matches!(scene.outline.ops[op].kind, Kind::Return { .. } | Kind::Break)
            && scene.outline.loop_around(op).is_some()
    });
    let mistake = EndMistake::SleepsForEver { sleep: scene.line(scene.op) };
    let is_endless = kind == Loop::Endless && !out;
    is_endless.then(|| found(Pattern::LoopForEver, Confidence::Low, mistake))
}

/// A response whose body is not closed, in the function that blocks.
pub(super) fn unclosed_body(scene: &Scene<'_>) -> Option<Found> {
    let outline = &scene.outline;
    let inside =
        |function| outline.functions_around(function).any(|around| around == scene.function);
    let (made, name) = outline.ops_of(scene.function).find_map(|op| {
        let Kind::Assign { names, callee: Some(callee), .. } = &outline.ops[op].kind else {
            return None;
        };
        let [name, _] = names[..] else { return None };
        let client = callee.to_lowercase();
        let request = matches!(last_part(callee), "Get" | "Post" | "PostForm" | "Head" | "Do")
            && (client.starts_with("http.") || client.contains("client"));
        (request && name != "_").then_some((op, name))
    })?;
    let object = scene.object(made, name)?;
    let closed_or_given = (0..outline.ops.len()).any(|op| {
        inside(outline.ops[op].function)
            && match &outline.ops[op].kind {
                Kind::Call { callee, arguments, .. } => {
                    callee
                        .strip_suffix(".Body.Close")
                        .is_some_and(|response| scene.object(op, response) == Some(object))
                        || arguments.iter().any(|&given| scene.object(op, given) == Some(object))
                }
                Kind::Return { values } => {
                    values.split(',').any(|value| value.trim().split('.').next() == Some(name))
                }
                Kind::Assign { value, .. } | Kind::Keyed { value, .. } => {
                    *value == name || value.strip_suffix(".Body") == Some(name)
                }
                _ => false,
            }
    });
    (!closed_or_given).then(|| {
        let mistake =
            EndMistake::BodyNotClosed { response: name.to_owned(), made: scene.line(made) };
        found(Pattern::UnclosedBody, Confidence::High, mistake)
    })
}

/// Rows of a query that are never closed, in the function that blocks: they keep a connection of the pool.
pub(super) fn unclosed_rows(scene: &Scene<'_>) -> Option<SourceNote> {
    let outline = &scene.outline;
    let (made, name) = outline.ops_of(scene.function).find_map(|op| {
        let Kind::Assign { names, callee: Some(callee), .. } = &outline.ops[op].kind else {
            return None;
        };
        let [name, _] = names[..] else { return None };
        let asks =
            matches!(last_part(callee), "Query" | "QueryContext" | "Queryx" | "QueryxContext");
        (asks && name != "_").then_some((op, name))
    })?;
    let object = scene.object(made, name)?;
    let is_it = |op: OpId, expression| scene.object(op, expression) == Some(object);
    let is_closed_or_given = (0..outline.ops.len()).any(|op| match &outline.ops[op].kind {
        Kind::Call { callee, arguments, .. } => {
            callee.strip_suffix(".Close").is_some_and(|rows| is_it(op, rows))
                || arguments.iter().any(|&given| is_it(op, given))
        }
        Kind::Return { values } => values.split(',').any(|value| is_it(op, value.trim())),
        Kind::Assign { value, .. } | Kind::Keyed { value, .. } | Kind::Send { value, .. } => {
            is_it(op, value)
        }
        _ => false,
    });
    // Rows that are read to their end close themselves.
    let is_read = outline.ops.iter().any(|op| match &op.kind {
        Kind::Call { callee, .. } => {
            last_part(callee) == "Next"
                && op.function == scene.function
                && outline
                    .around(op.scope)
                    .any(|scope| matches!(outline.scopes[scope].kind, ScopeKind::Loop(_)))
        }
        _ => false,
    });
    let rows = SourceNote::RowsNotClosed { rows: name.to_owned(), made: scene.line(made) };
    (!is_closed_or_given && !is_read).then_some(rows)
}

/// A read or write of a connection, and no deadline in the text.
pub(super) fn no_deadline(scene: &Scene<'_>, callee: &str) -> Option<Found> {
    const CALLS: &[&str] = &[
        "Read",
        "ReadFull",
        "ReadAll",
        "ReadString",
        "ReadBytes",
        "ReadLine",
        "ReadRune",
        "Scan",
        "Decode",
        "Write",
        "WriteString",
        "Flush",
        "Copy",
        "ReadFrom",
        "ReadMessage",
    ];
    let deadline = scene.outline.ops.iter().any(|op| {
        matches!(&op.kind, Kind::Call { callee, .. } if last_part(callee).starts_with("Set") && callee.ends_with("Deadline"))
    });
    let waits = scene.wait == WaitClass::IoWait && CALLS.contains(&last_part(callee));
    let mistake = EndMistake::NoDeadline { line: scene.line(scene.op) };
    (waits && !deadline).then(|| found(Pattern::NoDeadline, Confidence::Low, mistake))
}

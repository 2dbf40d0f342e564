//! What was started and is not ended: contexts, tickers, sleep loops, response bodies, connections.

use super::super::expression::{last_part, plain_type};
use super::super::facts::Confidence;
use super::super::index::Uses;
use super::super::outline::{Kind, Loop, Manner, OpId, ScopeKind};
use super::super::scene::Scene;
use super::Found;
use super::channel;
use crate::model::{Pattern, WaitClass};

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
    let found = |confidence, note: String| {
        // A time-out ends the wait even so, if late.
        let confidence = if ends_itself { Confidence::Low } else { confidence };
        Some(Found {
            pattern: Pattern::LostCancel,
            confidence,
            notes: vec![note],
            fix: if cancel == "_" {
                format!("Keep the cancel function that line {line} drops, and defer it.")
            } else {
                format!("Defer {cancel}() right after line {line}.")
            },
        })
    };
    if cancel == "_" {
        return found(
            Confidence::High,
            format!("Line {line} drops the cancel function of {context}."),
        );
    }
    let object = scene.object(made, cancel)?;
    let is_it = |op: OpId, expression| scene.object(op, expression) == Some(object);
    let calls: Vec<OpId> = (0..outline.ops.len())
        .filter(
            |&op| matches!(outline.ops[op].kind, Kind::Call { callee, .. } if is_it(op, callee)),
        )
        .collect();
    let is_given = (0..outline.ops.len()).any(|op| match &outline.ops[op].kind {
        Kind::Call { arguments, .. } => arguments.iter().any(|&argument| is_it(op, argument)),
        Kind::Assign { names, value, .. } => names[..] != ["_"] && is_it(op, value),
        Kind::Keyed { value, .. } => is_it(op, value),
        Kind::Return { values } => values.split(',').any(|value| is_it(op, value.trim())),
        _ => false,
    });
    let Some(&call) = calls.first() else {
        let confidence = if is_given { Confidence::Low } else { Confidence::High };
        return found(
            confidence,
            format!("Nothing in the files at hand calls {cancel}, which line {line} makes."),
        );
    };
    let uses = Uses { closes: calls.clone(), ..Uses::default() };
    if let Some(contract) = channel::contract(scene, at, channel, &uses) {
        return Some(contract);
    }
    let plain = calls.iter().all(|&op| {
        matches!(outline.ops[op].kind, Kind::Call { manner: Manner::Plain, .. })
            && outline.ops[op].function == outline.ops[made].function
    });
    let skip = outline.return_between(made, call).filter(|_| plain && !is_given)?;
    found(
        Confidence::Medium,
        format!(
            "Line {} returns without the {cancel}() of line {}.",
            scene.line(skip),
            scene.line(call)
        ),
    )
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
        return Some(Found {
            pattern: Pattern::MissingClose,
            confidence: Confidence::High,
            notes: vec![format!(
                "Line {} stops the ticker, which does not close {channel}: line {line} then waits for ever.",
                scene.line(stop)
            )],
            fix: format!(
                "Select in line {line} between {channel} and a channel that is closed where line {} stops the ticker.",
                scene.line(stop)
            ),
        });
    }
    // A program's main loop may tick for as long as it lives.
    let creator = scene.creator.map(|creator| outline.functions[creator].name);
    let for_good = matches!(creator, Some("main" | "init"));
    Some(Found {
        pattern: Pattern::TickerNotStopped,
        confidence: if for_good { Confidence::Low } else { Confidence::Medium },
        notes: vec![format!(
            "The ticker of line {} is never stopped, and the loop around line {line} has no way out.",
            scene.line(made)
        )],
        fix: format!(
            "Select in line {line} between the tick and the end of a context; use time.NewTicker and defer its Stop."
        ),
    })
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
    let line = scene.line(scene.op);
    let out = (0..scene.outline.ops.len()).any(|op| {
        scene.outline.ops[op].function == scene.function
            && matches!(scene.outline.ops[op].kind, Kind::Return { .. } | Kind::Break)
            && scene.outline.loop_around(op).is_some()
    });
    (kind == Loop::Endless && !out).then(|| Found {
        pattern: Pattern::LoopForEver,
        confidence: Confidence::Low,
        notes: vec![format!("Line {line} sleeps in a loop that nothing ends.")],
        fix: format!(
            "Select in line {line} between time.After and the end of a context, and return there."
        ),
    })
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
    (!closed_or_given).then(|| Found {
        pattern: Pattern::UnclosedBody,
        confidence: Confidence::High,
        notes: vec![format!("The body of {name} (line {}) is never closed.", scene.line(made))],
        fix: format!(
            "After the error check of line {}: defer {name}.Body.Close().",
            scene.line(made)
        ),
    })
}

/// Rows of a query that are never closed, in the function that blocks: they keep a connection of the pool.
pub(super) fn unclosed_rows(scene: &Scene<'_>) -> Option<String> {
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
    (!is_closed_or_given && !is_read).then(|| {
        format!(
            "The rows of line {} are never closed: they keep their connection. Defer {name}.Close() after the error check.",
            scene.line(made)
        )
    })
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
    let line = scene.line(scene.op);
    (waits && !deadline).then(|| Found {
        pattern: Pattern::NoDeadline,
        confidence: Confidence::Low,
        notes: vec![format!(
            "Line {line} reads or writes, and nothing in the files at hand sets a deadline."
        )],
        fix: format!("Set a deadline before line {line} (SetDeadline, or the client's Timeout)."),
    })
}

//! Blocked in `Wait`: of a `WaitGroup` or a `Cond`.

use super::super::expression::{last_part, operand};
use super::super::facts::{Confidence, Found};
use super::super::objects::ObjectId;
use super::super::outline::{Kind, Manner, OpId, ScopeKind};
use super::super::scene::Scene;
use crate::model::source_rule::WaitMistake;
use crate::model::{Mistake, Pattern, SourceNote};

/// A `WaitGroup` whose counter does not come down.
pub(super) fn group<'t>(scene: &Scene<'t>, callee: &'t str) -> Option<Found> {
    let group = operand(callee)?;
    let object = scene.object(scene.op, group)?;
    let adds = scene.calls_on(object, &["Add"]);
    let dones = scene.calls_on(object, &["Done"]);
    if adds.is_empty() && dones.is_empty() {
        return None;
    }
    let (group, wait) = (group.to_owned(), scene.line(scene.op));
    if let Some((done, parameter)) = done_on_copy(scene, &dones) {
        let mistake =
            WaitMistake::Copied { parameter: parameter.to_owned(), done: scene.line(done) };
        return Some(found(Confidence::High, mistake));
    }
    if dones.is_empty() {
        let is_missing = !is_done_elsewhere(scene, object, &group);
        let mistake = WaitMistake::NoDone { group, wait };
        return is_missing.then(|| found(scene.confidence(object), mistake));
    }
    if let Some((skip, done)) = skipped_done(scene, &dones) {
        let mistake = WaitMistake::DoneSkipped {
            group,
            skip: scene.line(skip),
            done: scene.line(done),
            waits_after: scene.waits_after(done).is_some(),
        };
        return Some(found(Confidence::High, mistake));
    }
    if let Some((add, jump)) = add_without_start(scene, &adds) {
        let mistake = WaitMistake::NothingStarted { add: scene.line(add), jump: scene.line(jump) };
        return Some(found(Confidence::Medium, mistake));
    }
    if let Some((added, add)) = constant_sum(scene, &adds)
        && !dones.iter().any(|&done| is_started_often(scene, done))
        && added > dones.len() as u64
    {
        let (dones, add) = (dones.len() as u64, scene.line(add));
        return Some(found(Confidence::Medium, WaitMistake::TooFewDones { added, dones, add }));
    }
    let add = *adds.first()?;
    let same = scene.outline.ops[add].function == scene.function;
    if same && scene.is_repeated(scene.op) && !scene.is_repeated(add) {
        let mistake = WaitMistake::WaitInLoop { add: scene.line(add), wait };
        return Some(found(Confidence::Medium, mistake));
    }
    let [done] = dones[..] else { return None };
    let is_conditional = scene.outline.around(scene.outline.ops[done].scope).any(|scope| {
        matches!(scene.outline.scopes[scope].kind, ScopeKind::Branch(_) | ScopeKind::Case(_))
    });
    let mistake = WaitMistake::DoneOnSomePaths { group, done: scene.line(done) };
    is_conditional.then(|| found(Confidence::Medium, mistake))
}

fn found(confidence: Confidence, mistake: WaitMistake) -> Found {
    Found { pattern: Pattern::AddDoneMismatch, confidence, mistake: Mistake::Wait(mistake) }
}

/// A `Done` of a wait group that a parameter takes by value, and the parameter.
fn done_on_copy<'t>(scene: &Scene<'t>, dones: &[OpId]) -> Option<(OpId, &'t str)> {
    dones.iter().find_map(|&done| {
        scene
            .outline
            .functions_around(scene.outline.ops[done].function)
            .flat_map(|function| &scene.outline.functions[function].parameters)
            .find(|parameter| parameter.of.trim() == "sync.WaitGroup")
            .map(|parameter| (done, parameter.name))
    })
}

/// Whether something that may be the group, seen through another owner, has its `Done` called.
fn is_done_elsewhere(scene: &Scene<'_>, object: ObjectId, group: &str) -> bool {
    let outline = &scene.outline;
    let name = last_part(group);
    outline.ops.iter().enumerate().any(|(op, found)| {
        let Kind::Call { callee, .. } = &found.kind else { return false };
        let Some(on) = operand(callee).filter(|_| last_part(callee) == "Done") else {
            return false;
        };
        // A group that a struct embeds is called by the name of each receiver.
        let is_receiver = |name: &str, op: OpId| {
            outline.functions_around(outline.ops[op].function).any(|function| {
                outline.functions[function].receiver.is_some_and(|own| own.name == name)
            })
        };
        let embedded = is_receiver(group, scene.op) && is_receiver(on, op);
        let same_name = last_part(on) == name
            && scene.object(op, on).is_none_or(|other| {
                other != object && !(scene.objects.is_sure(object) && scene.objects.is_sure(other))
            });
        embedded || same_name
    })
}

/// Where a goroutine may wait before its `Done`.
pub(super) fn done_waits(scene: &Scene<'_>) -> Option<SourceNote> {
    let Kind::Call { callee, .. } = &scene.outline.ops[scene.op].kind else { return None };
    let object = scene.object(scene.op, operand(callee)?)?;
    let dones = scene.calls_on(object, &["Done"]);
    let (op, done) = dones.into_iter().find_map(|done| {
        let function = scene.outline.ops[done].function;
        scene
            .outline
            .ops_of(function)
            .find(|&op| {
                function != scene.function
                    && (op < done || is_deferred(scene, done))
                    && scene.outline.select_of(op).is_none()
                    && matches!(
                        scene.outline.ops[op].kind,
                        Kind::Send { .. } | Kind::Receive { .. }
                    )
            })
            .map(|op| (op, done))
    })?;
    Some(SourceNote::WaitsBeforeDone { line: scene.line(op), done: scene.line(done) })
}

/// A `Cond` whose signal does not come.
pub(super) fn cond<'t>(scene: &Scene<'t>, callee: &'t str) -> Option<Found> {
    let cond = operand(callee)?;
    let object = scene.object(scene.op, cond)?;
    let signals = scene.calls_on(object, &["Signal", "Broadcast"]);
    let &signal = signals.first()?;
    if scene.is_repeated(scene.op) {
        return None;
    }
    let mistake = WaitMistake::LostSignal {
        cond: cond.to_owned(),
        wait: scene.line(scene.op),
        signal: scene.line(signal),
    };
    Some(Found {
        pattern: Pattern::LostSignal,
        confidence: Confidence::Medium,
        mistake: Mistake::Wait(mistake),
    })
}

fn is_deferred(scene: &Scene<'_>, op: OpId) -> bool {
    matches!(scene.outline.ops[op].kind, Kind::Call { manner: Manner::Deferred, .. })
        || scene.outline.functions[scene.outline.ops[op].function].deferred
}

fn skipped_done(scene: &Scene<'_>, dones: &[OpId]) -> Option<(OpId, OpId)> {
    let outline = &scene.outline;
    dones.iter().filter(|&&done| !is_deferred(scene, done)).find_map(|&done| {
        let function = outline.ops[done].function;
        if dones
            .iter()
            .any(|&other| is_deferred(scene, other) && outline.ops[other].function == function)
        {
            return None;
        }
        outline
            .ops_of(function)
            .find(|&op| {
                op < done
                    && matches!(outline.ops[op].kind, Kind::Return { .. })
                    && !dones.iter().any(|&other| other < op && outline.on_one_path(other, op))
            })
            .map(|skip| (skip, done))
    })
}

fn add_without_start(scene: &Scene<'_>, adds: &[OpId]) -> Option<(OpId, OpId)> {
    let outline = &scene.outline;
    adds.iter().find_map(|&add| {
        let function = outline.ops[add].function;
        let start = outline.ops_of(function).find(|&op| {
            op > add && matches!(outline.ops[op].kind, Kind::Call { manner: Manner::Go, .. })
        })?;
        (add + 1..start)
            .find(|&op| {
                outline.ops[op].function == function
                    && matches!(outline.ops[op].kind, Kind::Continue | Kind::Return { .. })
                    && outline.on_one_path(add, op)
            })
            .map(|jump| (add, jump))
    })
}

/// What constant `Add`s come to, when none of them is repeated.
fn constant_sum(scene: &Scene<'_>, adds: &[OpId]) -> Option<(u64, OpId)> {
    let mut sum = 0_u64;
    for &add in adds {
        let Kind::Call { arguments, .. } = &scene.outline.ops[add].kind else { return None };
        if scene.is_repeated(add) {
            return None;
        }
        sum = sum.checked_add(arguments.first()?.parse().ok()?)?;
    }
    adds.last().map(|&add| (sum, add))
}

/// Whether an operation, or a call of its function, is in a loop; or the function has no name and
/// no call that is known.
fn is_started_often(scene: &Scene<'_>, op: OpId) -> bool {
    let function = scene.outline.ops[op].function;
    if scene.is_repeated(op) {
        return true;
    }
    let mut calls = (0..scene.outline.ops.len()).filter(|&call| {
        matches!(&scene.outline.ops[call].kind, Kind::Call { callee, literal, .. }
            if *literal == Some(function) || scene.may_mean(call, callee, function))
    });
    match (calls.next(), calls.next()) {
        (Some(call), None) => scene.is_repeated(call),
        _ => true,
    }
}

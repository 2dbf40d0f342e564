//! Blocked in `Wait`: of a `WaitGroup` or a `Cond`.

use super::super::expression::{last_part, operand};
use super::super::facts::Confidence;
use super::super::objects::ObjectId;
use super::super::outline::{Kind, Manner, OpId, ScopeKind};
use super::super::scene::Scene;
use super::Found;
use crate::model::Pattern;

/// A `WaitGroup` whose counter does not come down.
pub(super) fn group<'t>(scene: &Scene<'t>, callee: &'t str) -> Option<Found> {
    let group = operand(callee)?;
    let object = scene.object(scene.op, group)?;
    let adds = scene.calls_on(object, &["Add"]);
    let dones = scene.calls_on(object, &["Done"]);
    if adds.is_empty() && dones.is_empty() {
        return None;
    }
    let wait = scene.line(scene.op);
    let found = |confidence, note: String, fix: String| {
        Some(Found { pattern: Pattern::AddDoneMismatch, confidence, notes: vec![note], fix })
    };
    let copied = dones.iter().find_map(|&done| {
        scene
            .outline
            .functions_around(scene.outline.ops[done].function)
            .flat_map(|function| &scene.outline.functions[function].parameters)
            .find(|parameter| parameter.of.trim() == "sync.WaitGroup")
            .map(|parameter| (done, parameter.name))
    });
    if let Some((done, name)) = copied {
        return found(
            Confidence::High,
            format!("Line {} calls Done on a copy: {name} is given by value.", scene.line(done)),
            format!("Give {name} as *sync.WaitGroup."),
        );
    }
    if dones.is_empty() && is_done_elsewhere(scene, object, group) {
        return None;
    }
    if dones.is_empty() {
        return found(
            scene.confidence(object),
            format!("Nothing in the files at hand calls {group}.Done; line {wait} waits for it."),
            format!("Defer {group}.Done in each goroutine that {group}.Add counts."),
        );
    }
    if let Some((skip, done)) = skipped_done(scene, &dones) {
        return found(
            Confidence::High,
            format!(
                "Line {} returns without the Done of line {}.",
                scene.line(skip),
                scene.line(done)
            ),
            match scene.waits_after(done) {
                // Deferred, the Done would come after what the goroutine waits for.
                Some(_) => {
                    format!("Call {group}.Done before the return in line {} too.", scene.line(skip))
                }
                None => format!(
                    "Defer {group}.Done at the start of the goroutine, in place of line {}.",
                    scene.line(done)
                ),
            },
        );
    }
    if let Some((add, jump)) = add_without_start(scene, &adds) {
        return found(
            Confidence::Medium,
            format!(
                "Line {} goes on to the next turn after the Add of line {}, and starts nothing.",
                scene.line(jump),
                scene.line(add)
            ),
            format!("Move the Add of line {} to right before the go statement.", scene.line(add)),
        );
    }
    if let Some((added, add)) = constant_sum(scene, &adds)
        && !dones.iter().any(|&done| is_started_often(scene, done))
        && added > dones.len() as u64
    {
        return found(
            Confidence::Medium,
            format!(
                "Line {} adds up to {added}, and {} calls of Done are there.",
                scene.line(add),
                dones.len()
            ),
            format!(
                "Make the Add of line {} fit the number of goroutines that call Done.",
                scene.line(add)
            ),
        );
    }
    let add = *adds.first()?;
    let same = scene.outline.ops[add].function == scene.function;
    if same && scene.is_repeated(scene.op) && !scene.is_repeated(add) {
        return found(
            Confidence::Medium,
            format!(
                "Line {wait} waits inside the loop for all that line {} adds before it.",
                scene.line(add)
            ),
            format!("Move the Wait of line {wait} behind the loop."),
        );
    }
    let conditional = dones.iter().copied().find(|&done| {
        dones.len() == 1
            && scene.outline.around(scene.outline.ops[done].scope).any(|scope| {
                matches!(
                    scene.outline.scopes[scope].kind,
                    ScopeKind::Branch(_) | ScopeKind::Case(_)
                )
            })
    })?;
    found(
        Confidence::Medium,
        format!("The Done of line {} is reached on some paths only.", scene.line(conditional)),
        format!(
            "Defer {group}.Done at the start of the goroutine, in place of line {}.",
            scene.line(conditional)
        ),
    )
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

/// What may keep a goroutine from its `Done`, in one sentence.
pub(super) fn done_waits(scene: &Scene<'_>) -> Option<String> {
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
    Some(format!(
        "Line {} may wait, and the Done of line {} comes after it.",
        scene.line(op),
        scene.line(done)
    ))
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
    let (wait, signal) = (scene.line(scene.op), scene.line(signal));
    Some(Found {
        pattern: Pattern::LostSignal,
        confidence: Confidence::Medium,
        notes: vec![format!(
            "Line {wait} waits without a condition that it checks in a loop: if line {signal} signals first, the signal is lost."
        )],
        fix: format!(
            "Keep what {cond} stands for in a variable under its lock, set it before line {signal}, and wait in line {wait} in a loop while it is not set."
        ),
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

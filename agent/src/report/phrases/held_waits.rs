//! Who holds what goroutines wait on, in words.

use super::lock::{Room, at, does};
use super::retained::{heap_holder, steps};
use crate::model::{
    Doing, Finding, HeapStep, HeldPath, HeldWait, HeldWaits, HolderKind, HoldingGoroutines,
    StackTable, WaitHolder,
};
use crate::report::format::count;

/// By which path what some goroutines wait on is held: `global main.registry -> map[string]*main.Session ->
/// main.Session.events -> chan main.Event`, `goroutine 12 of main.serve (stack) -> chan main.Event`.
#[must_use]
pub fn held_wait(held: &HeldWait) -> String {
    match &held.way {
        WaitHolder::Path(path, goroutines) => match behind_timer(path) {
            Some(behind) => steps("a timer".to_owned(), behind),
            None => steps(who(path, goroutines.as_ref()), &path.steps),
        },
        WaitHolder::Themselves => {
            "nothing that was found but the goroutines of this finding".to_owned()
        }
        WaitHolder::LeftOnStacks(path) => {
            let who = format!("{} (stack, maybe no longer in use)", heap_holder(&path.holder));
            steps(who, &path.steps)
        }
        WaitHolder::Nothing => "nothing that the walk saw".to_owned(),
    }
}

/// What a timer of the runtime leads to; `None` where no timer is on the path. The lists of timers say nothing more.
fn behind_timer(path: &HeldPath) -> Option<&[HeapStep]> {
    if path.holder.kind != HolderKind::Variable {
        return None;
    }
    let is_timer = |step: &HeapStep| {
        let name = step.type_name.as_deref();
        name.is_some_and(|name| TIMERS.iter().any(|timer| name.ends_with(timer)))
    };
    let last = path.steps.iter().rposition(is_timer)?;
    let behind = path.steps.get(last + 1..)?;
    // The timer itself may be of no known type.
    let is_list = path.steps[last].type_name.as_deref().is_some_and(|name| name.starts_with("[]"));
    let is_unknown = behind.first().is_some_and(|step| step.type_name.is_none());
    let behind = if is_list && is_unknown { &behind[1..] } else { behind };
    (!behind.is_empty()).then_some(behind)
}

/// How the runtime calls timers, and where they are in its lists.
const TIMERS: [&str; 3] = ["runtime.timer", "runtime.timerWhen", "runtime.timeTimer"];

fn who(path: &HeldPath, goroutines: Option<&HoldingGoroutines>) -> String {
    let holder = &path.holder;
    let known = match goroutines.map(|goroutines| &goroutines.goids[..]) {
        Some([goid]) if *goid != MAIN && holder.count == 1 => {
            let of = holder.name.as_deref().map(|name| format!(" of {name}"));
            Some(format!("goroutine {goid}{}", of.unwrap_or_default()))
        }
        _ => None,
    };
    let who = known.unwrap_or_else(|| heap_holder(holder));
    match holder.kind {
        HolderKind::Variable if holder.name.is_some() => format!("global {who}"),
        HolderKind::Goroutines => format!("{who} (stack)"),
        HolderKind::Variable
        | HolderKind::Finalizers
        | HolderKind::Cycle
        | HolderKind::CleanupCycle
        | HolderKind::WeakCycle
        | HolderKind::Meanwhile => who,
    }
}

/// The goroutine that runs `main`.
const MAIN: u64 = 1;

/// By which paths what a finding's goroutines wait on is held, and what there is to say of each: a line for each way, and
/// one for those of which that is not known.
#[must_use]
pub fn waits_held(finding: &Finding, stacks: &StackTable, room: Room) -> Vec<(String, String)> {
    let Some(held) = finding.goroutines().and_then(|leak| leak.held.as_ref()) else {
        return Vec::new();
    };
    let HeldWaits { by, looked_at, others, unknown } = held;
    let of = |number: u64| match number {
        1 if *looked_at == 1 => "what it waits on".to_owned(),
        _ if number == *looked_at => format!("what all {} wait on", count(number)),
        _ => format!("what {} of {} wait on", count(number), count(*looked_at)),
    };
    let mut lines: Vec<(String, String)> = Vec::new();
    for held in by {
        let mut note = of(held.goroutines);
        if let WaitHolder::Path(_, Some(goroutines)) = &held.way {
            note.push_str(&doing(goroutines, stacks, room));
        }
        lines.push((held_wait(held), note));
    }
    if *others > 0 {
        lines.push(("others, in more ways".to_owned(), of(*others)));
    }
    if *unknown > 0 {
        let what = "not known: the walk of the heap did not see everything".to_owned();
        lines.push((what, of(*unknown)));
    }
    lines
}

/// What goroutines do that hold something: `; goroutine 12 sleeps at main.serve (serve.go:30)`.
fn doing(goroutines: &HoldingGoroutines, stacks: &StackTable, room: Room) -> String {
    let HoldingGoroutines { goids, wait, at: frame, finding, .. } = goroutines;
    let who = goids.first().map_or("they".to_owned(), |goid| format!("goroutine {goid}"));
    let does = wait.map(|class| does(Doing::Wait { class, object: None, in_cycle: false }));
    let does = does.map(|does| {
        // What several do is told in the singular of one of them.
        let who = if goids.is_empty() { "one of them".to_owned() } else { who.clone() };
        format!("; {who} {does}{}", at(stacks, *frame, room))
    });
    let finding = finding.as_ref().map(|id| format!("; {who} may leak too: finding {id}"));
    [does, finding].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Amount, HeapHolder};

    fn path(kind: HolderKind, name: &str, count: u64) -> HeldPath {
        let step = |via: Option<&str>, name: &str| HeapStep {
            via: via.map(str::to_owned),
            type_name: Some(name.to_owned()),
        };
        HeldPath {
            holder: HeapHolder::of(kind, Some(name.to_owned()), count, Amount::default()),
            steps: vec![step(None, "main.Session"), step(Some("events"), "chan main.Event")],
        }
    }

    fn text(way: WaitHolder) -> String {
        held_wait(&HeldWait { way, goroutines: 1 })
    }

    #[test]
    fn lists_of_timers_are_a_timer() {
        let step = |name: Option<&str>| HeapStep { via: None, type_name: name.map(str::to_owned) };
        let held = |names: &[Option<&str>]| {
            let mut path = path(HolderKind::Variable, "runtime.allp", 1);
            path.steps = names.iter().map(|name| step(*name)).collect();
            text(WaitHolder::Path(path, None))
        };
        let (code, channel) = (Some("func main.more.func1"), Some("chan string"));
        let expected = "a timer -> func main.more.func1 -> chan string";
        assert_eq!(
            held(&[Some("runtime.p"), Some("[]*runtime.timer"), None, code, channel]),
            expected
        );
        assert_eq!(
            held(&[Some("[]runtime.timerWhen"), Some("runtime.timer"), code, channel]),
            expected
        );
        assert_eq!(
            held(&[Some("runtime.p"), channel]),
            "global runtime.allp -> runtime.p -> chan string"
        );
    }

    #[test]
    fn paths_say_whose_they_are() {
        let of = |kind, name, count, goids: &[u64]| {
            let goroutines =
                HoldingGoroutines { goids: goids.to_vec(), ..HoldingGoroutines::default() };
            let are = kind == HolderKind::Goroutines;
            text(WaitHolder::Path(path(kind, name, count), are.then_some(goroutines)))
        };
        let rest = " -> main.Session.events -> chan main.Event";
        for (told, expected) in [
            (of(HolderKind::Variable, "main.registry", 1, &[]), "global main.registry"),
            (
                of(HolderKind::Goroutines, "main.serve", 1, &[12]),
                "goroutine 12 of main.serve (stack)",
            ),
            (
                of(HolderKind::Goroutines, "main.serve", 3, &[12, 13]),
                "3 goroutines of main.serve (stack)",
            ),
            (
                of(HolderKind::Goroutines, "main.serve", 90, &[]),
                "90 goroutines of main.serve (stack)",
            ),
            (of(HolderKind::Goroutines, "runtime.main", 1, &[1]), "the main goroutine (stack)"),
        ] {
            assert_eq!(told, format!("{expected}{rest}"));
        }
        let left = path(HolderKind::Goroutines, "main.serve", 1);
        assert_eq!(
            text(WaitHolder::LeftOnStacks(left)),
            format!("1 goroutine of main.serve (stack, maybe no longer in use){rest}")
        );
    }
}

//! Blocked lockers: who holds the lock, and why it is not released.

use std::collections::{HashMap, HashSet};

use super::super::expression::{last_part, operand, plain_type};
use super::super::facts::{Confidence, Found};
use super::super::objects::ObjectId;
use super::super::outline::{FnId, Kind, Manner, OpId};
use super::super::scene::Scene;
use crate::model::source_rule::LockMistake;
use crate::model::{Mistake, Pattern, SourceNote};

/// A lock, as far as the text tells locks apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key<'t> {
    Object(ObjectId),
    /// Embedded in the receiver: `s.Lock()`.
    Embedded(&'t str),
}

/// What is done to a lock.
#[derive(Clone, Copy, Debug)]
struct Event<'t> {
    op: OpId,
    key: Key<'t>,
    /// The lock as written.
    lock: &'t str,
    takes: bool,
    read: bool,
    /// At the end of the function, by defer.
    deferred: bool,
}

/// The events of each function, in the order of the text.
struct Locks<'s, 't> {
    scene: &'s Scene<'t>,
    by_function: Vec<(FnId, Vec<Event<'t>>)>,
    /// The last parts of locks that are released where it is not known which lock that is: by another name,
    /// or by a method value (`return mu.Unlock`).
    given_unseen: HashSet<&'t str>,
}

/// A lock that is not to be had.
pub(super) fn apply<'t>(scene: &Scene<'t>, callee: &'t str) -> Option<Found> {
    let lock = operand(callee)?;
    let locks = Locks::of(scene);
    let key = locks.key(scene.op, lock)?;
    if locks.is_handed_on(key, last_part(lock)) {
        return None;
    }
    locks
        .taken_before(key, lock)
        .or_else(|| locks.held_by_caller(key, lock))
        .or_else(|| locks.in_other_order(key, lock))
        .or_else(|| locks.not_released(key, lock))
}

/// Where the holder of the lock may wait.
pub(super) fn holder_waits(scene: &Scene<'_>) -> Option<SourceNote> {
    let Kind::Call { callee, .. } = &scene.outline.ops[scene.op].kind else { return None };
    if !matches!(last_part(callee), "Lock" | "RLock") {
        return None;
    }
    let lock = operand(callee)?;
    let locks = Locks::of(scene);
    let key = locks.key(scene.op, lock)?;
    if locks.is_handed_on(key, last_part(lock)) {
        return None;
    }
    let (function, op) = locks.by_function.iter().find_map(|(function, events)| {
        scene
            .outline
            .ops_of(*function)
            .filter(|&op| match &scene.outline.ops[op].kind {
                Kind::Send { .. } | Kind::Receive { .. } => scene.outline.select_of(op).is_none(),
                Kind::Select { default, .. } => !default,
                Kind::Call { callee, manner: Manner::Plain, .. } => {
                    last_part(callee) == "Wait" || *callee == "time.Sleep"
                }
                _ => false,
            })
            .find(|&op| locks.held_at(events, op).iter().any(|event| event.key == key))
            .map(|op| (*function, op))
    })?;
    Some(SourceNote::HolderWaits {
        lock: lock.to_owned(),
        function: scene.outline.title(function),
        line: scene.line(op),
    })
}

impl<'s, 't> Locks<'s, 't> {
    fn of(scene: &'s Scene<'t>) -> Self {
        let mut locks = Self { scene, by_function: Vec::new(), given_unseen: HashSet::new() };
        let mut events: HashMap<FnId, Vec<Event<'t>>> = HashMap::new();
        for (op, found) in scene.outline.ops.iter().enumerate() {
            locks
                .given_unseen
                .extend(found.kind.values().iter().filter_map(|text| given_by_value(text)));
            let Kind::Call { callee, manner, .. } = &found.kind else { continue };
            let (takes, read) = match last_part(callee) {
                "Lock" => (true, false),
                "RLock" => (true, true),
                "Unlock" => (false, false),
                "RUnlock" => (false, true),
                _ => continue,
            };
            let Some(lock) = operand(callee) else { continue };
            let Some(key) = locks.key(op, lock) else {
                if !takes {
                    locks.given_unseen.insert(last_part(lock));
                }
                continue;
            };
            // `defer func() { mu.Unlock() }()` is a deferred unlock of the function around it.
            let function = &scene.outline.functions[found.function];
            let (owner, deferred) = match function.parent.filter(|_| function.deferred) {
                Some(parent) => (parent, true),
                None => (found.function, *manner == Manner::Deferred),
            };
            events.entry(owner).or_default().push(Event { op, key, lock, takes, read, deferred });
        }
        locks.by_function = events.into_iter().collect();
        locks.by_function.sort_unstable_by_key(|(function, _)| *function);
        locks
    }

    fn key(&self, op: OpId, lock: &'t str) -> Option<Key<'t>> {
        let outline = &self.scene.outline;
        let receiver = outline
            .functions_around(outline.ops[op].function)
            .find_map(|function| outline.functions[function].receiver)
            .filter(|receiver| receiver.name == lock);
        match receiver {
            Some(receiver) => Some(Key::Embedded(plain_type(receiver.of))),
            None => self.scene.object(op, lock).map(Key::Object),
        }
    }

    fn line(&self, op: OpId) -> u32 {
        self.scene.line(op)
    }

    fn events_of(&self, function: FnId) -> &[Event<'t>] {
        self.by_function
            .binary_search_by_key(&function, |(owner, _)| *owner)
            .map_or(&[], |at| self.by_function[at].1.as_slice())
    }

    /// Whether a lock may be released where it was not taken: by another function, a goroutine, a literal
    /// that is returned. Which function takes it then says nothing of how long it is held.
    fn is_handed_on(&self, key: Key<'t>, name: &str) -> bool {
        let handed_on = |(_, events): &(FnId, Vec<Event<'t>>)| {
            events.iter().any(|event| !event.takes && event.key == key)
                && !events.iter().any(|event| event.takes && event.key == key)
        };
        self.given_unseen.contains(name) || self.by_function.iter().any(handed_on)
    }

    /// The locks that a function holds when it comes to one of its operations.
    fn held_at(&self, events: &[Event<'t>], op: OpId) -> Vec<Event<'t>> {
        let outline = &self.scene.outline;
        events
            .iter()
            .filter(|taken| {
                taken.takes
                    && !taken.deferred
                    && taken.op < op
                    && outline.on_one_path(taken.op, op)
                    && !events.iter().any(|given| {
                        !given.takes
                            && !given.deferred
                            && given.key == taken.key
                            && given.op > taken.op
                            && given.op < op
                            && outline.on_one_path(given.op, op)
                    })
            })
            .copied()
            .collect()
    }

    fn taken_before(&self, key: Key<'t>, lock: &str) -> Option<Found> {
        let op = self.scene.op;
        let held = self.held_at(self.events_of(self.scene.function), op);
        // `a.mu` and `b.mu` are locks of two values, and so may two elements of a list be.
        let first = held
            .iter()
            .copied()
            .find(|event| event.key == key && event.lock == lock && !lock.contains('['));
        let Some(first) = first else {
            let other = held.into_iter().find(|event| event.key == key)?;
            return Some(self.two_of_a_kind(other, lock));
        };
        let read = self.is_read_lock(op);
        if first.read && !read {
            return Some(self.upgraded(first, lock));
        }
        let confidence = if first.read && read { Confidence::Low } else { Confidence::High };
        let mistake = LockMistake::TakenTwice {
            lock: lock.to_owned(),
            first: self.line(first.op),
            again: self.line(op),
            reading: first.read && read,
        };
        Some(found(Pattern::SelfDeadlock, confidence, mistake))
    }

    fn is_read_lock(&self, op: OpId) -> bool {
        matches!(&self.scene.outline.ops[op].kind, Kind::Call { callee, .. }
            if last_part(callee) == "RLock")
    }

    /// `RLock`, then `Lock`: the writer waits for all readers, and is one.
    fn upgraded(&self, first: Event<'t>, lock: &str) -> Found {
        let mistake = LockMistake::Upgraded {
            lock: lock.to_owned(),
            read: self.line(first.op),
            write: self.line(self.scene.op),
        };
        found(Pattern::SelfDeadlock, Confidence::High, mistake)
    }

    /// The same lock of another value is held: two goroutines may take the two in different order.
    fn two_of_a_kind(&self, held: Event<'t>, lock: &str) -> Found {
        let mistake = LockMistake::HeldOfAnother {
            lock: lock.to_owned(),
            taken: self.line(self.scene.op),
            held: held.lock.to_owned(),
            held_since: self.line(held.op),
        };
        found(Pattern::LockOrder, Confidence::Low, mistake)
    }

    fn held_by_caller(&self, key: Key<'t>, lock: &str) -> Option<Found> {
        let outline = &self.scene.outline;
        let name = outline.functions[self.scene.function].name;
        if name.is_empty() {
            return None;
        }
        let (call, first) = self.by_function.iter().find_map(|(function, events)| {
            outline.ops_of(*function).find_map(|op| match &outline.ops[op].kind {
                Kind::Call { callee, manner: Manner::Plain, .. }
                    if self.scene.called(op) == Some(self.scene.function) =>
                {
                    // The method of another value has another lock.
                    let on = operand(callee);
                    self.held_at(events, op)
                        .into_iter()
                        .filter(|event| on.is_none_or(|on| is_of(event.lock, on)))
                        .find(|event| event.key == key)
                        .map(|event| (op, event))
                }
                _ => None,
            })
        })?;
        let mistake = LockMistake::HeldByCaller {
            lock: lock.to_owned(),
            function: name.to_owned(),
            call: self.line(call),
            held_since: self.line(first.op),
            again: self.line(self.scene.op),
            reading: first.read && self.is_read_lock(self.scene.op),
        };
        Some(found(Pattern::SelfDeadlock, Confidence::Medium, mistake))
    }

    /// Takes of a lock: its own, and those of a function of this text that it calls.
    fn takes(&self, events: &[Event<'t>], function: FnId) -> Vec<(OpId, Key<'t>)> {
        let outline = &self.scene.outline;
        let mut takes: Vec<_> =
            events.iter().filter(|event| event.takes).map(|event| (event.op, event.key)).collect();
        for op in outline.ops_of(function) {
            if !matches!(outline.ops[op].kind, Kind::Call { manner: Manner::Plain, .. }) {
                continue;
            }
            let called = self.scene.called(op);
            if let Some(called) = called {
                let events = self.events_of(called).iter();
                takes.extend(events.filter(|event| event.takes).map(|event| (op, event.key)));
            }
        }
        takes
    }

    fn in_other_order(&self, key: Key<'t>, lock: &str) -> Option<Found> {
        // Which other lock is held when this one is taken, and the other way round.
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for (function, events) in &self.by_function {
            for (op, taken) in self.takes(events, *function) {
                for held in self.held_at(events, op) {
                    if held.key == taken
                        || (held.key != key && taken != key)
                        || self.is_handed_on(held.key, last_part(held.lock))
                    {
                        continue;
                    }
                    if taken == key && held.key != key {
                        before.push((held.key, op));
                    } else if held.key == key && taken != key {
                        after.push((taken, op));
                    }
                }
            }
        }
        let (_, one, other) = before.iter().find_map(|&(key, one)| {
            after.iter().find(|(other, _)| *other == key).map(|&(_, other)| (key, one, other))
        })?;
        let mistake = LockMistake::BothOrders {
            lock: lock.to_owned(),
            one: self.line(one),
            other: self.line(other),
        };
        Some(found(Pattern::LockOrder, Confidence::Medium, mistake))
    }

    fn not_released(&self, key: Key<'t>, lock: &str) -> Option<Found> {
        let outline = &self.scene.outline;
        for (function, events) in &self.by_function {
            let gives = |event: &&Event<'t>| !event.takes && event.key == key;
            if events.iter().filter(gives).any(|event| event.deferred) {
                continue;
            }
            let Some(taken) = events.iter().find(|event| event.takes && event.key == key) else {
                continue;
            };
            let name = outline.functions[*function].name.to_lowercase();
            if !events.iter().any(|event| gives(&event)) {
                // A closure, goroutine or another function may release it.
                if self.is_released_elsewhere(*function, key) {
                    continue;
                }
                if name.contains("lock") || name.contains("acquire") || name.contains("begin") {
                    continue;
                }
                return Some(self.never_released(taken.op, lock));
            }
            let skip = outline.ops_of(*function).find(|&op| {
                op > taken.op
                    && matches!(outline.ops[op].kind, Kind::Return { .. } | Kind::Continue)
                    && self.held_at(events, op).iter().any(|event| event.key == key)
                    && (!matches!(outline.ops[op].kind, Kind::Continue)
                        || self.is_inside_loop_of(op, taken.op))
            });
            if let Some(skip) = skip {
                return Some(self.left_held(taken.op, lock, skip));
            }
        }
        None
    }

    /// Whether a literal in a function releases a lock, or a function that does not take it.
    fn is_released_elsewhere(&self, function: FnId, key: Key<'t>) -> bool {
        let outline = &self.scene.outline;
        self.by_function.iter().any(|(other, events)| {
            let gives = events.iter().any(|event| !event.takes && event.key == key);
            let takes = events.iter().any(|event| event.takes && event.key == key);
            let is_inside = outline.functions_around(*other).any(|around| around == function);
            *other != function && gives && (is_inside || !takes)
        })
    }

    /// Whether a `continue` begins anew the loop that a lock is taken in.
    fn is_inside_loop_of(&self, jump: OpId, taken: OpId) -> bool {
        let outline = &self.scene.outline;
        outline.loop_around(jump).is_some_and(|(around, _)| {
            outline.around(outline.ops[taken].scope).any(|scope| scope == around)
        })
    }

    fn never_released(&self, taken: OpId, lock: &str) -> Found {
        let mistake = LockMistake::NeverReleased { lock: lock.to_owned(), taken: self.line(taken) };
        found(Pattern::LockOnEarlyReturn, Confidence::Medium, mistake)
    }

    fn left_held(&self, taken: OpId, lock: &str, skip: OpId) -> Found {
        let mistake = LockMistake::LeftHeld {
            lock: lock.to_owned(),
            taken: self.line(taken),
            skip: self.line(skip),
            waits_after: self.scene.waits_after(taken).is_some(),
        };
        found(Pattern::LockOnEarlyReturn, Confidence::High, mistake)
    }
}

fn found(pattern: Pattern, confidence: Confidence, mistake: LockMistake) -> Found {
    Found { pattern, confidence, mistake: Mistake::Lock(mistake) }
}

/// Whether a lock is a value's own: `s.mu` is that of `s`, and so is the one that `s` embeds.
fn is_of(lock: &str, value: &str) -> bool {
    lock == value || operand(lock).is_some_and(|owner| owner == value)
}

/// The last part of the lock whose method `Unlock` or `RUnlock` a text has without calling it.
fn given_by_value(text: &str) -> Option<&str> {
    let at = text.match_indices("nlock").find(|&(at, found)| {
        let before = text[..at].strip_suffix(['U', 'u']).unwrap_or_default();
        let is_method = before.ends_with('.') || before.ends_with(".R");
        is_method && !text[at + found.len()..].trim_start().starts_with('(')
    })?;
    let lock = text[..at.0].rsplit_once('.')?.0;
    Some(lock.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default())
}

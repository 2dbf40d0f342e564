//! Blocked senders: who should have received.

use super::super::channels::is_timer;
use super::super::facts::Confidence;
use super::super::index::{Buffer, Uses};
use super::super::outline::{FnId, Kind, Loop, OpId};
use super::super::scene::Scene;
use super::Found;
use crate::model::Pattern;

/// A send that nobody receives.
pub(super) fn apply<'t>(scene: &Scene<'t>, channel: &'t str) -> Option<Found> {
    let object = scene.object(scene.op, channel)?;
    let uses = scene.uses(object);
    let own_function = scene.function;
    let consumers: Vec<OpId> = uses
        .receives
        .iter()
        .copied()
        .filter(|&op| scene.outline.ops[op].function != own_function)
        .collect();
    let sender = Sender { scene, channel, uses, confidence: scene.confidence(object) };
    if uses.maybe.received {
        return None;
    }
    if consumers.is_empty() {
        return Some(sender.without_consumer());
    }
    let looping: Vec<OpId> = consumers
        .iter()
        .copied()
        .filter(|&op| {
            matches!(scene.outline.ops[op].kind, Kind::Range { .. })
                || scene.outline.loop_around(op).is_some()
        })
        .collect();
    if !looping.is_empty() {
        return sender.to_loops(&looping);
    }
    sender
        .sends_twice(&consumers)
        .or_else(|| sender.skipped(&consumers))
        .or_else(|| sender.many_senders(&consumers))
        .or_else(|| sender.given_up(&consumers))
        .or_else(|| sender.endless(&consumers))
        .or_else(|| sender.conditional(&consumers))
}

struct Sender<'s, 't> {
    scene: &'s Scene<'t>,
    channel: &'t str,
    uses: &'s Uses,
    confidence: Confidence,
}

impl Sender<'_, '_> {
    fn found(&self, pattern: Pattern, note: String, fix: String) -> Found {
        // What is seen of a receiver's code is seen; other receivers may still exist.
        let confidence = self.confidence.max(Confidence::Medium);
        Found { pattern, confidence, notes: vec![note], fix }
    }

    fn line(&self, op: OpId) -> u32 {
        self.scene.line(op)
    }

    fn without_consumer(&self) -> Found {
        let (line, channel) = (self.line(self.scene.op), self.channel);
        Found {
            pattern: Pattern::BlockedProducer,
            confidence: self.confidence,
            notes: vec![format!(
                "Nothing in the files at hand receives what line {line} sends on {channel}."
            )],
            fix: format!(
                "Receive from {channel} for as long as line {line} sends, or select there between the send and the end of a context."
            ),
        }
    }

    /// How to let a sender go that nobody waits for any more.
    fn make_room(&self, room: &str) -> String {
        let (line, channel) = (self.line(self.scene.op), self.channel);
        match self.uses.made {
            Some((made, Buffer::None)) => format!(
                "Make {channel} in line {} with a buffer of {room}, so that the send in line {line} always succeeds; or select in line {line} between the send and the end of a context.",
                self.line(made)
            ),
            Some((made, _)) => format!(
                "Make the buffer of {channel} in line {} as large as the number of sends, or select in line {line} between the send and the end of a context.",
                self.line(made)
            ),
            None => format!(
                "Give {channel} room for what is sent, or select in line {line} between the send and the end of a context."
            ),
        }
    }

    /// The consumers are loops: they end early, or are never reached.
    fn to_loops(&self, looping: &[OpId]) -> Option<Found> {
        let scene = self.scene;
        for &consumer in looping {
            if let Some(skip) = self.skip(consumer) {
                return Some(self.premature(skip, consumer));
            }
        }
        for &consumer in looping {
            if let Some(select) = scene.outline.select_of(consumer)
                && let Some((exit, case)) = scene.exit_case(select, Some(consumer))
                && scene.leaves(exit)
            {
                return Some(self.timed_out(exit, case, consumer));
            }
            if let Some(out) = scene.way_out(consumer) {
                return Some(self.found(
                    Pattern::PrematureReturn,
                    format!(
                        "Line {} leaves the loop that receives from {} in line {}, while others may still send.",
                        self.line(out), self.channel, self.line(consumer)
                    ),
                    self.make_room("all that is sent"),
                ));
            }
        }
        None
    }

    /// A return between the `go` statement and the receive.
    fn skip(&self, consumer: OpId) -> Option<OpId> {
        let scene = self.scene;
        let start = scene
            .go
            .filter(|&go| scene.outline.ops[go].function == scene.outline.ops[consumer].function)
            .or_else(|| self.made_in(scene.outline.ops[consumer].function))?;
        if start > consumer {
            return None;
        }
        // A loop that starts goroutines may return for each of them; past the loop it is as here.
        scene.outline.return_between(start, consumer).filter(|&skip| {
            // `select { case <-a: return; case v := <-ch: }`: one of the cases, not a skip.
            !self.is_case_beside(skip, consumer)
        })
    }

    fn is_case_beside(&self, skip: OpId, consumer: OpId) -> bool {
        let outline = &self.scene.outline;
        outline.select_of(consumer).is_some_and(|select| {
            self.line(skip) >= self.line(select) && self.line(skip) <= outline.ops[select].last
        })
    }

    fn made_in(&self, function: FnId) -> Option<OpId> {
        let (made, _) = self.uses.made?;
        (self.scene.outline.ops[made].function == function).then_some(made)
    }

    fn premature(&self, skip: OpId, consumer: OpId) -> Found {
        self.found(
            Pattern::PrematureReturn,
            format!(
                "Line {} returns before line {} receives from {}.",
                self.line(skip),
                self.line(consumer),
                self.channel
            ),
            self.make_room("one"),
        )
    }

    fn skipped(&self, consumers: &[OpId]) -> Option<Found> {
        consumers
            .iter()
            .find_map(|&consumer| self.skip(consumer).map(|skip| self.premature(skip, consumer)))
    }

    /// Two sends on one path of the goroutine, for one receive.
    fn sends_twice(&self, consumers: &[OpId]) -> Option<Found> {
        let (scene, op) = (self.scene, self.scene.op);
        if scene.is_repeated(op) {
            return None;
        }
        let room = match self.uses.made {
            Some((_, Buffer::Constant(n))) => n,
            Some((_, Buffer::Unknown)) => return None,
            _ => 0,
        };
        let other = self.uses.sends.iter().copied().find(|&other| {
            other != op
                && scene.outline.select_of(other).is_none()
                && scene.outline.on_one_path(other.min(op), other.max(op))
        })?;
        let (first, second) = (other.min(op), other.max(op));
        // Two receives in one function take both, unless it is started twice.
        let starts = self.starts().max(1);
        let falls_through = scene.outline.is_conditional(first, second);
        let taken = consumers.len() / starts;
        if taken as u64 + room >= 2 && !falls_through {
            return None;
        }
        Some(self.found(
            Pattern::DoubleSend,
            format!(
                "Line {} sends on {} and does not return; line {} sends again.",
                self.line(first),
                self.channel,
                self.line(second)
            ),
            format!("Return after the send in line {}.", self.line(first)),
        ))
    }

    /// How many calls start the function that sends.
    fn starts(&self) -> usize {
        let scene = self.scene;
        (0..scene.outline.ops.len())
            .filter(|&op| match &scene.outline.ops[op].kind {
                Kind::Call { callee, literal: None, .. } => {
                    scene.may_mean(op, callee, scene.function)
                }
                _ => false,
            })
            .count()
    }

    /// Started in a loop, or by several `go` statements, for fewer receives.
    fn many_senders(&self, consumers: &[OpId]) -> Option<Found> {
        let scene = self.scene;
        let go = scene.go?;
        let in_creator: Vec<OpId> = consumers
            .iter()
            .copied()
            .filter(|&op| scene.outline.ops[op].function == scene.outline.ops[go].function)
            .collect();
        let &consumer = in_creator.first().or(consumers.first())?;
        let made_before_loop = |go: OpId| {
            let (around, _) = scene.outline.loop_around(go)?;
            // A channel that each turn makes anew has one sender.
            let own = self.uses.made.is_some_and(|(made, _)| {
                scene.outline.around(scene.outline.ops[made].scope).any(|scope| scope == around)
            });
            (!own).then_some(())
        };
        if made_before_loop(go).is_some() {
            return Some(self.found(
                Pattern::NCast,
                format!(
                    "Line {} starts senders in a loop, and line {} receives one value from {}.",
                    self.line(go),
                    self.line(consumer),
                    self.channel
                ),
                self.make_room("the number of senders"),
            ));
        }
        let outline = &scene.outline;
        let senders: Vec<FnId> = {
            let mut functions: Vec<_> = self
                .uses
                .sends
                .iter()
                .map(|&send| outline.ops[send].function)
                .filter(|&function| Some(function) != scene.creator)
                .collect();
            functions.dedup();
            functions
        };
        (senders.len() > consumers.len()).then(|| {
            self.found(
                Pattern::NCast,
                format!(
                    "{} goroutines send on {}, and line {} receives one value.",
                    senders.len(),
                    self.channel,
                    self.line(consumer)
                ),
                self.make_room("the number of senders"),
            )
        })
    }

    /// The receive is one case of a select that can take another.
    fn given_up(&self, consumers: &[OpId]) -> Option<Found> {
        let scene = self.scene;
        let (consumer, select) = consumers
            .iter()
            .find_map(|&op| scene.outline.select_of(op).map(|select| (op, select)))?;
        if let Some((exit, case)) = scene.exit_case(select, Some(consumer)) {
            return Some(self.timed_out(exit, case, consumer));
        }
        if let Kind::Select { default: true, .. } = scene.outline.ops[select].kind {
            return Some(self.found(
                Pattern::PrematureReturn,
                format!(
                    "The select in line {} has a default: it does not wait for {}.",
                    self.line(select),
                    self.channel
                ),
                self.make_room("one"),
            ));
        }
        let (other, case) = scene.cases(select).into_iter().find(|&(op, _)| op != consumer)?;
        Some(self.found(
            Pattern::PrematureReturn,
            format!(
                "The select in line {} may take {case} in line {}; then nothing receives from {}.",
                self.line(select),
                self.line(other),
                self.channel
            ),
            self.make_room("one"),
        ))
    }

    fn timed_out(&self, exit: OpId, case: &str, consumer: OpId) -> Found {
        let why = if is_timer(case) { "times out" } else { "is told to end" };
        self.found(
            Pattern::TimedOutReceiver,
            format!(
                "Line {} ends the wait of line {} when it {why} ({case}); then nothing receives from {}.",
                self.line(exit), self.line(consumer), self.channel
            ),
            self.make_room("one"),
        )
    }

    /// A sender that goes on for ever, for a receiver that does not.
    fn endless(&self, consumers: &[OpId]) -> Option<Found> {
        let scene = self.scene;
        let (_, kind) = scene.outline.loop_around(scene.op)?;
        let &consumer = consumers.first()?;
        let (line, channel) = (self.line(scene.op), self.channel);
        let pattern = if kind == Loop::Endless { Pattern::BlockedProducer } else { Pattern::NCast };
        Some(self.found(
            pattern,
            format!("Line {line} sends on {channel} in a loop, and line {} receives one value.", self.line(consumer)),
            format!("Select in line {line} between the send and the end of a context, and end the context when the receiver of line {} is done.", self.line(consumer)),
        ))
    }

    /// A receive that not every path reaches.
    fn conditional(&self, consumers: &[OpId]) -> Option<Found> {
        let scene = self.scene;
        let go = scene.go?;
        let consumer = consumers.iter().copied().find(|&op| {
            scene.outline.ops[op].function == scene.outline.ops[go].function
                && op > go
                && scene.outline.is_conditional(op, go)
        })?;
        Some(self.found(
            Pattern::PrematureReturn,
            format!(
                "Line {} receives from {} on some paths only.",
                self.line(consumer),
                self.channel
            ),
            self.make_room("one"),
        ))
    }
}

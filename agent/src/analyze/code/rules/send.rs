//! Blocked senders: who should have received.

use super::super::channels::is_timer;
use super::super::expression::shown;
use super::super::facts::{Confidence, Found};
use super::super::index::Uses;
use super::super::outline::{FnId, Kind, Loop, OpId};
use super::super::scene::Scene;
use crate::model::source_rule::{BufferSize, SelectCase, SendMistake, SendProblem};
use crate::model::{Mistake, Pattern};

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
    fn found(&self, pattern: Pattern, problem: SendProblem) -> Found {
        // What is seen of a receiver's code is seen; other receivers may still exist.
        self.found_with(self.confidence.max(Confidence::Medium), pattern, problem)
    }

    fn found_with(&self, confidence: Confidence, pattern: Pattern, problem: SendProblem) -> Found {
        let mistake = SendMistake {
            channel: shown(self.channel),
            send: self.line(self.scene.op),
            made: self.scene.made(self.uses),
            problem,
        };
        Found { pattern, confidence, mistake: Mistake::Send(mistake) }
    }

    fn line(&self, op: OpId) -> u32 {
        self.scene.line(op)
    }

    fn without_consumer(&self) -> Found {
        self.found_with(self.confidence, Pattern::BlockedProducer, SendProblem::NoReceiver)
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
                return Some(self.ended(exit, case, consumer));
            }
            if let Some(out) = scene.way_out(consumer) {
                let (out, receive) = (self.line(out), self.line(consumer));
                let problem = SendProblem::LoopLeft { out, receive };
                return Some(self.found(Pattern::PrematureReturn, problem));
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
        let (skip, receive) = (self.line(skip), self.line(consumer));
        self.found(Pattern::PrematureReturn, SendProblem::ReturnsFirst { skip, receive })
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
            Some((_, BufferSize::Constant(n))) => n,
            Some((_, BufferSize::Computed)) => return None,
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
        let problem =
            SendProblem::SendsTwice { first: self.line(first), second: self.line(second) };
        Some(self.found(Pattern::DoubleSend, problem))
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
            let (go, receive) = (self.line(go), self.line(consumer));
            return Some(self.found(Pattern::NCast, SendProblem::StartedInLoop { go, receive }));
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
        let problem = SendProblem::SeveralSenders {
            senders: senders.len() as u64,
            receive: self.line(consumer),
        };
        (senders.len() > consumers.len()).then(|| self.found(Pattern::NCast, problem))
    }

    /// The receive is one case of a select that can take another.
    fn given_up(&self, consumers: &[OpId]) -> Option<Found> {
        let scene = self.scene;
        let (consumer, select) = consumers
            .iter()
            .find_map(|&op| scene.outline.select_of(op).map(|select| (op, select)))?;
        if let Some((exit, case)) = scene.exit_case(select, Some(consumer)) {
            return Some(self.ended(exit, case, consumer));
        }
        let line = self.line(select);
        if let Kind::Select { default: true, .. } = scene.outline.ops[select].kind {
            let problem = SendProblem::HasDefault { select: line };
            return Some(self.found(Pattern::PrematureReturn, problem));
        }
        let (other, channel) = scene.cases(select).into_iter().find(|&(op, _)| op != consumer)?;
        let other = SelectCase { line: self.line(other), channel: shown(channel) };
        let problem = SendProblem::MayTakeOther { select: line, other };
        Some(self.found(Pattern::PrematureReturn, problem))
    }

    /// Another case of its select ends the wait of the receiver.
    fn ended(&self, exit: OpId, channel: &str, consumer: OpId) -> Found {
        let problem = SendProblem::EndedBy {
            exit: SelectCase { line: self.line(exit), channel: shown(channel) },
            is_timer: is_timer(channel),
            receive: self.line(consumer),
        };
        self.found(Pattern::TimedOutReceiver, problem)
    }

    /// An endless sender, for a receiver that receives once.
    fn endless(&self, consumers: &[OpId]) -> Option<Found> {
        let scene = self.scene;
        let (_, kind) = scene.outline.loop_around(scene.op)?;
        let &consumer = consumers.first()?;
        let pattern = if kind == Loop::Endless { Pattern::BlockedProducer } else { Pattern::NCast };
        Some(self.found(pattern, SendProblem::SendsInLoop { receive: self.line(consumer) }))
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
        let problem = SendProblem::SomePathsOnly { receive: self.line(consumer) };
        Some(self.found(Pattern::PrematureReturn, problem))
    }
}

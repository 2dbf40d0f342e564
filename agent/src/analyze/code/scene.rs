//! The blocked operation, the goroutine's creation, and what the text does with the objects involved:
//! what the rules examine.

use super::channels::{is_context, is_exit, is_timer};
use super::expression::{last_part, shown};
use super::facts::{Awaits, Confidence};
use super::index::{Index, Uses};
use super::objects::{ObjectId, Objects};
use super::outline::{FnId, Kind, Loop, Manner, OpId, Outline, ScopeKind};
use crate::model::source_rule::MakeSite;
use crate::model::{SourceNote, WaitClass};

/// What the rules examine.
pub(super) struct Scene<'t> {
    pub(super) outline: &'t Outline<'t>,
    pub(super) objects: &'t Objects<'t>,
    pub(super) index: &'t Index,
    pub(super) wait: WaitClass,
    /// What blocks.
    pub(super) op: OpId,
    /// The function that it stands in.
    pub(super) function: FnId,
    /// The `go` statement.
    pub(super) go: Option<OpId>,
    /// The function that the `go` statement stands in.
    pub(super) creator: Option<FnId>,
}

impl<'t> Scene<'t> {
    /// The first line of an operation.
    pub(super) fn line(&self, op: OpId) -> u32 {
        self.outline.ops[op].first
    }

    /// The channel that an operation sends on, receives from or ranges over.
    pub(super) fn channel_of(&self, op: OpId) -> Option<&'t str> {
        match self.outline.ops[op].kind {
            Kind::Send { channel, .. } | Kind::Receive { channel, .. } => Some(channel),
            Kind::Range { over } => Some(over),
            _ => None,
        }
    }

    /// The object that an expression in the function of an operation means.
    pub(super) fn object(&self, op: OpId, expression: &'t str) -> Option<ObjectId> {
        self.objects.find(self.outline, self.outline.ops[op].function, expression)
    }

    /// Everything that the text does with a channel.
    pub(super) fn uses(&self, channel: ObjectId) -> &'t Uses {
        self.index.uses(channel)
    }

    /// Whether an operation is in a loop of its function, or its function was started in one.
    pub(super) fn is_repeated(&self, op: OpId) -> bool {
        self.outline.loop_around(op).is_some()
    }

    /// The channels of a select's cases.
    pub(super) fn cases(&self, select: OpId) -> Vec<(OpId, &'t str)> {
        self.outline
            .communications(select)
            .filter_map(|op| self.channel_of(op).map(|channel| (op, channel)))
            .collect()
    }

    /// A case of the select, other than `except`, that is there to end the wait.
    pub(super) fn exit_case(&self, select: OpId, except: Option<OpId>) -> Option<(OpId, &'t str)> {
        self.cases(select)
            .into_iter()
            .filter(|&(op, _)| Some(op) != except)
            .find(|&(op, channel)| is_exit(channel) || (is_timer(channel) && self.leaves(op)))
    }

    /// Whether the case of a communication leaves the loop or function, or is in no loop.
    pub(super) fn leaves(&self, op: OpId) -> bool {
        let scope = self.outline.ops[op].scope;
        self.outline.scopes[scope].jumps || self.outline.loop_around(op).is_none()
    }

    /// Whether it takes work in a loop; `None` where it neither receives nor selects.
    pub(super) fn is_worker_loop(&self) -> Option<bool> {
        let kind = &self.outline.ops[self.op].kind;
        match kind {
            Kind::Range { .. } => Some(true),
            Kind::Receive { .. } | Kind::Select { .. } => Some(
                self.outline
                    .loop_around(self.op)
                    .is_some_and(|(_, kind)| matches!(kind, Loop::Endless | Loop::While)),
            ),
            _ => None,
        }
    }

    /// Whether `signal.Notify` sends to one of the channels that it waits on.
    pub(super) fn awaits_signal(&self) -> bool {
        let mut channels: Vec<&str> = match &self.outline.ops[self.op].kind {
            Kind::Receive { channel, .. } | Kind::Range { over: channel } => vec![channel],
            _ => Vec::new(),
        };
        channels.extend(self.cases(self.op).into_iter().map(|(_, channel)| channel));
        self.outline.ops.iter().any(|op| match &op.kind {
            Kind::Call { callee: "signal.Notify", arguments, .. } => {
                arguments.first().is_some_and(|first| channels.contains(first))
            }
            _ => false,
        })
    }

    /// What it waits for, where all cases are of a kind.
    pub(super) fn awaits(&self) -> Awaits {
        let channels: Vec<&str> = match &self.outline.ops[self.op].kind {
            Kind::Receive { channel, .. } | Kind::Range { over: channel } => vec![channel],
            Kind::Select { default: false, .. } => {
                self.cases(self.op).into_iter().map(|(_, channel)| channel).collect()
            }
            _ => Vec::new(),
        };
        let cases = match self.outline.ops[self.op].kind {
            Kind::Select { cases, .. } => cases,
            _ => 1,
        };
        if channels.is_empty() || channels.len() < cases {
            Awaits::Other
        } else if channels.iter().all(|channel| is_timer(channel)) {
            Awaits::Timer
        } else if channels.iter().all(|channel| is_timer(channel) || is_context(channel)) {
            Awaits::Context
        } else {
            Awaits::Other
        }
    }

    /// Where the channel is made that the operation waits on.
    pub(super) fn channel_made(&self) -> Option<SourceNote> {
        let channel = self.channel_of(self.op)?;
        let made = self.made(self.uses(self.object(self.op, channel)?))?;
        Some(SourceNote::ChannelMade { channel: shown(channel), made })
    }

    /// Where and how a channel is made.
    pub(super) fn made(&self, uses: &Uses) -> Option<MakeSite> {
        uses.made.map(|(made, buffer)| MakeSite { line: self.line(made), buffer })
    }

    /// High where all that matters is in the text, lower where other code may use the object.
    pub(super) fn confidence(&self, object: ObjectId) -> Confidence {
        if self.objects.is_shared(object) { Confidence::Low } else { Confidence::High }
    }

    /// Calls of a method or function on an object.
    pub(super) fn calls_on(&self, object: ObjectId, names: &[&str]) -> Vec<OpId> {
        let calls = self.index.calls_on(object).iter().copied();
        calls
            .filter(|&op| match &self.outline.ops[op].kind {
                Kind::Call { callee, .. } => names.contains(&last_part(callee)),
                _ => false,
            })
            .collect()
    }

    /// Whether a name in a function may mean a function or method.
    pub(super) fn may_mean(&self, op: OpId, path: &'t str, function: FnId) -> bool {
        let within = self.outline.ops[op].function;
        self.objects.names().may_mean(self.outline, within, path, function)
    }

    /// The function that a call calls, where the text tells.
    pub(super) fn called(&self, op: OpId) -> Option<FnId> {
        self.objects.names().called(self.outline, op)
    }

    /// Something after an operation in its function that may wait, so that what would be deferred from
    /// there comes too late.
    pub(super) fn waits_after(&self, op: OpId) -> Option<OpId> {
        self.outline.ops_of(self.outline.ops[op].function).find(|&later| {
            later > op
                && match &self.outline.ops[later].kind {
                    Kind::Receive { .. } | Kind::Select { default: false, .. } => true,
                    Kind::Range { over } => self.object(later, over).is_some_and(|object| {
                        let uses = self.uses(object);
                        uses.made.is_some() || !uses.sends.is_empty() || !uses.closes.is_empty()
                    }),
                    Kind::Call { callee, manner: Manner::Plain, .. } => last_part(callee) == "Wait",
                    _ => false,
                }
        })
    }

    /// A way out of the loop around an operation that is not the end of its channel.
    pub(super) fn way_out(&self, op: OpId) -> Option<OpId> {
        let (around, _) = self.outline.loop_around(op)?;
        let checked = matches!(self.outline.ops[op].kind, Kind::Receive { checked: true, .. });
        (op + 1..self.outline.ops.len()).find(|&out| {
            let leaving = &self.outline.ops[out];
            matches!(leaving.kind, Kind::Return { .. } | Kind::Break)
                && leaving.function == self.outline.ops[op].function
                && self.outline.around(leaving.scope).any(|scope| scope == around)
                && !(checked && self.is_first_branch_after(op, out))
                && !self.breaks_select(out)
        })
    }

    /// Whether a break leaves a select only.
    fn breaks_select(&self, op: OpId) -> bool {
        matches!(self.outline.ops[op].kind, Kind::Break)
            && self.outline.around(self.outline.ops[op].scope).find_map(|scope| {
                match self.outline.scopes[scope].kind {
                    ScopeKind::Loop(_) => Some(false),
                    ScopeKind::Case(_) | ScopeKind::Default(_) => Some(true),
                    _ => None,
                }
            }) == Some(true)
    }

    /// `v, ok := <-ch; if !ok { return }`: the end of the channel, not an early end.
    fn is_first_branch_after(&self, receive: OpId, out: OpId) -> bool {
        !(receive + 1..out).any(|op| {
            matches!(
                self.outline.ops[op].kind,
                Kind::Return { .. } | Kind::Break | Kind::Send { .. }
            )
        })
    }
}

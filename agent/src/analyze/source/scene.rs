//! The blocked operation, the goroutine's creation, and what the text does with the objects involved: what the rules look at.

use super::facts::{Awaits, Confidence, Enclosing, Facts, LoopKind, Statement};
use super::index::{Buffer, Index, Uses};
use super::objects::{ObjectId, Objects};
use super::outline::{
    FnId, Kind, Loop, Manner, OpId, Outline, ScopeKind, last_part, operand, outline,
};
use super::{Place, Question, rules, snippet};
use crate::model::{Pattern, WaitClass};

/// Lines shown before and after the blocked one.
const CONTEXT: u32 = 3;

/// What a rule found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) pattern: Pattern,
    pub(super) confidence: Confidence,
    pub(super) notes: Vec<String>,
    pub(super) fix: String,
}

/// What the rules look at.
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

/// The files of a package, outlined once for all questions about them.
#[derive(Debug)]
pub(super) struct Files<'t> {
    outline: Outline<'t>,
    /// With every caller alike.
    plain: (Objects<'t>, Index),
    /// With some callers preferred: the last ones that were asked for.
    preferring: Option<(Vec<FnId>, Objects<'t>, Index)>,
}

impl<'t> Files<'t> {
    /// Outlines files.
    pub(super) fn of(texts: &[&'t str]) -> Self {
        let outline = outline(texts);
        let objects = Objects::of(&outline, &[]);
        let index = Index::of(&outline, &objects);
        Self { outline, plain: (objects, index), preferring: None }
    }

    /// How many operations there are: what a question costs is so many steps, or a few times as many.
    pub(super) fn operations(&self) -> usize {
        self.outline.ops.len()
    }

    /// Answers a question.
    pub(super) fn examine(&mut self, question: &Question) -> Option<Facts> {
        let place = Blocked::of(&self.outline, question)?;
        let preferred: Vec<_> = [place.op.map(|_| place.function), place.creator(&self.outline)]
            .into_iter()
            .flatten()
            .collect();
        let preferred = self.plain.0.that_matter(&preferred);
        if !preferred.is_empty()
            && self.preferring.as_ref().is_none_or(|(known, ..)| *known != preferred)
        {
            let objects = Objects::of(&self.outline, &preferred);
            let index = Index::of(&self.outline, &objects);
            self.preferring = Some((preferred.clone(), objects, index));
        }
        let (objects, index) = match &self.preferring {
            Some((_, objects, index)) if !preferred.is_empty() => (objects, index),
            _ => (&self.plain.0, &self.plain.1),
        };
        Some(facts(&self.outline, objects, index, question, &place))
    }
}

/// What blocks, and what started it.
struct Blocked {
    op: Option<OpId>,
    function: FnId,
    go: Option<OpId>,
}

impl Blocked {
    fn of(outline: &Outline<'_>, question: &Question) -> Option<Self> {
        let (file, line) = (question.blocked.file, question.blocked.line);
        let around = outline.function_at(file, line).filter(|&function| {
            !outline.functions[function].name.is_empty()
                || outline.functions[function].parent.is_some()
        })?;
        let op = blocked_op(outline, file, line, question.wait);
        let function = op.map_or(around, |op| outline.ops[op].function);
        let go = op.and_then(|_| go_statement(outline, question, function));
        Some(Self { op, function, go })
    }

    fn creator(&self, outline: &Outline<'_>) -> Option<FnId> {
        self.go.map(|go| outline.ops[go].function)
    }
}

fn facts<'s>(
    outline: &'s Outline<'s>,
    objects: &'s Objects<'s>,
    index: &'s Index,
    question: &Question,
    place: &Blocked,
) -> Facts {
    let line = question.blocked.line;
    let function = place.function;
    let mut facts = Facts {
        function: Enclosing {
            name: outline.title(function),
            first: outline.functions[function].first,
            last: outline.functions[function].last,
        },
        statement: None,
        in_loop: None,
        pattern: None,
        confidence: Confidence::Low,
        awaits: Awaits::Other,
        wakes: false,
        awaits_signal: false,
        is_worker_loop: None,
        has_exit_case: None,
        notes: Vec::new(),
        fix: None,
        snippet: snippet::around(line, CONTEXT),
    };
    let Some(op) = place.op else {
        // One that runs may be at any line.
        if question.wait.is_blocked() {
            facts.notes.push(format!(
                "Line {line} has nothing that could wait in this way: the file may be of another version."
            ));
        }
        return facts;
    };
    let (go, creator) = (place.go, place.creator(outline));
    let scene = Scene { outline, objects, index, wait: question.wait, op, function, go, creator };
    facts.statement = Some(scene.statement());
    facts.in_loop = scene.outline.loop_around(op).map(|(_, kind)| match kind {
        Loop::Endless => LoopKind::Endless,
        Loop::While | Loop::Counted | Loop::Range => LoopKind::Bounded,
    });
    facts.awaits = scene.awaits();
    facts.wakes = scene.cases(op).iter().any(|(_, channel)| is_timer(channel));
    facts.awaits_signal = scene.awaits_signal();
    facts.is_worker_loop = scene.is_worker_loop();
    facts.has_exit_case = scene.has_exit_case();
    facts.notes = scene.describe();
    facts.notes.extend(rules::remark(&scene));
    if let Some(found) = rules::apply(&scene) {
        facts.pattern = Some(found.pattern);
        facts.confidence = found.confidence;
        facts.notes.extend(found.notes);
        facts.fix = Some(found.fix);
    }
    facts
}

/// The operation on a line that fits a kind of wait best.
fn blocked_op(outline: &Outline<'_>, file: usize, line: u32, wait: WaitClass) -> Option<OpId> {
    let fit = |op: OpId| -> Option<u8> {
        let kind = &outline.ops[op].kind;
        let waits = |names: &[&str]| match kind {
            Kind::Call { callee, manner: Manner::Plain | Manner::Deferred, .. } => {
                names.contains(&last_part(callee)).then_some(0)
            }
            _ => None,
        };
        let own = match wait {
            WaitClass::ChanSend => matches!(kind, Kind::Send { .. }).then_some(0),
            WaitClass::ChanReceive => {
                matches!(kind, Kind::Receive { .. } | Kind::Range { .. }).then_some(0)
            }
            WaitClass::NilChannel => {
                matches!(kind, Kind::Send { .. } | Kind::Receive { .. } | Kind::Range { .. })
                    .then_some(0)
            }
            WaitClass::Select | WaitClass::EmptySelect => {
                matches!(kind, Kind::Select { .. }).then_some(0)
            }
            WaitClass::Mutex => waits(&["Lock"]),
            WaitClass::RwMutex => waits(&["Lock", "RLock"]),
            WaitClass::Cond | WaitClass::WaitGroup => waits(&["Wait"]),
            WaitClass::Semaphore => waits(&["Lock", "RLock", "Wait"]),
            WaitClass::Sleep => waits(&["Sleep"]),
            WaitClass::Unknown => matches!(
                kind,
                Kind::Send { .. } | Kind::Receive { .. } | Kind::Range { .. } | Kind::Select { .. }
            )
            .then_some(0),
            _ => None,
        };
        // The line may be a caller's: what blocks is in another function.
        own.or_else(|| {
            matches!(kind, Kind::Call { manner: Manner::Plain | Manner::Deferred, .. }).then_some(1)
        })
    };
    (0..outline.ops.len())
        .filter(|&op| (outline.ops[op].first..=outline.ops[op].last).contains(&line))
        .filter(|&op| outline.file(op) == file)
        .filter_map(|op| {
            let fit = fit(op)?;
            let away = line - outline.ops[op].first;
            // A call that spans lines is told by its first; what fits by its kind wins.
            Some(((fit, away, outline.ops[op].last - outline.ops[op].first), op))
        })
        .min()
        .map(|(_, op)| op)
}

/// The `go` statement at the place of creation; without a place, the one that starts the function.
fn go_statement(outline: &Outline<'_>, question: &Question, function: FnId) -> Option<OpId> {
    let go = |op: &OpId| matches!(outline.ops[*op].kind, Kind::Call { manner: Manner::Go, .. });
    let all = || (0..outline.ops.len()).filter(go);
    if let Some(Place { file, line }) = question.created {
        return all()
            .filter(|&op| outline.file(op) == file)
            .filter(|&op| (outline.ops[op].first..=outline.ops[op].last).contains(&line))
            .min_by_key(|&op| line - outline.ops[op].first);
    }
    let starts = |op: &OpId| match &outline.ops[*op].kind {
        Kind::Call { literal: Some(literal), .. } => {
            outline.functions_around(function).any(|around| around == *literal)
        }
        Kind::Call { callee, .. } => {
            !callee.is_empty() && last_part(callee) == outline.functions[function].name
        }
        _ => false,
    };
    all().rfind(starts)
}

impl<'t> Scene<'t> {
    fn statement(&self) -> Statement {
        match &self.outline.ops[self.op].kind {
            Kind::Send { channel, .. } => Statement::Send { channel: (*channel).to_owned() },
            Kind::Receive { channel, .. } => Statement::Receive { channel: (*channel).to_owned() },
            Kind::Range { over } => Statement::Range { channel: (*over).to_owned() },
            Kind::Select { cases, default } => {
                Statement::Select { cases: *cases, default: *default }
            }
            Kind::Call { callee, .. } => {
                let on = operand(callee).unwrap_or_default().to_owned();
                match last_part(callee) {
                    "Lock" => Statement::Lock { lock: on, read: false },
                    "RLock" => Statement::Lock { lock: on, read: true },
                    "Wait" => Statement::Wait { on },
                    "Sleep" if on == "time" => Statement::Sleep,
                    _ => Statement::Call { function: (*callee).to_owned() },
                }
            }
            // `blocked_op` gives none of these.
            _ => Statement::Call { function: String::new() },
        }
    }

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

    fn is_worker_loop(&self) -> Option<bool> {
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
    fn awaits_signal(&self) -> bool {
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
    fn awaits(&self) -> Awaits {
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

    fn has_exit_case(&self) -> Option<bool> {
        match self.outline.ops[self.op].kind {
            Kind::Select { default, .. } => {
                Some(default || self.exit_case(self.op, None).is_some())
            }
            Kind::Range { over: channel } | Kind::Receive { channel, .. } => {
                if is_exit(channel) || is_timer(channel) {
                    return Some(is_exit(channel));
                }
                let channel = self.object(self.op, channel)?;
                Some(!self.uses(channel).closes.is_empty())
            }
            Kind::Send { .. } => Some(false),
            _ => None,
        }
    }

    /// What the text says of the channel, whatever the mistake.
    fn describe(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let Some(channel) = self.channel_of(self.op) else { return notes };
        let Some(object) = self.object(self.op, channel) else { return notes };
        let uses = self.uses(object);
        if let Some((made, buffer)) = uses.made {
            let size = match buffer {
                Buffer::None => "without a buffer".to_owned(),
                Buffer::Constant(n) => format!("with a buffer of {n}"),
                Buffer::Unknown => "with a buffer whose size is not a constant".to_owned(),
            };
            notes.push(format!("Line {} makes {channel} {size}.", self.line(made)));
        }
        notes
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
        self.objects.may_mean(self.outline, self.outline.ops[op].function, path, function)
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

/// Whether a channel is there to end things, by its name.
pub(super) fn is_exit(channel: &str) -> bool {
    const WORDS: &[&str] = &[
        "done", "quit", "stop", "exit", "shutdown", "clos", "cancel", "term", "halt", "abort",
        "kill", "dying", "finish", "drain", "ctx",
    ];
    let name = last_part(channel.trim_end_matches("()")).to_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// Whether a channel is a context's.
pub(super) fn is_context(channel: &str) -> bool {
    channel.ends_with(".Done()")
}

/// Whether a channel is a timer's or ticker's, by its looks.
pub(super) fn is_timer(channel: &str) -> bool {
    channel.starts_with("time.After(")
        || channel.starts_with("time.Tick(")
        || channel.ends_with(".C")
}

/// The buffer that a `make(chan ..)` gives; `None` where it makes no channel.
pub(super) fn buffer(value: &str) -> Option<Buffer> {
    let inside = value.strip_prefix("make(")?.strip_suffix(')')?.trim();
    if !inside.starts_with("chan") && !inside.starts_with("<-chan") {
        return None;
    }
    let mut depth = 0_i32;
    for (at, c) in inside.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                let size = inside[at + 1..].trim();
                return Some(match size.parse() {
                    Ok(0) => Buffer::None,
                    Ok(n) => Buffer::Constant(n),
                    Err(_) => Buffer::Unknown,
                });
            }
            _ => {}
        }
    }
    Some(Buffer::None)
}

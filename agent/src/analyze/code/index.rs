//! What the text does with each object, gathered in one pass over its operations.

use std::collections::HashMap;

use super::expression::{last_part, operand, plain_type};
use super::objects::{FieldObject, ObjectId, Objects};
use super::outline::{Kind, OpId, Outline};
use crate::model::source_rule::BufferSize;

/// What the text does with one channel.
#[derive(Clone, Debug, Default)]
pub(super) struct Uses {
    pub(super) sends: Vec<OpId>,
    /// Receives and ranges.
    pub(super) receives: Vec<OpId>,
    pub(super) closes: Vec<OpId>,
    pub(super) made: Option<(OpId, BufferSize)>,
    /// Declared by `var`, without a value.
    pub(super) declared: Option<OpId>,
    /// Given a value that is no `make`.
    pub(super) assigned: bool,
    /// What is done to something of the same name that may be this channel, seen through another owner.
    pub(super) maybe: Maybe,
}

/// What may be done to a channel by text that names it in another way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Maybe {
    pub(super) sent: bool,
    pub(super) received: bool,
    pub(super) closed: bool,
}

/// An operation on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Act {
    Send,
    Receive,
    Close,
}

/// Who does an act to things of one name.
#[derive(Clone, Copy, Debug, Default)]
struct Actors {
    /// An object that it is done to, and another one.
    objects: [Option<ObjectId>; 2],
    /// It is done to something of which the text does not tell what it is.
    unsure: bool,
}

impl Actors {
    fn add(&mut self, objects: &Objects<'_>, object: Option<ObjectId>) {
        self.unsure |= object.is_none_or(|object| !objects.is_sure(object));
        if let Some(object) = object
            && !self.objects.contains(&Some(object))
            && let Some(free) = self.objects.iter_mut().find(|place| place.is_none())
        {
            *free = Some(object);
        }
    }

    /// Whether it may be done to an object beside where that is seen.
    fn may_be(&self, object: ObjectId, is_sure: bool) -> bool {
        let others = self.objects.iter().flatten().any(|&other| other != object);
        if is_sure { self.unsure } else { self.unsure || others }
    }
}

/// The uses of all objects.
#[derive(Debug, Default)]
pub(super) struct Index {
    uses: HashMap<ObjectId, Uses>,
    calls: HashMap<ObjectId, Vec<OpId>>,
    nothing: Uses,
}

impl Index {
    /// Gathers them.
    pub(super) fn of<'t>(outline: &Outline<'t>, objects: &Objects<'t>) -> Self {
        let mut index = Self::default();
        let mut acts: HashMap<(&'t str, Act), Actors> = HashMap::new();
        let mut keyed: Vec<(ObjectId, OpId, BufferSize)> = Vec::new();
        for (id, op) in outline.ops.iter().enumerate() {
            let find = |expression| objects.find(outline, op.function, expression);
            let mut act = |act, expression| {
                let object = find(expression);
                acts.entry((last_part(expression), act)).or_default().add(objects, object);
                object
            };
            match &op.kind {
                Kind::Send { channel, .. } => {
                    if let Some(object) = act(Act::Send, channel) {
                        index.entry(object).sends.push(id);
                    }
                }
                Kind::Receive { channel, .. } | Kind::Range { over: channel } => {
                    if let Some(object) = act(Act::Receive, channel) {
                        index.entry(object).receives.push(id);
                    }
                }
                Kind::Call { callee: "close", arguments, .. } => {
                    if let Some(object) = arguments.first().and_then(|first| act(Act::Close, first))
                    {
                        index.entry(object).closes.push(id);
                    }
                }
                Kind::Call { callee, .. } => {
                    if let Some(object) = operand(callee).and_then(find) {
                        index.calls.entry(object).or_default().push(id);
                    }
                }
                Kind::Assign { names, value, .. } => {
                    let made = buffer(value).filter(|_| names.len() == 1);
                    for object in names.iter().filter_map(|name| find(name)) {
                        match made {
                            Some(buffer) => index.entry(object).made = Some((id, buffer)),
                            None => index.entry(object).assigned = true,
                        }
                    }
                }
                // `T{ch: make(chan int)}` makes the field of a value.
                Kind::Keyed { owner, name, value } => {
                    let field = objects.field(plain_type(owner), name);
                    keyed.extend(field.zip(buffer(value)).map(|(field, made)| (field, id, made)));
                }
                Kind::Declare { name, .. } => {
                    if let Some(object) = find(name) {
                        index.entry(object).declared = Some(id);
                    }
                }
                Kind::Select { .. } | Kind::Return { .. } | Kind::Break | Kind::Continue => {}
            }
        }
        for (object, op, buffer) in keyed {
            index.entry(object).made.get_or_insert((op, buffer));
        }
        index.doubt(objects, &acts);
        index
    }

    /// What is done to an object.
    pub(super) fn uses(&self, object: ObjectId) -> &Uses {
        self.uses.get(&object).unwrap_or(&self.nothing)
    }

    /// The calls of an object's methods, in the order of the text.
    pub(super) fn calls_on(&self, object: ObjectId) -> &[OpId] {
        self.calls.get(&object).map_or(&[], Vec::as_slice)
    }

    fn entry(&mut self, object: ObjectId) -> &mut Uses {
        self.uses.entry(object).or_default()
    }

    /// Notes for each field what is done to things of its name that may be it.
    fn doubt(&mut self, objects: &Objects<'_>, acts: &HashMap<(&str, Act), Actors>) {
        for FieldObject { name, object, .. } in objects.fields() {
            let is_sure = objects.is_sure(object);
            let may = |act| acts.get(&(name, act)).is_some_and(|all| all.may_be(object, is_sure));
            let (sent, received, closed) = (may(Act::Send), may(Act::Receive), may(Act::Close));
            if sent || received || closed {
                let maybe = &mut self.entry(object).maybe;
                maybe.sent |= sent;
                maybe.received |= received;
                maybe.closed |= closed;
            }
        }
    }
}

/// The buffer that a `make(chan ..)` gives; `None` where it makes no channel.
fn buffer(value: &str) -> Option<BufferSize> {
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
                    Ok(0) => BufferSize::Unbuffered,
                    Ok(n) => BufferSize::Constant(n),
                    Err(_) => BufferSize::Computed,
                });
            }
            _ => {}
        }
    }
    Some(BufferSize::Unbuffered)
}

//! What a Go file does, flat: its functions, their scopes, and the operations that matter to a goroutine, in the order of the text.

mod parse;
mod walk;

pub(super) use walk::outline;

use super::expression::{operand, plain_type};
use crate::model::source_rule::CodeFunction;

/// An index into [`Outline::functions`].
pub(super) type FnId = usize;
/// An index into [`Outline::scopes`].
pub(super) type ScopeId = usize;
/// An index into [`Outline::ops`].
pub(super) type OpId = usize;

/// One or more files of a program.
#[derive(Debug, Default)]
pub(super) struct Outline<'t> {
    pub(super) functions: Vec<Function<'t>>,
    pub(super) scopes: Vec<Scope>,
    pub(super) ops: Vec<Op<'t>>,
    /// Fields of struct types. An embedded one has the name of its type.
    pub(super) fields: Vec<Field<'t>>,
    /// `type A B` and `type A = B`: A has B's fields.
    pub(super) views: Vec<(&'t str, &'t str)>,
    /// The names of the files' packages.
    pub(super) packages: Vec<&'t str>,
    /// The operations of each function, without those of the literals in it.
    by_function: Vec<Vec<OpId>>,
}

/// A function, a method or a function literal.
#[derive(Debug)]
pub(super) struct Function<'t> {
    pub(super) file: usize,
    /// Its name, or that of the variable that holds a literal; empty for other literals.
    pub(super) name: &'t str,
    pub(super) receiver: Option<Binding<'t>>,
    pub(super) parameters: Vec<Binding<'t>>,
    /// The type of its first result, as written; empty without one.
    pub(super) result: &'t str,
    /// The function around a literal.
    pub(super) parent: Option<FnId>,
    pub(super) deferred: bool,
    pub(super) first: u32,
    pub(super) last: u32,
}

/// A name and its type, as written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Binding<'t> {
    pub(super) name: &'t str,
    pub(super) of: &'t str,
}

/// A field of a struct type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'t> {
    pub(super) owner: &'t str,
    pub(super) name: &'t str,
    pub(super) of: &'t str,
    pub(super) embedded: bool,
}

/// A stretch of text that runs, or not, as one.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) kind: ScopeKind,
    pub(super) parent: Option<ScopeId>,
    /// It ends in a return, break, continue, goto or panic.
    pub(super) jumps: bool,
    pub(super) depth: u32,
}

/// What a scope is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeKind {
    /// The body of a function, or a plain block.
    Block,
    /// A loop.
    Loop(Loop),
    /// One of several ways: branches of one `if` or `switch` have the same number.
    Branch(usize),
    /// A case of a select, by the select's operation.
    Case(OpId),
    /// The default case of a select.
    Default(OpId),
}

impl ScopeKind {
    /// What scopes have in common of which only one runs.
    const fn choice(self) -> Option<(bool, usize)> {
        match self {
            Self::Branch(chain) => Some((false, chain)),
            Self::Case(select) | Self::Default(select) => Some((true, select)),
            Self::Block | Self::Loop(_) => None,
        }
    }
}

/// A kind of loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loop {
    /// `for {}`.
    Endless,
    /// `for condition {}`.
    While,
    /// `for i := 0; i < n; i++ {}`.
    Counted,
    /// `for range x {}`.
    Range,
}

/// An operation.
#[derive(Debug)]
pub(super) struct Op<'t> {
    pub(super) kind: Kind<'t>,
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) scope: ScopeId,
    pub(super) function: FnId,
}

/// How a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Plain,
    Deferred,
    Go,
}

/// What an operation does. Expressions are as written.
#[derive(Debug)]
pub(super) enum Kind<'t> {
    Send {
        channel: &'t str,
        value: &'t str,
    },
    /// `checked`: `v, ok := <-channel`.
    Receive {
        channel: &'t str,
        checked: bool,
    },
    /// `for range over`: it may be a channel.
    Range {
        over: &'t str,
    },
    Select {
        cases: usize,
        default: bool,
    },
    Call {
        callee: &'t str,
        arguments: Vec<&'t str>,
        manner: Manner,
        /// The literal that is called.
        literal: Option<FnId>,
    },
    /// `names = value`; `callee` is the function when the value is a call.
    Assign {
        names: Vec<&'t str>,
        value: &'t str,
        callee: Option<&'t str>,
    },
    /// `var name of`, without a value.
    Declare {
        name: &'t str,
        of: &'t str,
    },
    /// `owner{name: value}`; without a name, `owner{value}`.
    Keyed {
        owner: &'t str,
        name: &'t str,
        value: &'t str,
    },
    Return {
        values: &'t str,
    },
    /// `break` or `goto`.
    Break,
    Continue,
}

impl<'t> Kind<'t> {
    /// The expressions that may mean a channel, lock or context.
    pub(super) fn expressions(&self) -> Vec<&'t str> {
        match self {
            Self::Send { channel, value } => vec![channel, value],
            Self::Receive { channel, .. } => vec![channel],
            Self::Range { over } => vec![over],
            Self::Call { callee, arguments, .. } => {
                operand(callee).into_iter().chain(arguments.iter().copied()).collect()
            }
            Self::Assign { names, .. } => names.clone(),
            Self::Declare { name, .. } => vec![name],
            Self::Keyed { value, .. } => vec![value],
            Self::Return { .. } | Self::Select { .. } | Self::Break | Self::Continue => Vec::new(),
        }
    }

    /// The expressions that an operation hands on: arguments, values.
    pub(super) fn values(&self) -> &[&'t str] {
        match self {
            Self::Call { arguments, .. } => arguments,
            Self::Assign { value, .. } | Self::Keyed { value, .. } => std::slice::from_ref(value),
            Self::Return { values } => std::slice::from_ref(values),
            _ => &[],
        }
    }
}

impl<'t> Outline<'t> {
    /// The scope and those around it, inner first, within its function.
    pub(super) fn around(&self, scope: ScopeId) -> impl Iterator<Item = ScopeId> + '_ {
        std::iter::successors(Some(scope), |&scope| self.scopes.get(scope)?.parent)
    }

    /// The innermost loop around an operation, within its function.
    pub(super) fn loop_around(&self, op: OpId) -> Option<(ScopeId, Loop)> {
        self.around(self.ops[op].scope).find_map(|scope| match self.scopes[scope].kind {
            ScopeKind::Loop(kind) => Some((scope, kind)),
            _ => None,
        })
    }

    /// Whether an operation stands in a branch of an `if` or `switch`, within its function.
    pub(super) fn is_in_branch(&self, op: OpId) -> bool {
        let mut around = self.around(self.ops[op].scope);
        around.any(|scope| matches!(self.scopes[scope].kind, ScopeKind::Branch(_)))
    }

    /// The select whose case an operation is, rather than one in the body of a case.
    pub(super) fn select_of(&self, op: OpId) -> Option<OpId> {
        match self.scopes[self.ops[op].scope].kind {
            ScopeKind::Case(select) if self.is_communication(op) => Some(select),
            _ => None,
        }
    }

    /// What a select chooses between: the sends and receives of its cases.
    pub(super) fn communications(&self, select: OpId) -> impl Iterator<Item = OpId> + '_ {
        (select + 1..self.ops.len())
            .take_while(move |&op| self.ops[op].first <= self.ops[select].last)
            .take_while(move |&op| self.file(op) == self.file(select))
            .filter(move |&op| self.select_of(op) == Some(select))
    }

    /// Whether an operation is the first of its case, so that the select waits for it.
    fn is_communication(&self, op: OpId) -> bool {
        let chooses = |op: &Op<'_>| matches!(op.kind, Kind::Send { .. } | Kind::Receive { .. });
        let scope = self.ops[op].scope;
        chooses(&self.ops[op])
            && !self.ops[..op]
                .iter()
                .rev()
                .take_while(|before| self.around(before.scope).any(|around| around == scope))
                .any(|before| before.scope == scope && chooses(before))
    }

    /// The number of the file that an operation is in.
    pub(super) fn file(&self, op: OpId) -> usize {
        self.functions[self.ops[op].function].file
    }

    /// The operations of a function, without those of the literals in it.
    pub(super) fn ops_of(&self, function: FnId) -> impl Iterator<Item = OpId> + '_ {
        self.by_function.get(function).into_iter().flatten().copied()
    }

    /// The function and those around it, inner first.
    pub(super) fn functions_around(&self, function: FnId) -> impl Iterator<Item = FnId> + '_ {
        std::iter::successors(Some(function), |&function| self.functions.get(function)?.parent)
    }

    /// Whether a function is the one that stands around all functions of a file.
    pub(super) fn is_package_level(&self, function: FnId) -> bool {
        let function = &self.functions[function];
        function.first == 1 && function.name.is_empty() && function.parent.is_none()
    }

    /// The innermost function around a line of a file.
    pub(super) fn function_at(&self, file: usize, line: u32) -> Option<FnId> {
        // Functions stand in the order of the text, so the last one is the innermost.
        (0..self.functions.len()).rfind(|&id| {
            let function = &self.functions[id];
            function.file == file && (function.first..=function.last).contains(&line)
        })
    }

    /// A function, as people know it.
    pub(super) fn title(&self, function: FnId) -> CodeFunction {
        let named = |&id: &FnId| !self.functions[id].name.is_empty();
        match self.functions_around(function).find(named) {
            None => CodeFunction::Literal,
            Some(own) if own == function => CodeFunction::Named(self.name(own)),
            Some(outer) => CodeFunction::LiteralIn(self.name(outer)),
        }
    }

    /// A function's name, a method's with the type: `Worker.run`.
    fn name(&self, function: FnId) -> String {
        let function = &self.functions[function];
        match &function.receiver {
            Some(receiver) => format!("{}.{}", plain_type(receiver.of), function.name),
            None => function.name.to_owned(),
        }
    }

    /// Whether two operations of one function can both run, the first before the second.
    pub(super) fn on_one_path(&self, first: OpId, second: OpId) -> bool {
        let (a, b) = (self.ops[first].scope, self.ops[second].scope);
        if self.ops[first].function != self.ops[second].function {
            return false;
        }
        let (mut a, mut b) = (a, b);
        let (mut below_a, mut below_b) = (None, None);
        while a != b {
            let (scope_a, scope_b) = (&self.scopes[a], &self.scopes[b]);
            if scope_a.depth >= scope_b.depth {
                if scope_a.jumps {
                    return false;
                }
                below_a = Some(a);
                let Some(parent) = scope_a.parent else { return false };
                a = parent;
            } else {
                below_b = Some(b);
                let Some(parent) = scope_b.parent else { return false };
                b = parent;
            }
        }
        match below_a.zip(below_b) {
            Some((a, b)) => {
                let choice = self.scopes[a].kind.choice();
                choice.is_none() || choice != self.scopes[b].kind.choice()
            }
            None => true,
        }
    }

    /// Whether an operation runs only under a condition, seen from another of its function.
    pub(super) fn is_conditional(&self, op: OpId, seen_from: OpId) -> bool {
        let outer: Vec<_> = self.around(self.ops[seen_from].scope).collect();
        self.around(self.ops[op].scope)
            .take_while(|scope| !outer.contains(scope))
            .any(|scope| !matches!(self.scopes[scope].kind, ScopeKind::Block))
    }

    /// The first return of a function, between two of its operations, that skips the second.
    pub(super) fn return_between(&self, first: OpId, second: OpId) -> Option<OpId> {
        let function = self.ops[second].function;
        self.ops_of(function).find(|&op| {
            (first + 1..second).contains(&op)
                && matches!(self.ops[op].kind, Kind::Return { .. })
                // `return <-ch` is no way around that receive.
                && self.ops[op].scope != self.ops[second].scope
                && (self.ops[first].function != function || self.on_one_path(first, op))
        })
    }
}

//! The blocked operation, and the `go` statement that started its goroutine.

use super::expression::last_part;
use super::facts::{Place, Question};
use super::outline::{FnId, Kind, Manner, OpId, Outline};
use crate::model::WaitClass;

/// What blocks, and what started it.
pub(super) struct Blocked {
    /// `None` where nothing on the line fits the wait.
    pub(super) op: Option<OpId>,
    /// The function that it stands in.
    pub(super) function: FnId,
    pub(super) go: Option<OpId>,
}

impl Blocked {
    /// `None` where no function stands at that line.
    pub(super) fn of(outline: &Outline<'_>, question: &Question) -> Option<Self> {
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

    /// The function that the `go` statement stands in.
    pub(super) fn creator(&self, outline: &Outline<'_>) -> Option<FnId> {
        self.go.map(|go| outline.ops[go].function)
    }
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

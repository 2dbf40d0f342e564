//! Why goroutines that wait are idle on purpose, as far as it can be told.
//!
//! What waits is no leak by that alone: most goroutines of a healthy server wait most of the time.

use super::case::Case;
use super::code::Awaits;
use super::detect::is_finalizer;
use super::known;
use super::settings::{Rule, Settings};
use crate::model::function::{self, Origin};
use crate::model::{IdleReason, WaitClass};

/// So many that wait on one object are a pool, whoever started it.
const POOL: u64 = 8;

/// Why a case is idle on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Idle {
    /// Why.
    pub(super) why: IdleReason,
    /// Whether it stays idle whatever its number does. Else growth counts against it.
    pub(super) always: bool,
}

impl Idle {
    fn always(why: IdleReason) -> Option<Self> {
        Some(Self { why, always: true })
    }

    fn while_steady(why: IdleReason) -> Option<Self> {
        Some(Self { why, always: false })
    }

    /// Whether it speaks against any verdict. Only what the user said does.
    pub(super) const fn clears(&self) -> bool {
        self.always
    }
}

/// Why a case is idle on purpose; `None` where nothing says so.
/// `is_own`: whether a line of the program's own is on their stacks.
pub(super) fn reason(case: &Case<'_>, is_own: bool, settings: &Settings) -> Option<Idle> {
    if is_finalizer(case) {
        return None;
    }
    if let Some(rule) = listed(case, settings) {
        return Idle::always(IdleReason::Listed(rule.reason.clone()));
    }
    let wait = case.wait();
    // Whoever asks a program for its profile sees the goroutine that answers, every time.
    let runs = matches!(wait, WaitClass::Running | WaitClass::Runnable);
    if runs && case.calls("runtime/pprof.(*Profile).WriteTo") {
        return Idle::while_steady(IdleReason::ProfileWriter);
    }
    if case.are_coroutines() {
        return Idle::while_steady(IdleReason::Iterator);
    }
    // Whoever sends, or waits for what cannot come, does not wait for work.
    let may_be_idle =
        !matches!(wait, WaitClass::ChanSend | WaitClass::EmptySelect | WaitClass::NilChannel);
    if !is_own
        && may_be_idle
        && let Some(what) = case.entry_function().and_then(|it| known::background_of(it, wait))
    {
        return Idle::while_steady(IdleReason::Background(what));
    }
    if case.keep_connections_alive() {
        return Idle::while_steady(IdleReason::KeepAlive);
    }
    if case.accepts_connections() {
        return Idle::while_steady(IdleReason::Listener);
    }
    if !is_own && case.is_librarys() && case.entry_function() == Some("testing.tRunner") {
        return Idle::while_steady(IdleReason::Test);
    }
    if wait == WaitClass::Runtime {
        return Idle::while_steady(IdleReason::Runtime);
    }
    if wait == WaitClass::NilChannel && receives_nil(case) {
        return Idle::while_steady(IdleReason::NeverCancelled);
    }
    if case.life.has_main {
        return Idle::while_steady(IdleReason::Main);
    }
    if !case.is_users() && !case.calls("net/http.(*persistConn).readLoop") {
        return Idle::while_steady(IdleReason::StandardLibrary);
    }
    if case.hints.awaits_signal {
        return Idle::while_steady(IdleReason::Signals);
    }
    if case.hints.wakes && case.hints.is_worker_loop == Some(true) {
        return Idle::while_steady(IdleReason::TimerLoop);
    }
    let receives = matches!(wait, WaitClass::ChanReceive | WaitClass::Select | WaitClass::Cond);
    if receives && is_pool(case) && case.count >= POOL {
        return Idle::while_steady(IdleReason::Pool);
    }
    match wait {
        WaitClass::ChanReceive | WaitClass::Select | WaitClass::Cond if case.life.is_rooted => {
            if is_pool(case) {
                return Idle::while_steady(IdleReason::Pool);
            }
            if case.hints.is_worker_loop == Some(true) {
                return Idle::while_steady(IdleReason::Worker);
            }
            if case.hints.awaits == Awaits::Context && case.count == 1 {
                return Idle::while_steady(IdleReason::ProgramEnd);
            }
            // Without source a worker can't be told from a receiver that was forgotten.
            if case.hints.is_worker_loop.is_none() {
                return Idle::while_steady(IdleReason::CreatorThere);
            }
            None
        }
        WaitClass::WaitGroup if case.life.kin.serve(case.life.is_rooted) => {
            Idle::while_steady(IdleReason::Served)
        }
        _ => None,
    }
}

/// The rule of the user's own list that they are on.
fn listed<'s>(case: &Case<'_>, settings: &'s Settings) -> Option<&'s Rule> {
    settings.safe.iter().find(|rule| case.functions().any(|function| rule.matches(function)))
}

/// Whether they receive from the nil channel that `Done` gives of a context that nobody can cancel
/// (`context.Background`): by their source, or because it is a library that waits, which takes such a channel
/// from its user.
fn receives_nil(case: &Case<'_>) -> bool {
    let receives = case.group.reason.as_deref().is_some_and(|it| it.starts_with("chan receive"));
    let in_library = case
        .blocked_at()
        .is_some_and(|frame| function::origin(frame.function, frame.file) != Origin::User);
    receives && (in_library || case.hints.awaits == Awaits::Context)
}

/// Whether several wait on one and the same object.
fn is_pool(case: &Case<'_>) -> bool {
    let of_one = case.group.object.map_or(0, |(_, members)| members);
    case.count >= 2 && case.groups.len() == 1 && of_one == case.count
}

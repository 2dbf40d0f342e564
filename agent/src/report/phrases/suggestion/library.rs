//! What to do about what libraries make, and about waits inside of them.

use super::super::place::brief_place;
use crate::model::{Advice, FrameId, Made, StackTable};

/// What a library waits for is ended by the way it is used.
pub(super) fn by_use(
    library: &str,
    made: Option<&Made>,
    from: Option<FrameId>,
    stacks: &StackTable,
) -> Vec<String> {
    let place = from.and_then(|frame| brief_place(stacks, frame));
    let place = place.map(|place| format!(": it starts at {place}")).unwrap_or_default();
    let first = match made.and_then(|made| Some((made, made.close?))) {
        Some((made, close)) => {
            format!("Call {close} on each {} once it is no longer needed{place}.", made.what)
        }
        None => format!(
            "The wait is inside of {library}. End it by the way you use that{place}: close, stop or \
             unsubscribe what was made there, or cancel the context that it was given."
        ),
    };
    let advice = made.and_then(|made| made.advice).map(|it| advice(it).to_owned());
    std::iter::once(first).chain(advice).collect()
}

/// What is made again and again is to be closed.
pub(super) fn close(made: &Made, below: Option<FrameId>, stacks: &StackTable) -> Vec<String> {
    let what = &made.what;
    let place = below.and_then(|frame| brief_place(stacks, frame));
    let place = place.map(|place| format!(": it is made below {place}")).unwrap_or_default();
    let close = match made.close {
        Some(call) => Some(format!("Call {call} on each {what} once its work is done{place}.")),
        None if made.advice.is_some() => None,
        None => Some(format!(
            "End each {what} once its work is done (Close, Stop, Shutdown, or the cancellation of its \
             context), or make it once and share it{place}."
        )),
    };
    close.into_iter().chain(made.advice.map(|it| advice(it).to_owned())).collect()
}

/// What there is to know of things that libraries make.
const fn advice(advice: Advice) -> &'static str {
    match advice {
        Advice::ShareTransport => {
            "Make one http.Client or http.Transport and share it: each has connections of its own, which stay open."
        }
        Advice::OpenDatabaseOnce => "A sql.DB is a pool: open it once and share it.",
        Advice::WaitDelay => {
            "Set Cmd.WaitDelay: a child of the child keeps the pipe open after the child itself has ended. Or end the whole process group."
        }
        Advice::ShareClientConn => {
            "A grpc.ClientConn is made to be shared: make one for each server and keep it."
        }
        Advice::OpenGormOnce => {
            "A gorm.DB holds a pool: open it once and share it. Its sql.DB (db.DB()) has the Close."
        }
        Advice::CancelWatch => "Cancel the context that was given to Watch, or close the client.",
        Advice::KeepLogger => {
            "Make one lumberjack.Logger for each file and keep it: its goroutine goes on after Close too."
        }
        Advice::KeepCache => {
            "Make the cache once and keep it: nothing ends the goroutine that cleans it."
        }
        Advice::KeepJanitor => {
            "Make the cache once and keep it: its janitor ends only once the cache was collected as garbage."
        }
        Advice::EndLoop => "Cancel its context, or close its stop channel, when its work is done.",
        Advice::EndInformer => {
            "Close its stop channel, or cancel its context, when its work is done."
        }
    }
}

//! What leak-agent adds to the profiles that it writes, and knows again when it reads one of them.

use std::borrow::Cow;

use crate::profile::record::State;

/// How the comment begins that says who wrote a profile.
pub(in crate::profile) const MARK: &str = "leak-agent ";

/// The label with what a goroutine was doing, in the runtime's words.
pub(in crate::profile) const STATE: &str = "state";

/// The label with the seconds that it has waited.
pub(in crate::profile) const WAIT: &str = "wait";

/// The label of those that are locked to their thread, and its only value.
pub(in crate::profile) const LOCKED: &str = "locked";
/// See [`LOCKED`].
pub(in crate::profile) const TO_THREAD: &str = "to thread";

/// The label of those that leak-agent has proven to leak, and its only value.
pub(in crate::profile) const PROOF: &str = "proof";
/// See [`PROOF`].
pub(in crate::profile) const BY_AGENT: &str = "leak-agent";

/// The label with what was made of it.
pub(in crate::profile) const VERDICT: &str = "verdict";

/// The label with the id of the finding that it is in.
pub(in crate::profile) const FINDING: &str = "finding";

/// What the runtime's own leak detection adds to a state.
pub(in crate::profile) const LEAKED: &str = " (leaked)";

/// Whether a label is one of these.
pub(super) fn is_own(key: &str) -> bool {
    [STATE, WAIT, LOCKED, PROOF, VERDICT, FINDING].contains(&key)
}

/// What the labels say of a goroutine's state, if they do.
pub(super) fn state<'l>(labels: &'l [(Cow<'_, str>, Cow<'_, str>)]) -> Option<State<'l>> {
    let value = |wanted: &str| {
        labels.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_ref())
    };
    let text = value(STATE)?;
    let seconds = value(WAIT).and_then(|wait| wait.strip_suffix(SECONDS)?.parse::<u64>().ok());
    Some(State {
        text: text.strip_suffix(LEAKED).unwrap_or(text),
        minutes: seconds.map(|seconds| seconds / 60).filter(|&minutes| minutes > 0),
        leaked: text.ends_with(LEAKED),
        proven: value(PROOF).is_some(),
        scan: false,
        durable: false,
        locked_to_thread: value(LOCKED).is_some(),
        bubble: None,
    })
}

/// The unit of [`WAIT`].
pub(in crate::profile) const SECONDS: &str = "seconds";

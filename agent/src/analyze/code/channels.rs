//! What the text of a channel's expression tells of it.

use super::expression::last_part;

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

/// Whether a channel is a timer's or ticker's, by how it is written.
pub(super) fn is_timer(channel: &str) -> bool {
    channel.starts_with("time.After(")
        || channel.starts_with("time.Tick(")
        || channel.ends_with(".C")
}

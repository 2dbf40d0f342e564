//! What a file holds, by how it begins, whatever it is called.

use memchr::memmem;

/// As many bytes as are read to tell.
pub(super) const HEAD: usize = 64 << 10;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing.
    Empty,
    /// Text that may have goroutines in it.
    Text,
    /// Counts of goroutines, as text; of leaked ones alone (`goroutineleak`) or of all.
    Counts { only_leaked: bool },
    /// Another profile, as text: what it is of.
    Profile(&'static str),
    /// What may be pprof's protobuf.
    Binary,
    /// What `--save` writes.
    Observation,
    /// A report of leak-agent.
    Report,
    /// What a server says that has no profile to give.
    Html,
}

/// How the text forms of profiles begin (`runtime/pprof/pprof.go`), and what they are of.
const PROFILES: [(&[u8], &str); 4] = [
    (b"heap profile:", "heap"),
    (b"threadcreate profile:", "threadcreate"),
    (b"--- contention:", "block"),
    (b"--- mutex:", "mutex"),
];

impl Content {
    /// By the first bytes, unpacked: [`HEAD`] of them, or all.
    pub(super) fn of(head: &[u8]) -> Self {
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        if text.is_empty() {
            return Self::Empty;
        }
        for (start, only_leaked) in
            [(&b"goroutine profile:"[..], false), (b"goroutineleak profile:", true)]
        {
            if text.starts_with(start) {
                return Self::Counts { only_leaked };
            }
        }
        if let Some((_, kind)) = PROFILES.iter().find(|(start, _)| text.starts_with(start)) {
            return Self::Profile(kind);
        }
        if text.starts_with(b"<") && is_html(text) {
            return Self::Html;
        }
        if text.starts_with(b"{") || text.starts_with(b"[") {
            let start = text.get(..512).unwrap_or(text);
            if memmem::find(start, b"\"leak-agent/observation/").is_some() {
                return Self::Observation;
            }
            if memmem::find(start, b"\"leak-agent/").is_some() {
                return Self::Report;
            }
        }
        // A profile's first field is its first sample type, or since Go 1.27 that of its period, whose length
        // follows: a few bytes. A profile that is cut short need not have a zero.
        let is_text = !head.contains(&0) && head.get(1).is_none_or(|&len| len >= 9);
        if is_text { Self::Text } else { Self::Binary }
    }
}

fn is_html(text: &[u8]) -> bool {
    let start = text.get(..1024).unwrap_or(text).to_ascii_lowercase();
    [&b"<!doctype html"[..], b"<html", b"<head", b"<body"]
        .iter()
        .any(|tag| memmem::find(&start, tag).is_some())
}

/// Whether something in it looks like a goroutine's heading.
pub(super) fn has_heading(text: &[u8]) -> bool {
    const START: &[u8] = b"goroutine ";
    memmem::find_iter(text, START).any(|at| {
        let rest = &text[at + START.len()..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let behind = &rest[digits..];
        digits > 0 && (behind.is_empty() || behind.starts_with(b" [") || behind.starts_with(b" gp"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_told_by_its_beginning() {
        for (head, expected) in [
            (&b""[..], Content::Empty),
            (b" \r\n", Content::Empty),
            (b"goroutine profile: total 7\n", Content::Counts { only_leaked: false }),
            (b"goroutineleak profile: total 7\n", Content::Counts { only_leaked: true }),
            (b"heap profile: 1: 2 [3: 4] @ heap/1048576\n", Content::Profile("heap")),
            (b"--- mutex:\ncycles/second=1\n", Content::Profile("mutex")),
            (b"goroutine 1 [running]:\n", Content::Text),
            (b"\xef\xbb\xbfgoroutine 1 [running]:\n", Content::Text),
            (b"panic: no\n\ngoroutine 1 [running]:\n", Content::Text),
            (b"{\"log\":\"goroutine 1 [running]:\\n\"}\n", Content::Text),
            (b"{\"schema\":\"leak-agent/observation/v1\",", Content::Observation),
            (b"{\n  \"schema\": \"leak-agent/report/v1\",", Content::Report),
            (b"[{\"schema\":\"leak-agent/report/v1\",", Content::Report),
            (b"<!DOCTYPE html><html>", Content::Html),
            (b"\n<HTML><body>404", Content::Html),
            (b"<a> goroutine 7 [select]:\n", Content::Text),
            (b"\x0a\x04\x08\x01\x10\x02\x12", Content::Binary),
            (b"\x5a\x04\x08\x01\x10\x02\x60", Content::Binary),
            (b"\x7fELF\x02\x01\x01\0\0", Content::Binary),
        ] {
            assert_eq!(Content::of(head), expected, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn a_heading_is_seen_wherever_it_stands() {
        for text in ["x\ngoroutine 1 [running]:", "a goroutine 7 gp=0x1 m=0", "goroutine 12"] {
            assert!(has_heading(text.as_bytes()), "{text}");
        }
        for text in ["a goroutine is", "goroutine x [", "goroutine 7 leaked", ""] {
            assert!(!has_heading(text.as_bytes()), "{text}");
        }
    }
}

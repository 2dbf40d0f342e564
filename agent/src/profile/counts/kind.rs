//! The lines that say what a profile is of.

use memchr::memrchr;

use super::line::number_behind;
use crate::profile::proto::Kind;

/// A line before the first stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// `goroutine profile: total 5`
    Counts(Kind, u64),
    /// `--- mutex:`
    Of(Kind),
    /// `heap profile: 1: 16 [2: 32] @ heap/1048576`: twice of how many bytes that are allocated one is sampled.
    Heap(Option<u64>),
    /// `cycles/second=2400000000`: what the times of a block or mutex profile are counted in.
    CyclesASecond(u64),
    /// `sampling period=5`, which a mutex profile's counts are multiplied by already.
    SamplingPeriod,
}

impl Header {
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        Some(match line {
            b"--- contention:" => Self::Of(Kind::Block),
            b"--- mutex:" => Self::Of(Kind::Mutex),
            _ if line.starts_with(b"heap profile: ") => {
                let at = memrchr(b'/', line).unwrap_or(0);
                // Nothing is sampled where it is 0.
                let twice = number_behind(&line[at..], b"/").filter(|twice| *twice > 0);
                Self::Heap(twice.map(|twice| (twice / 2).max(1)))
            }
            _ => {
                if let Some(cycles) = number_behind(line, b"cycles/second=") {
                    return Some(Self::CyclesASecond(cycles));
                }
                if number_behind(line, b"sampling period=").is_some() {
                    return Some(Self::SamplingPeriod);
                }
                let (kind, rest) = [
                    (Kind::Goroutine, &b"goroutine"[..]),
                    (Kind::GoroutineLeak, b"goroutineleak"),
                    (Kind::ThreadCreate, b"threadcreate"),
                ]
                .into_iter()
                .find_map(|(kind, name)| {
                    Some((kind, line.strip_prefix(name)?.strip_prefix(b" profile: ")?))
                })?;
                Self::Counts(kind, number_behind(rest, b"total ")?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_says_what_a_profile_is_of() {
        let of = |line: &str| Header::of(line.as_bytes());
        assert_eq!(of("goroutine profile: total 5"), Some(Header::Counts(Kind::Goroutine, 5)));
        assert_eq!(
            of("goroutineleak profile: total 0"),
            Some(Header::Counts(Kind::GoroutineLeak, 0))
        );
        assert_eq!(
            of("threadcreate profile: total 9"),
            Some(Header::Counts(Kind::ThreadCreate, 9))
        );
        let of_heap = |text: &str| of(&format!("heap profile: 1: 2 [3: 4] @ {text}"));
        assert_eq!(of_heap("heap/1048576"), Some(Header::Heap(Some(524_288))));
        assert_eq!(of_heap("heap/0"), Some(Header::Heap(None)));
        assert_eq!(of_heap("heap/2"), Some(Header::Heap(Some(1))));
        assert_eq!(of_heap("heap/x"), Some(Header::Heap(None)));
        assert_eq!(of_heap("heapz"), Some(Header::Heap(None)));
        assert_eq!(of("--- contention:"), Some(Header::Of(Kind::Block)));
        assert_eq!(of("--- mutex:"), Some(Header::Of(Kind::Mutex)));
        assert_eq!(of("cycles/second=2400000000"), Some(Header::CyclesASecond(2_400_000_000)));
        assert_eq!(of("sampling period=5"), Some(Header::SamplingPeriod));
        for other in ["goroutine profile: total", "goroutine 5 [running]:", "", "<html>"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}

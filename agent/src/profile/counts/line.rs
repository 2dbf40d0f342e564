//! The lines of a profile, each by itself.

use memchr::{memchr, memrchr};

/// One line of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// `4 @ 0x1 0x2`, in a block or mutex profile `1200 4 @ 0x1 0x2`, in one of the heap `1: 16 [2: 32] @ 0x1 0x2`.
    Stack {
        /// The numbers before the addresses; 0 for those that are not there.
        numbers: [u64; 4],
        /// The addresses, as they stand.
        addresses: &'a [u8],
    },
    /// `# labels: {"k":"v"}`, from behind its opening brace.
    Labels(&'a [u8]),
    /// `#`, an address, `main.f+0x2` and `/a.go:3`, apart by tabs.
    Frame(Frame<'a>),
    /// A frame's line that is none.
    Broken,
    /// Nothing: the stack is whole.
    Empty,
    /// Anything else.
    Other,
}

/// One frame of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) pc: u64,
    /// Nothing for an address without a name.
    pub(super) function: &'a [u8],
    /// How far in the function that the compiler made, which others may be inlined into, it is.
    pub(super) offset: u64,
    pub(super) file: &'a [u8],
    pub(super) line: u32,
}

impl<'a> Line<'a> {
    /// What a line is.
    pub(super) fn of(line: &'a [u8]) -> Self {
        match line {
            [] => Self::Empty,
            [b'#', b'\t', rest @ ..] => frame(rest).map_or(Self::Broken, Self::Frame),
            [b'#', ..] => line.strip_prefix(b"# labels: {").map_or(Self::Other, Self::Labels),
            [b'0'..=b'9', ..] => stack(line).unwrap_or(Self::Other),
            _ => Self::Other,
        }
    }
}

fn stack(line: &[u8]) -> Option<Line<'_>> {
    let at = memchr(b'@', line)?;
    let (before, addresses) = (line.get(..at)?, line.get(at + 1..)?);
    let of_heap = before.contains(&b':');
    let is_between = |byte: &u8| *byte == b' ' || (of_heap && b":[]".contains(byte));
    let mut words = before.split(is_between).filter(|word| !word.is_empty());
    let mut numbers = [0; 4];
    let mut count = 0;
    for number in &mut numbers {
        let Some(word) = words.next() else { break };
        *number = decimal(word)?;
        count += 1;
    }
    let is_whole = if of_heap { count == 4 } else { (1..=2).contains(&count) };
    (is_whole && words.next().is_none()).then_some(Line::Stack { numbers, addresses })
}

fn frame(rest: &[u8]) -> Option<Frame<'_>> {
    let end = memchr(b'\t', rest).unwrap_or(rest.len());
    let (pc, rest) = rest.split_at_checked(end)?;
    let pc = hex(pc)?;
    let rest = rest.trim_ascii_start();
    if rest.is_empty() {
        return Some(Frame { pc, function: b"", offset: 0, file: b"", line: 0 });
    }
    // Columns are apart by as many tabs as it takes.
    let (function, place) = rest.split_at_checked(memchr(b'\t', rest)?)?;
    let plus = memrchr(b'+', function)?;
    let offset = hex(function.get(plus + 1..)?)?;
    let place = place.trim_ascii_start();
    let colon = memrchr(b':', place)?;
    let line = u32::try_from(decimal(place.get(colon + 1..)?)?).ok()?;
    Some(Frame { pc, function: function.get(..plus)?, offset, file: place.get(..colon)?, line })
}

/// The last of a stack's addresses, and how many there are.
pub(super) fn last(addresses: &[u8]) -> (Option<u64>, usize) {
    let words = || addresses.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    (words().next_back().and_then(hex), words().count())
}

/// The rest of a line behind a text, as a number.
pub(super) fn number_behind(line: &[u8], text: &[u8]) -> Option<u64> {
    decimal(line.strip_prefix(text)?.trim_ascii_end())
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        value.checked_mul(10)?.checked_add(digit.into())
    })
}

fn hex(text: &[u8]) -> Option<u64> {
    let digits = text.strip_prefix(b"0x")?;
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| {
        Some(value << 4 | u64::from(char::from(*digit).to_digit(16)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_have_one_number_or_two_or_four() {
        let stack = |numbers, addresses: &'static [u8]| Line::Stack { numbers, addresses };
        assert_eq!(Line::of(b"4 @ 0x1 0x2"), stack([4, 0, 0, 0], b" 0x1 0x2"));
        assert_eq!(Line::of(b"1200 4 @ 0x1"), stack([1200, 4, 0, 0], b" 0x1"));
        assert_eq!(Line::of(b"1: 16 [2: 32] @ 0x1"), stack([1, 16, 2, 32], b" 0x1"));
        assert_eq!(Line::of(b"18446744073709551615 @"), stack([u64::MAX, 0, 0, 0], b""));
        let others =
            ["18446744073709551616 @ 0x1", "1 2 3 @ 0x1", "4 of them", "@ 0x1", "-1 @ 0x1"];
        let of_heap = ["1: 16 @ 0x1", "1: 16 [2: x] @ 0x1", "1: 2 [3: 4] 5 @ 0x1"];
        for other in others.into_iter().chain(of_heap) {
            assert_eq!(Line::of(other.as_bytes()), Line::Other, "{other}");
        }
        assert_eq!(last(b" 0x1 0x2f"), (Some(0x2f), 2));
        assert_eq!(last(b""), (None, 0));
    }

    #[test]
    fn frames_are_read_with_runs_of_tabs() {
        let read = Line::of(b"#\t0x4a6a64\tmain.(*T[...]).f+0x24\t\t\t/a b/c+d:e.go:12");
        let function = b"main.(*T[...]).f";
        let wanted =
            Frame { pc: 0x4a6a64, function, offset: 0x24, file: b"/a b/c+d:e.go", line: 12 };
        assert_eq!(read, Line::Frame(wanted));
        let wanted = Frame { pc: 0x4a, function: b"", offset: 0, file: b"", line: 0 };
        assert_eq!(Line::of(b"#\t0x4a"), Line::Frame(wanted));
        for broken in
            ["#\t", "#\tx", "#\t0x1\tmain.f", "#\t0x1\tmain.f+0x1\t/a.go", "#\t0x1\tf+1\ta:1"]
        {
            assert_eq!(Line::of(broken.as_bytes()), Line::Broken, "{broken}");
        }
    }

    #[test]
    fn labels_and_other_lines_are_told_apart() {
        assert_eq!(Line::of(b"# labels: {\"a\":\"b\"}"), Line::Labels(b"\"a\":\"b\"}"));
        assert_eq!(Line::of(b"# runtime.MemStats"), Line::Other);
        assert_eq!(Line::of(b""), Line::Empty);
        assert_eq!(Line::of(b"text"), Line::Other);
    }
}

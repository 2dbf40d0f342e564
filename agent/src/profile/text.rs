//! What readers of text share: parts of a text by their place, text that may not be UTF-8, lists whose memory
//! is used again.

/// A part of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// `len` bytes from `start` on; `None` for a text that is larger than any reader keeps.
    pub(super) fn new(start: usize, len: usize) -> Option<Self> {
        Some(Self { start: start.try_into().ok()?, len: len.try_into().ok()? })
    }

    /// Where it starts.
    pub(super) fn start(self) -> usize {
        self.start as usize
    }

    /// How many bytes it has.
    pub(super) fn len(self) -> usize {
        self.len as usize
    }

    /// What stands there.
    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.start()..self.start() + self.len()).unwrap_or_default()
    }
}

/// Makes text of bytes that may not be UTF-8.
#[derive(Debug, Default)]
pub(super) struct Lossy(Vec<u8>);

impl Lossy {
    /// The text, and whether it had bytes that are no part of UTF-8: each is replaced by a question mark, so
    /// that all else stays where it is.
    pub(super) fn read<'a>(&'a mut self, bytes: &'a [u8]) -> (&'a str, bool) {
        if let Ok(text) = str::from_utf8(bytes) {
            return (text, false);
        }
        self.0.clear();
        self.0.extend_from_slice(bytes);
        let mut at = 0;
        while let Err(error) = str::from_utf8(self.0.get(at..).unwrap_or_default()) {
            let start = at + error.valid_up_to();
            at = start + error.error_len().unwrap_or(bytes.len() - start);
            self.0.iter_mut().take(at).skip(start).for_each(|byte| *byte = b'?');
        }
        (str::from_utf8(&self.0).unwrap_or_default(), true)
    }
}

/// The memory of a list, for what lives for another time.
pub(super) fn emptied<A, B>(mut list: Vec<A>) -> Vec<B> {
    list.clear();
    // Collected in place: source and result are one allocation where both are of one size.
    list.into_iter().filter_map(|_| None).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_blanked_out_in_place() {
        let mut lossy = Lossy::default();
        assert_eq!(lossy.read(b"a\xffb\xe2\x82c \xc3\xa9\xf0\x9f"), ("a?b??c é??", true));
        assert_eq!(lossy.read("é".as_bytes()), ("é", false));
    }

    #[test]
    fn emptied_lists_keep_their_memory() {
        let list: Vec<(&'static str, u64)> = Vec::with_capacity(100);
        let place = list.as_ptr() as usize;
        let list: Vec<(&str, u64)> = emptied(list);
        assert_eq!((list.as_ptr() as usize, list.capacity()), (place, 100));
    }
}

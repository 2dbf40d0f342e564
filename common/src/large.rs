//! An object of Go's heap that has a span of its own, and its birth.

/// What the kernel knows of the object that a `runtime.mspan` was made for last. The runtime uses the structs again.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Large {
    /// The address of the `runtime.mspan`. 0 in an entry that is not used.
    pub span: u64,
    /// Where the object begins.
    pub start: u64,
    /// How many pages of [`Large::PAGE`] bytes the span has.
    pub pages: u64,
    /// The word of a [`crate::Birth`]; 0 while the others are written, and for an object whose stack found no room.
    pub birth: u64,
}

impl Large {
    /// How many words it has.
    pub const WORDS: usize = size_of::<Self>() / 8;
    /// `runtime.pageSize`, in bytes.
    pub const PAGE: u64 = 8192;

    /// From its words, in the order of its fields.
    #[must_use]
    pub const fn from_words(words: &[u64; Self::WORDS]) -> Self {
        let [span, start, pages, birth] = *words;
        Self { span, start, pages, birth }
    }

    /// Bytes of the span.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.pages.saturating_mul(Self::PAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_as_the_fields_that_they_stand_for() {
        let large = Large::from_words(&[1, 2, 3, 4]);
        assert_eq!(large, Large { span: 1, start: 2, pages: 3, birth: 4 });
        assert_eq!(large.bytes(), 3 * 8192);
        assert_eq!(Large::from_words(&[u64::MAX; Large::WORDS]).bytes(), u64::MAX);
    }
}

//! What a terminal that knows synchronized output (mode 2026) shows: frames that are whole.

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// Keeps a frame back until its end has come.
#[derive(Default)]
pub(crate) struct Frames {
    kept: Vec<u8>,
}

impl Frames {
    /// Takes what was read, and gives what is to be shown by now.
    pub(crate) fn whole(&mut self, read: &[u8]) -> Vec<u8> {
        self.kept.extend_from_slice(read);
        let begins = last(&self.kept, BEGIN);
        let ends = last(&self.kept, END);
        let open = begins.filter(|begin| ends.is_none_or(|end| end < *begin));
        let kept = self.kept.split_off(open.unwrap_or(self.kept.len()));
        std::mem::replace(&mut self.kept, kept)
    }
}

fn last(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).rposition(|window| window == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_shown_when_it_is_whole() {
        let mut frames = Frames::default();
        assert_eq!(frames.whole(b"before\x1b[?2026hhalf"), b"before");
        assert_eq!(frames.whole(b" and half"), b"");
        assert_eq!(
            frames.whole(b"\x1b[?2026lbehind\x1b[?2026hnext"),
            b"\x1b[?2026hhalf and half\x1b[?2026lbehind"
        );
        assert_eq!(frames.whole(b"\x1b[?2026l"), b"\x1b[?2026hnext\x1b[?2026l");
    }
}

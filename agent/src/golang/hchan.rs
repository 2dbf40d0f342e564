//! A channel as the runtime keeps it (`runtime.hchan`; the same fields from Go 1.21 to 1.27).

/// How much of the struct must be read.
pub const BYTES: u32 = 32;
/// No channel has room for more elements: they would not fit into the address space.
const MAX_ROOM: u64 = 1 << 47;

/// The part of a channel that says what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hchan {
    /// Elements in the buffer (`qcount`).
    pub len: u64,
    /// Room in the buffer (`dataqsiz`).
    pub cap: u64,
    /// The size of an element (`elemsize`).
    pub element_bytes: u16,
    /// Whether it is closed.
    pub closed: bool,
}

impl Hchan {
    /// Parses the first [`BYTES`] bytes of the struct; `None` when no channel has such values, as
    /// memory that was freed and used again may.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let (len, cap, buffer) = (word(0)?, word(8)?, word(16)?);
        let element_bytes = u16::from_le_bytes(*bytes.get(24..)?.first_chunk()?);
        let closed = match u32::from_le_bytes(*bytes.get(28..)?.first_chunk()?) {
            0 => false,
            1 => true,
            _ => return None,
        };
        let fits = len <= cap && cap <= MAX_ROOM && (cap == 0 || buffer != 0);
        fits.then_some(Self { len, cap, element_bytes, closed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(len: u64, cap: u64, buffer: u64, element_bytes: u16, closed: u32) -> Vec<u8> {
        let mut bytes: Vec<u8> = [len, cap, buffer].iter().flat_map(|w| w.to_le_bytes()).collect();
        bytes.extend(element_bytes.to_le_bytes());
        bytes.extend([0xff; 2]);
        bytes.extend(closed.to_le_bytes());
        bytes
    }

    #[test]
    fn a_channel() {
        let channel = Hchan { len: 3, cap: 8, element_bytes: 24, closed: false };
        assert_eq!(Hchan::parse(&bytes(3, 8, 0xc000_0000, 24, 0)), Some(channel));
        let closed = Hchan { len: 0, cap: 0, element_bytes: 0, closed: true };
        assert_eq!(Hchan::parse(&bytes(0, 0, 0, 0, 1)), Some(closed));
    }

    #[test]
    fn what_is_none() {
        for no_channel in [
            bytes(9, 8, 0xc000_0000, 8, 0),
            bytes(0, u64::MAX, 0xc000_0000, 8, 0),
            bytes(0, 8, 0, 8, 0),
            bytes(3, 8, 0xc000_0000, 8, 2),
            vec![0; 31],
        ] {
            assert_eq!(Hchan::parse(&no_channel), None, "{no_channel:x?}");
        }
    }
}

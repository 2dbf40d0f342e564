//! The tables that map program counters to values: pairs of variable-length deltas.

/// No honest function has more pairs, nor many that do not advance: without a bound, each look-up
/// in a hostile table would run through the rest of the file.
const MAX_STEPS: u32 = 1 << 20;
const STANDING: u32 = 16;

/// One such table, from its first byte on.
pub(super) struct PcValue<'a> {
    bytes: &'a [u8],
    quantum: u8,
}

impl<'a> PcValue<'a> {
    pub(super) const fn new(bytes: &'a [u8], quantum: u8) -> Self {
        Self { bytes, quantum }
    }

    /// The value that holds at `offset` from the function's entry; `None` when the table does not
    /// reach so far, or is broken. Reads at most one function's worth: it stops where the offset
    /// is passed, at the table's end mark, or at the end of the bytes.
    pub(super) fn at(&self, offset: u32) -> Option<i32> {
        let mut bytes = self.bytes;
        let (mut pc, mut value, mut first) = (0u64, -1i32, true);
        for _ in 0..MAX_STEPS.min(offset.saturating_add(STANDING)) {
            let delta = take(&mut bytes)?;
            if delta == 0 && !first {
                return None;
            }
            first = false;
            // Zig-zag.
            value = value.wrapping_add((delta >> 1) as i32 ^ -((delta & 1) as i32));
            pc = pc.checked_add(u64::from(take(&mut bytes)?) * u64::from(self.quantum))?;
            if u64::from(offset) < pc {
                return Some(value);
            }
        }
        None
    }
}

/// A base-128 number of at most five bytes, as Go writes 32-bit deltas.
fn take(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0u32;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_hold_until_the_next_pc() {
        // value -1+3=2 for 4 bytes, then 2-1=1 for 300 bytes, then the end mark.
        let table = PcValue::new(&[6, 4, 1, 0xac, 0x02, 0], 1);
        assert_eq!(table.at(0), Some(2));
        assert_eq!(table.at(3), Some(2));
        assert_eq!(table.at(4), Some(1));
        assert_eq!(table.at(303), Some(1));
        assert_eq!(table.at(304), None);
    }

    #[test]
    fn quantum_scales_the_program_counter() {
        let table = PcValue::new(&[6, 4, 0], 4);
        assert_eq!(table.at(15), Some(2));
        assert_eq!(table.at(16), None);
    }

    #[test]
    fn a_table_that_does_not_advance_is_given_up() {
        let mut standing = vec![2, 0];
        standing.extend([2, 0].repeat(100));
        standing.extend([2, 4, 0]);
        assert_eq!(PcValue::new(&standing, 1).at(0), None);
        assert_eq!(PcValue::new(&standing[196..], 1).at(0), Some(3));
        let long = [[2, 1].repeat(MAX_STEPS as usize), vec![2, 1, 0]].concat();
        assert_eq!(PcValue::new(&long, 1).at(MAX_STEPS - 1), Some(MAX_STEPS as i32 - 1));
        assert_eq!(PcValue::new(&long, 1).at(MAX_STEPS), None);
    }

    #[test]
    fn endless_numbers_and_cut_tables_end() {
        assert_eq!(PcValue::new(&[0xff; 64], 1).at(0), None);
        assert_eq!(PcValue::new(&[6], 1).at(0), None);
        assert_eq!(PcValue::new(&[], 1).at(0), None);
    }
}

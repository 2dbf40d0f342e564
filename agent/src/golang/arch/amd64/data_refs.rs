//! Data references of amd64 code.

use iced_x86::{Decoder, DecoderOptions, Instruction, OpKind, Register};

use super::super::DataRefs;

/// Hands every address that a memory operand of `code` names by itself to `refs`.
pub(in super::super) fn data_refs(code: &[u8], address: u64, refs: &mut DataRefs<'_>) {
    let mut decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        if let Some(address) = memory_address(&instruction) {
            refs.add(address);
        }
    }
}

/// The address in the instruction's memory operand (LEA's counts as one), where it needs no
/// register's value; an index is let pass, as the rest is then an array's base.
fn memory_address(instruction: &Instruction) -> Option<u64> {
    let has_memory =
        (0..instruction.op_count()).any(|operand| instruction.op_kind(operand) == OpKind::Memory);
    if !has_memory {
        None
    } else if instruction.is_ip_rel_memory_operand() {
        Some(instruction.ip_rel_memory_address())
    } else if instruction.memory_base() == Register::None
        && !matches!(instruction.memory_segment(), Register::FS | Register::GS)
    {
        Some(instruction.memory_displacement64())
    } else {
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::ops::Range;

    use crate::golang::arch::Arch;

    const AT: u64 = 0x40_1000;
    const DATA: Range<u64> = 0x50_0000..0x50_1000;

    fn refs(code: &[&[u8]]) -> Vec<u64> {
        Arch::Amd64.data_refs(&code.concat(), AT, std::slice::from_ref(&DATA))
    }

    /// `to - end of the instruction`, little-endian.
    fn relative(to: u64, end: u64) -> [u8; 4] {
        i32::try_from(to.wrapping_sub(end).cast_signed()).unwrap().to_le_bytes()
    }

    #[test]
    fn loads_stores_and_lea_count_in_order_and_once() {
        let lea = [&[0x48, 0x8d, 0x05][..], &relative(0x50_0020, AT + 7)].concat();
        let store = [&[0x48, 0x89, 0x0d][..], &relative(0x50_0010, AT + 14)].concat();
        let again = [&[0x48, 0x8b, 0x05][..], &relative(0x50_0020, AT + 21)].concat();
        assert_eq!(refs(&[&lea, &store, &again, &[0xc3]]), [0x50_0020, 0x50_0010]);
    }

    #[test]
    fn absolute_array_bases_count_and_thread_locals_do_not() {
        let array = [0x48, 0x8b, 0x04, 0xc5, 0x30, 0x00, 0x50, 0x00]; // mov rax, [rax*8 + 0x500030]
        let thread_local = [0x64, 0x48, 0x8b, 0x04, 0x25, 0x40, 0x00, 0x50, 0x00]; // mov rax, fs:[0x500040]
        let field = [0x48, 0x8b, 0x80, 0x50, 0x00, 0x50, 0x00]; // mov rax, [rax + 0x500050]
        assert_eq!(refs(&[&array, &thread_local, &field]), [0x50_0030]);
    }

    #[test]
    fn references_outside_of_data_do_not_count() {
        let lea = [&[0x48, 0x8d, 0x05][..], &relative(0x50_1000, AT + 7)].concat();
        assert!(refs(&[&lea]).is_empty());
    }

    #[test]
    fn rubbish_is_stepped_over_and_work_is_bounded() {
        let rubbish = vec![0x06; 1 << 20]; // no instruction in 64-bit mode
        let lea = [&[0x48, 0x8d, 0x05][..], &relative(0x50_0020, AT + 8)].concat();
        assert_eq!(refs(&[&[0x06], &lea, &rubbish]), [0x50_0020]);
        let lea = [&[0x48, 0x8d, 0x05][..], &relative(0x50_0020, AT + (1 << 20) + 7)].concat();
        assert!(refs(&[&rubbish, &lea]).is_empty());
    }
}

//! Data references of arm64 code.

use yaxpeax_arch::{Decoder, U8Reader};
use yaxpeax_arm::armv8::a64::{InstDecoder, Instruction, Opcode, Operand, SizeCode};

use super::super::DataRefs;

/// The pages that registers hold between the ADRP and the instruction that completes an address.
type Pages = [Option<u64>; 32];

/// Hands every address that `code` forms from its own position to `refs`: by ADR, or by ADRP and
/// the ADD, load or store that adds the low 12 bits. Every access by name that Go's assembler
/// writes is one of these (atomics go through ADRP and ADD). The decoder was fed all 2^32 words and
/// panics on none.
pub(in super::super) fn data_refs(code: &[u8], address: u64, refs: &mut DataRefs<'_>) {
    let decoder = InstDecoder::default();
    let mut pages: Pages = [None; 32];
    let mut pc = address;
    for word in code.as_chunks::<4>().0 {
        match decoder.decode(&mut U8Reader::new(word)) {
            Ok(instruction) => step(&instruction, pc, &mut pages, refs),
            // What it writes is not known, so nothing is any more.
            Err(_) => pages = [None; 32],
        }
        pc = pc.wrapping_add(4);
    }
}

/// Follows one instruction at `pc`.
fn step(instruction: &Instruction, pc: u64, pages: &mut Pages, refs: &mut DataRefs<'_>) {
    let operands = &instruction.operands;
    match (instruction.opcode, operands) {
        (Opcode::ADRP, [Operand::Register(_, to), Operand::PCOffset(offset), ..]) => {
            set(pages, *to, Some((pc & !0xfff).wrapping_add_signed(*offset)));
            return;
        }
        (Opcode::ADR, [_, Operand::PCOffset(offset), ..]) => {
            refs.add(pc.wrapping_add_signed(*offset))
        }
        (
            Opcode::ADD,
            [_, Operand::RegisterOrSP(SizeCode::X, from), Operand::Immediate(low), ..],
        ) => {
            if let Some(page) = get(pages, *from) {
                refs.add(page.wrapping_add(u64::from(*low)));
            }
        }
        _ => {
            for operand in operands {
                if let Operand::RegPreIndex(base, low, _) = operand
                    && let Some(page) = get(pages, *base)
                {
                    refs.add(page.wrapping_add_signed(i64::from(*low)));
                }
            }
        }
    }
    forget_written(instruction, pages);
}

/// Forgets the pages in registers that the instruction may write. Too much is forgotten rather
/// than too little (a store's source is not written): a missed reference is outvoted like a wrong
/// one, but no false one may arise from a register's old value.
fn forget_written(instruction: &Instruction, pages: &mut Pages) {
    match instruction.opcode {
        // A call may write any; behind a jump, code goes on that was reached from elsewhere.
        Opcode::BL | Opcode::BLR | Opcode::B | Opcode::BR | Opcode::RET => *pages = [None; 32],
        _ => {
            for operand in &instruction.operands {
                match operand {
                    Operand::Register(_, written) | Operand::RegisterOrSP(_, written) => {
                        set(pages, *written, None);
                    }
                    Operand::RegPreIndex(base, _, true) | Operand::RegPostIndex(base, _) => {
                        set(pages, *base, None);
                    }
                    _ => {}
                }
            }
        }
    }
}

fn get(pages: &Pages, register: u16) -> Option<u64> {
    pages.get(usize::from(register)).copied().flatten()
}

fn set(pages: &mut Pages, register: u16, page: Option<u64>) {
    // 31 is the zero register or the stack pointer: neither holds a page.
    if let Some(slot) = pages.get_mut(usize::from(register)).filter(|_| register != 31) {
        *slot = page;
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use crate::golang::arch::Arch;

    const AT: u64 = 0x40_1000;
    const DATA: Range<u64> = 0x50_0000..0x50_2000;

    // All to the page 0x500000, when at the page 0x401000.
    const ADRP_X27: u32 = 0xf00007fb;
    const ADRP_X0: u32 = 0xf00007e0;
    const ADRP_X27_NEXT_PAGE: u32 = 0x9000081b;
    const ADD_X0_X0_0X20: u32 = 0x91008000;
    const LDR_X1_X27_0X10: u32 = 0xf9400b61;
    const STRB_W1_X27_3: u32 = 0x39000f61;
    const LDP_X1_X2_X27_0X30: u32 = 0xa9430b61;
    const LDR_X1_X0_8: u32 = 0xf9400401;
    const MOV_X27_X1: u32 = 0xaa0103fb;
    const BL: u32 = 0x94000000;
    const NO_INSTRUCTION: u32 = 0xffffffff;

    fn refs(code: &[u32]) -> Vec<u64> {
        let bytes: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
        Arch::Arm64.data_refs(&bytes, AT, std::slice::from_ref(&DATA))
    }

    #[test]
    fn loads_stores_pairs_and_formed_addresses_count_in_order_and_once() {
        let code = [ADRP_X27, LDR_X1_X27_0X10, ADRP_X0, ADD_X0_X0_0X20, ADRP_X27, STRB_W1_X27_3];
        assert_eq!(refs(&code), [0x50_0010, 0x50_0020, 0x50_0003]);
        let code = [ADRP_X27, LDP_X1_X2_X27_0X30, LDR_X1_X27_0X10, LDP_X1_X2_X27_0X30];
        assert_eq!(refs(&code), [0x50_0030, 0x50_0010]);
        assert_eq!(refs(&[ADRP_X27_NEXT_PAGE, LDR_X1_X27_0X10]), [0x50_1010]);
    }

    #[test]
    fn a_field_reached_through_an_address_is_none_of_its_own() {
        assert_eq!(refs(&[ADRP_X0, ADD_X0_X0_0X20, LDR_X1_X0_8]), [0x50_0020]);
    }

    #[test]
    fn a_register_that_was_written_is_no_page_any_more() {
        for between in [MOV_X27_X1, BL, NO_INSTRUCTION] {
            assert!(refs(&[ADRP_X27, between, LDR_X1_X27_0X10]).is_empty(), "{between:#x}");
        }
    }
}

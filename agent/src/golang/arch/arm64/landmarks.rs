//! Instructions of arm64 code that probes may sit on.

use yaxpeax_arch::{Decoder, U8Reader};
use yaxpeax_arm::armv8::a64::{InstDecoder, Instruction, Opcode, Operand, SizeCode};

use super::super::{Call, Handling, Landmark, Undecodable};

/// The longest stack check (of a huge frame) has six instructions.
const MAX_STACK_CHECK: usize = 7;
/// The link register.
const LINK: u16 = 30;
/// As a base register, 31 is the stack pointer.
const STACK_POINTER: u16 = 31;

/// The store of the link register behind the stack check, if the function starts with these two.
pub(in super::super) fn past_stack_check(code: &[u8]) -> Option<Landmark> {
    let mut checked = false;
    for (index, word) in code.as_chunks::<4>().0.iter().take(MAX_STACK_CHECK).enumerate() {
        let instruction = decode(word)?;
        if checked && saves_link(&instruction) {
            let offset = u32::try_from(index * 4).ok()?;
            return Some(Landmark { offset, handling: Handling::Stepped });
        }
        match (instruction.opcode, &instruction.operands[0]) {
            (Opcode::Bcc(_), _) => checked = true,
            // Go's assembler may use R16 and R17 as it likes; no argument lies there. Register 31
            // is what a comparison writes to.
            (
                Opcode::LDR | Opcode::SUB | Opcode::SUBS | Opcode::ADD | Opcode::ORR | Opcode::MOVZ,
                Operand::Register(_, 16 | 17 | 31) | Operand::RegisterOrSP(_, 16 | 17),
            ) => {}
            _ => return None,
        }
    }
    None
}

/// All calls of the function at `target`, in the order of their addresses. None has padding.
pub(in super::super) fn calls(
    code: &[u8],
    address: u64,
    target: u64,
) -> Result<Vec<Call>, Undecodable> {
    let mut calls = Vec::new();
    // All instructions have four bytes, so one that does not decode hides none behind it.
    for (index, word) in code.as_chunks::<4>().0.iter().enumerate() {
        let offset = index as u64 * 4;
        if let Some(Instruction { opcode: Opcode::BL, operands }) = decode(word)
            && let Operand::PCOffset(relative) = operands[0]
            && address.wrapping_add(offset).wrapping_add_signed(relative) == target
        {
            let landmark = Landmark { offset: offset as u32, handling: Handling::EmulatedCall };
            calls.push(Call { landmark, nop: None });
        }
    }
    Ok(calls)
}

/// The target of the call that `code` ends with, if that is a direct one; `address` is right behind it.
pub(in super::super) fn called_before(code: &[u8], address: u64) -> Option<u64> {
    let Instruction { opcode: Opcode::BL, operands } = decode(code.last_chunk()?)? else {
        return None;
    };
    let Operand::PCOffset(relative) = operands[0] else { return None };
    Some(address.wrapping_sub(4).wrapping_add_signed(relative))
}

fn decode(word: &[u8; 4]) -> Option<Instruction> {
    InstDecoder::default().decode(&mut U8Reader::new(word)).ok()
}

/// `STR X30, [SP, #-N]!`
fn saves_link(instruction: &Instruction) -> bool {
    instruction.opcode == Opcode::STR
        && matches!(
            instruction.operands[..2],
            [
                Operand::Register(SizeCode::X, LINK),
                Operand::RegPreIndex(STACK_POINTER, ..=-8, true)
            ]
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: u64 = 0x40_1000;

    const LDR_X16_X28_16: u32 = 0xf9400b90;
    const SUB_X17_SP_64: u32 = 0xd10103f1;
    const CMP_SP_X16: u32 = 0xeb3063ff;
    const CMP_X17_X16: u32 = 0xeb10023f;
    const BLS: u32 = 0x54000709;
    const STR_LINK: u32 = 0xf81e0ffe;
    const STR_X0: u32 = 0xf81e0fe0;
    const LDR_X0_X26_8: u32 = 0xf9400740;
    const BL_3: u32 = 0x94000003;
    const BL_1: u32 = 0x94000001;
    const UNDEFINED: u32 = 0;

    fn bytes(code: &[u32]) -> Vec<u8> {
        code.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    fn store_at(code: &[u32]) -> Option<u32> {
        past_stack_check(&bytes(code)).map(|landmark| landmark.offset)
    }

    #[test]
    fn the_store_behind_a_stack_check_is_found() {
        assert_eq!(store_at(&[LDR_X16_X28_16, CMP_SP_X16, BLS, STR_LINK]), Some(12));
        let larger = [LDR_X16_X28_16, SUB_X17_SP_64, CMP_X17_X16, BLS, STR_LINK];
        assert_eq!(store_at(&larger), Some(16));
    }

    #[test]
    fn a_store_elsewhere_is_none() {
        assert_eq!(store_at(&[STR_LINK]), None);
        assert_eq!(store_at(&[LDR_X16_X28_16, CMP_SP_X16, STR_LINK]), None);
        assert_eq!(store_at(&[LDR_X16_X28_16, CMP_SP_X16, BLS, STR_X0]), None);
        assert_eq!(store_at(&[LDR_X16_X28_16, CMP_SP_X16, BLS, LDR_X0_X26_8, STR_LINK]), None);
        assert_eq!(store_at(&[LDR_X16_X28_16, UNDEFINED, BLS, STR_LINK]), None);
        assert_eq!(store_at(&[LDR_X16_X28_16, CMP_SP_X16, BLS]), None);
    }

    #[test]
    fn what_a_call_calls_is_told_from_behind_it() {
        assert_eq!(called_before(&bytes(&[UNDEFINED, BL_3]), AT + 8), Some(AT + 16));
        assert_eq!(called_before(&bytes(&[STR_X0]), AT + 4), None);
        assert_eq!(called_before(&[0, 0, 0], AT + 3), None);
    }

    #[test]
    fn calls_are_told_by_their_target() {
        let code = bytes(&[BL_3, UNDEFINED, BL_1, BL_1]);
        let calls = calls(&code, AT, AT + 12).expect("it decodes");
        let offsets: Vec<_> = calls.iter().map(|call| call.landmark.offset).collect();
        assert_eq!(offsets, [0, 8]);
    }
}

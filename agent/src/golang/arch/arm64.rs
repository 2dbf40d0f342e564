//! Data references of arm64 code.

use yaxpeax_arch::{Decoder, U8Reader};
use yaxpeax_arm::armv8::a64::{InstDecoder, Instruction, Opcode, Operand, SizeCode};

use super::DataRefs;

/// The pages that registers hold between the ADRP and the instruction that completes an address.
type Pages = [Option<u64>; 32];

/// Hands every address that `code` forms from its own position to `refs`: by ADR, or by ADRP and
/// the ADD, load or store that adds the low 12 bits. Every access by name that Go's assembler
/// writes is one of these (atomics go through ADRP and ADD).
pub(super) fn data_refs(code: &[u8], address: u64, refs: &mut DataRefs<'_>) {
    let decoder = InstDecoder::default();
    let mut pages: Pages = [None; 32];
    for (word, pc) in code.chunks_exact(4).zip((0..).step_by(4).map(|at| address.wrapping_add(at)))
    {
        match decoder.decode(&mut U8Reader::new(word)) {
            Ok(instruction) => step(&instruction, pc, &mut pages, refs),
            // What it writes is not known, so nothing is any more.
            Err(_) => pages = [None; 32],
        }
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

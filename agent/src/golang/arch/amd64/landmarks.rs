//! Instructions of amd64 code that probes may sit on.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::super::{Call, Handling, Landmark, Undecodable};

/// The longest stack check (of a huge frame) has five instructions.
const MAX_STACK_CHECK: usize = 6;
/// The five-byte NOP that the kernel knows (`x86_nops[5]`), which is also the one that Go's
/// assembler pads with.
const NOP5: [u8; 5] = [0x0f, 0x1f, 0x44, 0x00, 0x00];

/// The PUSH of the frame pointer behind the stack check, if the function starts with these two.
pub(in super::super) fn past_stack_check(code: &[u8]) -> Option<Landmark> {
    let mut checked = false;
    for instruction in
        Decoder::new(64, code, DecoderOptions::NONE).into_iter().take(MAX_STACK_CHECK)
    {
        match instruction.mnemonic() {
            Mnemonic::Push if checked && instruction.op0_register() == Register::RBP => {
                let offset = u32::try_from(instruction.ip()).ok()?;
                return Some(Landmark { offset, handling: Handling::EmulatedPush });
            }
            Mnemonic::Cmp => {}
            Mnemonic::Jbe | Mnemonic::Jb => checked = true,
            // Larger frames compute what they compare; no argument lies in these two.
            Mnemonic::Lea | Mnemonic::Mov | Mnemonic::Sub
                if matches!(instruction.op0_register(), Register::R12 | Register::R13) => {}
            _ => return None,
        }
    }
    None
}

/// All calls of the function at `target`, in the order of their addresses.
pub(in super::super) fn calls(
    code: &[u8],
    address: u64,
    target: u64,
) -> Result<Vec<Call>, Undecodable> {
    let mut calls = Vec::new();
    let mut jumps_to = Vec::new();
    let mut before = None;
    for instruction in Decoder::with_ip(64, code, address, DecoderOptions::NONE) {
        let offset = instruction.ip().wrapping_sub(address) as u32;
        if instruction.is_invalid() {
            return Err(Undecodable { offset });
        }
        if instruction.op0_kind() == OpKind::NearBranch64 {
            if instruction.mnemonic() != Mnemonic::Call {
                jumps_to.push(instruction.near_branch_target());
            } else if instruction.near_branch_target() == target {
                let landmark = Landmark { offset, handling: Handling::EmulatedCall };
                calls.push(Call { landmark, nop: before });
            }
        }
        before = nop5(&instruction, offset, code);
    }
    for call in &mut calls {
        // Who jumps right to the call passes by the padding before it.
        let at = address.wrapping_add(u64::from(call.landmark.offset));
        call.nop = call.nop.filter(|_| !jumps_to.contains(&at));
    }
    Ok(calls)
}

/// The target of the call that `code` ends with, if that is a direct one; `address` is right behind it.
pub(in super::super) fn called_before(code: &[u8], address: u64) -> Option<u64> {
    let [0xe8, relative @ ..] = code.last_chunk::<5>()? else { return None };
    Some(address.wrapping_add_signed(i32::from_le_bytes(*relative).into()))
}

fn nop5(instruction: &Instruction, offset: u32, code: &[u8]) -> Option<Landmark> {
    let bytes = code.get(offset as usize..)?.get(..instruction.len())?;
    (bytes == NOP5).then_some(Landmark { offset, handling: Handling::Nop5 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: u64 = 0x40_1000;
    const TARGET: u64 = 0x40_2000;
    const CHECK: &[u8] = &[0x49, 0x3b, 0x66, 0x10]; // cmp rsp, [r14 + 16]
    const JBE: &[u8] = &[0x76, 0x20];
    const PUSH: &[u8] = &[0x55];

    fn push_at(code: &[&[u8]]) -> Option<u32> {
        past_stack_check(&code.concat()).map(|landmark| landmark.offset)
    }

    /// `call TARGET`, at this offset.
    fn call_at(offset: u64) -> Vec<u8> {
        let relative = (TARGET - (AT + offset + 5)) as u32;
        [&[0xe8][..], &relative.to_le_bytes()].concat()
    }

    #[test]
    fn the_push_behind_a_stack_check_is_found() {
        let long_jump: &[u8] = &[0x0f, 0x86, 0, 1, 0, 0];
        let lea: &[u8] = &[0x4c, 0x8d, 0x64, 0x24, 0xc0]; // lea r12, [rsp - 64]
        let check_r12: &[u8] = &[0x4d, 0x3b, 0x66, 0x10];
        assert_eq!(push_at(&[CHECK, JBE, PUSH]), Some(6));
        assert_eq!(push_at(&[CHECK, long_jump, PUSH]), Some(10));
        assert_eq!(push_at(&[lea, check_r12, JBE, PUSH]), Some(11));
    }

    #[test]
    fn a_push_elsewhere_is_none() {
        let load: &[u8] = &[0x48, 0x8b, 0x42, 0x08]; // mov rax, [rdx + 8]: an argument is gone
        let push_rbx: &[u8] = &[0x53];
        assert_eq!(push_at(&[PUSH]), None);
        assert_eq!(push_at(&[CHECK, PUSH]), None);
        assert_eq!(push_at(&[CHECK, JBE, load, PUSH]), None);
        assert_eq!(push_at(&[CHECK, JBE, push_rbx]), None);
        assert_eq!(push_at(&[CHECK, JBE]), None);
        assert_eq!(push_at(&[CHECK, &[0x06], JBE, PUSH]), None);
    }

    #[test]
    fn calls_are_told_by_their_target_and_the_padding_before_them() {
        let code = [&call_at(0)[..], &NOP5, &call_at(10), &[0x90], &call_at(16)].concat();
        let calls = calls(&code, AT, TARGET).expect("it decodes");
        let offsets: Vec<_> = calls.iter().map(|call| call.landmark.offset).collect();
        assert_eq!(offsets, [0, 10, 16]);
        let nops: Vec<_> = calls.iter().map(|call| call.nop.map(|nop| nop.offset)).collect();
        assert_eq!(nops, [None, Some(5), None]);
        assert_eq!(super::calls(&code, AT, TARGET + 1), Ok(Vec::new()));
    }

    #[test]
    fn what_a_call_calls_is_told_from_behind_it() {
        assert_eq!(called_before(&[&[0x90][..], &call_at(1)].concat(), AT + 6), Some(TARGET));
        assert_eq!(called_before(&[0x48, 0x8b, 0x32, 0xff, 0xd6], AT + 5), None, "call rsi");
        assert_eq!(called_before(&[0xe8, 0, 0], AT + 3), None);
    }

    #[test]
    fn padding_that_a_jump_leaves_out_does_not_count() {
        let jump: &[u8] = &[0x74, 0x05]; // je: over the padding
        let code = [jump, &NOP5, &call_at(7)].concat();
        let calls = calls(&code, AT, TARGET).expect("it decodes");
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].nop, None);
    }

    #[test]
    fn behind_what_does_not_decode_nothing_is_sure() {
        let code = [&[0x90, 0x06][..], &call_at(2)].concat();
        assert_eq!(calls(&code, AT, TARGET), Err(Undecodable { offset: 1 }));
    }
}

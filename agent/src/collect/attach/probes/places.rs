//! Where this program is probed: one place an event, and a last check of what stands there.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::Event;
use super::error::ProbeError;
use crate::golang::Program;
use crate::golang::arch::{Arch, Handling};
use crate::golang::probe_points::{self, NotFound, ProbePoint, ProbePoints};

/// The first Go whose coroutines pass no `go` statement (`iter.Pull`).
const FIRST_WITH_COROUTINES: u16 = 23;

/// One place an event.
pub(super) struct Places {
    create: Result<ProbePoint, NotFound>,
    park: Result<ProbePoint, NotFound>,
    exit: Result<ProbePoint, NotFound>,
    open: Result<ProbePoint, NotFound>,
    allocate: Result<ProbePoint, NotFound>,
}

impl Places {
    /// Of all the places that a program has, those that see the most.
    pub(super) fn choose(program: &Program, points: &ProbePoints) -> Self {
        let get = |event| points.get(event).cloned().map_err(Clone::clone);
        let every = get(probe_points::Event::CreateEvery);
        let of_statements = get(probe_points::Event::Create);
        // Where there are no coroutines, the later place has the goroutine's id too.
        let create = if program.binary().version.minor >= FIRST_WITH_COROUTINES {
            every.or(of_statements)
        } else {
            of_statements.or(every)
        };
        Self {
            create,
            park: get(probe_points::Event::Park),
            exit: get(probe_points::Event::Exit),
            open: get(probe_points::Event::Open),
            allocate: get(probe_points::Event::Allocate),
        }
    }

    /// Where an event is probed.
    pub(super) fn get(&self, event: Event) -> Result<&ProbePoint, ProbeError> {
        let place = match event {
            Event::Create => &self.create,
            Event::Park => &self.park,
            Event::Exit => &self.exit,
            Event::Open => &self.open,
            Event::Allocate => &self.allocate,
        };
        place.as_ref().map_err(|why| ProbeError::NoPlace { event, source: why.clone() })
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &ProbePoint> {
        [&self.create, &self.park, &self.exit, &self.open, &self.allocate].into_iter().flatten()
    }
}

/// Checks, before anything is attached, whether an instruction that bears a probe stands at a
/// place, and that it is not its function's first byte. A breakpoint elsewhere would end the
/// target.
pub(super) fn inspect(point: &ProbePoint, arch: Arch, file: &File) -> Result<(), ProbeError> {
    let offset = point.file_offset();
    let mut found = [0; 5];
    file.read_exact_at(&mut found, offset)
        .map_err(|source| ProbeError::Unreadable { offset, source })?;
    if point.offset() > 0 && is_as_said(point.handling(), arch, offset, found) {
        Ok(())
    } else {
        Err(ProbeError::Harmful { function: point.function(), offset, found })
    }
}

fn is_as_said(handling: Handling, arch: Arch, offset: u64, found: [u8; 5]) -> bool {
    let [a, b, c, d, _] = found;
    let word = u32::from_le_bytes([a, b, c, d]);
    match (arch, handling) {
        // push rbp; call rel32; nop dword [rax + rax]
        (Arch::Amd64, Handling::EmulatedPush) => a == 0x55,
        (Arch::Amd64, Handling::EmulatedCall) => a == 0xe8,
        (Arch::Amd64, Handling::Nop5) => found == [0x0f, 0x1f, 0x44, 0x00, 0x00],
        // bl; str x30, [sp, #-N]!, which names no address of code
        (Arch::Arm64, Handling::EmulatedCall) => {
            offset.is_multiple_of(4) && word & 0xfc00_0000 == 0x9400_0000
        }
        (Arch::Arm64, Handling::Stepped) => {
            offset.is_multiple_of(4) && word & 0xffe0_0fff == 0xf800_0ffe
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDLINGS: [Handling; 4] =
        [Handling::EmulatedPush, Handling::EmulatedCall, Handling::Nop5, Handling::Stepped];

    #[test]
    fn instructions_of_amd64_are_told_apart() {
        let is = |handling, found| is_as_said(handling, Arch::Amd64, 9, found);
        let push = [0x55, 0x48, 0x89, 0xe5, 0x48];
        let call = [0xe8, 1, 2, 3, 4];
        let nop = [0x0f, 0x1f, 0x44, 0, 0];
        for (handling, of) in
            [(Handling::EmulatedPush, push), (Handling::EmulatedCall, call), (Handling::Nop5, nop)]
        {
            for found in [push, call, nop] {
                assert_eq!(is(handling, found), found == of, "{handling:?} {found:02x?}");
            }
        }
        // A function's entry (cmp rsp, [r14 + 16]), a return, somebody's breakpoint.
        for first in [[0x49, 0x3b, 0x66, 0x10, 0x76], [0xc3; 5], [0xcc; 5]] {
            assert!(HANDLINGS.iter().all(|handling| !is(*handling, first)), "{first:02x?}");
        }
    }

    #[test]
    fn instructions_of_arm64_are_told_apart() {
        let is = |handling, word: u32, offset| {
            let [a, b, c, d] = word.to_le_bytes();
            is_as_said(handling, Arch::Arm64, offset, [a, b, c, d, 0])
        };
        assert!(is(Handling::Stepped, 0xf81b_0ffe, 12), "str x30, [sp, #-80]!");
        assert!(is(Handling::EmulatedCall, 0x9400_1234, 12), "bl");
        assert!(!is(Handling::EmulatedCall, 0x9400_1234, 10), "between two instructions");
        // A function's entry (ldr x16, [x28, #16]), a return.
        for word in [0xf940_0b90, 0xd65f_03c0] {
            assert!(HANDLINGS.iter().all(|handling| !is(*handling, word, 12)), "{word:#x}");
        }
    }
}

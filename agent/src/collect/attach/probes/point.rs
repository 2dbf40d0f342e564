//! A place for a probe: inside a function, never on its first byte, on an instruction that the
//! kernel can stand in for.

use std::fs::File;
use std::os::unix::fs::FileExt;

use thiserror::Error;

use super::Event;
use crate::golang::arch::Arch;
use crate::golang::probe_points::{self as golang, ProbePoint};

/// Which of the runtime's instructions it is, and so what stands in the registers there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `runtime.newproc.func1`, where `runqput` is called, or the padding just before it: `go`
    /// statements.
    CreateGo,
    /// `runtime.newproc1`, where `casgstatus` is called last: every kind of goroutine.
    CreateAny,
    /// `runtime.gopark`, behind its stack check.
    Park,
    /// `runtime.gdestroy` or (Go 1.21, 1.22) `runtime.goexit0`, behind its stack check.
    Exit,
}

impl Kind {
    /// What happens there.
    #[must_use]
    pub const fn event(self) -> Event {
        match self {
            Self::CreateGo | Self::CreateAny => Event::Create,
            Self::Park => Event::Park,
            Self::Exit => Event::Exit,
        }
    }
}

impl From<Event> for golang::Event {
    fn from(event: Event) -> Self {
        match event {
            Event::Create => Self::CreateEvery,
            Event::Park => Self::Park,
            Event::Exit => Self::Exit,
        }
    }
}

/// A place where a probe does no harm. There is no other way to ask for one.
///
/// A probe on a function's first byte costs twenty times as much and hides the caller, and one on
/// its return kills Go (golang/go#22008): neither can be said in this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    kind: Kind,
    function: u64,
    offset: u64,
}

/// Why a place is none for a probe.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PointError {
    /// It is the function's first byte, or before it.
    #[error(
        "a {kind:?} probe at file offset {offset:#x} would stand on its function's first byte ({function:#x}) or before it"
    )]
    Entry {
        /// Which probe.
        kind: Kind,
        /// Where.
        offset: u64,
        /// Where the function begins.
        function: u64,
    },
    /// It is not an instruction that the kernel emulates.
    #[error(
        "a {kind:?} probe at file offset {offset:#x} would stand on {found:02x?}, which is no instruction that bears a probe"
    )]
    Instruction {
        /// Which probe.
        kind: Kind,
        /// Where.
        offset: u64,
        /// What stands there.
        found: [u8; 5],
    },
    /// The executable cannot be read.
    #[error("cannot read the instruction at file offset {offset:#x} of the executable")]
    Unreadable {
        /// Where.
        offset: u64,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Point {
    /// A place inside the function that begins at `function`; both are offsets in the executable's
    /// file, in bytes.
    ///
    /// # Errors
    /// When it is the function's first byte, or lies before it.
    pub const fn inside(kind: Kind, function: u64, offset: u64) -> Result<Self, PointError> {
        if offset <= function {
            return Err(PointError::Entry { kind, offset, function });
        }
        Ok(Self { kind, function, offset })
    }

    /// A place that was found by taking the program's code apart.
    ///
    /// # Errors
    /// As [`Point::inside`].
    pub fn of(found: &ProbePoint) -> Result<Self, PointError> {
        let kind = match found.event() {
            golang::Event::Create => Kind::CreateGo,
            golang::Event::CreateEvery => Kind::CreateAny,
            golang::Event::Park => Kind::Park,
            golang::Event::Exit => Kind::Exit,
        };
        let offset = found.file_offset();
        // What lies before its file's first byte is no function: refused as an entry is.
        let function = offset.checked_sub(u64::from(found.offset()));
        Self::inside(kind, function.unwrap_or(offset), offset)
    }

    /// Which instruction it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it is in the executable's file, in bytes.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Where its function begins.
    #[must_use]
    pub const fn function(&self) -> u64 {
        self.function
    }

    /// Looks, before anything is attached, whether an instruction of the right kind stands there.
    pub(super) fn inspect(&self, arch: Arch, executable: &File) -> Result<(), PointError> {
        let &Self { kind, offset, .. } = self;
        let mut found = [0; 5];
        executable
            .read_exact_at(&mut found, offset)
            .map_err(|source| PointError::Unreadable { offset, source })?;
        if bears_probe(arch, kind, offset, found) {
            Ok(())
        } else {
            Err(PointError::Instruction { kind, offset, found })
        }
    }
}

/// On amd64 the kernel emulates `push rbp`, a near call and the 5-byte NOP. On arm64 it emulates
/// BL, and steps over the prologue's `STR X30, [SP, #-N]!`, which names no address of code.
fn bears_probe(arch: Arch, kind: Kind, offset: u64, found: [u8; 5]) -> bool {
    let in_prologue = matches!(kind, Kind::Park | Kind::Exit);
    match arch {
        Arch::Amd64 if in_prologue => found[0] == 0x55,
        Arch::Amd64 => found[0] == 0xe8 || found == [0x0f, 0x1f, 0x44, 0x00, 0x00],
        Arch::Arm64 => {
            let [a, b, c, d, _] = found;
            let word = u32::from_le_bytes([a, b, c, d]);
            let is_push = word & 0xffe0_0fff == 0xf800_0ffe;
            let is_call = word & 0xfc00_0000 == 0x9400_0000;
            offset.is_multiple_of(4) && if in_prologue { is_push } else { is_call }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const KINDS: [Kind; 4] = [Kind::CreateGo, Kind::CreateAny, Kind::Park, Kind::Exit];

    #[test]
    fn no_point_is_a_functions_first_byte() {
        for kind in KINDS {
            assert!(matches!(Point::inside(kind, 64, 64), Err(PointError::Entry { .. })));
            assert!(matches!(Point::inside(kind, 64, 63), Err(PointError::Entry { .. })));
            assert_eq!(Point::inside(kind, 64, 65).unwrap().offset(), 65);
        }
    }

    #[test]
    fn only_instructions_that_bear_a_probe_do() {
        let amd64 = |kind, bytes| bears_probe(Arch::Amd64, kind, 9, bytes);
        assert!(amd64(Kind::Park, [0x55, 0x48, 0x89, 0xe5, 0x48]));
        assert!(amd64(Kind::CreateAny, [0xe8, 1, 2, 3, 4]));
        assert!(amd64(Kind::CreateGo, [0x0f, 0x1f, 0x44, 0, 0]));
        // cmp rsp, [r14+0x10]: a function's entry.
        assert!(KINDS.iter().all(|kind| !amd64(*kind, [0x49, 0x3b, 0x66, 0x10, 0x76])));
        // ret
        assert!(KINDS.iter().all(|kind| !amd64(*kind, [0xc3, 0xcc, 0xcc, 0xcc, 0xcc])));
        assert!(!amd64(Kind::Exit, [0xe8, 1, 2, 3, 4]), "a call is no prologue");

        let arm64 = |kind, word: u32, offset| {
            let [a, b, c, d] = word.to_le_bytes();
            bears_probe(Arch::Arm64, kind, offset, [a, b, c, d, 0])
        };
        assert!(arm64(Kind::Park, 0xf81b_0ffe, 12), "str x30, [sp, #-80]!");
        assert!(arm64(Kind::CreateGo, 0x9400_1234, 12), "bl");
        assert!(!arm64(Kind::CreateGo, 0x9400_1234, 10), "between two instructions");
        // ldr x16, [x28, #16]: a function's entry; ret
        let others = [0xf940_0b90, 0xd65f_03c0];
        assert!(KINDS.iter().all(|kind| others.iter().all(|word| !arm64(*kind, *word, 12))));
    }
}

//! The names of the fields that [`Layout`] knows: one list that DWARF, the table and checks share.

use super::{G, Layout, M, ModuleData, Sudog};

/// One struct of the runtime and one offset in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The struct's name without its package: `g`.
    pub of: &'static str,
    /// The path as Go spells it, `sched.sp`; [`SIZE`] for the struct's own size.
    pub path: &'static str,
}

/// The path that stands for a struct's size.
pub const SIZE: &str = "size";

/// The structs, in the order in which they are listed.
pub const STRUCTS: [&str; 4] = ["g", "m", "sudog", "moduledata"];

/// Spells out, for one struct, which member of [`Layout`] holds the offset of which Go field.
macro_rules! offsets {
    ($type:ident = $of:literal { $($member:ident = $path:literal,)* }) => {
        impl $type {
            fn from_fields<E>(get: &mut impl FnMut(Field) -> Result<u32, E>) -> Result<Self, E> {
                Ok(Self { $($member: get(Field { of: $of, path: $path })?,)* })
            }

            fn list(&self, to: &mut Vec<(Field, u32)>) {
                to.extend([$((Field { of: $of, path: $path }, self.$member),)*]);
            }
        }
    };
}

offsets!(G = "g" {
    size = "size",
    stack_lo = "stack.lo",
    stack_hi = "stack.hi",
    m = "m",
    sched_sp = "sched.sp",
    sched_pc = "sched.pc",
    sched_lr = "sched.lr",
    syscall_sp = "syscallsp",
    syscall_pc = "syscallpc",
    status = "atomicstatus",
    goid = "goid",
    wait_since = "waitsince",
    wait_reason = "waitreason",
    labels = "labels",
    locked_m = "lockedm",
    parent_goid = "parentGoid",
    gopc = "gopc",
    startpc = "startpc",
    waiting = "waiting",
    tracking_seq = "trackingSeq",
});

offsets!(M = "m" {
    procid = "procid",
    curg = "curg",
});

offsets!(Sudog = "sudog" {
    size = "size",
    g = "g",
    next = "next",
    elem = "elem",
    c = "c",
    wait_link = "waitlink",
});

offsets!(ModuleData = "moduledata" {
    size = "size",
    pc_header = "pcHeader",
    text = "text",
    etext = "etext",
    gofunc = "gofunc",
    next = "next",
});

impl Layout {
    /// A layout from a source that is asked for each field once, struct by struct in the order
    /// of [`STRUCTS`].
    ///
    /// # Errors
    /// The first that `get` returns.
    pub fn from_fields<E>(mut get: impl FnMut(Field) -> Result<u32, E>) -> Result<Self, E> {
        Ok(Self {
            g: G::from_fields(&mut get)?,
            m: M::from_fields(&mut get)?,
            sudog: Sudog::from_fields(&mut get)?,
            moduledata: ModuleData::from_fields(&mut get)?,
        })
    }

    /// Every field with its offset, in the order of [`Layout::from_fields`].
    #[must_use]
    pub fn fields(&self) -> Vec<(Field, u32)> {
        let mut fields = Vec::with_capacity(40);
        self.g.list(&mut fields);
        self.m.list(&mut fields);
        self.sudog.list(&mut fields);
        self.moduledata.list(&mut fields);
        fields
    }

    /// Whether this can be a layout at all: each field lies inside its struct, aligned to its
    /// width, on bytes of its own. It says nothing of whether it is the target's.
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        let fields = self.fields();
        STRUCTS.iter().all(|of| {
            let mine = || fields.iter().filter(move |(field, _)| field.of == *of);
            let size = mine().find(|(field, _)| field.path == SIZE).map_or(MAX_SIZE, |(_, it)| *it);
            let mut taken: Vec<_> = mine()
                .filter(|(field, _)| field.path != SIZE)
                .map(|(field, at)| (*at, field.width()))
                .collect();
            taken.sort_unstable();
            size <= MAX_SIZE
                && size.is_multiple_of(8)
                && taken.iter().all(|(at, width)| at.is_multiple_of(*width))
                && taken.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0)
                && taken.last().is_none_or(|(at, width)| *at <= size.saturating_sub(*width))
        })
    }
}

/// No struct that is read here is larger. (The largest, `moduledata`, has some 600 bytes.)
const MAX_SIZE: u32 = 64 << 10;

impl Field {
    /// How many bytes are read there.
    const fn width(&self) -> u32 {
        match self.path.as_bytes() {
            b"atomicstatus" => 4,
            b"waitreason" | b"trackingSeq" => 1,
            _ => 8,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Every field in its own word, in the order of the list.
    fn sample() -> Layout {
        let mut at = 0;
        Layout::from_fields(|field| {
            if field.path == SIZE {
                at = 0;
                return Ok::<_, ()>(1024);
            }
            at += 8;
            Ok(at - 8)
        })
        .unwrap()
    }

    #[test]
    fn what_is_listed_builds_the_same_layout() {
        let layout = sample();
        let fields = layout.fields();
        let mut rest = fields.iter();
        let again = Layout::from_fields(|field| {
            let (expected, value) = rest.next().ok_or(())?;
            if field == *expected { Ok(*value) } else { Err(()) }
        });
        assert_eq!(again, Ok(layout));
        assert!(rest.next().is_none());
    }

    #[test]
    fn implausible_layouts_are_refused() {
        assert!(sample().is_plausible());
        let broken: [fn(&mut Layout); 6] = [
            |it| it.g.goid = it.g.startpc,
            |it| it.g.goid += 4,
            |it| it.g.startpc = it.g.size,
            |it| it.sudog.size = u32::MAX,
            |it| it.m.curg = 0x10_0000,
            |it| it.moduledata.size = 0,
        ];
        for (index, spoil) in broken.iter().enumerate() {
            let mut layout = sample();
            spoil(&mut layout);
            assert!(!layout.is_plausible(), "spoiled in way {index}");
        }
    }
}

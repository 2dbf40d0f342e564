//! One goroutine in the kernel's table.

/// What the kernel knows of the goroutine that a `runtime.g` belongs to now, or belonged to last.
///
/// Go reuses its g structs, so there is one slot a struct, written over when the struct changes
/// hands. Whoever writes raises `tail` first and `head` last; whoever reads takes `head` first and
/// `tail` last, and has a whole slot if they are equal.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// How often this was written, raised after each writing.
    pub head: u64,
    /// The address of the `runtime.g`.
    pub g: u64,
    /// The goroutine's id; 0 while it is not known yet.
    pub goid: u64,
    /// The id of the goroutine that created it.
    pub parent: u64,
    /// The `go` statement that created it: the address behind its call.
    pub gopc: u64,
    /// The function that it started in.
    pub startpc: u64,
    /// When it was created; 0 if that was not seen.
    pub created_ns: u64,
    /// When it ended; 0 if it has not, or that was not seen.
    pub exited_ns: u64,
    /// When it last asked to be parked; 0 if that was not seen.
    pub parked_ns: u64,
    /// What it was then to be parked on: `gopark`'s `lock`.
    pub lock: u64,
    /// How often it was seen to ask.
    pub parks: u64,
    /// Why it last asked: Go's `waitReason`, whose numbers differ between versions.
    pub reason: u32,
    /// A [`State`], as a number.
    pub state: u32,
    /// How often this was written, raised before each writing.
    pub tail: u64,
}

impl Slot {
    /// How many words it has.
    pub const WORDS: usize = size_of::<Self>() / 8;

    /// From its words, in the order of its fields; `None` if it was being written meanwhile.
    #[must_use]
    pub const fn from_words(words: &[u64; Self::WORDS]) -> Option<Self> {
        let [
            head,
            g,
            goid,
            parent,
            gopc,
            startpc,
            created_ns,
            exited_ns,
            parked_ns,
            lock,
            parks,
            mixed,
            tail,
        ] = *words;
        if head != tail {
            return None;
        }
        // Little-endian, as both of the machines that the agent runs on.
        let (reason, state) = (mixed as u32, (mixed >> 32) as u32);
        Some(Self {
            head,
            g,
            goid,
            parent,
            gopc,
            startpc,
            created_ns,
            exited_ns,
            parked_ns,
            lock,
            parks,
            reason,
            state,
            tail,
        })
    }

    /// Its state.
    #[must_use]
    pub const fn state(&self) -> State {
        State::of(self.state)
    }
}

/// What was last seen of a goroutine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum State {
    /// Nothing: the slot was never written.
    Empty = 0,
    /// It was created, and has not asked to be parked since.
    Created = 1,
    /// It asked to be parked. It may have been woken since, or never have been parked.
    Parked = 2,
    /// It ended.
    Dead = 3,
}

impl State {
    /// From its number. One that no program writes counts as nothing.
    #[must_use]
    pub const fn of(number: u32) -> Self {
        match number {
            1 => Self::Created,
            2 => Self::Parked,
            3 => Self::Dead,
            _ => Self::Empty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_as_the_fields_that_they_stand_for() {
        let mut words = core::array::from_fn(|at| at as u64);
        assert_eq!(Slot::from_words(&words), None, "head and tail differ");
        words[Slot::WORDS - 1] = 0;
        words[11] = 7 | 2 << 32;
        let expected = Slot {
            head: 0,
            g: 1,
            goid: 2,
            parent: 3,
            gopc: 4,
            startpc: 5,
            created_ns: 6,
            exited_ns: 7,
            parked_ns: 8,
            lock: 9,
            parks: 10,
            reason: 7,
            state: State::Parked as u32,
            tail: 0,
        };
        assert_eq!(Slot::from_words(&words), Some(expected));
        assert_eq!(expected.state(), State::Parked);
    }

    #[test]
    fn there_is_no_padding() {
        let fields = 12 * size_of::<u64>() + 2 * size_of::<u32>();
        assert_eq!(size_of::<Slot>(), fields);
    }
}

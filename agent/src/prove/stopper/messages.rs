//! What the agent and the process that stops targets say to each other: messages of a few words.

/// Words of every message but those that have a thread's registers.
pub(super) const WORDS: usize = 8;
/// Bytes of the largest message.
pub(super) const LARGEST: usize = 64 << 10;

/// Whatever an order says, nothing is held for longer.
pub(super) const LONGEST_MS: u64 = 60_000;

type Words = [u64; WORDS];

const fn least(first: u64, second: u64) -> u64 {
    if first < second { first } else { second }
}

/// How a target is held still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// A copy of it, which shares its memory until one of both writes; the target itself runs on.
    Clone,
    /// The target itself stands.
    Freeze,
}

/// What the agent says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// For how long any target may stand. Said once, before the agent has read anything of others: the first holds.
    Limit {
        /// Microseconds.
        pause_us: u64,
    },
    /// Hold a target still.
    Hold(Hold),
    /// Let go what is held.
    Release {
        /// Under this number.
        number: u64,
    },
}

/// A target to be held still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    /// What its answers are known by.
    pub(super) number: u64,
    pub(super) how: How,
    pub(super) pid: u32,
    /// Within this time all its threads must stand, or it is let go.
    pub(super) stop_within_us: u64,
    /// It is let go after this time, whatever happens.
    pub(super) at_most_ms: u64,
}

impl Hold {
    /// With which no target stands for longer than it may.
    pub(super) fn within(self, pause_us: u64) -> Self {
        let at_most_ms = match self.how {
            How::Freeze => self.at_most_ms.min(pause_us.div_ceil(1000)),
            How::Clone => self.at_most_ms,
        };
        Self { stop_within_us: self.stop_within_us.min(pause_us), at_most_ms, ..self }
    }
}

impl Order {
    pub(super) const fn words(self) -> Words {
        match self {
            Self::Hold(Hold { number, how, pid, stop_within_us, at_most_ms }) => {
                let how = match how {
                    How::Clone => 1,
                    How::Freeze => 2,
                };
                [1, number, how, pid as u64, stop_within_us, at_most_ms, 0, 0]
            }
            Self::Release { number } => [2, number, 0, 0, 0, 0, 0, 0],
            Self::Limit { pause_us } => [3, pause_us, 0, 0, 0, 0, 0, 0],
        }
    }

    pub(super) const fn from_words(words: Words) -> Option<Self> {
        let [kind, number, how, pid, stop_within_us, at_most_ms, ..] = words;
        let how = match how {
            1 => How::Clone,
            _ => How::Freeze,
        };
        match kind {
            1 => Some(Self::Hold(Hold {
                number,
                how,
                pid: pid as u32,
                stop_within_us: least(stop_within_us, LONGEST_MS * 1000),
                at_most_ms: least(at_most_ms, LONGEST_MS),
            })),
            2 => Some(Self::Release { number }),
            3 => Some(Self::Limit { pause_us: number }),
            _ => None,
        }
    }
}

/// Why a target is not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It has ended.
    Gone,
    /// The kernel refuses (an errno).
    Refused(i32),
    /// More threads than there is room for.
    TooManyThreads,
    /// This thread has not stopped in time.
    NotStopped(u32),
    /// No thread waits in the runtime's `futex`.
    NoWaiter,
    /// One does, and the code around it is not what is known.
    UnknownCode,
    /// Signals came in between, each time.
    Signals,
    /// The kernel does not clone it (an errno).
    NotCloned(i32),
    /// The process that was to do it was ended by somebody else.
    Died,
    /// It was not held when the time was over.
    TookTooLong,
    /// An earlier copy is there, and cannot be removed now.
    OldCopy,
    /// Threads that could make the copy have a seccomp filter.
    Filtered,
}

impl Failure {
    pub(super) const fn words(self) -> (u64, u64) {
        match self {
            Self::Gone => (1, 0),
            Self::Refused(error) => (2, error as u32 as u64),
            Self::TooManyThreads => (3, 0),
            Self::NotStopped(thread) => (4, thread as u64),
            Self::NoWaiter => (5, 0),
            Self::UnknownCode => (6, 0),
            Self::Signals => (7, 0),
            Self::NotCloned(error) => (8, error as u32 as u64),
            Self::Died => (9, 0),
            Self::TookTooLong => (10, 0),
            Self::OldCopy => (11, 0),
            Self::Filtered => (12, 0),
        }
    }

    pub(super) const fn from_words(code: u64, detail: u64) -> Option<Self> {
        Some(match code {
            1 => Self::Gone,
            2 => Self::Refused(detail as i32),
            3 => Self::TooManyThreads,
            4 => Self::NotStopped(detail as u32),
            5 => Self::NoWaiter,
            6 => Self::UnknownCode,
            7 => Self::Signals,
            8 => Self::NotCloned(detail as i32),
            9 => Self::Died,
            10 => Self::TookTooLong,
            11 => Self::OldCopy,
            12 => Self::Filtered,
            _ => return None,
        })
    }
}

/// Why what was held is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The agent said so, or is gone.
    Asked,
    /// The time was over.
    Late,
    /// The target has ended.
    TargetEnded,
    /// The copy has ended, and the target has not yet.
    CopyEnded,
}

/// What became of a copy that was let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Nothing is left of it.
    Nothing,
    /// The target has it among its children, ended.
    Zombie,
}

/// What the process says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is held; messages with its threads' registers came before.
    Held {
        /// The copy; 0 where the target itself stands.
        copy: u32,
        /// How long it took until all threads stood.
        stopped_ns: u64,
        /// How long they stood; of a freeze, until now.
        pause_ns: u64,
        /// Whether the copy has closed its descriptors.
        is_closed: bool,
    },
    /// It is not, and runs as before.
    Failed {
        why: Failure,
        /// How long it stood all the same; 0 where it was not stopped.
        pause_ns: u64,
    },
    /// It is let go.
    Ended {
        why: Why,
        left: Left,
        /// How long the target stood in all.
        pause_ns: u64,
    },
}

const HELD: u64 = 11;
const FAILED: u64 = 12;
const ENDED: u64 = 13;
/// A thread's registers: this, the number, its id, the program counter, the stack pointer, and any number of words.
pub(super) const THREAD: u64 = 14;

impl Answer {
    pub(super) const fn words(self, number: u64) -> Words {
        match self {
            Self::Held { copy, stopped_ns, pause_ns, is_closed } => {
                [HELD, number, copy as u64, stopped_ns, pause_ns, is_closed as u64, 0, 0]
            }
            Self::Failed { why, pause_ns } => {
                let (code, detail) = why.words();
                [FAILED, number, code, detail, pause_ns, 0, 0, 0]
            }
            Self::Ended { why, left, pause_ns } => {
                let why = match why {
                    Why::Asked => 1,
                    Why::Late => 2,
                    Why::TargetEnded => 3,
                    Why::CopyEnded => 4,
                };
                let left = match left {
                    Left::Nothing => 0,
                    Left::Zombie => 1,
                };
                [ENDED, number, why, left, pause_ns, 0, 0, 0]
            }
        }
    }

    /// With the number that it answers to.
    pub(super) const fn from_words(words: Words) -> Option<(u64, Self)> {
        let [kind, number, first, second, third, fourth, ..] = words;
        let answer = match kind {
            HELD => Self::Held {
                copy: first as u32,
                stopped_ns: second,
                pause_ns: third,
                is_closed: fourth != 0,
            },
            FAILED => match Failure::from_words(first, second) {
                Some(why) => Self::Failed { why, pause_ns: third },
                None => return None,
            },
            ENDED => {
                let why = match first {
                    1 => Why::Asked,
                    2 => Why::Late,
                    4 => Why::CopyEnded,
                    _ => Why::TargetEnded,
                };
                let left = if second == 0 { Left::Nothing } else { Left::Zombie };
                Self::Ended { why, left, pause_ns: third }
            }
            _ => return None,
        };
        Some((number, answer))
    }
}

/// The words of a message; `None` where it has another length.
pub(super) fn words(bytes: &[u8]) -> Option<Words> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let chunks: &[[u8; 8]; WORDS] = chunks.try_into().ok()?;
    rest.is_empty().then(|| chunks.map(u64::from_le_bytes))
}

/// The bytes of a message.
pub(super) fn bytes(words: Words) -> [u8; WORDS * 8] {
    let mut bytes = [0; WORDS * 8];
    for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *to = word.to_le_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_is_heard() {
        for how in [How::Clone, How::Freeze] {
            let hold = Hold { number: 7, how, pid: u32::MAX, stop_within_us: 9, at_most_ms: 11 };
            let order = Order::Hold(hold);
            assert_eq!(words(&bytes(order.words())).and_then(Order::from_words), Some(order));
        }
        let for_ever = [1, 7, 2, 9, u64::MAX, u64::MAX, 0, 0];
        let Some(Order::Hold(hold)) = Order::from_words(for_ever) else { panic!("an order") };
        assert_eq!((hold.stop_within_us, hold.at_most_ms), (60_000_000, 60_000));
        let clone = Hold { how: How::Clone, ..hold };
        assert_eq!(hold.within(1500), Hold { stop_within_us: 1500, at_most_ms: 2, ..hold });
        assert_eq!(clone.within(1500), Hold { stop_within_us: 1500, ..clone });
        for order in [Order::Release { number: u64::MAX }, Order::Limit { pause_us: 20_000 }] {
            assert_eq!(Order::from_words(order.words()), Some(order));
        }
        assert_eq!(Order::from_words([0; WORDS]), None);
        let failures = [
            Failure::Gone,
            Failure::Refused(libc::EPERM),
            Failure::TooManyThreads,
            Failure::NotStopped(4711),
            Failure::NoWaiter,
            Failure::UnknownCode,
            Failure::Signals,
            Failure::NotCloned(libc::ENOMEM),
            Failure::Died,
            Failure::TookTooLong,
            Failure::OldCopy,
            Failure::Filtered,
        ];
        let ended = |why, left| Answer::Ended { why, left, pause_ns: 5 };
        let answers = failures.map(|why| Answer::Failed { why, pause_ns: 7 }).into_iter().chain([
            Answer::Held { copy: 5, stopped_ns: 1, pause_ns: 2, is_closed: true },
            ended(Why::Asked, Left::Nothing),
            ended(Why::Late, Left::Zombie),
            ended(Why::TargetEnded, Left::Nothing),
            ended(Why::CopyEnded, Left::Nothing),
        ]);
        for answer in answers {
            let heard = words(&bytes(answer.words(3))).and_then(Answer::from_words);
            assert_eq!(heard, Some((3, answer)));
        }
    }

    #[test]
    fn other_lengths_are_no_message() {
        assert_eq!(words(&[0; 63]), None);
        assert_eq!(words(&[0; 72]), None);
        assert_eq!(Answer::from_words([0; WORDS]), None);
    }
}

//! Walking a goroutine's stack, frame by frame, by the function table's frame sizes.
//!
//! The rules are those of the runtime's own unwinder (`runtime/traceback.go`, Go 1.21 to 1.27),
//! for stacks that stand still.

use rustc_hash::FxHashMap;

use super::arch::Arch;
use super::pclntab::Func;
use super::plugins::Codes;

/// Words of a walk that a [`Trail`] holds at most; a walk that read more has none.
const MAX_TRAIL: usize = 64;
/// No more distinct program counters are remembered than this (a hostile stack may name any number).
const MAX_STEPS: usize = 1 << 20;
/// Functions after which the frame below stands at an exact instruction instead of behind a call
/// (`runtime.isInjectedCall`).
const INJECTED: [&str; 3] = ["runtime.sigpanic", "runtime.asyncPreempt", "runtime.debugCallV2"];
/// Writes the stack pointer, but keeps both of its stacks unwindable.
const CGO_CALLBACK: &str = "runtime.cgocallback";

/// Where a stack that stands still goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers {
    /// The program counter.
    pub pc: u64,
    /// The stack pointer.
    pub sp: u64,
    /// The link register; 0 where it is on the stack, or there is none.
    pub lr: u64,
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// At the outermost frame, or where the runtime's own unwinder would end too.
    Whole,
    /// It needs stack bytes behind those that were given.
    NeedsMore,
    /// At a return address that is in no Go function: a torn or hostile stack.
    Broken,
}

/// A frame of a stack, as [`Unwinder::frames`] finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where it goes on.
    pub pc: u64,
    /// An address to look up: in the call that it waits for, or where it was interrupted.
    pub address: u64,
    /// Where it begins, counted from the first frame's stack pointer.
    pub start: usize,
    /// How many bytes it has from there, the return address not counted; `None` where that is not known.
    pub size: Option<usize>,
    /// Whether a signal handler made it look as if the frame below had called it.
    pub is_injected: bool,
    /// Whether it called such a frame.
    pub is_interrupted: bool,
}

/// Where a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At the outermost frame.
    Top,
    /// Before: what is there from this offset on is not known.
    Early(usize),
    /// It needs stack bytes behind those that were given.
    NeedsMore,
    /// At a return address that is in no Go function.
    Broken,
}

/// Everything that a walk read. A walk is a function of that and of nothing else: a stack on which
/// the same stands leads the same way, and need not be walked.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    pc: u64,
    lr: u64,
    /// Which word, by its distance from the stack pointer, and what it was.
    words: Vec<(u32, u64)>,
}

impl Trail {
    fn begin(&mut self, start: Registers) {
        (self.pc, self.lr) = (start.pc, start.lr);
        self.words.clear();
    }

    /// The word at a distance from the stack pointer, noted down.
    fn word(&mut self, stack: &[u8], at: usize) -> Option<u64> {
        let word = word(stack, at)?;
        if self.words.len() <= MAX_TRAIL {
            self.words.push((u32::try_from(at).ok()?, word));
        }
        Some(word)
    }

    /// Whether it holds all that the walk read.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.words.len() <= MAX_TRAIL
    }

    /// Whether a walk that starts with these registers on this stack reads the same.
    #[must_use]
    pub fn leads_through(&self, start: Registers, stack: &[u8]) -> bool {
        (self.pc, self.lr) == (start.pc, start.lr)
            && self.words.iter().all(|&(at, seen)| word(stack, at as usize) == Some(seen))
    }
}

/// What must be known of a program counter to leave its frame.
#[derive(Clone, Copy)]
struct Step {
    /// From the stack pointer to the frame's end, the return address not counted.
    size: u32,
    /// Whether the program counter stands behind a call, so that the call itself is one before.
    behind_call: bool,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    /// The outermost frame (`goexit`).
    Top,
    /// Cannot be left: frame sizes unknown, or the stack pointer was written.
    Last,
    /// Faked by a signal handler: the frame below stands at an exact instruction.
    Injected,
    /// In no Go function.
    Unknown,
}

/// Walks stacks; remembers what it learns of each program counter.
pub struct Unwinder<'a> {
    codes: Codes<'a>,
    arch: Arch,
    steps: &'a mut Steps,
}

/// What an [`Unwinder`] remembers, to be kept between snapshots of the same program.
#[derive(Default)]
pub struct Steps(FxHashMap<u64, (Step, bool)>);

impl<'a> Unwinder<'a> {
    /// For a program with this code.
    pub fn new(codes: Codes<'a>, arch: Arch, steps: &'a mut Steps) -> Self {
        if steps.0.len() > MAX_STEPS {
            steps.0.clear();
        }
        Self { codes, arch, steps }
    }

    /// Walks the stack whose bytes from `start.sp` upwards are `stack`, and calls `frame` with an
    /// address in each frame, innermost first, and where the frame begins, counted from `start.sp`.
    /// The address is one inside the call instruction where the frame waits for a call to return,
    /// so that it can be looked up as it is. What it read is left in `trail`.
    pub fn walk(
        &mut self,
        start: Registers,
        stack: &[u8],
        trail: &mut Trail,
        frame: &mut dyn FnMut(u64, usize),
    ) -> Walk {
        let end = self.frames(start, stack, trail, &mut |it| frame(it.address, it.start));
        match end {
            End::Top | End::Early(_) => Walk::Whole,
            End::NeedsMore => Walk::NeedsMore,
            End::Broken => Walk::Broken,
        }
    }

    /// As [`Unwinder::walk`], with all that is known of each frame.
    pub fn frames(
        &mut self,
        start: Registers,
        stack: &[u8],
        trail: &mut Trail,
        frame: &mut dyn FnMut(Frame),
    ) -> End {
        trail.begin(start);
        let links = self.arch.uses_link_register();
        let Registers { mut pc, mut lr, .. } = start;
        // All stack positions are relative to the start.
        let (mut sp, mut innermost, mut trapped) = (0usize, true, false);
        loop {
            let (step, writes_sp) = self.step(pc);
            match step.kind {
                Kind::Unknown => return End::Broken,
                Kind::Top => return End::Top,
                Kind::Normal | Kind::Last | Kind::Injected => {}
            }
            let is_last = step.kind == Kind::Last || (writes_sp && !innermost);
            frame(Frame {
                pc,
                address: if step.behind_call && !trapped { pc - 1 } else { pc },
                start: sp,
                size: (!is_last).then_some(step.size as usize),
                is_injected: step.kind == Kind::Injected,
                is_interrupted: trapped,
            });
            if is_last {
                return End::Early(sp);
            }
            let Some(end) = sp.checked_add(step.size as usize + if links { 0 } else { 8 }) else {
                return End::Broken;
            };
            if !links {
                let Some(word) = trail.word(stack, end - 8) else { return End::NeedsMore };
                lr = word;
            } else if lr == 0 || (innermost && sp < end) {
                let Some(word) = trail.word(stack, sp) else { return End::NeedsMore };
                lr = word;
            }
            if lr == 0 {
                return End::Early(end);
            }
            if links && lr == pc && end == sp {
                return End::Broken;
            }
            (pc, lr, sp) = (lr, 0, end);
            (innermost, trapped) = (false, step.kind == Kind::Injected);
            if links && trapped {
                // The signal handler saved the link register below the frame that it faked.
                let Some(saved) = trail.word(stack, sp) else { return End::NeedsMore };
                sp += 16;
                let (step, _) = self.step(pc);
                match step.kind {
                    Kind::Unknown => pc = saved,
                    _ if step.size == 0 => lr = saved,
                    _ => {}
                }
            }
        }
    }

    fn step(&mut self, pc: u64) -> (Step, bool) {
        if let Some(&step) = self.steps.0.get(&pc) {
            return step;
        }
        let step = self.learn(pc);
        if self.steps.0.len() < MAX_STEPS {
            self.steps.0.insert(pc, step);
        }
        step
    }

    fn learn(&self, pc: u64) -> (Step, bool) {
        const UNKNOWN: Step = Step { size: 0, behind_call: false, kind: Kind::Unknown };
        let Some((_, func, offset)) = self.codes.find(pc) else { return (UNKNOWN, false) };
        let (size, kind) = match kind(&func) {
            Kind::Normal | Kind::Injected if !func.has_frame_sizes() => (0, Kind::Last),
            kind => match func.frame_size(offset) {
                Some(size) => (size, kind),
                None if kind == Kind::Top => (0, kind),
                None => (0, Kind::Unknown),
            },
        };
        let writes_sp = func.flags().writes_sp() && func.name() != Some(CGO_CALLBACK);
        (Step { size, behind_call: offset > func.entry(), kind }, writes_sp)
    }
}

fn kind(func: &Func<'_>) -> Kind {
    if func.flags().is_top_frame() {
        Kind::Top
    } else if func.name().is_some_and(|name| INJECTED.contains(&name)) {
        Kind::Injected
    } else {
        Kind::Normal
    }
}

fn word(stack: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*stack.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Registers = Registers { pc: 0x40_1000, sp: 0xc000_1000, lr: 0 };

    /// Three words of which the first and the last are read.
    fn read() -> (Trail, [u8; 24]) {
        let mut stack = [0; 24];
        stack[0] = 7;
        stack[16] = 9;
        let mut trail = Trail::default();
        trail.begin(START);
        assert_eq!((trail.word(&stack, 16), trail.word(&stack, 0)), (Some(9), Some(7)));
        (trail, stack)
    }

    #[test]
    fn a_trail_leads_through_stacks_that_differ_only_where_nothing_was_read() {
        let (trail, mut stack) = read();
        stack[8] = 1;
        let elsewhere = Registers { sp: 0xc000_2000, ..START };
        assert!(trail.leads_through(elsewhere, &stack));
    }

    #[test]
    fn a_trail_ends_at_another_word_another_register_or_the_end_of_the_stack() {
        let (trail, mut stack) = read();
        assert!(!trail.leads_through(Registers { pc: 0x40_1001, ..START }, &stack));
        assert!(!trail.leads_through(Registers { lr: 1, ..START }, &stack));
        assert!(!trail.leads_through(START, &stack[..23]));
        stack[16] = 8;
        assert!(!trail.leads_through(START, &stack));
    }

    #[test]
    fn a_long_walk_leaves_no_whole_trail() {
        let stack = [0; 8 * (MAX_TRAIL + 1)];
        let mut trail = Trail::default();
        trail.begin(START);
        for word in 0..=MAX_TRAIL {
            assert!(trail.is_whole());
            trail.word(&stack, word * 8);
        }
        assert!(!trail.is_whole());
        trail.begin(START);
        assert!(trail.is_whole());
    }
}

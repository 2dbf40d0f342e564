//! What a proof is made of: memory that no longer changes, and the registers of the threads that used it.

use crate::golang::memory::Memory;

/// A program that stands still: a clone of it, the stopped program itself, or a recorded image.
#[derive(Clone)]
pub struct Still<'a> {
    /// Its memory. Two threads read it at a time.
    pub memory: &'a (dyn Memory + Sync),
    /// All threads of the program, as they stood at the instant of which the memory is; none where the memory is
    /// that of a program that runs on. Then nothing is proven: an [`Outcome`](super::Outcome) says that it is a
    /// filter.
    pub threads: Vec<Thread>,
}

/// A thread of the program as it stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// Its id, as the program itself sees it (`runtime.m.procid`): in the program's own pid namespace.
    pub tid: u32,
    /// The program counter.
    pub ip: u64,
    /// The stack pointer.
    pub sp: u64,
    /// All other general registers, and the vector registers in words of eight bytes: any may hold a pointer.
    pub words: Vec<u64>,
}

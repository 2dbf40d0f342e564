//! Where the Go runtime keeps what: byte offsets of the struct fields that the agent reads.
//!
//! They come from the target's own DWARF, or else from the embedded table by exact version.

mod debug_section;
mod debug_unit;
pub mod described;
pub mod dwarf;
mod dwarf_error;
mod fields;
pub mod heap;
mod located;
pub mod table;

pub use dwarf_error::DwarfError;
pub use fields::{Field, SIZE, STRUCTS};
pub use heap::Heap;
pub use located::{LayoutSource, Located};
pub use table::{Exactness, TableError, TableHit};

/// Offsets of the runtime's structs, for one Go version and architecture. All in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// `runtime.g`.
    pub g: G,
    /// `runtime.m`.
    pub m: M,
    /// `runtime.sudog`.
    pub sudog: Sudog,
    /// `runtime.moduledata`.
    pub moduledata: ModuleData,
    /// What the heap's figures are read by; `None` where the source of this layout does not describe
    /// all of it, so that goroutines can be read and the heap cannot.
    pub heap: Option<Heap>,
}

/// Offsets in `runtime.g`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct G {
    /// The struct's size.
    pub size: u32,
    /// `stack.lo`: the lowest address of the stack.
    pub stack_lo: u32,
    /// `stack.hi`: one past the highest.
    pub stack_hi: u32,
    /// `m`: the thread that runs it.
    pub m: u32,
    /// `sched.sp`: where it will go on.
    pub sched_sp: u32,
    /// `sched.pc`.
    pub sched_pc: u32,
    /// `sched.lr`: the link register; meaningful on arm64.
    pub sched_lr: u32,
    /// `syscallsp`: while in a system call, in place of `sched.sp`.
    pub syscall_sp: u32,
    /// `syscallpc`.
    pub syscall_pc: u32,
    /// `atomicstatus`: 32 bits.
    pub status: u32,
    /// `goid`.
    pub goid: u32,
    /// `waitsince`: nanoseconds by the monotonic clock, or 0.
    pub wait_since: u32,
    /// `waitreason`: 8 bits.
    pub wait_reason: u32,
    /// `labels`: profiler labels.
    pub labels: u32,
    /// `lockedm`.
    pub locked_m: u32,
    /// `parentGoid`.
    pub parent_goid: u32,
    /// `gopc`: the `go` statement that created it.
    pub gopc: u32,
    /// `startpc`: the function that it started in.
    pub startpc: u32,
    /// `waiting`: the sudogs that it waits through.
    pub waiting: u32,
    /// `trackingSeq`: how often it stopped running, modulo 256 and from anywhere.
    pub tracking_seq: u32,
}

/// Offsets in `runtime.m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct M {
    /// `procid`: the thread id.
    pub procid: u32,
    /// `curg`: the goroutine that it runs.
    pub curg: u32,
}

/// Offsets in `runtime.sudog`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sudog {
    /// The struct's size.
    pub size: u32,
    /// `g`: who waits.
    pub g: u32,
    /// `next`: the next in the object's queue.
    pub next: u32,
    /// The word of `elem` that holds the address (since 1.26 the second of the pair).
    pub elem: u32,
    /// The word of `c` that holds the channel's address (since 1.26 the second of the pair).
    pub c: u32,
    /// `waitlink`: the goroutine's next sudog.
    pub wait_link: u32,
}

/// Offsets in `runtime.moduledata`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleData {
    /// The struct's size.
    pub size: u32,
    /// `pcHeader`: the address of the pclntab.
    pub pc_header: u32,
    /// `text`: the start of Go's text.
    pub text: u32,
    /// `etext`: its end.
    pub etext: u32,
    /// `gofunc`: what funcdata offsets are relative to.
    pub gofunc: u32,
    /// `types`: where types begin, and what offsets of names count from.
    pub types: u32,
    /// `etypes`: where they end.
    pub end_types: u32,
    /// `data`: the start of initialised variables with pointers.
    pub data: u32,
    /// `edata`: their end.
    pub edata: u32,
    /// `bss`: the start of other variables with pointers.
    pub bss: u32,
    /// `ebss`: their end.
    pub ebss: u32,
    /// `gcdatamask.bytedata`: a bit for each word of data, set where it is a pointer.
    pub data_mask: u32,
    /// `gcbssmask.bytedata`: the same of bss.
    pub bss_mask: u32,
    /// `next`: the next module (plugins).
    pub next: u32,
}

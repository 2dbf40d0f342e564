//! A synthetic Go program: an executable and the memory of a process that runs it, made out of a
//! plain description, so that what the agent reads can be known beforehand, and spoiled.
//!
//! It is as small as the agent's attaching lets it be, and holds no code that could run.

pub mod elf;
mod functions;
pub mod memory;
pub mod table;

use leak_agent::collect::attach::Attach;
use leak_agent::golang::arch::Arch;
use leak_agent::golang::binary::Binary;
use leak_agent::golang::layout::Layout;
use leak_agent::golang::process::Process;
use leak_agent::golang::sudog::Sudog;
use leak_agent::golang::version::GoVersion;
use leak_agent::golang::{Error, Program};

use elf::Section;
pub use functions::FUNCTIONS;
use memory::{Regions, SharedMemory};
pub use table::{CALL, INLINED};
use table::{FUNCTION_LEN, Table};

/// Where Go's text is.
pub const TEXT: u64 = 0x40_1000;
/// Where the function table is.
pub const PCLNTAB: u64 = 0x50_0000;
/// Where the inline trees are.
pub const TREES: u64 = 0x58_0000;
/// Where initialised variables are, the module data first.
pub const DATA: u64 = 0x61_0000;
/// `runtime.allglen`, and one word on `runtime.allgptr`.
pub const ALLGLEN: u64 = DATA + 0x1000;
/// `runtime.waitReasonStrings`.
pub const REASONS: u64 = DATA + 0x1100;
/// Everything that the program allocated.
pub const HEAP: u64 = 0xc0_0000_0000;

const BUILD_INFO: u64 = 0x60_0000;
const DATA_LEN: usize = 0x2000;

/// The wait reasons of the program, by number.
pub const WAIT_REASONS: [&str; 11] = [
    "",
    "chan receive",
    "chan send",
    "select",
    "sync.Mutex.Lock",
    "sync.RWMutex.RLock",
    "sync.WaitGroup.Wait",
    "sync.Cond.Wait",
    "semacquire",
    "sleep",
    "coroutine",
];

/// `atomicstatus` of a goroutine on a processor.
pub const RUNNING: u32 = 2;
/// `atomicstatus` of a blocked goroutine.
pub const WAITING: u32 = 4;
/// `atomicstatus` of an ended goroutine.
pub const DEAD: u32 = 6;

/// A goroutine to be made.
#[derive(Clone, Debug)]
pub struct Goroutine {
    /// Its id.
    pub goid: u64,
    /// Its status.
    pub status: u32,
    /// Why it waits: one of [`WAIT_REASONS`].
    pub reason: &'static str,
    /// Its frames, innermost first: a function and an offset in it, [`CALL`] or [`INLINED`].
    pub stack: Vec<(&'static str, u32)>,
    /// The function with the `go` statement.
    pub created_by: &'static str,
    /// The function that it started in.
    pub started_in: &'static str,
    /// Who created it.
    pub parent: u64,
    /// Whether it is locked to its thread.
    pub locked: bool,
    /// `waitsince`.
    pub wait_since_ns: u64,
}

impl Goroutine {
    /// One that waits in these functions, and was started by `main.main` in `main.worker`.
    #[must_use]
    pub fn waiting(goid: u64, reason: &'static str, stack: &[&'static str]) -> Self {
        Self {
            goid,
            status: WAITING,
            reason,
            stack: stack.iter().map(|&function| (function, CALL)).collect(),
            created_by: "main.main",
            started_in: "main.worker",
            parent: 1,
            locked: false,
            wait_since_ns: 0,
        }
    }
}

/// The program.
#[derive(Clone, Debug)]
pub struct Image {
    /// Its processor.
    pub arch: Arch,
    /// Its function table; may be spoiled before it is attached to.
    pub table: Table,
    version: GoVersion,
    layout: Layout,
    /// What it allocated, from [`HEAP`] on.
    heap: Vec<u8>,
    /// The goroutines.
    all: Vec<u64>,
}

impl Image {
    /// A program of Go 1.`minor`, without goroutines yet.
    ///
    /// # Panics
    /// When the agent knows no layout of that version.
    #[must_use]
    pub fn new(minor: u16, arch: Arch) -> Self {
        let version = GoVersion::release(minor, 0);
        let hit = Layout::for_version(&version, arch).expect("a version that the table knows");
        let table = table::write(&FUNCTIONS, if arch == Arch::Arm64 { 4 } else { 1 });
        Self { arch, version, layout: hit.layout, table, heap: Vec::new(), all: Vec::new() }
    }

    /// Offsets in its structs.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The addresses of its goroutines, in the order in which they were added.
    #[must_use]
    pub fn goroutines(&self) -> &[u64] {
        &self.all
    }

    /// Takes zeroed memory.
    pub fn allocate(&mut self, len: usize) -> u64 {
        let at = self.heap.len();
        self.heap.resize(at + len.next_multiple_of(16), 0);
        HEAP + at as u64
    }

    /// Takes memory for a text.
    pub fn text(&mut self, text: &str) -> u64 {
        let at = self.allocate(text.len());
        self.write(at, text.as_bytes());
        at
    }

    /// Writes a word to the heap.
    pub fn set(&mut self, addr: u64, word: u64) {
        self.write(addr, &word.to_le_bytes());
    }

    /// Writes a word of a goroutine, by the field's offset.
    pub fn set_g(&mut self, g: u64, field: u32, word: u64) {
        self.set(g + u64::from(field), word);
    }

    fn write(&mut self, addr: u64, bytes: &[u8]) {
        let at = (addr - HEAP) as usize;
        self.heap[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn word(&self, addr: u64) -> u64 {
        let at = (addr - HEAP) as usize;
        self.heap[at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word))
    }

    /// Adds a goroutine; its address.
    ///
    /// # Panics
    /// When it names a function or a wait reason that the program has not.
    pub fn add(&mut self, goroutine: &Goroutine) -> u64 {
        let stack = self.stack(&goroutine.stack);
        let (lo, hi) = (self.allocate(stack.len() + 256), HEAP + self.heap.len() as u64);
        let sp = hi - stack.len() as u64;
        self.write(sp, &stack);
        let reason = WAIT_REASONS.iter().position(|it| *it == goroutine.reason);
        let at = self.layout.g;
        let g = self.allocate(at.size as usize);
        for (field, word) in [
            (at.stack_lo, lo),
            (at.stack_hi, hi),
            (at.sched_sp, sp),
            (at.sched_pc, goroutine.stack.first().map_or(0, |&(name, offset)| pc(name, offset))),
            (at.goid, goroutine.goid),
            (at.status, u64::from(goroutine.status)),
            (at.wait_reason, reason.expect("a wait reason of the program") as u64),
            (at.wait_since, goroutine.wait_since_ns),
            (at.locked_m, u64::from(goroutine.locked)),
            (at.parent_goid, goroutine.parent),
            (at.gopc, pc(goroutine.created_by, CALL)),
            (at.startpc, pc(goroutine.started_in, 0)),
        ] {
            self.set_g(g, field, word);
        }
        self.all.push(g);
        g
    }

    /// The bytes of a stack from its stack pointer on: it ends at the outermost frame of all.
    fn stack(&self, frames: &[(&str, u32)]) -> Vec<u8> {
        let links = self.arch.uses_link_register();
        let mut stack = Vec::new();
        for (index, &(name, _)) in frames.iter().enumerate() {
            let back = frames.get(index + 1).map_or(pc("runtime.goexit", 1), |&(n, at)| pc(n, at));
            let mut frame = vec![0; function(name).1.frame as usize];
            if links {
                // The return address is at the bottom of the frame, and no part of it without one.
                frame.iter_mut().zip(back.to_le_bytes()).for_each(|(to, byte)| *to = byte);
            } else {
                frame.extend(back.to_le_bytes());
            }
            stack.extend(frame);
        }
        stack.resize(stack.len().next_multiple_of(16) + 16, 0);
        stack
    }

    /// Writes a word to the stack of a goroutine, `at` bytes above its stack pointer.
    pub fn set_slot(&mut self, g: u64, at: u64, word: u64) {
        self.set(self.slot(g, at), word);
    }

    /// The address of that word.
    #[must_use]
    pub fn slot(&self, g: u64, at: u64) -> u64 {
        self.word(g + u64::from(self.layout.g.sched_sp)) + at
    }

    /// Adds a sudog; its address.
    pub fn sudog(&mut self, sudog: &Sudog) -> u64 {
        let at = self.layout.sudog;
        let address = self.allocate(at.size as usize);
        for (field, word) in [
            (at.g, sudog.g),
            (at.next, sudog.next),
            (at.elem, sudog.elem),
            (at.c, sudog.channel),
            (at.wait_link, sudog.wait_link),
        ] {
            self.set(address + u64::from(field), word);
        }
        address
    }

    /// Gives a goroutine labels, in the form of the program's version.
    pub fn label(&mut self, g: u64, labels: &[(&str, &str)]) {
        let address = if self.version.minor < 24 {
            // A map of one bucket: eight first bytes, eight keys, eight values, overflow.
            let bucket = self.allocate(8 + 8 * 32 + 8);
            for (slot, &(key, value)) in (0..).zip(labels) {
                self.write(bucket + slot, &[100]);
                self.string(bucket + 8 + 16 * slot, key);
                self.string(bucket + 8 + 128 + 16 * slot, value);
            }
            let map = self.allocate(48);
            self.set(map, labels.len() as u64);
            self.set(map + 16, bucket);
            let set = self.allocate(8);
            self.set(set, map);
            set
        } else {
            let list = self.allocate(32 * labels.len());
            for (index, &(key, value)) in (0..).zip(labels) {
                self.string(list + 32 * index, key);
                self.string(list + 32 * index + 16, value);
            }
            let set = self.allocate(24);
            self.set(set, list);
            self.set(set + 8, labels.len() as u64);
            set
        };
        self.set_g(g, self.layout.g.labels, address);
    }

    fn string(&mut self, header: u64, text: &str) {
        let at = self.text(text);
        self.set(header, at);
        self.set(header + 8, text.len() as u64);
    }

    /// The sections of the executable, as they are in memory too.
    #[must_use]
    pub fn sections(&self) -> Vec<Section> {
        let section = |name, address, bytes, writable| Section { name, address, bytes, writable };
        vec![
            section(".text", TEXT, functions::code(self.arch), false),
            section(".gopclntab", PCLNTAB, self.table.pclntab.clone(), false),
            section(".rodata", TREES, self.table.trees.clone(), false),
            section(".go.buildinfo", BUILD_INFO, self.build_info(), true),
            section(".data", DATA, self.data(), true),
        ]
    }

    fn build_info(&self) -> Vec<u8> {
        let mut info = b"\xff Go buildinf:\x08\x02".to_vec();
        info.resize(32, 0);
        let version = self.version.to_string();
        info.push(version.len() as u8);
        info.extend(version.bytes());
        info.push(0);
        info
    }

    fn data(&self) -> Vec<u8> {
        let mut data = Regions(vec![(DATA, vec![0; DATA_LEN])]);
        let at = self.layout.moduledata;
        let names = self.table.pclntab.get(32..).and_then(|rest| rest.first_chunk());
        let names = names.map_or(0, |word| u64::from_le_bytes(*word));
        for (field, word) in [
            (at.pc_header, PCLNTAB),
            (at.pc_header + 8, PCLNTAB.wrapping_add(names)),
            (at.text, TEXT),
            (at.etext, TEXT + FUNCTIONS.len() as u64 * u64::from(FUNCTION_LEN)),
            (at.gofunc, TREES),
        ] {
            data.set(DATA + u64::from(field), word);
        }
        data.set(ALLGLEN, self.all.len() as u64);
        data.set(ALLGLEN + 8, HEAP + self.heap.len() as u64);
        let mut text = REASONS + 16 * (WAIT_REASONS.len() as u64 + 1);
        for (index, reason) in (0..).zip(WAIT_REASONS) {
            data.set(REASONS + 16 * index, text);
            data.set(REASONS + 16 * index + 8, reason.len() as u64);
            data.write(text, reason.as_bytes());
            text += reason.len() as u64;
        }
        // What lies behind is no string.
        data.set(REASONS + 16 * WAIT_REASONS.len() as u64 + 8, u64::MAX);
        data.0.swap_remove(0).1
    }

    /// The executable.
    #[must_use]
    pub fn elf(&self) -> Vec<u8> {
        elf::executable(self.arch, TEXT, &self.sections(), true)
    }

    /// The memory of a process that runs it. The list of goroutines stands behind the heap.
    #[must_use]
    pub fn memory(&self) -> SharedMemory {
        let sections = self.sections().into_iter();
        let mut regions: Vec<_> = sections.map(|it| (it.address, it.bytes)).collect();
        let list = self.all.iter().flat_map(|g| g.to_le_bytes());
        regions.push((HEAP, self.heap.iter().copied().chain(list).collect()));
        SharedMemory::new(Regions(regions))
    }

    /// Locates it in a memory. The process is our own: it is one that is alive.
    ///
    /// # Errors
    /// As [`Program::attach`].
    pub fn program(&self, memory: &SharedMemory) -> Result<Program, Error> {
        let process = Process::find(std::process::id())?;
        let binary = Binary::read("synthetic", self.elf().as_slice())?;
        Program::locate(process, binary, 0, Box::new(memory.clone()))
    }

    /// Attaches to it in a memory.
    ///
    /// # Errors
    /// As [`Program::attach`].
    pub fn attach(&self, memory: &SharedMemory) -> Result<Attach, Error> {
        Ok(Attach::to(self.program(memory)?))
    }
}

/// An address in a function of the program.
///
/// # Panics
/// When it has none of that name.
#[must_use]
pub fn pc(name: &str, offset: u32) -> u64 {
    TEXT + u64::from(function(name).0 * FUNCTION_LEN + offset)
}

fn function(name: &str) -> (u32, &'static table::Function) {
    let found = (0..).zip(&FUNCTIONS).find(|(_, function)| function.name == name);
    found.unwrap_or_else(|| panic!("the synthetic program has no function {name}"))
}

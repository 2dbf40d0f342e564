//! The functions of the synthetic program, and the code by which the agent finds variables.

use leak_agent::golang::arch::Arch;

use super::table::{FUNCTION_LEN, Function};
use super::{ALLGLEN, REASONS, TEXT};

const PROC: &str = "/go/src/runtime/proc.go";
const CHAN: &str = "/go/src/runtime/chan.go";
const MAIN: &str = "/src/app/main.go";
/// `abi.FuncID_systemstack_switch` of Go 1.26; wrappers have the next number.
const SYSTEMSTACK_SWITCH: u8 = 21;

const fn function(name: &'static str, file: &'static str, line: u32, frame: u32) -> Function {
    Function { name, file, line, frame, id: 0, flags: 0, inlined: None }
}

/// All of them, in the order of their addresses.
pub const FUNCTIONS: [Function; 19] = [
    Function { flags: 1, ..function("runtime.goexit", "/go/src/runtime/asm.s", 1700, 0) },
    Function {
        id: SYSTEMSTACK_SWITCH,
        ..function("runtime.systemstack_switch", "/go/src/runtime/asm.s", 480, 0)
    },
    function("runtime.main", PROC, 150, 0x40),
    function("runtime.gopark", PROC, 400, 0x20),
    function("runtime.asyncPreempt", "/go/src/runtime/preempt.s", 8, 0x40),
    function("runtime.chanrecv", CHAN, 500, 0x50),
    function("runtime.chansend", CHAN, 170, 0x50),
    function("runtime.selectgo", "/go/src/runtime/select.go", 120, 0x90),
    function("runtime.semacquire1", "/go/src/runtime/sema.go", 140, 0x60),
    function("sync.runtime_notifyListWait", "/go/src/runtime/sema.go", 590, 0x50),
    function("runtime.forEachGRace", PROC, 700, 0x20),
    function("runtime.atomicAllG", PROC, 680, 0x20),
    function("runtime.waitReason.String", "/go/src/runtime/runtime2.go", 1200, 0x20),
    function("runtime.(*waitReason).String", "/go/src/runtime/runtime2.go", 1, 0x20),
    function("main.main", MAIN, 10, 0x30),
    Function { inlined: Some(("main.work", 90)), ..function("main.worker", MAIN, 20, 0x40) },
    function("main.recurse", MAIN, 50, 0x10),
    function("main.leaf", MAIN, 60, 0),
    Function { id: SYSTEMSTACK_SWITCH + 1, ..function("main.main.gowrap1", MAIN, 12, 0x20) },
];

/// The text. It is empty but for the functions that refer to the runtime's variables.
pub(super) fn code(arch: Arch) -> Vec<u8> {
    let mut text = Vec::new();
    for (index, function) in (0..).zip(&FUNCTIONS) {
        let start = index * FUNCTION_LEN as usize;
        text.resize(start, 0);
        let variables: &[u64] = match function.name {
            "runtime.forEachGRace" | "runtime.atomicAllG" => &[ALLGLEN, ALLGLEN + 8],
            "runtime.waitReason.String" | "runtime.(*waitReason).String" => &[REASONS],
            _ => &[],
        };
        for &variable in variables {
            let at = TEXT + text.len() as u64;
            text.extend(reference(arch, at, variable));
        }
    }
    text.resize(FUNCTIONS.len() * FUNCTION_LEN as usize, 0);
    text
}

/// An instruction or two that form the address of a variable.
fn reference(arch: Arch, at: u64, variable: u64) -> Vec<u8> {
    match arch {
        Arch::Amd64 => {
            // lea rax, [rip + distance]
            let distance = variable.wrapping_sub(at + 7) as u32;
            [&[0x48, 0x8d, 0x05][..], &distance.to_le_bytes()].concat()
        }
        Arch::Arm64 => {
            // adrp x0, page; add x0, x0, rest
            let pages = ((variable >> 12) - (at >> 12)) as u32;
            let adrp = 0x9000_0000 | (pages & 3) << 29 | (pages >> 2) << 5;
            let add = 0x9100_0000 | ((variable & 0xfff) as u32) << 10;
            [adrp, add].iter().flat_map(|word| word.to_le_bytes()).collect()
        }
    }
}

//! Where a binary keeps the Go runtime's global variables: by what runtime functions refer to, which
//! works when it is stripped too, or by its symbol table.
//!
//! A stripped Go binary still names its functions (in its pclntab), and the code of a runtime
//! function refers to the same globals in the same order from one release to the next. Several
//! functions are asked for each global, and only their agreement counts. All addresses here are
//! link-time addresses: a position-independent target's load bias is the caller's to add.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use object::{Object, ObjectSection, ObjectSymbol};
use thiserror::Error;

use super::arch::Arch;

/// A global variable of the runtime that the agent reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Global {
    /// `allglen`: how many goroutines [`Global::AllGPtr`] has; a word.
    AllGLen,
    /// `allgptr`: the array of all goroutines; a pointer to pointers.
    AllGPtr,
    /// `firstmoduledata`: the main module's data; a struct.
    FirstModuleData,
    /// `waitReasonStrings`: wait reasons by number; an array of strings of no length known here.
    WaitReasonStrings,
    /// `memstats`: what the heap and the garbage collector did; a struct.
    MemStats,
    /// `gcController`: the collector's pace, and the sizes it goes by; a struct.
    GcController,
    /// `work`: the collection that goes on, and what all of them cost; a struct.
    Work,
    /// `allp`: the processors, of which each caches spans; a slice of pointers.
    AllP,
    /// `mheap_`: the heap's spans; a struct.
    MHeap,
    /// `mbuckets`: the memory profile's buckets; a pointer to the first of a list.
    MBuckets,
    /// `mProfCycle`: the memory profile's cycle; 32 bits.
    MProfCycle,
    /// `MemProfileRate`: how many bytes are allocated for each that the memory profile samples; a word.
    MemProfileRate,
    /// `allfin`: all blocks of queued finalizers; a pointer to the first of a list.
    AllFin,
    /// `gcCleanups`: queued cleanups, since Go 1.25; a struct.
    GcCleanups,
}

impl Global {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::AllGLen,
        Self::AllGPtr,
        Self::FirstModuleData,
        Self::WaitReasonStrings,
        Self::MemStats,
        Self::GcController,
        Self::Work,
        Self::AllP,
        Self::MHeap,
        Self::MBuckets,
        Self::MProfCycle,
        Self::MemProfileRate,
        Self::AllFin,
        Self::GcCleanups,
    ];

    /// Whether every program has what tells where it is. Of cleanups (since Go 1.25) only those have it that use any; the
    /// two functions that tell of queued finalizers contradict each other on arm64 with Go 1.27.
    #[must_use]
    pub const fn is_in_all(self) -> bool {
        !matches!(self, Self::AllFin | Self::GcCleanups)
    }

    /// Its symbol's name.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::AllGLen => "runtime.allglen",
            Self::AllGPtr => "runtime.allgptr",
            Self::FirstModuleData => "runtime.firstmoduledata",
            Self::WaitReasonStrings => "runtime.waitReasonStrings",
            Self::MemStats => "runtime.memstats",
            Self::GcController => "runtime.gcController",
            Self::Work => "runtime.work",
            Self::AllP => "runtime.allp",
            Self::MHeap => "runtime.mheap_",
            Self::MBuckets => "runtime.mbuckets",
            Self::MProfCycle => "runtime.mProfCycle",
            Self::MemProfileRate => "runtime.MemProfileRate",
            Self::AllFin => "runtime.allfin",
            Self::GcCleanups => "runtime.gcCleanups",
        }
    }
}

impl fmt::Display for Global {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

/// A function that gives globals away.
struct Recipe {
    function: &'static str,
    /// How many distinct data references it has, from and to. One with more or fewer has changed,
    /// and has no say: it would not know of what it speaks.
    refs: (usize, usize),
    /// Which of the references is which global.
    yields: &'static [(Global, usize)],
    /// Which is one where the compiler has laid out branches in another order; `None` where it never does. It counts only
    /// where another function names the same address.
    or: Option<usize>,
}

impl Recipe {
    const fn new(
        function: &'static str,
        refs: (usize, usize),
        yields: &'static [(Global, usize)],
    ) -> Self {
        Self { function, refs, yields, or: None }
    }

    /// The same, where a global that it yields may be another of the references.
    const fn or(self, position: usize) -> Self {
        Self { or: Some(position), ..self }
    }
}

/// Found by comparing symbol tables with disassembly for Go 1.21 to 1.27 on both architectures;
/// `tests/tests/globals.rs` does it again. They are in every Go program, except
/// `atomicAllG`, which stands in for `forEachGRace` where inlining is off (what it does is then
/// not in its callers).
const RECIPES: [Recipe; 39] = {
    use Global::{
        AllFin, AllGLen, AllGPtr, AllP, FirstModuleData, GcCleanups, GcController, MBuckets, MHeap,
        MProfCycle, MemProfileRate, MemStats, WaitReasonStrings, Work,
    };
    [
        Recipe::new("runtime.forEachGRace", (2, 2), &[(AllGLen, 0), (AllGPtr, 1)]),
        Recipe::new("runtime.atomicAllG", (2, 2), &[(AllGLen, 0), (AllGPtr, 1)]),
        Recipe::new("runtime.allgadd", (7, 7), &[(AllGPtr, 5), (AllGLen, 6)]),
        Recipe::new("runtime.findfunc", (1, 1), &[(FirstModuleData, 0)]),
        Recipe::new("runtime.adjustframe", (1, 2), &[(FirstModuleData, 0)]),
        Recipe::new("runtime.resolveNameOff", (2, 3), &[(FirstModuleData, 0)]),
        Recipe::new("runtime.rtype.textOff", (2, 3), &[(FirstModuleData, 0)]),
        Recipe::new("runtime.waitReason.String", (1, 1), &[(WaitReasonStrings, 0)]),
        Recipe::new("runtime.(*waitReason).String", (1, 1), &[(WaitReasonStrings, 0)]),
        Recipe::new("runtime.schedtrace.func1", (1, 1), &[(WaitReasonStrings, 0)]),
        Recipe::new("runtime.(*mcache).allocLarge", (6, 7), &[(MemStats, 1)]),
        Recipe::new("runtime.(*mcache).refill", (6, 7), &[(MemStats, 3)]),
        Recipe::new("runtime.(*mcache).releaseAll", (6, 7), &[(MemStats, 2)]),
        Recipe::new("runtime.(*mheap).grow", (5, 6), &[(MemStats, 2)]),
        Recipe::new("runtime.gcControllerCommit", (6, 7), &[(GcController, 1)]),
        Recipe::new("runtime.gcTrigger.test", (8, 8), &[(GcController, 3)]),
        Recipe::new("runtime.gcinit", (3, 6), &[(GcController, 1)]),
        Recipe::new("runtime.putfull", (1, 1), &[(Work, 0)]),
        Recipe::new("runtime.trygetfull", (1, 2), &[(Work, 0)]),
        Recipe::new("runtime.prepareFreeWorkbufs", (6, 7), &[(Work, 1)]),
        Recipe::new("runtime.gcDrainN", (6, 9), &[(Work, 2)]),
        Recipe::new("runtime.preemptall", (1, 2), &[(AllP, 0)]),
        Recipe::new("runtime.gcMarkTinyAllocs", (1, 2), &[(AllP, 0)]),
        Recipe::new("runtime.gcMarkDone.func3", (1, 2), &[(AllP, 0)]),
        Recipe::new("runtime.timeSleepUntil", (2, 3), &[(AllP, 1)]),
        Recipe::new("runtime.(*pageAlloc).enableChunkHugePages", (1, 1), &[(MHeap, 0)]),
        Recipe::new("runtime.gcMarkTermination.func5", (1, 1), &[(MHeap, 0)]),
        Recipe::new("runtime.getempty.func1", (1, 1), &[(MHeap, 0)]),
        Recipe::new("runtime.(*mspan).setUserArenaChunkToFault.func1", (1, 2), &[(MHeap, 0)]),
        Recipe::new("runtime.stkbucket", (6, 6), &[(MBuckets, 3)]),
        Recipe::new("runtime.mProf_FlushLocked", (1, 1), &[(MBuckets, 0)]),
        Recipe::new("runtime.mProf_Flush", (2, 4), &[(MProfCycle, 0)]),
        Recipe::new("runtime.mProf_Free", (1, 3), &[(MProfCycle, 0)]),
        Recipe::new("runtime.profilealloc", (2, 2), &[(MemProfileRate, 1)]),
        Recipe::new("runtime.allocmcache", (2, 2), &[(MemProfileRate, 1)]),
        Recipe::new("runtime.queuefinalizer", (10, 12), &[(AllFin, 5)]),
        // Of Go 1.27 for arm64, `work.baseBSS` comes after it.
        Recipe::new("runtime.markroot", (12, 15), &[(AllFin, 4)]).or(3),
        Recipe::new("runtime.runCleanups", (5, 5), &[(GcCleanups, 2)]),
        Recipe::new("runtime.freeSpecial", (26, 29), &[(GcCleanups, 16)]),
    ]
};

const WANTED: [&str; RECIPES.len()] = {
    let mut names = [""; RECIPES.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = RECIPES[index].function;
        index += 1;
    }
    names
};

/// The names of all functions that [`locate`] may ask for, each once.
#[must_use]
pub const fn wanted() -> &'static [&'static str] {
    &WANTED
}

/// A function's machine code.
#[derive(Clone, Copy, Debug)]
pub struct FunctionCode<'a> {
    /// The link-time address of its first byte.
    pub address: u64,
    /// Its bytes; what pads it to the next function does no harm.
    pub bytes: &'a [u8],
}

/// How globals were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// In the symbol table.
    Symtab,
    /// By disassembly of functions that refer to them.
    Disassembly,
}

/// A global that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// Its link-time address.
    pub address: u64,
    /// How many witnesses (functions, or the one symbol) name this address...
    pub votes: usize,
    /// ... of how many that name any.
    pub of: usize,
}

/// Why a global was not found.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotLocated {
    /// The symbol table does not have it.
    #[error("the symbol table has no {global} in the data sections")]
    NoSymbol {
        /// Which.
        global: Global,
    },
    /// Fewer than two functions point to it.
    #[error(
        "{votes} of the {asked} functions known to refer to {global} could be read, and two must agree: this Go release may be newer than leak-agent knows"
    )]
    TooFewVotes {
        /// Which.
        global: Global,
        /// How many functions did: 0 or 1.
        votes: usize,
        /// How many are known.
        asked: usize,
    },
    /// The witnesses name different addresses, and none is named by most.
    #[error("the places that tell where {global} is contradict each other: {addresses:x?}")]
    Disagreement {
        /// Which.
        global: Global,
        /// What they name, one for each.
        addresses: Vec<u64>,
    },
}

/// Where the globals of one binary are.
#[derive(Clone, Debug)]
pub struct Globals {
    source: Source,
    found: [Result<Located, NotLocated>; Global::ALL.len()],
}

impl Globals {
    /// From the symbol table, or nothing if the binary has none for Go's runtime (it is stripped).
    #[must_use]
    pub fn from_symbols<'data>(file: &impl Object<'data>) -> Option<Self> {
        let data = data_ranges(file);
        let mut addresses = Global::ALL.map(|_| BTreeSet::new());
        let mut any = false;
        for symbol in file.symbols().filter(|symbol| symbol.is_definition()) {
            // Each name is a read of the file, and most symbols are functions.
            if !data.iter().any(|range| range.contains(&symbol.address())) {
                continue;
            }
            let Ok(name) = symbol.name() else { continue };
            let global = Global::ALL.iter().position(|global| global.symbol() == name);
            if let Some(addresses) = global.and_then(|global| addresses.get_mut(global)) {
                addresses.insert(symbol.address());
                any = true;
            }
        }
        let mut addresses = addresses.into_iter();
        let found = Global::ALL.map(|global| {
            let addresses: Vec<u64> = addresses.next().unwrap_or_default().into_iter().collect();
            match addresses[..] {
                [] => Err(NotLocated::NoSymbol { global }),
                [address] => Ok(Located { address, votes: 1, of: 1 }),
                _ => Err(NotLocated::Disagreement { global, addresses }),
            }
        });
        any.then_some(Self { source: Source::Symtab, found })
    }

    /// How they were found.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// Where `global` is.
    ///
    /// # Errors
    /// When it was not found, or its witnesses disagree.
    pub fn get(&self, global: Global) -> Result<Located, NotLocated> {
        Global::ALL
            .iter()
            .zip(&self.found)
            .find(|(of, _)| **of == global)
            .map_or(Err(NotLocated::NoSymbol { global }), |(_, found)| found.clone())
    }
}

/// The sections that hold Go's variables, as ranges of link-time addresses. `.go.module` is since
/// Go 1.26. Read-only data is left out: what it holds differs with the build mode.
#[must_use]
pub fn data_ranges<'data>(file: &impl Object<'data>) -> Vec<Range<u64>> {
    const SECTIONS: [&str; 5] = [".noptrdata", ".data", ".bss", ".noptrbss", ".go.module"];
    file.sections()
        .filter(|section| section.name().is_ok_and(|name| SECTIONS.contains(&name)))
        .map(|section| section.address()..section.address().saturating_add(section.size()))
        // A hostile file may repeat them.
        .take(SECTIONS.len())
        .collect()
}

/// Finds the globals by disassembly.
///
/// `lookup` gives the code of a function by its name, which is one of [`wanted`], if the binary
/// has it; `data_ranges` are what the function of that name says.
#[must_use]
pub fn locate<'a>(
    arch: Arch,
    lookup: &dyn Fn(&str) -> Option<FunctionCode<'a>>,
    data_ranges: &[Range<u64>],
) -> Globals {
    let mut votes: Vec<(Global, u64)> = Vec::new();
    let mut others: Vec<(Global, [Option<u64>; 2])> = Vec::new();
    for recipe in &RECIPES {
        let Some(code) = lookup(recipe.function) else { continue };
        let refs = arch.data_refs(code.bytes, code.address, data_ranges);
        if !(recipe.refs.0..=recipe.refs.1).contains(&refs.len()) {
            continue;
        }
        for &(global, position) in recipe.yields {
            if let Some(other) = recipe.or {
                let at = |position: usize| refs.get(position).copied();
                others.push((global, [at(position), at(other)]));
                continue;
            }
            votes.extend(refs.get(position).map(|&address| (global, address)));
        }
    }
    // Whoever may mean one of two means the one that others name.
    for (global, candidates) in others {
        let named = candidates.into_iter().flatten().find(|it| votes.contains(&(global, *it)));
        votes.extend(named.or(candidates[0]).map(|address| (global, address)));
    }
    Globals { source: Source::Disassembly, found: Global::ALL.map(|global| decide(global, &votes)) }
}

/// What most witnesses say, where most are at least two.
fn decide(global: Global, votes: &[(Global, u64)]) -> Result<Located, NotLocated> {
    let addresses: Vec<u64> =
        votes.iter().filter(|vote| vote.0 == global).map(|vote| vote.1).collect();
    let of = addresses.len();
    if of < 2 {
        let yields = RECIPES.iter().flat_map(|recipe| recipe.yields);
        let asked = yields.filter(|(yielded, _)| *yielded == global).count();
        return Err(NotLocated::TooFewVotes { global, votes: of, asked });
    }
    let votes_for = |address: u64| addresses.iter().filter(|vote| **vote == address).count();
    let winner = addresses.iter().copied().find(|&address| votes_for(address) * 2 > of);
    match winner {
        Some(address) => Ok(Located { address, votes: votes_for(address), of }),
        None => Err(NotLocated::Disagreement { global, addresses }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: u64 = 0x1000;
    const DATA: Range<u64> = 0x2000..0x3000;

    /// Code with one reference to each address.
    fn lea_each(addresses: &[u64]) -> Vec<u8> {
        let mut code = Vec::new();
        for address in addresses {
            code.extend([0x48, 0x8d, 0x05]); // lea rax, [rip + relative]
            let end = AT + code.len() as u64 + 4;
            code.extend(((address - end) as u32).to_le_bytes());
        }
        code
    }

    fn locate_in(functions: &[(&str, &[u64])]) -> Globals {
        let code: Vec<_> = functions.iter().map(|(name, refs)| (*name, lea_each(refs))).collect();
        let lookup = |name: &str| {
            let (_, bytes) = code.iter().find(|(function, _)| *function == name)?;
            Some(FunctionCode { address: AT, bytes })
        };
        locate(Arch::Amd64, &lookup, &[DATA])
    }

    #[test]
    fn agreement_is_counted() {
        let globals = locate_in(&[
            ("runtime.findfunc", &[0x2100]),
            ("runtime.adjustframe", &[0x2100, 0x2008]),
            ("runtime.resolveNameOff", &[0x2200, 0x2100]),
        ]);
        let located = globals.get(Global::FirstModuleData);
        assert_eq!(located, Ok(Located { address: 0x2100, votes: 2, of: 3 }));
    }

    #[test]
    fn a_tie_is_an_error() {
        let globals =
            locate_in(&[("runtime.findfunc", &[0x2100]), ("runtime.adjustframe", &[0x2200])]);
        let (global, addresses) = (Global::FirstModuleData, vec![0x2100, 0x2200]);
        assert_eq!(globals.get(global), Err(NotLocated::Disagreement { global, addresses }));
    }

    #[test]
    fn one_vote_is_not_enough() {
        let globals = locate_in(&[("runtime.findfunc", &[0x2100])]);
        let global = Global::FirstModuleData;
        assert_eq!(
            globals.get(global),
            Err(NotLocated::TooFewVotes { global, votes: 1, asked: 4 })
        );
    }

    #[test]
    fn a_changed_function_has_no_say() {
        let globals = locate_in(&[
            ("runtime.forEachGRace", &[0x2400, 0x2408, 0x2410]),
            ("runtime.allgadd", &[0x2000, 0x2010, 0x2020, 0x2030, 0x2040, 0x2408, 0x2400]),
        ]);
        let global = Global::AllGLen;
        assert_eq!(
            globals.get(global),
            Err(NotLocated::TooFewVotes { global, votes: 1, asked: 3 })
        );
    }

    #[test]
    fn what_may_be_either_is_what_another_names() {
        let queue =
            [0x2000, 0x2008, 0x2010, 0x2018, 0x2020, 0x2100, 0x2028, 0x2030, 0x2038, 0x2040];
        let mut roots: Vec<u64> = (0..13).map(|number| 0x2200 + number * 8).collect();
        for (place, other) in [(4, 3), (3, 4)] {
            (roots[place], roots[other]) = (0x2100, 0x2300);
            let globals =
                locate_in(&[("runtime.queuefinalizer", &queue), ("runtime.markroot", &roots)]);
            let located = Located { address: 0x2100, votes: 2, of: 2 };
            assert_eq!(globals.get(Global::AllFin), Ok(located), "{place}");
        }
        roots[3] = 0x2400;
        let globals =
            locate_in(&[("runtime.queuefinalizer", &queue), ("runtime.markroot", &roots)]);
        let found = globals.get(Global::AllFin);
        assert!(matches!(found, Err(NotLocated::Disagreement { .. })), "{found:?}");
    }

    #[test]
    fn no_name_is_wanted_twice() {
        let names: BTreeSet<_> = wanted().iter().collect();
        assert_eq!(names.len(), wanted().len());
    }
}

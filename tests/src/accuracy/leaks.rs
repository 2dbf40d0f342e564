//! The sites of a program of Go's: what its test expects, found in what the running program says of itself.
//!
//! The test names functions and wait reasons. Lines, and which of the moody leaks have come about this time, are the
//! program's own to tell: two dumps, before and after the agent's work, hold every goroutine that stood there all along.

use std::collections::BTreeSet;

use leak_agent::model::{CauseClass, Verdict};

use super::expect::Expected;
use super::matching::{Place, Site, tail};
use crate::debug2::{Dump, Goroutine};

/// The sites of the expected leaks that there are, and the expected leaks that have not come about.
#[must_use]
pub fn sites(expected: &Expected, before: &Dump, after: &Dump) -> (Vec<Site>, Vec<String>) {
    let stood: Vec<&Goroutine> = after
        .goroutines
        .iter()
        .filter(|it| before.goroutine(it.goid).is_some_and(|earlier| earlier.stands_as(it)))
        .collect();
    let mut places: BTreeSet<(Place, &str, bool)> = BTreeSet::new();
    let mut absent = Vec::new();
    for leak in &expected.leaks {
        let mut leaking = stood.iter().filter(|it| leak.is_match(&summary(it))).peekable();
        if leaking.peek().is_none() {
            absent.push(leak.to_string());
        }
        places.extend(leaking.filter_map(|it| Some((place(it)?, reason(it), locks_rw(it)))));
    }
    let site = |(place, state, rw)| {
        let classes = classes(state, rw);
        Site {
            place,
            classes,
            verdict: Verdict::Suspect,
            pattern: None,
            shape: None,
            held: None,
            optional: false,
            cause: None,
        }
    };
    (places.into_iter().map(site).collect(), absent)
}

/// Whether a goroutine is one that the test expects to leak.
#[must_use]
pub fn is_expected(expected: &Expected, goroutine: &Goroutine) -> bool {
    let summary = summary(goroutine);
    expected.leaks.iter().any(|leak| leak.is_match(&summary))
}

/// A goroutine as the test's expressions see it: its outermost function, and why it waits.
fn summary(goroutine: &Goroutine) -> String {
    let outermost = goroutine.calls().last();
    let (function, args) = outermost.map_or(("", ""), |it| (&it.function, &it.args));
    let function = function.strip_prefix("main.").unwrap_or(function);
    format!("{function}({args}) [{}]", reason(goroutine))
}

/// Why it waits, in the words of the Go whose test it is: up to Go 1.23 the runtime had none for a wait group.
fn reason(goroutine: &Goroutine) -> &str {
    let waits_for_group =
        || goroutine.calls().any(|it| it.function.starts_with("sync.(*WaitGroup).Wait"));
    match &*goroutine.state {
        "semacquire" if waits_for_group() => "sync.WaitGroup.Wait",
        state => state,
    }
}

/// The innermost line of the program's own.
fn place(goroutine: &Goroutine) -> Option<Place> {
    let call = goroutine.calls().find(|it| it.function.starts_with("main."))?;
    Some(Place::In {
        function: call.function.clone(),
        file: tail(&call.file).to_owned(),
        line: call.line,
    })
}

/// Whether it is within a method of `sync.RWMutex`, the runtime's word for its wait may be another.
fn locks_rw(goroutine: &Goroutine) -> bool {
    goroutine.calls().any(|it| it.function.starts_with("sync.(*RWMutex)"))
}

/// The classes that are right for a wait reason. That it waits for a context, or in a circle, says more than the
/// reason does, and is right too.
fn classes(state: &str, rw: bool) -> Vec<CauseClass> {
    use CauseClass as C;
    match state {
        "chan receive (nil chan)" | "chan send (nil chan)" => vec![C::ChannelNil],
        "select (no cases)" => vec![C::SelectEmpty],
        "chan receive" => vec![C::ChannelReceive, C::ContextNotCancelled, C::DeadlockCycle],
        "chan send" => vec![C::ChannelSend, C::DeadlockCycle],
        "select" => vec![C::Select, C::ContextNotCancelled, C::DeadlockCycle],
        "sync.Cond.Wait" => vec![C::Cond, C::DeadlockCycle],
        "sync.WaitGroup.Wait" => vec![C::Waitgroup, C::DeadlockCycle],
        _ if rw || state.starts_with("sync.RWMutex.") => vec![C::Rwmutex, C::DeadlockCycle],
        "sync.Mutex.Lock" => vec![C::Mutex, C::DeadlockCycle],
        _ => vec![C::Unknown],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::accuracy::expect;

    const EXPECTED: &str = "makeFlakyTest(\"Twin\", `Twin\\.func1\\(.* \\[chan send\\]`, \
        `Twin\\.func2\\(.* \\[sync\\.Mutex\\.Lock\\]`, `Twin\\.func3\\(.* \\[select\\]`)";

    fn goroutine(goid: u64, state: &str, calls: &str) -> String {
        format!(
            "goroutine {goid} [{state}]:\n{calls}created by main.Twin in goroutine 1\n\t/x/twin.go:3 +0x1\n\n"
        )
    }

    #[test]
    fn a_site_is_an_expected_leak_that_stood_all_along() {
        let expected = expect::read(EXPECTED).unwrap().remove(0);
        let send = "main.put(...)\n\t/x/goker/twin.go:9\nmain.Twin.func1(0x1)\n\t/x/goker/twin.go:20 +0x2\n";
        let lock = |line| {
            format!(
                "sync.(*Mutex).Lock(...)\n\t/go/sync/mutex.go:46\nsync.(*RWMutex).Lock(0x1)\n\t/go/sync/rwmutex.go:155 +0x1\n\
                 main.Twin.func2()\n\t/x/goker/twin.go:{line} +0x3\n"
            )
        };
        let before = goroutine(7, "chan send", send)
            + &goroutine(8, "chan send", send)
            + &goroutine(9, "sync.Mutex.Lock", &lock(30))
            + &goroutine(10, "sync.Mutex.Lock", &lock(40));
        let after = goroutine(7, "chan send", send)
            + &goroutine(8, "chan send", send)
            + &goroutine(9, "sync.Mutex.Lock", &lock(30))
            + &goroutine(10, "sync.Mutex.Lock", &lock(41))
            + &goroutine(11, "select", "main.Twin.func3()\n\t/x/goker/twin.go:50 +0x3\n");
        let (before, after) = (Dump::parse(&before).unwrap(), Dump::parse(&after).unwrap());
        let (sites, absent) = sites(&expected, &before, &after);
        let place = |function: &str, line| Place::In {
            function: function.into(),
            file: "goker/twin.go".into(),
            line,
        };
        let seen: Vec<_> = sites.iter().map(|it| (it.place.clone(), it.classes[0])).collect();
        assert_eq!(
            seen,
            [
                (place("main.Twin.func2", 30), CauseClass::Rwmutex),
                (place("main.put", 9), CauseClass::ChannelSend),
            ],
            "one for the two that send; none for the one that moved, nor for the one that came late"
        );
        assert_eq!(absent, [expected.leaks[2].to_string()]);
    }

    #[test]
    fn a_wait_for_a_group_is_one_by_its_calls_too() {
        let source = "makeTest(\"Group\", `Group\\.func1\\(.* \\[sync\\.WaitGroup\\.Wait\\]`)";
        let expected = expect::read(source).unwrap().remove(0);
        let waits = |call: &str| {
            let calls = format!(
                "{call}(0x1)\n\t/go/sync/it.go:116 +0x1\nmain.Group.func1()\n\t/x/group.go:7 +0x3\n"
            );
            let dump = goroutine(7, "semacquire", &calls);
            is_expected(&expected, &Dump::parse(&dump).unwrap().goroutines[0])
        };
        assert!(waits("sync.(*WaitGroup).Wait"));
        assert!(!waits("internal/poll.runtime_Semacquire"));
    }
}

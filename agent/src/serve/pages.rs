//! Pages for people.

use maud::{DOCTYPE, Markup, html};

/// What Go's index lists, what each is, and why it is not served where it is not.
pub(super) const PROFILES: [Profile; 11] = [
    Profile::of_heap("allocs", "all past allocations"),
    Profile::missing("block", "where goroutines blocked on channels and locks"),
    Profile::served("cmdline", "the program's command line"),
    Profile::served("goroutine", "the stacks of all goroutines"),
    Profile::of_proof("goroutineleak", "the goroutines that are proven to leak"),
    Profile::of_heap("heap", "live objects"),
    Profile::missing("mutex", "who held the locks that others waited for"),
    Profile::missing("profile", "where CPU time goes"),
    Profile::missing("symbol", "the functions at addresses"),
    Profile::missing("threadcreate", "what created threads"),
    Profile::missing("trace", "an execution trace"),
];

/// A profile that Go's own server has.
#[derive(Clone, Copy)]
pub(super) struct Profile {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    served: Served,
}

/// Whether a profile is served.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Served {
    Always,
    /// Where it may be proven which goroutines leak.
    WithProof,
    /// Where the program keeps a memory profile.
    WithHeap,
    Never,
}

impl Profile {
    const fn served(name: &'static str, what: &'static str) -> Self {
        Self { name, what, served: Served::Always }
    }

    const fn of_proof(name: &'static str, what: &'static str) -> Self {
        Self { name, what, served: Served::WithProof }
    }

    const fn of_heap(name: &'static str, what: &'static str) -> Self {
        Self { name, what, served: Served::WithHeap }
    }

    const fn missing(name: &'static str, what: &'static str) -> Self {
        Self { name, what, served: Served::Never }
    }
}

/// What there is of a target beside its goroutines.
#[derive(Clone, Copy)]
pub(super) struct Has {
    pub(super) proof: bool,
    pub(super) heap: bool,
}

/// Why a profile is not served.
pub(super) fn no_profile(name: &str) -> String {
    match PROFILES.iter().find(|profile| profile.name == name) {
        Some(profile) => format!(
            "no {name} profile ({}): leak-agent reads the process from outside, and serves goroutine, \
             goroutineleak, cmdline, and where the program keeps a memory profile heap and allocs",
            profile.what
        ),
        None => "Unknown profile".to_owned(),
    }
}

/// The index below `/debug/pprof/` of one target.
pub(super) fn index(title: &str, has: Has) -> String {
    let profile = |profile: &Profile| {
        let is_served = match profile.served {
            Served::Always => true,
            Served::WithProof => has.proof,
            Served::WithHeap => has.heap,
            Served::Never => false,
        };
        html! {
            tr {
                td {
                    @if is_served {
                        a href={ (profile.name) "?debug=1" } { (profile.name) }
                    } @else {
                        (profile.name)
                    }
                }
                td { (profile.what) @if !is_served { " (not served)" } }
            }
        }
    };
    page(
        "/debug/pprof/",
        &html! {
            h1 { (title) }
            p { "As leak-agent sees it from outside." }
            table { @for it in &PROFILES { (profile(it)) } }
            p { a href="goroutine?debug=2" { "full goroutine stack dump" } }
            @if has.proof {
                p { a href="goroutineleak?debug=2" { "the same, with leaks proven and marked" } }
            }
        },
    )
}

/// The targets, where there are several: names and titles.
pub(super) fn targets<'a>(targets: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    page(
        "leak-agent",
        &html! {
            ul {
                @for (name, title) in targets {
                    li { a href={ "/" (name) "/debug/pprof/" } { (title) } }
                }
            }
        },
    )
}

fn page(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (title) } }
            body { (body) }
        }
    }
    .into_string()
}

//! Experiments (`GOEXPERIMENT`) that a program was built with: which of them leave alone what the collector goes by.

use super::version::GoVersion;

/// Those that change neither the runtime's structures, as far as they are read, nor where pointers are told, nor what
/// is a root; on or off. Of Go's own (`internal/goexperiment/flags.go`, Go 1.21 to 1.27), by what they change:
const HARMLESS: [&str; 25] = [
    // The compiler, the linker and the `go` command.
    "aliastypeparams",
    "cacheprog",
    "coverageredesign",
    "dwarf5",
    "fieldtrack",
    "loopvar",
    "newinliner",
    "range",
    "rangefunc",
    // Libraries.
    "arenas",
    "boringcrypto",
    "jsonv2",
    "synchashtriemap",
    "synctest",
    // Maps: their types tell where their pointers are.
    "mapsplitgroup",
    "swissmap",
    // When and how fast is collected and allocated, and at which address the heap begins.
    "heapminimum512kib",
    "randomizedheapbase64",
    "sizespecializedmalloc",
    // A profile, by what any runtime of that version has.
    "goroutineleakprofile",
    // Marks at the end of spans: see `Form`.
    "greenteagc",
    // Libraries for cryptography, of Go as other vendors build it.
    "allowcryptofallback",
    "opensslcrypto",
    "strictfipsruntime",
    "systemcrypto",
];

/// The first experiment of a version of which it is not known that it leaves all that alone.
#[must_use]
pub fn first_unknown(version: &GoVersion) -> Option<&str> {
    let is_harmless = |name: &str| {
        HARMLESS.contains(&name) || name.strip_prefix("no").is_some_and(|it| HARMLESS.contains(&it))
    };
    version.experiments.iter().map(String::as_str).find(|name| !is_harmless(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn unknown(version: &str) -> Option<String> {
        first_unknown(&version.parse().unwrap()).map(str::to_owned)
    }

    #[test]
    fn those_that_change_the_heap_are_unknown() {
        for (version, expected) in [
            ("go1.22.10 X:noallocheaders", "noallocheaders"),
            ("go1.22.10 X:rangefunc,noallocheaders", "noallocheaders"),
            ("go1.24.3 X:staticlockranking", "staticlockranking"),
            ("go1.21.13 X:pagetrace,loopvar", "pagetrace"),
            ("go1.26.6-X:runtimefreegc", "runtimefreegc"),
            ("go1.27.3-X:nosuchthing", "nosuchthing"),
            // Without its name there is nothing that is known.
            ("go1.27.3-X:no", "no"),
        ] {
            assert_eq!(unknown(version).as_deref(), Some(expected), "{version}");
        }
    }

    #[test]
    fn those_of_the_compiler_and_of_libraries_are_known() {
        for version in [
            "go1.27.3",
            "go1.22.10 X:rangefunc",
            "go1.24.3 X:noswissmap,synctest",
            "go1.25.5 X:greenteagc,jsonv2",
            "go1.26.6-X:nogreenteagc,goroutineleakprofile",
            "go1.22.9 (Red Hat 1.22.9-1) X:strictfipsruntime",
        ] {
            assert_eq!(unknown(version), None, "{version}");
        }
    }
}

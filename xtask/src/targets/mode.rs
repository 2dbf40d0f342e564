//! The ways in which a Go target is built.

/// A way to build.
#[derive(Debug, PartialEq, Eq)]
pub struct Mode {
    /// Its name, which is its folder's too.
    pub name: &'static str,
    /// Arguments of `go build`.
    pub args: &'static [&'static str],
    /// Environment of `go build`.
    pub env: &'static [(&'static str, &'static str)],
    /// Whether it takes cgo, and so a C compiler.
    pub cgo: bool,
    /// The versions that can build so, where not all can.
    pub only: Option<&'static [&'static str]>,
}

/// The Go versions that targets are built with: the last patch release of each minor one (at the
/// time of writing), from the oldest that the agent reads.
pub const VERSIONS: [&str; 7] =
    ["1.21.13", "1.22.10", "1.23.9", "1.24.11", "1.25.5", "1.26.6", "1.27.3"];

/// A plain executable, from which the others differ by one thing each.
const EXE: Mode = Mode { name: "exe", args: &[], env: &[], cgo: false, only: None };

/// All ways to build.
pub const MODES: [Mode; 13] = [
    EXE,
    Mode { name: "stripped", args: &["-ldflags=-s -w"], ..EXE },
    Mode { name: "pie", args: &["-buildmode=pie"], ..EXE },
    Mode { name: "pie-stripped", args: &["-buildmode=pie", "-ldflags=-s -w"], ..EXE },
    // Go's own linker always names an interpreter in a PIE: only an external one leaves it out.
    Mode {
        name: "static-pie",
        args: &["-buildmode=pie", "-ldflags=-linkmode=external -extldflags=-static-pie"],
        cgo: true,
        ..EXE
    },
    Mode {
        name: "cgo-internal",
        args: &["-tags=cgo_target", "-ldflags=-linkmode=internal"],
        cgo: true,
        ..EXE
    },
    Mode {
        name: "cgo-external",
        args: &["-tags=cgo_target", "-ldflags=-linkmode=external"],
        cgo: true,
        ..EXE
    },
    Mode { name: "race", args: &["-race"], cgo: true, ..EXE },
    Mode { name: "trimpath", args: &["-trimpath"], ..EXE },
    // Up to 1.24 the experiment does not exist; in 1.25 it is off anyway.
    Mode {
        name: "nogreenteagc",
        env: &[("GOEXPERIMENT", "nogreenteagc")],
        only: Some(&["1.26.6", "1.27.3"]),
        ..EXE
    },
    Mode { name: "arm64", env: &[("GOARCH", "arm64")], ..EXE },
    // What is loaded into a Go program, and what into any other.
    Mode { name: "plugin", args: &["-buildmode=plugin"], cgo: true, ..EXE },
    Mode { name: "c-shared", args: &["-buildmode=c-shared"], cgo: true, ..EXE },
];

impl Mode {
    /// The mode of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        MODES.iter().find(|mode| mode.name == name)
    }

    /// Whether a Go version can build so.
    pub fn is_for(&self, version: &str) -> bool {
        self.only.is_none_or(|only| only.contains(&version))
    }

    /// Everything that makes the binary what it is, besides version and source.
    pub fn recipe(&self) -> String {
        let env: Vec<String> = self.env().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{} go build {}\n", env.join(" "), self.args.join(" "))
    }

    /// The environment of `go build`, cgo's switch included.
    pub fn env(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let cgo = ("CGO_ENABLED", if self.cgo { "1" } else { "0" });
        std::iter::once(cgo).chain(self.env.iter().copied())
    }
}

//! The harness of the integration tests: starts Go targets, reads what they say of themselves, and compares it with
//! what the agent saw.

pub mod compare;
pub mod debug2;
pub mod target;

pub use compare::{Comparison, Difference, compare};
pub use target::Target;

/// The Go versions that targets are built with, oldest first.
pub const VERSIONS: [&str; 7] =
    ["1.21.13", "1.22.10", "1.23.9", "1.24.11", "1.25.5", "1.26.6", "1.27.3"];

/// The build modes that run on amd64. Not every target is built in every mode and version: see
/// `targets/<name>/matrix.toml`.
pub const MODES: [&str; 10] = [
    "exe",
    "stripped",
    "pie",
    "pie-stripped",
    "static-pie",
    "cgo-internal",
    "cgo-external",
    "race",
    "trimpath",
    "nogreenteagc",
];

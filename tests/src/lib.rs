//! The harness of the integration tests: starts Go targets, reads what they say of themselves, and compares it with
//! what the agent saw.

pub mod accuracy;
pub mod agent;
pub mod bench;
pub mod beside;
pub mod browser;
pub mod cgroup;
pub mod code;
pub mod compare;
pub mod dashboards;
pub mod debug2;
pub mod dwarf_image;
pub mod endpoint;
pub mod fixture;
mod frames;
pub mod holders;
pub mod image;
pub mod left_behind;
pub mod loaded;
pub mod observe;
pub mod probed;
pub mod recorded;
pub mod reference;
pub mod replay;
pub mod scale;
pub mod schema_docs;
pub mod scratch;
pub mod screen;
pub mod server;
pub mod serving;
pub mod stopped;
pub mod target;

/// Makes one test a Go version out of a function that takes the version, so that a failure names it.
#[macro_export]
macro_rules! each_version {
    ($check:ident) => {
        mod $check {
            $crate::each_version!(@ $check
                go1_21 "1.21.13", go1_22 "1.22.10", go1_23 "1.23.9", go1_24 "1.24.11",
                go1_25 "1.25.5", go1_26 "1.26.6", go1_27 "1.27.3");
        }
    };
    (@ $check:ident $($name:ident $version:literal),*) => {
        $(#[test]
        fn $name() {
            super::$check($version);
        })*
    };
}

pub use compare::{Comparison, Difference, compare};
pub use observe::Observe;
pub use scratch::Scratch;
pub use target::Target;

/// Says aloud that the test that runs cannot run here, and why. `cargo xtask test` counts it as skipped, so
/// every test that ends early because something is missing calls this.
#[allow(clippy::print_stdout)]
pub fn skip(reason: impl std::fmt::Display) {
    println!("SKIP {reason}");
}

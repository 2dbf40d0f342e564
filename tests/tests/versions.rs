//! Go versions that the agent does not know: newer ones are read and said to be, older ones refused.
//!
//! There is no newer Go to build with, so a program is made to say that another one built it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use leak_agent::collect::attach::{Attach, Options};
use leak_agent::model::CoverageNote;
use leak_agent_tests::Observe;
use leak_agent_tests::target::{self, Target};

/// A copy of the `states` target of Go 1.27.3 in a build mode, that says `version` of the same length.
fn disguised(mode: &str, version: &str) -> Result<PathBuf> {
    const TRUE_VERSION: &[u8] = b"go1.27.3";
    ensure!(version.len() == TRUE_VERSION.len());
    let mut bytes = fs::read(target::path("1.27.3", mode, "states")?)?;
    let places: Vec<usize> = memchr::memmem::find_iter(&bytes, TRUE_VERSION).collect();
    ensure!(!places.is_empty(), "it does not say its version");
    for at in places {
        bytes[at..at + version.len()].copy_from_slice(version.as_bytes());
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{version}-{mode}"));
    fs::write(&path, bytes)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// What the agent notes of such a program, all its goroutines having been read.
fn notes(mode: &str, version: &str) -> Result<Vec<CoverageNote>> {
    let target = Target::start_at(disguised(mode, version)?, &[] as &[&str])?;
    let observation = Attach::open(target.pid(), &Options::default())?.next()?;
    let coverage = observation.coverage;
    ensure!(coverage.goroutines_seen > 50 && coverage.not_unwound == 0, "{coverage:?}");
    Ok(coverage.notes)
}

#[test]
fn a_newer_one_with_dwarf() -> Result<()> {
    let notes = notes("exe", "go1.28.1")?;
    let later = CoverageNote::LaterVersion { version: "go1.28.1".to_owned() };
    ensure!(notes.contains(&later), "{notes:?}");
    Ok(())
}

#[test]
fn a_newer_one_without() -> Result<()> {
    let notes = notes("stripped", "go1.29.0")?;
    let is_said = |note: &CoverageNote| {
        matches!(note, CoverageNote::NearestLayout { known, wanted }
            if known.starts_with("go1.27.") && wanted == "go1.29.0")
    };
    ensure!(notes.iter().any(is_said), "{notes:?}");
    Ok(())
}

#[test]
fn a_newer_patch_release_is_nothing_special_with_dwarf() -> Result<()> {
    let notes = notes("exe", "go1.27.9")?;
    let is_of_layout = |note: &CoverageNote| {
        matches!(note, CoverageNote::LaterVersion { .. } | CoverageNote::NearestLayout { .. })
    };
    ensure!(!notes.iter().any(is_of_layout), "{notes:?}");
    Ok(())
}

#[test]
fn older_and_unknown_ones_are_refused() -> Result<()> {
    for (mode, version, says) in [
        ("exe", "go1.20.9", "Go 1.21 or later is needed"),
        ("stripped", "go1.18.1", "Go 1.21 or later is needed"),
        ("exe", "go2.27.3", "cannot make out"),
    ] {
        let target = Target::start_at(disguised(mode, version)?, &[] as &[&str])?;
        let Err(error) = Attach::open(target.pid(), &Options::default()) else {
            bail!("{version} was attached to");
        };
        ensure!(error.to_string().contains(says), "{error}");
    }
    Ok(())
}

//! Debian packages that a chore needs: installed when they are missing.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

use crate::shell::{self, say};

/// Something that a package brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The Debian package.
    pub package: &'static str,
    /// How its presence shows, whoever installed it.
    pub shows: Shows,
}

/// How the presence of a package shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// A program on PATH.
    Program(&'static str),
    /// A file.
    File(&'static str),
    /// This command succeeds.
    Runs(&'static [&'static str]),
}

/// A C compiler and the C library's headers and static archive.
pub const C: [Need; 2] = [
    Need { package: "gcc", shows: Shows::Program("gcc") },
    Need { package: "libc6-dev", shows: Shows::File("/usr/include/stdio.h") },
];

/// A C++ compiler.
pub const CXX: [Need; 1] = [Need { package: "g++", shows: Shows::Program("g++") }];

/// pip.
pub const PIP: [Need; 1] =
    [Need { package: "python3-pip", shows: Shows::Runs(&["python3", "-m", "pip", "--version"]) }];

/// Makes sure that everything needed is there. `why` ends the sentence "it is needed ...".
pub fn ensure(needs: &[Need], why: &str) -> Result<()> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    if shell::which("apt-get").is_none() {
        bail!(
            "{packages} is missing; it is needed {why}, and this is no Debian: \
             install what your system has in its place"
        );
    }
    if !is_root()? {
        bail!(
            "{packages} is missing; it is needed {why}, and only root can install it: \
             sudo apt-get install --no-install-recommends {packages}"
        );
    }
    say(format_args!("installing {packages} through apt, needed {why}"));
    update()?;
    shell::output(
        shell::command("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(&missing),
    )?;
    let still = self::missing(needs);
    if !still.is_empty() {
        bail!("apt installed {}, and yet it cannot be found", still.join(" "));
    }
    Ok(())
}

/// The packages that are not there.
fn missing(needs: &[Need]) -> Vec<&'static str> {
    needs.iter().filter(|need| !is_there(need.shows)).map(|need| need.package).collect()
}

fn is_there(shows: Shows) -> bool {
    match shows {
        Shows::Program(name) => shell::which(name).is_some(),
        Shows::File(path) => Path::new(path).exists(),
        Shows::Runs(words) => match words.split_first() {
            Some((program, args)) => shell::output(shell::command(program).args(args)).is_ok(),
            None => false,
        },
    }
}

/// Brings apt's lists up to date, once in a run.
fn update() -> Result<()> {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    shell::output(shell::command("apt-get").args(["update", "-qq"]))
        .context("apt cannot update")?;
    Ok(())
}

fn is_root() -> Result<bool> {
    Ok(shell::output(shell::command("id").arg("-u"))?.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_named() {
        let there = Need { package: "dash", shows: Shows::Program("sh") };
        let root = Need { package: "base-files", shows: Shows::File("/") };
        let runs = Need { package: "coreutils", shows: Shows::Runs(&["true"]) };
        let gone = Need { package: "gone", shows: Shows::Program("no-such-program-anywhere") };
        let fails = Need { package: "fails", shows: Shows::Runs(&["false"]) };
        assert_eq!(missing(&[there, gone, root, fails, runs]), ["gone", "fails"]);
    }
}

//! A Go program that leaks as it is told, to try the agent, thresholds and alerts on: shipped beside the agent, or
//! built by the Go that is at hand.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::{env, fs};

use tempfile::TempDir;
use thiserror::Error;

/// The program's source: the names of its files, and what is in them.
const SOURCE: [(&str, &str); 5] = [
    ("main.go", include_str!("program/main.go")),
    ("leaks.go", include_str!("program/leaks.go")),
    ("goroutines.go", include_str!("program/goroutines.go")),
    ("memory.go", include_str!("program/memory.go")),
    ("resources.go", include_str!("program/resources.go")),
];

/// What the program is called.
const NAME: &str = "leak-agent-simulate";

/// Where Go is installed when it is in no directory of PATH, as under sudo.
const USUAL: [&str; 3] = ["/usr/local/go/bin/go", "/usr/lib/go/bin/go", "/usr/lib/golang/bin/go"];

/// Why there is no such program.
#[derive(Debug, Error)]
pub enum Error {
    /// It is not shipped, and there is no Go.
    #[error("no {NAME} beside the agent, and no Go to build it: not in PATH, nor at {}", USUAL.join(", "))]
    NoGo,
    /// Its source could not be written.
    #[error("cannot write the program's source")]
    Write(#[source] io::Error),
    /// Go could not be run.
    #[error("cannot run {}", go.display())]
    Run {
        /// Which.
        go: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Go could not build it.
    #[error("{} build ended with {status}:\n{said}", go.display())]
    Build {
        /// Which.
        go: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// What it said.
        said: String,
    },
    /// It could not be started.
    #[error("cannot start the program")]
    Start(#[source] io::Error),
}

/// The program.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    /// Where it was built; removed with this.
    _folder: Option<TempDir>,
}

impl Program {
    /// The one beside the agent, or one that Go builds: this Go, or else the one that is found.
    ///
    /// # Errors
    /// When there is neither, or it cannot be built.
    pub fn find(go: Option<&Path>) -> Result<Self, Error> {
        let beside = env::current_exe().ok().map(|agent| agent.with_file_name(NAME));
        match beside.filter(|program| go.is_none() && program.is_file()) {
            Some(path) => Ok(Self { path, _folder: None }),
            None => Self::build(&go.map(Path::to_owned).or_else(find_go).ok_or(Error::NoGo)?),
        }
    }

    fn build(go: &Path) -> Result<Self, Error> {
        let folder = tempfile::Builder::new().prefix(NAME).tempdir().map_err(Error::Write)?;
        for (name, text) in SOURCE {
            fs::write(folder.path().join(name), text).map_err(Error::Write)?;
        }
        let path = folder.path().join(NAME);
        let output = Command::new(go)
            .current_dir(folder.path())
            .args(["build", "-o"])
            .arg(&path)
            .args(SOURCE.map(|(name, _)| name))
            // Nothing of a module or workspace that happens to be around.
            .env("GOFLAGS", "")
            .env("GOWORK", "off")
            .output()
            .map_err(|source| Error::Run { go: go.to_owned(), source })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
            return Err(Error::Build { go: go.to_owned(), status: output.status, said });
        }
        Ok(Self { path, _folder: Some(folder) })
    }

    /// Starts it. It ends when its standard input does: with whoever has the child.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, args: &[OsString]) -> Result<Child, Error> {
        Command::new(&self.path).args(args).stdin(Stdio::piped()).spawn().map_err(Error::Start)
    }
}

/// A Go in PATH, or where it usually is.
fn find_go() -> Option<PathBuf> {
    let path = env::var_os("PATH");
    let folders = env::split_paths(path.as_deref().unwrap_or(OsStr::new("")));
    let named = folders.map(|folder| folder.join("go"));
    named.chain(USUAL.map(PathBuf::from)).find(|go| go.is_file())
}

//! What the agent sees of the Go targets.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use leak_agent::host::{Access, Answer, access_to};
use leak_agent_tests::Target;

/// The targets in a folder by name, in the order of their names. None at all is an error.
pub fn in_folder(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder);
    for entry in entries.with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    found.sort();
    ensure!(!found.is_empty(), "no target in {}", folder.display());
    Ok(found)
}

/// Whether root may look at a target.
pub fn can_be_read(path: &Path) -> Result<()> {
    let target = Target::start_at(path.to_owned(), NO_ARGUMENTS)?;
    let access = access_to(target.pid());
    ensure!(access == Access::Granted { executable: Answer::Yes }, "{access:?}");
    Ok(())
}

const NO_ARGUMENTS: &[&str] = &[];

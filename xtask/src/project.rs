//! Where things lie in the project.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The project's folder, and what is where in it.
#[derive(Clone, Debug)]
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// The project that this program was built in, wherever it has moved since: cargo says where.
    pub fn find() -> Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().context("xtask has no folder above it")?;
        Ok(Self { root: root.to_path_buf() })
    }

    /// The workspace's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's target folder. Everything that chores build or install lies in it.
    pub fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// Tools that chores have installed.
    pub fn tools(&self) -> PathBuf {
        self.target().join("tools")
    }

    /// The sources of the Go targets.
    pub fn go_sources(&self) -> PathBuf {
        self.root.join("tests/targets")
    }

    /// The built Go targets: VERSION/MODE/NAME.
    pub fn go_targets(&self) -> PathBuf {
        self.target().join("targets")
    }

    /// The built servers that nobody here wrote.
    pub fn servers(&self) -> PathBuf {
        self.target().join("servers")
    }

    /// The release agent.
    pub fn agent(&self) -> PathBuf {
        self.target().join("release/leak-agent")
    }

    /// A path as people read it: relative to the project where it lies in it.
    pub fn shown<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

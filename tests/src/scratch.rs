//! A folder of a test's own.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process;

/// A folder of a test's own, removed when it ends.
#[derive(Debug)]
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// A new one: no other test of the process has one of this name.
    #[must_use]
    #[allow(clippy::expect_used)]
    pub fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("leak-agent-{name}-{}", process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// The path of a file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// The path of a file in it that has this text.
    #[must_use]
    #[allow(clippy::expect_used)]
    pub fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).expect("written");
        self.file(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left lies in the folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}

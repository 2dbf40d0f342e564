//! Control groups made for a test, in whichever hierarchy has what it needs.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io, process, thread};

/// A control group of a test's own, removed when it goes.
#[derive(Debug)]
pub struct Group(PathBuf);

impl Group {
    /// In the first hierarchy in which such a group can be made and has this file; `None` where there is
    /// none.
    #[must_use]
    pub fn with(file: &str) -> Option<Self> {
        let hierarchies = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let mounted = hierarchies.lines().filter(|line| line.contains(" - cgroup"));
        mounted.filter_map(|line| line.split(' ').nth(4)).find_map(|mount| {
            let name = format!("leak-agent-test-{}-{file}", process::id());
            let folder = Path::new(mount).join(name);
            fs::create_dir(&folder).ok()?;
            let group = Self(folder);
            group.0.join(file).exists().then_some(group)
        })
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Sets one of its files.
    ///
    /// # Errors
    /// When the kernel does not take that.
    pub fn write(&self, file: &str, text: &str) -> io::Result<()> {
        fs::write(self.0.join(file), text)
    }

    /// Moves a process into it.
    ///
    /// # Errors
    /// When there is no such process, or it may not be moved.
    pub fn take_in(&self, pid: u32) -> io::Result<()> {
        self.write("cgroup.procs", &pid.to_string())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // What ends in a group leaves it a moment later.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

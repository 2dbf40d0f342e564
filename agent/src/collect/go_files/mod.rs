//! Finds and reads the source files that a binary names, wherever they lie on this machine.

mod file;
mod places;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::golang::task;
pub use places::Places;

/// Files kept. A report shows a few dozen findings, each with one or two files.
const MAX_FILES: usize = 512;
/// Text kept in all.
const MAX_TOTAL_BYTES: usize = 64 << 20;
/// Paths remembered, found or not.
const MAX_PATHS: usize = 4096;

/// A source file's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoFile {
    /// The file that was read.
    pub path: PathBuf,
    /// What it holds; bytes that are not UTF-8 are replaced.
    pub text: Arc<str>,
    /// The file is newer than the program, or of another Go version: its lines may not fit.
    pub stale: bool,
}

/// Source files, by the paths that a binary records.
///
/// The binary is not trusted: only regular files whose name ends in `.go` are read, up to
/// 4 MiB each, and a bounded number of them.
#[derive(Debug)]
pub struct GoFiles {
    places: Places,
    built: Option<SystemTime>,
    known: HashMap<String, Option<GoFile>>,
    files: usize,
    bytes: usize,
}

impl GoFiles {
    /// Searches `roots` (`--source-root`), this machine, and the file system of the process
    /// `pid`. `go_version` is as the binary says it, such as `go1.26.6`.
    #[must_use]
    pub fn new(roots: Vec<PathBuf>, pid: Option<u32>, go_version: Option<&str>) -> Self {
        let built = pid.and_then(|pid| file::modified(&task::folder(pid).join("exe")));
        Self::with(Places::of_this_machine(roots, pid, go_version), built)
    }

    /// Searches the given places alone; files newer than `built` are stale.
    #[must_use]
    pub fn with(places: Places, built: Option<SystemTime>) -> Self {
        Self { places, built, known: HashMap::new(), files: 0, bytes: 0 }
    }

    /// The text of the file that the binary calls `recorded_path`; `None` where it is not to be
    /// had.
    pub fn read(&mut self, recorded_path: &str) -> Option<GoFile> {
        if let Some(known) = self.known.get(recorded_path) {
            return known.clone();
        }
        if self.known.len() >= MAX_PATHS {
            return None;
        }
        let found = self.find(recorded_path);
        self.known.insert(recorded_path.to_owned(), found.clone());
        found
    }

    fn find(&mut self, recorded: &str) -> Option<GoFile> {
        if self.files >= MAX_FILES || self.bytes >= MAX_TOTAL_BYTES {
            return None;
        }
        for place in self.places.of(recorded) {
            let Some((text, modified)) = file::read(&place.path) else { continue };
            self.files += 1;
            self.bytes += text.len();
            let newer = modified.zip(self.built).is_some_and(|(file, exe)| file > exe);
            let stale = newer || place.other_version;
            return Some(GoFile { path: place.path, text: text.into(), stale });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use std::path::Path;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("leak-agent-source-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for the test");
        folder
    }

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    #[test]
    fn a_file_is_found_at_its_path_under_a_root_and_in_the_caches() {
        let base = folder("found");
        write(&base.join("app/main.go"), "at its path");
        write(&base.join("checkout/internal/x.go"), "under a root");
        write(&base.join("mod/github.com/!burnt!sushi/toml@v1.2.3/Lex.go"), "in the module cache");
        write(&base.join("goroot/src/sync/mutex.go"), "in the standard library");
        write(&base.join("goroot/VERSION"), "go1.26.6\ntime 2026-01-01\n");
        let places = Places {
            roots: vec![base.join("checkout")],
            module_caches: vec![base.join("mod")],
            go_roots: vec![base.join("goroot")],
            go_version: Some("go1.26.6".to_owned()),
            target_root: None,
        };
        let mut files = GoFiles::with(places, None);
        let at_its_path = base.join("app/main.go").display().to_string();
        for (recorded, expected) in [
            (at_its_path.as_str(), "at its path"),
            ("/build/7/app/internal/x.go", "under a root"),
            ("example.com/app/internal/x.go", "under a root"),
            ("github.com/BurntSushi/toml@v1.2.3/Lex.go", "in the module cache"),
            ("/ci/go/pkg/mod/github.com/!burnt!sushi/toml@v1.2.3/Lex.go", "in the module cache"),
            ("sync/mutex.go", "in the standard library"),
            ("/ci/go/src/sync/mutex.go", "in the standard library"),
        ] {
            let found = files.read(recorded).expect(recorded);
            assert_eq!((&*found.text, found.stale), (expected, false), "{recorded}");
        }
        assert_eq!(files.read("example.com/app/missing.go"), None);
        fs::remove_dir_all(base).expect("removed");
    }

    #[test]
    fn the_longest_suffix_wins_and_a_bare_name_comes_last() {
        let base = folder("suffix");
        write(&base.join("a/b/x.go"), "long");
        write(&base.join("b/x.go"), "short");
        write(&base.join("mutex.go"), "the user's own");
        write(&base.join("goroot/src/sync/mutex.go"), "the standard library's");
        let places = Places {
            roots: vec![base.clone()],
            go_roots: vec![base.join("goroot")],
            ..Places::default()
        };
        let mut files = GoFiles::with(places, None);
        assert_eq!(files.read("/q/a/b/x.go").as_ref().map(|f| &*f.text), Some("long"));
        let mutex = files.read("sync/mutex.go");
        assert_eq!(mutex.as_ref().map(|f| &*f.text), Some("the standard library's"));
        fs::remove_dir_all(base).expect("removed");
    }

    #[test]
    fn a_file_newer_than_the_program_or_of_another_go_is_stale() {
        let base = folder("stale");
        let main = base.join("main.go");
        write(&main, "package main");
        write(&base.join("goroot/src/sync/mutex.go"), "package sync");
        write(&base.join("goroot/VERSION"), "go1.21.13\n");
        let recorded = main.display().to_string();
        let now = file::modified(&main).expect("it has a time");
        let day = Duration::from_secs(86_400);
        for (built, stale) in [(now - day, true), (now, false), (now + day, false)] {
            let mut files = GoFiles::with(Places::default(), Some(built));
            assert_eq!(files.read(&recorded).map(|file| file.stale), Some(stale));
        }
        let places = Places {
            go_roots: vec![base.join("goroot")],
            go_version: Some("go1.26.6".to_owned()),
            ..Places::default()
        };
        let mut files = GoFiles::with(places, None);
        assert_eq!(files.read("sync/mutex.go").map(|file| file.stale), Some(true));
        let recorded = base.join("goroot/src/sync/mutex.go").display().to_string();
        assert_eq!(files.read(&recorded).map(|file| file.stale), Some(true));
        fs::remove_dir_all(base).expect("removed");
    }

    #[test]
    fn nothing_but_regular_go_files_is_read() {
        let base = folder("hostile");
        write(&base.join("secret"), "secret");
        write(&base.join("root/in.go"), "in");
        write(&base.join("out.go"), "out");
        std::os::unix::fs::symlink(base.join("secret"), base.join("link.go")).expect("linked");
        std::os::unix::fs::symlink(base.join("out.go"), base.join("fine.go")).expect("linked");
        fs::create_dir_all(base.join("folder.go")).expect("made");
        let pipe = std::process::Command::new("mkfifo").arg(base.join("pipe.go")).status();
        assert!(pipe.expect("coreutils are there").success());
        fs::write(base.join("huge.go"), vec![b' '; (4 << 20) + 1]).expect("written");
        let places = Places { roots: vec![base.join("root")], ..Places::default() };
        let mut files = GoFiles::with(places, None);
        for name in ["secret", "link.go", "folder.go", "pipe.go", "huge.go", "no\0thing.go"] {
            let recorded = base.join(name).display().to_string();
            assert_eq!(files.read(&recorded), None, "{name}");
        }
        assert_eq!(files.read("x/../../out.go"), None);
        assert_eq!(files.read("/dev/zero"), None);
        assert_eq!(files.read(""), None);
        let recorded = base.join("fine.go").display().to_string();
        assert_eq!(files.read(&recorded).map(|file| file.text), Some(Arc::from("out")));
        fs::remove_dir_all(base).expect("removed");
    }

    #[test]
    fn text_that_is_no_utf8_is_read_all_the_same() {
        let base = folder("utf8");
        fs::write(base.join("latin.go"), b"// caf\xe9\n").expect("written");
        let mut files = GoFiles::with(Places::default(), None);
        let recorded = base.join("latin.go").display().to_string();
        assert_eq!(
            files.read(&recorded).map(|file| file.text),
            Some(Arc::from("// caf\u{fffd}\n"))
        );
        fs::remove_dir_all(base).expect("removed");
    }
}

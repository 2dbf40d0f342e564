//! The file that switches the daemon off, or some of what it watches.
//!
//! An empty file, such as `touch` makes, is everything. Else each line is a process id, a name with `*` and `?`, or `*` for
//! everything; what stands behind `#` is not read.

use std::fs;
use std::io;
use std::path::Path;

use wildmatch::WildMatch;

/// A larger file is none of ours.
const MAX_BYTES: u64 = 1 << 20;

/// What is off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Off {
    /// Each line, without what is not read of it.
    lines: Vec<String>,
    is_all: bool,
}

impl Off {
    /// What a file says. Where there is none, nothing is off; where it cannot be read, everything is: whoever put it there
    /// wanted something to be.
    pub(super) fn read(path: &Path) -> (Self, Option<io::Error>) {
        let text = fs::metadata(path).and_then(|it| {
            if it.len() > MAX_BYTES {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more than 1 MiB"));
            }
            fs::read(path)
        });
        match text {
            Ok(text) => (Self::parse(&String::from_utf8_lossy(&text)), None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Self::default(), None),
            Err(error) => (Self { lines: Vec::new(), is_all: true }, Some(error)),
        }
    }

    fn parse(text: &str) -> Self {
        let line = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
        let lines: Vec<String> = text.lines().map(line).filter(|line| !line.is_empty()).collect();
        let is_all = lines.is_empty() || lines.iter().any(|line| line == "*");
        Self { lines, is_all }
    }

    /// Whether everything is off.
    pub(super) const fn is_all(&self) -> bool {
        self.is_all
    }

    /// Whether a process is off.
    pub(super) fn has(&self, pid: u32, name: &str) -> bool {
        self.is_all || self.lines.iter().any(|line| fits(line, pid, name))
    }

    /// The file with this switched off too: everything, or a process id or name.
    pub(super) fn with(&self, which: Option<&str>) -> String {
        match which {
            None => "*\n".to_owned(),
            Some(which) => {
                let before = self.lines.iter().map(String::as_str).filter(|line| *line != which);
                before.chain([which]).map(|line| format!("{line}\n")).collect()
            }
        }
    }

    /// The file with this switched on again; `None` where nothing is off then. An error where it is off by another line.
    pub(super) fn without(&self, which: Option<&str>) -> Result<Option<String>, String> {
        let Some(which) = which else { return Ok(None) };
        if self.is_all {
            return Err("everything is off: leak-agent daemon on, without a name".to_owned());
        }
        let left: Vec<&String> = self.lines.iter().filter(|line| *line != which).collect();
        if left.len() == self.lines.len() && !left.is_empty() {
            let off: Vec<&str> = self.lines.iter().map(String::as_str).collect();
            return Err(format!("{which} is not off by itself: off are {}", off.join(", ")));
        }
        let text: String = left.iter().map(|line| format!("{line}\n")).collect();
        Ok((!text.is_empty()).then_some(text))
    }

    /// What is off, for people; `None` where nothing is.
    pub(super) fn said(&self) -> Option<String> {
        if self.is_all {
            return Some("everything".to_owned());
        }
        (!self.lines.is_empty()).then(|| self.lines.join(", "))
    }
}

/// A line of digits is a process id, any other a name.
fn fits(line: &str, pid: u32, name: &str) -> bool {
    match line.parse::<u32>() {
        Ok(number) => number == pid,
        Err(_) => WildMatch::new(line).matches(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_everything_and_lines_are_some() {
        for text in ["", "\n", "# for now\n", "7\n*\n"] {
            assert!(Off::parse(text).is_all(), "{text:?}");
        }
        let off = Off::parse("4711 # slow\nshop-*\n");
        assert!(off.has(4711, "till") && off.has(1, "shop-a"));
        assert!(!off.has(47, "till") && !off.has(1, "shop") && !off.is_all());
        assert!(!Off::default().has(1, "shop"));
    }

    #[test]
    fn it_is_switched_line_by_line() {
        let off = Off::default();
        assert_eq!(off.with(None), "*\n");
        assert_eq!(off.with(Some("7")), "7\n");
        let off = Off::parse("7\nshop\n");
        assert_eq!(off.with(Some("7")), "shop\n7\n");
        assert_eq!(off.without(Some("7")), Ok(Some("shop\n".to_owned())));
        assert_eq!(off.without(None), Ok(None));
        assert_eq!(Off::parse("7").without(Some("7")), Ok(None));
        assert!(off.without(Some("till")).is_err());
        assert!(Off::parse("*").without(Some("7")).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_off() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let (off, why) = Off::read(folder.path());
        assert!(off.is_all() && why.is_some());
        let (off, why) = Off::read(&folder.path().join("off"));
        assert!(off.said().is_none() && why.is_none());
    }
}

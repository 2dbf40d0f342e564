//! Go's version strings, as they stand in a binary's build information.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// How far along a minor version is. Ordered as Go's releases follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Built from the development branch before the first release.
    Devel,
    /// `beta1`.
    Beta(u16),
    /// `rc1`.
    Rc(u16),
    /// A release, with its patch number; 0 for `go1.26` as for `go1.26.0`.
    Release(u16),
}

/// A version of Go. Ordered by release; what distinguishes builds of the same release comes last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoVersion {
    /// The x of 1.x.
    pub minor: u16,
    /// How far along.
    pub stage: Stage,
    /// What a vendor or the development branch adds, without its separator
    /// (`bigcorp`, `(Red Hat 1.22.9-1)`); empty for an official release.
    pub suffix: String,
    /// Experiments that differ from the release's defaults, as spelled (`nogreenteagc`).
    pub experiments: Vec<String>,
}

/// Text that is no version of Go 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("cannot make out the Go version {text:?} in the build information")]
pub struct UnknownVersion {
    /// What stood there, cut off if it is long.
    pub text: String,
}

/// A version string is some 20 bytes; no more than this of one is read or kept.
const MAX_LEN: usize = 256;

impl GoVersion {
    /// The release 1.`minor`.`patch`.
    #[must_use]
    pub const fn release(minor: u16, patch: u16) -> Self {
        let stage = Stage::Release(patch);
        Self { minor, stage, suffix: String::new(), experiments: Vec::new() }
    }

    /// Whether the Go project released this: neither a vendor's nor a development build.
    #[must_use]
    pub fn is_official(&self) -> bool {
        self.stage != Stage::Devel && self.suffix.is_empty()
    }
}

impl FromStr for GoVersion {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        parse(text).ok_or_else(|| UnknownVersion { text: text.chars().take(MAX_LEN).collect() })
    }
}

fn parse(text: &str) -> Option<GoVersion> {
    let text = text.trim();
    if text.len() > MAX_LEN {
        return None;
    }
    let (devel, text) = match text.strip_prefix("devel ") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (text, experiments) = split_experiments(text);
    let (minor, rest) = number(text.strip_prefix("go1.")?)?;
    let (stage, rest) = if let Some(rest) = rest.strip_prefix("rc") {
        let (n, rest) = number(rest)?;
        (Stage::Rc(n), rest)
    } else if let Some(rest) = rest.strip_prefix("beta") {
        let (n, rest) = number(rest)?;
        (Stage::Beta(n), rest)
    } else if let Some(rest) = rest.strip_prefix('.') {
        let (n, rest) = number(rest)?;
        (Stage::Release(n), rest)
    } else {
        (Stage::Release(0), rest)
    };
    let suffix = match rest.chars().next() {
        None => "",
        Some(' ' | '-' | '+') => rest[1..].trim(),
        Some(_) => return None,
    };
    // The older spelling begins with `devel `, the newer one has `-devel_` before the commit.
    let (devel, suffix) = match suffix.strip_prefix("devel") {
        Some("") => (true, ""),
        Some(rest) if rest.starts_with('_') => (true, &rest[1..]),
        _ => (devel, suffix),
    };
    Some(GoVersion {
        minor,
        stage: if devel { Stage::Devel } else { stage },
        suffix: suffix.to_owned(),
        experiments,
    })
}

/// Cuts the experiments off: `go1.24.3 X:a,b`, since Go 1.26 `go1.26.6-X:a,b`.
fn split_experiments(text: &str) -> (&str, Vec<String>) {
    let Some(at) = text.find(" X:").or_else(|| text.find("-X:")) else {
        return (text, Vec::new());
    };
    let list = text[at + 3..].split(',').map(str::trim).filter(|name| !name.is_empty());
    (&text[..at], list.map(str::to_owned).collect())
}

/// A decimal number at the start, and what follows it.
fn number(text: &str) -> Option<(u16, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

impl fmt::Display for GoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "go1.{}", self.minor)?;
        match self.stage {
            Stage::Devel => f.write_str("-devel")?,
            Stage::Beta(n) => write!(f, "beta{n}")?,
            Stage::Rc(n) => write!(f, "rc{n}")?,
            Stage::Release(n) => write!(f, ".{n}")?,
        }
        if !self.suffix.is_empty() {
            let separator = match self.stage {
                Stage::Devel => '_',
                _ if self.suffix.starts_with('(') => ' ',
                _ => '-',
            };
            write!(f, "{separator}{}", self.suffix)?;
        }
        if !self.experiments.is_empty() {
            write!(f, "-X:{}", self.experiments.join(","))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn version(text: &str) -> GoVersion {
        text.parse().unwrap()
    }

    #[test]
    fn spellings() {
        for (text, minor, stage, suffix, experiments) in [
            ("go1.26.6", 26, Stage::Release(6), "", ""),
            ("go1.26", 26, Stage::Release(0), "", ""),
            ("go1.27rc1", 27, Stage::Rc(1), "", ""),
            ("go1.21beta2", 21, Stage::Beta(2), "", ""),
            ("go1.26.6-X:nogreenteagc", 26, Stage::Release(6), "", "nogreenteagc"),
            ("go1.24.3 X:rangefunc,synctest", 24, Stage::Release(3), "", "rangefunc,synctest"),
            ("go1.27rc1-X:a,b", 27, Stage::Rc(1), "", "a,b"),
            (
                "devel go1.28-abcdef0 Fri Nov 20 10:00:00 2026 +0000",
                28,
                Stage::Devel,
                "abcdef0 Fri Nov 20 10:00:00 2026 +0000",
                "",
            ),
            ("devel go1.28-abcdef0 X:simd", 28, Stage::Devel, "abcdef0", "simd"),
            ("go1.28-devel_abcdef0 Fri Nov 20", 28, Stage::Devel, "abcdef0 Fri Nov 20", ""),
            ("go1.22.9 (Red Hat 1.22.9-1)", 22, Stage::Release(9), "(Red Hat 1.22.9-1)", ""),
            ("go1.21.5-bigcorp", 21, Stage::Release(5), "bigcorp", ""),
            ("go1.21.5-bigcorp X:a", 21, Stage::Release(5), "bigcorp", "a"),
            ("go1.24+auto", 24, Stage::Release(0), "auto", ""),
        ] {
            let experiments: Vec<_> = experiments.split(',').filter(|it| !it.is_empty()).collect();
            let read = version(text);
            assert_eq!(
                (read.minor, read.stage, read.suffix.as_str()),
                (minor, stage, suffix),
                "{text}"
            );
            assert_eq!(read.experiments, experiments, "{text}");
            assert_eq!(version(&read.to_string()), read, "shown as {read}");
        }
    }

    #[test]
    fn in_the_order_of_release() {
        let ordered = [
            "go1.9",
            "go1.21rc2",
            "go1.21",
            "go1.21.13",
            "devel go1.22-abc",
            "go1.22beta1",
            "go1.22rc1",
            "go1.22rc2",
            "go1.22.0",
            "go1.22.9",
            "go1.22.10",
            "go1.27.3",
        ];
        for pair in ordered.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert_eq!(version("go1.22"), version("go1.22.0"));
    }

    #[test]
    fn other_text_is_refused() {
        let long = format!("go1.26.6-{}", "x".repeat(10_000));
        for text in [
            "",
            "go",
            "go1",
            "go1.",
            "go2.1",
            "1.26.6",
            "go1.x",
            "go1.26.",
            "go1.26.6foo",
            "go1.99999",
            "go1.26rc",
            "devel +abcdef Thu",
            "unknown",
            "go1.é",
            "go1.26é",
            &long,
        ] {
            let error = text.parse::<GoVersion>().expect_err(text);
            assert!(error.text.len() <= MAX_LEN);
        }
    }
}

//! What the Go linker writes of itself into every executable: version and build settings.
//!
//! The format of Go 1.18 and later (`debug/buildinfo`).

const MAGIC: &[u8] = b"\xff Go buildinf:";
const ALIGN: usize = 16;
/// Where the flags stand, behind the magic and the pointer size.
const FLAGS: usize = 15;
/// The strings stand in line, behind their lengths.
const FLAG_INLINE: u8 = 2;
const HEADER_LEN: usize = 32;
/// Go's version is a few dozen bytes; the module list of a huge program some hundred KiB.
const MAX_VERSION: usize = 512;
const MAX_MODULES: usize = 4 << 20;
/// Module information stands between two marks of this length.
const MODULES_MARK: usize = 16;

/// What an executable says of its build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildInfo {
    /// Go's version, experiments and all.
    pub version: String,
    /// `-buildmode`, `-trimpath`, `CGO_ENABLED` and the like, in the order of the file.
    pub settings: Vec<(String, String)>,
}

impl BuildInfo {
    /// Finds and parses it in the bytes of a section or segment.
    #[must_use]
    pub fn find(bytes: &[u8]) -> Option<Self> {
        let mut from = 0;
        while let Some(at) = position(bytes.get(from..)?, MAGIC) {
            let at = from + at;
            if at % ALIGN == 0
                && let Some(info) = Self::parse(&bytes[at..])
            {
                return Some(info);
            }
            from = at + 1;
        }
        None
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.get(FLAGS)? & FLAG_INLINE == 0 {
            return None;
        }
        let mut rest = bytes.get(HEADER_LEN..)?;
        let version = string(&mut rest, MAX_VERSION)?;
        let version = std::str::from_utf8(version).ok()?;
        if version.is_empty() || version.chars().any(char::is_control) {
            return None;
        }
        let modules = string(&mut rest, MAX_MODULES).unwrap_or_default();
        let modules = modules
            .get(MODULES_MARK..modules.len().saturating_sub(MODULES_MARK))
            .and_then(|text| std::str::from_utf8(text).ok())
            .unwrap_or_default();
        let settings = modules
            .lines()
            .filter_map(|line| line.strip_prefix("build\t")?.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        Some(Self { version: version.to_owned(), settings })
    }
}

/// Takes one string: a base-128 length and that many bytes.
fn string<'a>(rest: &mut &'a [u8], limit: usize) -> Option<&'a [u8]> {
    let mut len = 0u64;
    for shift in (0..63).step_by(7) {
        let (&byte, behind) = rest.split_first()?;
        *rest = behind;
        len |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let len = usize::try_from(len).ok().filter(|&len| len <= limit)?;
            let (text, behind) = rest.split_at_checked(len)?;
            *rest = behind;
            return Some(text);
        }
    }
    None
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(version: &str, modules: &str) -> Vec<u8> {
        let mut bytes = vec![0; 16];
        bytes.extend(MAGIC);
        bytes.extend([8, FLAG_INLINE]);
        bytes.resize(16 + HEADER_LEN, 0);
        bytes.push(u8::try_from(version.len()).expect("short"));
        bytes.extend(version.as_bytes());
        let modules = format!("{0}{modules}{0}", "m".repeat(MODULES_MARK));
        bytes.push(u8::try_from(modules.len()).expect("short"));
        bytes.extend(modules.as_bytes());
        bytes
    }

    #[test]
    fn version_and_settings_are_read() {
        let info = BuildInfo::find(&image("go1.26.6-X:nogreenteagc", "build\tCGO_ENABLED=1\n"));
        let info = info.expect("there is one");
        assert_eq!(info.version, "go1.26.6-X:nogreenteagc");
        assert_eq!(info.settings, [("CGO_ENABLED".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn a_cut_or_hostile_one_is_none() {
        let whole = image("go1.26.6", "");
        for end in 0..whole.len() {
            // Cut anywhere: never a panic; and no version before it is whole.
            let info = BuildInfo::find(&whole[..end]);
            assert!(info.is_none() || end >= 16 + HEADER_LEN + 9, "cut at {end}");
        }
        let mut endless = image("go1.26.6", "");
        endless[16 + HEADER_LEN..].fill(0xff);
        assert_eq!(BuildInfo::find(&endless), None);
    }
}

//! Paths in which what varies stands as `#`, so that files of one use have one name.

/// Bytes of a path that are kept.
const MAX_BYTES: usize = 256;
/// Hexadecimal digits in a row, letters among them, that are no word.
const MIN_HEX: usize = 8;

/// The pattern of a path: each number, and each long row of hexadecimal digits, becomes `#`.
pub(super) fn of_path(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len().min(MAX_BYTES));
    let mut rest = path;
    while let Some(first) = rest.chars().next() {
        if pattern.len() >= MAX_BYTES {
            pattern.push('…');
            break;
        }
        let hex = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let row = &rest[..hex];
        // The parts of a UUID are one.
        let goes_on = pattern.ends_with("#-") && matches!(hex, 4 | 12);
        let is_hex = hex >= MIN_HEX && row.bytes().any(|byte| byte.is_ascii_digit());
        let length = if is_hex || goes_on { hex } else { digits };
        if length == 0 {
            // A word is taken whole, so that its end is no row of its own.
            let word = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            let length = word.max(first.len_utf8());
            let room = MAX_BYTES.saturating_sub(pattern.len()).max(first.len_utf8());
            let length = if word > 0 { length.min(room) } else { length };
            pattern.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        if goes_on {
            pattern.pop();
        } else {
            pattern.push('#');
        }
        rest = &rest[length..];
    }
    pattern
}

/// What stands for all files of a path's directory: `/tmp/*`; `None` where it has none.
pub(super) fn directory(path: &str) -> Option<String> {
    let (directory, name) = path.rsplit_once('/')?;
    (name != "*").then(|| format!("{directory}/*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_is_one_sign() {
        for (path, pattern) in [
            ("/tmp/upload-123456.part", "/tmp/upload-#.part"),
            ("/var/log/app.log", "/var/log/app.log"),
            ("/var/log/app.log.12", "/var/log/app.log.#"),
            ("/data/5f2c9a11e0/x", "/data/#/x"),
            ("/data/facade/deadbeef", "/data/facade/deadbeef"),
            ("/run/0b6f3a1e-1c2d-4e5f-8a9b-0c1d2e3f4a5b.sock", "/run/#.sock"),
            ("/é/7", "/é/#"),
            ("", ""),
        ] {
            assert_eq!(of_path(path), pattern, "{path}");
        }
        let long = of_path(&"/abcd".repeat(1000));
        assert!(long.len() < MAX_BYTES + 8 && long.ends_with('…'), "{long}");
        assert!(of_path(&"a".repeat(5000)).len() < MAX_BYTES + 8);
        assert!(of_path(&"é".repeat(5000)).len() < MAX_BYTES + 8);
    }

    #[test]
    fn directories() {
        assert_eq!(directory("/tmp/a").as_deref(), Some("/tmp/*"));
        assert_eq!(directory("/tmp/*"), None);
        assert_eq!(directory("a"), None);
    }
}

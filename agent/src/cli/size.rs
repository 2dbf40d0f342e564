//! Sizes as they are typed.

/// A size, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size(pub(super) u64);

/// `150MB`, `1.5 GiB`, `4096`, in bytes; `None` of what is no size.
pub(super) fn bytes(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "kb" => 1_000,
        "m" | "mib" => 1 << 20,
        "mb" => 1_000_000,
        "g" | "gib" => 1 << 30,
        "gb" => 1_000_000_000,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * f64::from(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_or_are_in_bytes() {
        for (text, size) in [
            ("150MB", 150e6),
            ("1.5 GiB", 1.5 * (1 << 30) as f64),
            ("4096", 4096.0),
            ("2k", 2048.0),
        ] {
            assert_eq!(bytes(text), Some(size), "{text}");
        }
        for text in ["", "MB", "1XB", "-5KB", "1.2.3", "1e9"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}

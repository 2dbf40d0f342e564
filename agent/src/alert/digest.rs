//! Short names of things that outlive processes: of findings in programs, and of messages.

use sha2::{Digest as _, Sha256};

/// 16 hexadecimal digits of all parts, the same wherever and whenever they are the same.
#[must_use]
pub fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // Their lengths tell `ab` and `c` from `a` and `bc`.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart_and_the_name_stays() {
        assert_ne!(fingerprint(&["ab", "c"]), fingerprint(&["a", "bc"]));
        // State of earlier versions must still fit.
        assert_eq!(fingerprint(&["service_name=shop", "f-12ab"]), "31f1144a42765b57");
    }
}

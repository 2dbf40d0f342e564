//! Which versions and modes a Go target wants to be built in: its `matrix.toml`.
//!
//! ```toml
//! versions = "all"            # or ["1.21.13", "1.26.6"]
//! modes = ["exe", "stripped"] # or "all"
//! ```
//! A missing file or key means Go 1.26.6, `exe`.

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

use super::mode::{MODES, Mode, VERSIONS};
use crate::go;

/// Every build that a target wants: version and mode.
pub fn builds(matrix: &str) -> Result<Vec<(&'static str, &'static Mode)>> {
    let table: Table = matrix.parse().context("this is no TOML")?;
    if let Some(key) = table.keys().find(|key| !["versions", "modes"].contains(&key.as_str())) {
        bail!("there is no key `{key}`, only `versions` and `modes`");
    }
    let names = MODES.each_ref().map(|mode| mode.name);
    let versions = chosen(&table, "versions", &VERSIONS, go::DEFAULT)?;
    let modes = chosen(&table, "modes", &names, "exe")?;
    let modes: Vec<&Mode> = modes.into_iter().filter_map(Mode::named).collect();
    let pairs = versions.into_iter().flat_map(|version| {
        modes.iter().filter(move |mode| mode.is_for(version)).map(move |mode| (version, *mode))
    });
    Ok(pairs.collect())
}

/// What a key chooses of what there is.
fn chosen(
    table: &Table,
    key: &str,
    all: &[&'static str],
    default: &'static str,
) -> Result<Vec<&'static str>> {
    match table.get(key) {
        None => Ok(vec![default]),
        Some(Value::String(word)) if word == "all" => Ok(all.to_vec()),
        Some(Value::Array(list)) => list.iter().map(|value| known(value, key, all)).collect(),
        Some(_) => bail!("`{key}` is neither \"all\" nor a list"),
    }
}

fn known(value: &Value, key: &str, all: &[&'static str]) -> Result<&'static str> {
    let name =
        value.as_str().with_context(|| format!("`{key}` lists something that is no text"))?;
    let found = all.iter().find(|known| **known == name);
    found.copied().with_context(|| format!("{name} is none of the {key}: {}", all.join(", ")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn names(matrix: &str) -> Vec<String> {
        let builds = builds(matrix).unwrap();
        builds.iter().map(|(version, mode)| format!("{version}/{}", mode.name)).collect()
    }

    #[test]
    fn nothing_said_is_one_plain_executable() {
        assert_eq!(names(""), ["1.26.6/exe"]);
    }

    #[test]
    fn lists_are_crossed() {
        let crossed = names("versions = ['1.21.13', '1.27.3']\nmodes = ['exe', 'pie']");
        assert_eq!(crossed, ["1.21.13/exe", "1.21.13/pie", "1.27.3/exe", "1.27.3/pie"]);
    }

    #[test]
    fn all_leaves_out_what_a_version_cannot() {
        let all = names("versions = 'all'\nmodes = 'all'");
        assert_eq!(all.len(), 7 * 12 + 2);
        assert!(all.contains(&"1.26.6/nogreenteagc".to_owned()));
        assert!(!all.contains(&"1.24.11/nogreenteagc".to_owned()));
        assert!(!all.contains(&"1.25.5/nogreenteagc".to_owned()));
    }

    #[test]
    fn what_is_unknown_is_refused_and_named() {
        for (matrix, named) in [
            ("modes = ['exf']", "exf"),
            ("versions = ['1.20']", "1.20"),
            ("mode = ['exe']", "mode"),
            ("modes = 'exe'", "neither"),
            ("modes =", "TOML"),
        ] {
            let text = format!("{:#}", builds(matrix).unwrap_err());
            assert!(text.contains(named), "{matrix}: {text}");
        }
    }
}

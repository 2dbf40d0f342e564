//! The list of all crates that are built in, in CycloneDX's form.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::Making;
use crate::shell;
use crate::toolchain::Toolchain;
use crate::tools::{self, Tool};

/// What writes it.
const SBOM: Tool = Tool { name: "cargo-cyclonedx", version: "0.5.7", takes: "about two minutes" };

/// Where our own crates are said to lie, wherever they were built.
const HOME: &str = "path+file:///leak-agent/";

/// Lists what the program is built of.
pub fn make(making: &Making<'_>, rust: Toolchain) -> Result<()> {
    let tool = tools::ensure(making.project, rust, SBOM)?;
    let name = format!("leak-agent-{}.cdx", making.version);
    let mut list = rust.around(making.project, tool);
    list.args(["cyclonedx", "--format", "json", "--manifest-path", "agent/Cargo.toml"])
        .args(["--override-filename", &name]);
    shell::run(&mut list)?;
    let (root, file) = (making.project.root(), format!("{name}.json"));
    let written = fs::read_to_string(root.join("agent").join(&file))?;
    // It writes one for each member of the workspace.
    for member in ["agent", "common", "tests", "xtask", "agent-ebpf"] {
        let _ = fs::remove_file(root.join(member).join(&file));
    }
    let text =
        reproducible(&written, &format!("path+file://{}/", root.display()), &making.time()?)?;
    fs::write(making.folder.join(&file), text).with_context(|| format!("cannot write {file}"))
}

/// What says when and where it was made is replaced: by the commit's time, and by no place. Its number, which is made up
/// each time and may be left out, is.
fn reproducible(written: &str, home: &str, time: &str) -> Result<String> {
    let mut text = String::new();
    for line in written.replace(home, HOME).lines() {
        let words = line.trim_start();
        let indent = &line[..line.len() - words.len()];
        if words.starts_with("\"serialNumber\":") {
            continue;
        }
        let is_time = words.starts_with("\"timestamp\":");
        let line =
            if is_time { format!("{indent}\"timestamp\": \"{time}\",") } else { line.into() };
        text.push_str(&line);
        text.push('\n');
    }
    let times = text.matches(&format!("\"timestamp\": \"{time}\",")).count();
    ensure!(times == 1, "the SBOM says {times} times when it was made");
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn two_places_and_times_make_one_list() {
        let of = |place: &str, number: u32| {
            let written = format!(
                "{{\n  \"serialNumber\": \"urn:uuid:{number}\",\n  \"metadata\": {{\n    \"timestamp\": \"2026-{number}\",\n    \
                 \"bom-ref\": \"path+file://{place}/agent#leak-agent@0.1.0\"\n  }}\n}}\n"
            );
            reproducible(&written, &format!("path+file://{place}/"), "2026-12-01").unwrap()
        };
        let [one, other] = [of("/one", 1), of("/home/other", 2)];
        assert_eq!(one, other);
        assert!(one.contains("\"timestamp\": \"2026-12-01\"") && !one.contains("serial"), "{one}");
        assert!(one.contains("path+file:///leak-agent/agent#leak-agent@0.1.0"), "{one}");
        assert!(reproducible("{}", "path+file:///one/", "2026-12-01").is_err());
    }
}

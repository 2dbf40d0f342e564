//! `cargo xtask layers`: checks who imports whom in the agent against docs/architecture.md.

mod cycles;
mod paths;
mod table;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::shell::say;

use paths::{Contents, Named};
use table::{Rule, Table};

/// The chore.
pub fn run(project: &Project, _flags: &[String]) -> Result<()> {
    let document = project.root().join("docs/architecture.md");
    let text = std::fs::read_to_string(&document)
        .with_context(|| format!("cannot read {}", project.shown(&document)))?;
    let table = Table::read(&text)
        .with_context(|| format!("cannot use the table in {}", project.shown(&document)))?;
    let dependencies = dependencies(&project.root().join("agent/Cargo.toml"))?;
    let folder = project.root().join("agent/src");
    let mut files = Vec::new();
    for path in rust_files(&folder)? {
        let source = std::fs::read_to_string(&path)?;
        let shown = project.shown(&path).to_string();
        files.push(File::read(shown, module_of(path.strip_prefix(&folder)?), &source)?);
    }
    let breaches = breaches(&table, &dependencies, &files);
    for breach in &breaches {
        println!("{breach}");
    }
    if !breaches.is_empty() {
        bail!("{} imports break the rooms' table in docs/architecture.md", breaches.len());
    }
    let cycles = cycles::find(&outside_tests(&files));
    for cycle in &cycles {
        println!("a cycle of {} files:", cycle.files.len());
        for import in &cycle.imports {
            println!("  {import}");
        }
    }
    if !cycles.is_empty() {
        bail!("{} import cycles between files", cycles.len());
    }
    say(format_args!(
        "layers: {} files keep to the rooms' table, without import cycles",
        files.len()
    ));
    Ok(())
}

/// A source file: the module that it is, and what it holds.
struct File {
    shown: String,
    module: Vec<String>,
    contents: Contents,
}

impl File {
    fn read(shown: String, module: Vec<String>, source: &str) -> Result<Self> {
        // A crate's root is a room of its own in the table, but not in paths.
        let within: &[String] = if is_root(&module) { &[] } else { &module };
        let contents =
            paths::read(source, within).with_context(|| format!("cannot read {shown}"))?;
        Ok(Self { shown, module, contents })
    }

    /// Whether this file is only compiled for tests: a parent declares it so.
    fn is_test_of(&self, parent: &Self) -> bool {
        let above: &[String] = if is_root(&parent.module) { &[] } else { &parent.module };
        self.module.strip_prefix(above).and_then(|rest| rest.first()).is_some_and(|child| {
            !is_root(&self.module) && parent.contents.test_modules.contains(child)
        })
    }
}

/// The files that are compiled outside tests.
fn outside_tests(files: &[File]) -> Vec<&File> {
    files.iter().filter(|file| !files.iter().any(|parent| file.is_test_of(parent))).collect()
}

/// Every breach of the rules, as `file:line: text`, in the order of the files.
fn breaches(table: &Table, dependencies: &[String], files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in outside_tests(files) {
        let File { shown, module, contents } = file;
        let Some(rule) = table.rule_for(module) else {
            found.push(format!("{shown}:1: {} is no room of the table", module.join("::")));
            continue;
        };
        let checker = Checker { rule, module, dependencies, files };
        for path in &contents.paths {
            if let Some(broken) = checker.check(path) {
                let named = path.segments.join("::");
                found.push(format!("{shown}:{}: {named}: {broken}", path.line));
            }
        }
    }
    found
}

/// The rule for one file.
struct Checker<'a> {
    rule: &'a Rule,
    module: &'a [String],
    dependencies: &'a [String],
    files: &'a [File],
}

impl Checker<'_> {
    /// The rule that a path breaks, in words.
    fn check(&self, path: &Named) -> Option<String> {
        match path.segments.split_first() {
            Some((first, inside)) if first == "crate" => self.check_room(inside),
            _ => self.check_crate(path),
        }
    }

    fn check_room(&self, inside: &[String]) -> Option<String> {
        let Rule { room, rooms, .. } = self.rule;
        let target = inside.first()?;
        let is_own = self.module.first() == Some(target);
        if self.rule.is_for_parts() && is_own {
            let own = self.module.get(1);
            return match inside.get(1) {
                part if part == own => None,
                Some(part) if self.is_part(target, part) => {
                    Some(format!("the parts of room {target} may not use each other"))
                }
                _ if rooms.contains(target) => None,
                _ => Some(format!("room {room} may not use {target}")),
            };
        }
        if is_own || rooms.contains(target) {
            return None;
        }
        let may = if rooms.is_empty() { "no other room".into() } else { rooms.join(", ") };
        Some(format!("room {room} may use {may}"))
    }

    /// Whether a room has a module of this name.
    fn is_part(&self, room: &String, part: &String) -> bool {
        self.files
            .iter()
            .any(|file| file.module.first() == Some(room) && file.module.get(1) == Some(part))
    }

    fn check_crate(&self, path: &Named) -> Option<String> {
        let Rule { room, forbidden, only, .. } = self.rule;
        for entry in forbidden {
            let entry_segments: Vec<&str> = entry.split("::").collect();
            let same = entry_segments.iter().zip(&path.segments).all(|(a, b)| a == b);
            if same && path.segments.len() >= entry_segments.len() {
                return Some(format!("room {room} may not use {entry}"));
            }
            // `use std::time;` would let `time::Instant` through.
            if same && path.imported {
                return Some(format!("room {room} may not use {entry}: import what is used of it"));
            }
        }
        let (name, only) = (path.segments.first()?, only.as_ref()?);
        if self.dependencies.contains(name) && !only.contains(name) {
            let may = if only.is_empty() { "no crate".into() } else { only.join(", ") };
            return Some(format!("room {room} may use {may} besides std"));
        }
        None
    }
}

fn is_root(module: &[String]) -> bool {
    matches!(module, [only] if only == "lib" || only == "main")
}

/// The module that a file is, by its path below `src`.
fn module_of(path: &Path) -> Vec<String> {
    let whole = path.with_extension("");
    let mut module: Vec<String> =
        whole.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.len() > 1 && module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// The names of a package's dependencies, as code spells them.
fn dependencies(manifest: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    let table: toml::Table = text.parse()?;
    let dependencies = table.get("dependencies").and_then(toml::Value::as_table);
    let names = dependencies.into_iter().flat_map(toml::Table::keys);
    Ok(names.map(|name| name.replace('-', "_")).collect())
}

/// The Rust files below a folder, sorted.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests;

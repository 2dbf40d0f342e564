//! `cargo xtask accuracy`: builds programs of which it is known what leaks in them, and has the release agent look at
//! each. What is run, matched and summed is the tests' program `accuracy`; here it gets what it needs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::go::{self, Go, Toolchains};
use crate::project::Project;
use crate::shell::{self, say};
use crate::targets::VERSIONS;
use crate::{servers, toolchain};

/// The corpora.
const CORPORA: [&str; 4] = [OURS, MEMORY, GO, "servers"];
pub const OURS: &str = "ours";
const MEMORY: &str = "memory";
const GO: &str = "go";

/// Those in which something is proven.
const PROVABLE: [&str; 2] = [OURS, GO];

/// The Go whose own programs all are tried with.
const NEWEST: &str = VERSIONS[VERSIONS.len() - 1];

/// The module whose programs are of C too.
const NATIVE: &str = "native";

/// How the agent sees programs: it attaches, or it asks for what they serve.
const SOURCES: [&str; 3] = [ATTACH, "url", COUNTS];
const ATTACH: &str = "attach";
const COUNTS: &str = "url-counts";

/// The build of a program that serves its profiles, and the file that makes it one.
const SERVED: &str = "served";
const SERVE: &str = "tests/served/serve.go";

/// The folder of Go's own programs, in its source.
const GO_CORPUS: &str = "src/runtime/testdata/testgoroutineleakprofile";

/// What Go expects of them.
const GO_TEST: &str = "src/runtime/goroutineleakprofile_test.go";

/// Of Go's own programs, the two folders, and the files in them that are not built: their main, which ends, and
/// programs that leak nothing of interest, but keep the collector busy.
const GO_FOLDERS: [(&str, &str); 2] = [("micro", ""), ("goker", "goker")];
const GO_LEFT_OUT: [&str; 2] = ["main.go", "stresstests.go"];

/// The profile that Go's own programs ask for. To ask for it has the runtime look for leaks, and mark them.
const GO_PROFILE: &str = "\"goroutineleak\"";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    versions: Vec<String>,
    stripped: bool,
    source: String,
    corpora: Vec<String>,
    only: Vec<String>,
    proof: bool,
    /// Flags that are the program's alone.
    rest: Vec<String>,
}

/// The chore.
pub fn run(project: &Project, flags: &[String]) -> Result<()> {
    let asked = Asked::of(flags)?;
    let wants = |corpus: &str| asked.corpora.iter().any(|it| it == corpus);
    let toolchains = Toolchains::find(project);
    let builds = match (&*asked.source, asked.stripped) {
        (ATTACH, false) => &["exe"][..],
        (ATTACH, true) => &["exe", "stripped"],
        _ => &[SERVED],
    };
    for version in asked.versions.iter().filter(|_| wants(OURS) || wants(MEMORY) || wants(GO)) {
        let go = toolchains.version(version)?;
        for build in builds {
            for corpus in [OURS, MEMORY].into_iter().filter(|it| wants(it)) {
                build_ours(project, corpus, &go, build, &asked.only)?;
            }
            if wants(GO) {
                // What Go tests itself with older ones leak too.
                let newest = asked.proof.then(|| toolchains.version(NEWEST)).transpose()?;
                build_gos(project, &go, newest.as_ref().unwrap_or(&go), build)?;
            }
        }
    }
    if wants("servers") {
        let named = asked.only.iter().filter(|it| servers::is_known(it)).cloned();
        let named: Vec<String> = named.collect();
        if asked.only.is_empty() || !named.is_empty() {
            servers::run(project, &named)?;
        }
    }
    say("building the release agent and what runs it (2 to 4 minutes the first time)");
    let rust = toolchain::ensure()?;
    let mut build = rust.cargo(project);
    build.args(["build", "--release", "--locked", "-p", "leak-agent", "-p", "leak-agent-tests"]);
    shell::run(build.args(["--bin", "leak-agent", "--bin", "accuracy"]))?;

    let mut program = shell::command(project.target().join("release/accuracy"));
    program.arg("--agent").arg(project.agent());
    program.arg("--sources").arg(sources(project)).arg("--binaries").arg(binaries(project));
    program.arg("--output").arg(project.target().join("accuracy"));
    program.args(["--corpus", &asked.corpora.join(","), "--build", &builds.join(",")]);
    program.args(["--go", &asked.versions.join(","), "--source", &asked.source]);
    if asked.proof {
        program.arg("--proof");
    }
    if !asked.only.is_empty() {
        program.args(["--only", &asked.only.join(",")]);
    }
    shell::run(program.args(&asked.rest))
}

impl Asked {
    fn of(flags: &[String]) -> Result<Self> {
        let mut asked = Self {
            versions: vec![go::DEFAULT.to_owned()],
            stripped: false,
            source: ATTACH.to_owned(),
            corpora: Vec::new(),
            only: Vec::new(),
            proof: false,
            rest: Vec::new(),
        };
        let mut flags = flags.iter();
        while let Some(flag) = flags.next() {
            let mut value =
                || flags.next().with_context(|| format!("{flag} takes a value behind it"));
            let list = |value: &String| value.split(',').map(str::to_owned).collect::<Vec<_>>();
            match flag.as_str() {
                "--go" => asked.versions = list(value()?),
                "--stripped" => asked.stripped = true,
                "--source" => asked.source.clone_from(value()?),
                "--corpus" => asked.corpora = list(value()?),
                "--only" => asked.only = list(value()?),
                "--proof" => asked.proof = true,
                "--duration" | "--jobs" => asked.rest.extend([flag.clone(), value()?.clone()]),
                _ => bail!(
                    "accuracy knows --go, --stripped, --source, --corpus, --only, --proof, --duration and --jobs, but no {flag}"
                ),
            }
        }
        if asked.versions == ["all"] {
            asked.versions = VERSIONS.map(str::to_owned).to_vec();
        }
        if let Some(corpus) = asked.corpora.iter().find(|it| !CORPORA.contains(&it.as_str())) {
            bail!("there is no corpus {corpus}, only: {}", CORPORA.join(", "));
        }
        asked.default_corpora()?;
        Ok(asked)
    }
}

impl Asked {
    /// All corpora, where none is named; for other sources than attaching that whose programs are made to serve.
    fn default_corpora(&mut self) -> Result<()> {
        let Self { source, corpora, stripped, proof, .. } = self;
        ensure!(
            SOURCES.contains(&&**source),
            "there is no source {source}, only: {}",
            SOURCES.join(", ")
        );
        ensure!(!*proof || source == ATTACH, "--proof is for --source {ATTACH}");
        let all = match (&**source, *proof) {
            (ATTACH, false) => &CORPORA[..],
            (ATTACH, true) => &PROVABLE,
            (COUNTS, _) => &CORPORA[..1],
            _ => &CORPORA[..2],
        };
        if corpora.is_empty() {
            *corpora = all.iter().map(|&it| it.to_owned()).collect();
        }
        let unserved = corpora.iter().find(|it| !all.contains(&it.as_str()));
        if let Some(corpus) = unserved {
            ensure!(
                !*proof,
                "nothing is proven of the corpus {corpus}, only of: {}",
                all.join(", ")
            );
            bail!(
                "--source {source} tells nothing of the corpus {corpus}, only of: {}",
                all.join(", ")
            );
        }
        ensure!(!*stripped || source == ATTACH, "--stripped is for --source {ATTACH}");
        Ok(())
    }
}

/// The sources of our own corpora: in them those of `memory`.
fn sources(project: &Project) -> PathBuf {
    project.root().join("tests/corpus")
}

/// What is built of all corpora but the servers.
fn binaries(project: &Project) -> PathBuf {
    project.target().join("corpus")
}

/// Arguments of `go build` for a build's name.
fn arguments(build: &str) -> &'static [&'static str] {
    if build == "stripped" { &["-ldflags=-s -w"] } else { &[] }
}

/// Builds the programs of a corpus of our own, or only those of these names: the corpus' own module, and each of those
/// under it that this Go is new enough for. What they depend on Go keeps in its module cache, so that only the first
/// time needs a network.
pub fn build_ours(
    project: &Project,
    corpus: &str,
    go: &Go,
    build: &str,
    only: &[String],
) -> Result<()> {
    let place = binaries(project).join(corpus).join(go.version()).join(build);
    for folder in ["leaking", "healthy"] {
        // A folder to build into may hold what its source no longer does, or what this Go no longer builds.
        let place = place.join(folder);
        if only.is_empty() && place.exists() {
            fs::remove_dir_all(&place)?;
        }
        fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    }
    let sources = sources(project);
    let home = if corpus == MEMORY { sources.join(MEMORY) } else { sources };
    build_module(project, &home, &place, go, build, only)?;
    for module in modules(&home)? {
        let needs = needed_go(&module)?;
        if go::is_at_least(go.version(), &needs) {
            build_module(project, &module, &place, go, build, only)?;
        } else {
            let shown = project.shown(&module);
            say(format_args!("{shown} needs Go {needs}: not built with {}", go.version()));
        }
    }
    Ok(())
}

/// The modules in the corpus' own, in the order of their names.
fn modules(corpus: &Path) -> Result<Vec<PathBuf>> {
    let home = corpus.join("modules");
    let mut modules = Vec::new();
    for entry in fs::read_dir(&home).with_context(|| format!("there is no {}", home.display()))? {
        modules.push(entry?.path());
    }
    modules.sort();
    Ok(modules)
}

/// The Go that a module says it needs at the least.
fn needed_go(module: &Path) -> Result<String> {
    let path = module.join("go.mod");
    let text = fs::read_to_string(&path).with_context(|| format!("no {}", path.display()))?;
    let needed = text.lines().find_map(|line| line.strip_prefix("go "));
    Ok(needed.with_context(|| format!("{} has no go line", path.display()))?.trim().to_owned())
}

/// Builds the programs of one module, or only those of these names.
fn build_module(
    project: &Project,
    module: &Path,
    place: &Path,
    go: &Go,
    build: &str,
    only: &[String],
) -> Result<()> {
    for folder in ["leaking", "healthy"] {
        let home = module.join(folder);
        let named: BTreeSet<&String> = only.iter().filter(|it| home.join(it).is_dir()).collect();
        if !home.is_dir() || (named.is_empty() && !only.is_empty()) {
            continue;
        }
        let place = place.join(folder);
        let shown = project.shown(&home);
        say(format_args!("building {shown} with Go {}, {build}", go.version()));
        let mut command = go.command();
        let is_native = module.file_name().is_some_and(|it| it == NATIVE);
        command.current_dir(&home).env("CGO_ENABLED", if is_native { "1" } else { "0" });
        command.args(["build", "-mod=readonly"]).args(arguments(build));
        if build == SERVED {
            command.arg("-overlay").arg(overlay(project, &home, &place)?);
        }
        command.arg("-o").arg(format!("{}/", place.display()));
        if only.is_empty() {
            command.arg("./...");
        } else {
            command.args(named.iter().map(|it| format!("./{it}")));
        }
        shell::output(&mut command)
            .with_context(|| format!("Go {} cannot build {shown}", go.version()))?;
    }
    Ok(())
}

/// Writes beside a folder of binaries what adds the file that serves profiles to each program of a folder of sources.
fn overlay(project: &Project, home: &Path, place: &Path) -> Result<PathBuf> {
    let serve = project.root().join(SERVE);
    let name = serve.file_name().context("the file has a name")?;
    let mut added = Vec::new();
    for entry in fs::read_dir(home).with_context(|| format!("there is no {}", home.display()))? {
        let program = entry?.path();
        if program.is_dir() {
            added.push(format!("{:?}: {serve:?}", program.join(name)));
        }
    }
    let path = place.with_extension("overlay.json");
    fs::write(&path, format!("{{\"Replace\": {{{}}}}}\n", added.join(", ")))
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Builds Go's own programs, as one Go has them, with another, from copies: in GOROOT they would be packages of the
/// standard library, and no user's.
fn build_gos(project: &Project, go: &Go, of: &Go, build: &str) -> Result<()> {
    let root = shell::output(of.command().args(["env", "GOROOT"]))?;
    let root = Path::new(root.trim());
    let home = binaries(project).join(GO).join(go.version());
    if !root.join(GO_CORPUS).is_dir() {
        if home.exists() {
            // Of a run with proofs.
            fs::remove_dir_all(&home)?;
        }
        say(format_args!("Go {} has no leaking programs of its own", of.version()));
        return Ok(());
    }
    say(format_args!("building the leaking programs of Go {}, {build}", go.version()));
    let main = project.root().join("tests/leakprofile/main.go");
    for (name, folder) in GO_FOLDERS {
        let copy = home.join("source").join(name);
        if copy.exists() {
            fs::remove_dir_all(&copy)?;
        }
        fs::create_dir_all(&copy).with_context(|| format!("cannot make {}", copy.display()))?;
        copy_programs(&root.join(GO_CORPUS).join(folder), &copy)?;
        fs::copy(&main, copy.join("main.go")).context("cannot copy tests/leakprofile/main.go")?;
        // The language's version decides what a loop variable is.
        let minor = go.version().split('.').take(2).collect::<Vec<_>>().join(".");
        fs::write(copy.join("go.mod"), format!("module {name}\n\ngo {minor}\n"))?;
        let mut command = go.command();
        command.current_dir(&copy).env("CGO_ENABLED", "0").arg("build").args(arguments(build));
        command.arg("-o").arg(home.join(build).join(name)).arg(".");
        shell::output(&mut command).with_context(|| {
            format!("Go {} cannot build its own leaking programs", go.version())
        })?;
    }
    fs::copy(root.join(GO_TEST), home.join("expected.go"))
        .with_context(|| format!("Go {} has no {GO_TEST}", of.version()))?;
    Ok(())
}

/// Copies the programs of a folder, with another profile to ask for: the one that the main of ours makes.
fn copy_programs(from: &Path, to: &Path) -> Result<()> {
    let mut copied = 0;
    for entry in fs::read_dir(from).with_context(|| format!("there is no {}", from.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        if !name.ends_with(".go") || GO_LEFT_OUT.contains(&name) {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        fs::write(to.join(name), text.replace(GO_PROFILE, "\"nothing\""))?;
        copied += 1;
    }
    ensure!(copied > 0, "there are no programs in {}", from.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn of(line: &str) -> Result<Asked> {
        Asked::of(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn flags_are_read_and_what_is_not_ours_goes_on() {
        let asked =
            of("--go 1.21.13,1.27.3 --stripped --corpus ours --only a,b --duration 5s --jobs 3");
        assert_eq!(
            asked.unwrap(),
            Asked {
                versions: vec!["1.21.13".into(), "1.27.3".into()],
                stripped: true,
                source: ATTACH.into(),
                corpora: vec!["ours".into()],
                only: vec!["a".into(), "b".into()],
                proof: false,
                rest: ["--duration", "5s", "--jobs", "3"].map(str::to_owned).to_vec(),
            }
        );
        let bare = of("").unwrap();
        assert_eq!((bare.versions, bare.corpora.len()), (vec![go::DEFAULT.to_owned()], 4));
        assert_eq!(of("--go all").unwrap().versions, VERSIONS);
        assert_eq!(of("--source url-counts").unwrap().corpora, ["ours"]);
        assert_eq!(of("--source url").unwrap().corpora, ["ours", "memory"]);
        let proof = of("--proof").unwrap();
        assert!(proof.proof && proof.corpora == ["ours", "go"]);
    }

    #[test]
    fn every_module_of_the_corpora_says_which_go_it_needs() {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus");
        let memory = modules(&ours.join(MEMORY)).unwrap();
        let modules = modules(&ours).unwrap();
        assert!(!modules.is_empty() && !memory.is_empty());
        for module in modules.into_iter().chain(memory) {
            let needed = needed_go(&module).unwrap();
            assert!(needed.starts_with("1."), "{}: {needed}", module.display());
            assert!(module.join("leaking").is_dir(), "{}", module.display());
        }
    }

    #[test]
    fn unknown_flags_and_corpora_are_refused() {
        assert!(of("--fast").is_err());
        assert!(of("--go").is_err());
        for line in [
            "--corpus theirs",
            "--source guess",
            "--source url --corpus ours,go",
            "--source url --stripped",
            "--source url --proof",
            "--proof --corpus servers",
        ] {
            assert!(of(line).is_err(), "{line}");
        }
    }

    #[test]
    fn gos_programs_are_copied_without_their_main_and_their_profile() {
        let folder = std::env::temp_dir().join(format!("copied-programs-{}", std::process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        fs::create_dir_all(&from).unwrap();
        fs::create_dir_all(&to).unwrap();
        fs::write(from.join("main.go"), "package main").unwrap();
        fs::write(from.join("LICENSE"), "").unwrap();
        fs::write(from.join("a.go"), "prof := pprof.Lookup(\"goroutineleak\")\n").unwrap();
        copy_programs(&from, &to).unwrap();
        let copied: Vec<_> = fs::read_dir(&to).unwrap().map(|it| it.unwrap().file_name()).collect();
        let text = fs::read_to_string(to.join("a.go")).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(copied, ["a.go"]);
        assert_eq!(text, "prof := pprof.Lookup(\"nothing\")\n");
    }
}

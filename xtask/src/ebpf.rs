//! `cargo xtask ebpf`: builds what the kernel runs, and checks that the committed objects are that.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::apt::{self, Need, Shows};
use crate::project::Project;
use crate::shell::{self, say};
use crate::targets;
use crate::toolchain::{self, Toolchain};
use crate::tools::{self, Tool};

const BPF_LINKER: Tool =
    Tool { name: "bpf-linker", version: "0.13.0", takes: "1 to 2 minutes, once" };

/// The LLVM of the pinned compiler, as Debian packages it.
const LLVM: Need = Need {
    package: "llvm-22-dev",
    shows: Shows::File("/usr/lib/llvm-22/include/llvm/Config/llvm-config.h"),
};
const LLVM_PREFIX: &str = "/usr/lib/llvm-22";

/// Whose registers are read, as Go and as Rust call it.
const ARCHITECTURES: [(&str, &str); 2] = [("amd64", "x86_64"), ("arm64", "aarch64")];

/// Beside the objects: the versions that built them.
const RECORD: &str = "toolchain.txt";

/// The tests that load the objects into this kernel.
const TESTS: [&str; 5] = ["test", "--locked", "--package", "leak-agent-tests", "--test"];

/// The chore.
pub fn run(project: &Project, flags: &[String]) -> Result<()> {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    match flags[..] {
        ["build"] => build(project, toolchain::ensure()?),
        ["check"] => check(project, toolchain::ensure()?),
        _ => bail!("ebpf takes one word: build or check"),
    }
}

/// Builds the objects, and puts them where they are committed.
fn build(project: &Project, rust: Toolchain) -> Result<()> {
    let builder = Builder::new(project, rust)?;
    let built = builder.objects()?;
    let home = committed(project);
    fs::create_dir_all(&home).with_context(|| format!("cannot make {}", home.display()))?;
    for object in &built {
        let to = home.join(file_name(object)?);
        fs::copy(object, &to).with_context(|| format!("cannot write {}", to.display()))?;
        say(format_args!("{}: {} bytes", project.shown(&to), fs::metadata(&to)?.len()));
    }
    let record = home.join(RECORD);
    fs::write(&record, builder.versions.to_string())
        .with_context(|| format!("cannot write {}", record.display()))
}

/// Builds the objects again. Where the same tools build them as before, they must be the same
/// bytes; where others do, theirs must pass the tests in the place of the committed ones.
fn check(project: &Project, rust: Toolchain) -> Result<()> {
    let builder = Builder::new(project, rust)?;
    let built = builder.objects()?;
    let home = committed(project);
    let record = home.join(RECORD);
    let recorded = fs::read_to_string(&record).with_context(|| {
        format!("cannot read {}; run: cargo xtask ebpf build", project.shown(&record))
    })?;
    let ours = builder.versions.to_string();
    if recorded == ours {
        for object in &built {
            let other = home.join(file_name(object)?);
            ensure!(
                fs::read(object)? == fs::read(&other).unwrap_or_default(),
                "{} is not what its source builds; run: cargo xtask ebpf build",
                project.shown(&other)
            );
        }
        say("ebpf: the committed objects are, byte by byte, what their source builds");
        return Ok(());
    }
    say(format_args!(
        "ebpf: the committed objects were built by\n{recorded}and here are\n{ours}\
         so the bytes cannot be compared: testing what was built here in their place"
    ));
    targets::run(project, &["stress".into(), "churn".into()])?;
    let mut tests = rust.cargo(project);
    tests.args(TESTS).arg("probes").env("LEAK_AGENT_EBPF", builder.out());
    shell::run(&mut tests)
}

/// Lints the programs, for every architecture whose registers they read.
pub fn clippy(project: &Project, rust: Toolchain) -> Result<()> {
    for (_, arch) in ARCHITECTURES {
        let mut cargo = unstable_cargo(project, rust);
        cargo
            .args(["clippy", "--locked", "--package", "leak-agent-ebpf", "--profile", "ebpf"])
            .args(FOR_THE_KERNEL)
            .arg("--target-dir")
            .arg(project.target().join("ebpf/clippy"))
            .args(["--", "-D", "warnings"])
            .env("CARGO_ENCODED_RUSTFLAGS", registers_of(arch).join("\u{1f}"));
        shell::run(&mut cargo)?;
    }
    Ok(())
}

/// A cargo that builds for the kernel. The kernel's target has no ready-made `core`, and building
/// one is an unstable option, which the pinned stable compiler takes under RUSTC_BOOTSTRAP: no
/// nightly is needed.
fn unstable_cargo(project: &Project, rust: Toolchain) -> Command {
    let mut cargo = rust.cargo(project);
    cargo.env("RUSTC_BOOTSTRAP", "1");
    cargo
}

const FOR_THE_KERNEL: [&str; 4] = ["-Z", "build-std=core", "--target", "bpfel-unknown-none"];

/// Tells the programs whose registers they read.
fn registers_of(arch: &str) -> [String; 2] {
    ["--cfg".to_owned(), format!("bpf_target_arch=\"{arch}\"")]
}

/// Where the committed objects lie; the agent embeds them from there.
fn committed(project: &Project) -> PathBuf {
    project.root().join("agent/ebpf")
}

fn file_name(path: &Path) -> Result<&std::ffi::OsStr> {
    path.file_name().context("an object without a name")
}

/// The tools, all there.
struct Builder<'a> {
    project: &'a Project,
    rust: Toolchain,
    /// bpf-linker's folder, for PATH.
    linker: PathBuf,
    versions: Versions,
}

impl<'a> Builder<'a> {
    fn new(project: &'a Project, rust: Toolchain) -> Result<Self> {
        apt::ensure(&[LLVM], "to link what the kernel runs")?;
        let binary = tools::ensure_with(project, rust, BPF_LINKER, |install| {
            install.args(["--no-default-features", "--features", "llvm-22"]);
            install.env("LLVM_PREFIX", LLVM_PREFIX);
        })?;
        let linker = binary.parent().context("bpf-linker lies nowhere")?.to_path_buf();
        let versions = Versions::find(project, rust)?;
        Ok(Self { project, rust, linker, versions })
    }

    /// Where the objects are built.
    fn out(&self) -> PathBuf {
        self.project.target().join("ebpf")
    }

    /// Builds all of them.
    fn objects(&self) -> Result<Vec<PathBuf>> {
        // The sources of all crates must be there before their folders can be named.
        shell::run(self.rust.cargo(self.project).args(["fetch", "--locked", "--quiet"]))?;
        ARCHITECTURES.iter().map(|(go, rust)| self.object(go, rust)).collect()
    }

    fn object(&self, go: &str, rust: &str) -> Result<PathBuf> {
        say(format_args!("building the eBPF programs for {go}"));
        let work = self.out().join(go);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(
            std::iter::once(self.linker.clone()).chain(std::env::split_paths(&path)),
        )?;
        let mut flags = vec!["-Ctarget-cpu=v3".to_owned(), "-Clink-arg=--btf".to_owned()];
        flags.extend(registers_of(rust));
        flags.extend(self.remaps()?);
        let mut cargo = unstable_cargo(self.project, self.rust);
        cargo
            .args(["build", "--locked", "--quiet", "--package", "leak-agent-ebpf"])
            .args(["--profile", "ebpf"])
            .args(FOR_THE_KERNEL)
            .arg("--target-dir")
            .arg(&work)
            .env("PATH", path)
            // What is built step by step is not the same bytes.
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        shell::run(&mut cargo)?;
        // The line information that the verifier shows is in the BTF; the debugger's may go.
        let object = self.out().join(format!("leak-agent-{go}.bpf.o"));
        shell::run(
            shell::command(Path::new(LLVM_PREFIX).join("bin/llvm-objcopy"))
                .arg("--strip-debug")
                .arg(work.join("bpfel-unknown-none/ebpf/leak-agent-ebpf"))
                .arg(&object),
        )?;
        Ok(object)
    }

    /// Names for the folders of this machine, so that they do not get into the object.
    fn remaps(&self) -> Result<Vec<String>> {
        let sysroot =
            shell::output(self.rust.around(self.project, "rustc").args(["--print", "sysroot"]))?;
        let sources = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
        let home = std::env::var_os("CARGO_HOME").map_or_else(
            || Path::new(&std::env::var_os("HOME").unwrap_or_default()).join(".cargo"),
            PathBuf::from,
        );
        let mut remaps = vec![(self.project.root().to_path_buf(), "leak-agent"), (sources, "rust")];
        // One folder a registry, named by the registry's address.
        if let Ok(registries) = fs::read_dir(home.join("registry/src")) {
            for registry in registries {
                remaps.push((registry?.path(), "crates"));
            }
        }
        Ok(remaps
            .into_iter()
            .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
            .collect())
    }
}

/// Everything that decides which bytes come out, sources aside.
struct Versions {
    rustc: String,
    llvm: String,
}

impl Versions {
    fn find(project: &Project, rust: Toolchain) -> Result<Self> {
        let rustc = shell::output(rust.around(project, "rustc").arg("--version"))?;
        let config = Path::new(LLVM_PREFIX).join("bin/llvm-config");
        let llvm = shell::output(shell::command(config).arg("--version"))?;
        Ok(Self { rustc: rustc.trim().to_owned(), llvm: llvm.trim().to_owned() })
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tool { name, version, .. } = BPF_LINKER;
        writeln!(f, "{}\n{name} {version}\nLLVM {}", self.rustc, self.llvm)
    }
}

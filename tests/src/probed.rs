//! A target with probes in it, and what the kernel says of them.

use std::env;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use leak_agent::collect::attach::probes::{Event, Method, Object, Probes, Site, Sizes, Slot, Spec};
use leak_agent::golang::Program;
use leak_agent::golang::arch::Arch;

use crate::code::Code;
use crate::target::Target;

/// Probes of a target, with its code.
pub struct Probed {
    /// The probes.
    pub probes: Probes,
    /// The target's code.
    pub code: Code,
}

impl Probed {
    /// Loads the programs for a target; nothing is attached yet.
    ///
    /// # Errors
    /// When the kernel or the target does not let us.
    pub fn load(target: &Target, sizes: Sizes, method: Option<Method>) -> Result<Self> {
        Self::load_pid(target.pid(), sizes, method)
    }

    /// As [`Probed::load`], for a process that somebody else started.
    ///
    /// # Errors
    /// As [`Probed::load`].
    pub fn load_pid(pid: u32, sizes: Sizes, method: Option<Method>) -> Result<Self> {
        let program = Program::attach(pid)?;
        let code = Code::read(format!("/proc/{pid}/exe").as_ref())?;
        let object = object(program.binary().arch)?;
        let spec = Spec { program: &program, sizes, object, method };
        Ok(Self { probes: Probes::load(&spec)?, code })
    }

    /// Attaches everything.
    ///
    /// # Errors
    /// When the kernel does not let us.
    pub fn attach_all(&mut self) -> Result<()> {
        for event in Event::ALL {
            self.probes.attach(event)?;
        }
        Ok(())
    }

    /// Detaches everything.
    ///
    /// # Errors
    /// When the kernel does not let us.
    pub fn detach_all(&mut self) -> Result<()> {
        Ok(self.probes.detach_all(&Event::ALL)?)
    }

    /// The kernel's goroutine table.
    ///
    /// # Errors
    /// When a slot cannot be read, though the target is at rest.
    pub fn slots(&self) -> Result<Vec<Slot>> {
        let mut slots = Vec::new();
        let reading = self.probes.goroutines(&mut slots);
        if reading.torn > 0 || reading.is_full {
            bail!("the table at rest: {reading:?}");
        }
        Ok(slots)
    }

    /// The creation sites of a function.
    ///
    /// # Errors
    /// When a site lies in no function.
    pub fn sites_in(&self, function: &str) -> Result<Vec<Site>> {
        let mut sites = Vec::new();
        self.probes.sites(&mut sites);
        let mut found = Vec::new();
        for site in sites {
            if self.code.name_of(site.gopc)? == function {
                found.push(site);
            }
        }
        found.sort_by_key(|site| site.gopc);
        Ok(found)
    }
}

/// The programs to test: those of `LEAK_AGENT_EBPF` (a folder) in the place of the embedded ones.
fn object(arch: Arch) -> Result<Object> {
    let Some(folder) = env::var_os("LEAK_AGENT_EBPF") else { return Ok(Object::embedded(arch)) };
    let name = match arch {
        Arch::Amd64 => "leak-agent-amd64.bpf.o",
        Arch::Arm64 => "leak-agent-arm64.bpf.o",
    };
    let path = PathBuf::from(folder).join(name);
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Object::from_bytes(bytes))
}

/// Where probes stand in a target, by offset in its file: a probed instruction is a breakpoint in
/// the process's memory, so that is compared with the file.
///
/// # Errors
/// When either cannot be read.
pub fn breakpoints(target: &Target, code: &Code) -> Result<Vec<u64>> {
    Instructions::of(target, code)?.probed()
}

/// The instructions of a target that may be probed, to be looked at again and again.
pub struct Instructions {
    memory: fs::File,
    /// Offset in the file, address, and what stands there in the file.
    all: Vec<(u64, u64, [u8; 4])>,
}

impl Instructions {
    /// Finds them.
    ///
    /// # Errors
    /// When the target or its code cannot be read.
    pub fn of(target: &Target, code: &Code) -> Result<Self> {
        let program = Program::attach(target.pid())?;
        let probing = program.probing().context("a process without an executable")?;
        let memory = fs::File::open(format!("/proc/{}/mem", target.pid()))?;
        let places = probing.points.all().map(|point| {
            let (address, expected) = code.loaded_at(point.file_offset())?;
            Ok((point.file_offset(), address, expected))
        });
        Ok(Self { memory, all: places.collect::<Result<_>>()? })
    }

    /// Those that are not as in the file now, by offset.
    ///
    /// # Errors
    /// When the target's memory cannot be read: it is gone.
    pub fn probed(&self) -> Result<Vec<u64>> {
        let mut probed = Vec::new();
        for (offset, address, expected) in &self.all {
            let mut found = [0; 4];
            self.memory.read_exact_at(&mut found, *address)?;
            if found != *expected {
                probed.push(*offset);
            }
        }
        Ok(probed)
    }

    /// Waits until no probe is left.
    ///
    /// # Errors
    /// When some stay, or the target is gone.
    pub fn until_unprobed(&self) -> Result<()> {
        let start = Instant::now();
        loop {
            let left = self.probed()?;
            if left.is_empty() {
                return Ok(());
            }
            ensure!(start.elapsed() < PATIENCE, "probes are left behind: {left:x?}");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// A probe that is left for so long stays.
const PATIENCE: Duration = Duration::from_secs(60);

//! A target with probes in it, and what the kernel says of them.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use leak_agent::collect::attach::probes::{
    Event, Method, Object, Probes, Site, Sizes, Slot, Spec, settings,
};
use leak_agent::golang::Program;

use crate::points::Code64;
use crate::target::Target;

/// Probes of a target, with its code.
pub struct Probed {
    /// The probes.
    pub probes: Probes,
    /// The target's code.
    pub code: Code64,
}

impl Probed {
    /// Loads the programs for a target; nothing is attached yet.
    ///
    /// # Errors
    /// When the kernel or the target does not let us.
    pub fn load(target: &Target, sizes: Sizes, method: Option<Method>) -> Result<Self> {
        let program = Program::attach(target.pid())?;
        let code = Code64::read(target.path())?;
        let arch = program.binary().arch;
        let spec = Spec {
            pid: target.pid(),
            arch,
            points: code.points()?,
            settings: settings(&program),
            sizes,
            object: object(Object::embedded(arch))?,
            method,
        };
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
        for event in Event::ALL {
            self.probes.detach(event)?;
        }
        Ok(())
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
fn object(embedded: Object) -> Result<Object> {
    let Some(folder) = env::var_os("LEAK_AGENT_EBPF") else { return Ok(embedded) };
    let path = PathBuf::from(folder).join("leak-agent-amd64.bpf.o");
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Object::from_bytes(bytes))
}

/// Probes in a process that the kernel still holds: none of them may be left when we are gone.
/// A probed instruction is a breakpoint in the process's memory, so its memory is compared with
/// its file.
///
/// # Errors
/// When either cannot be read.
pub fn breakpoints(target: &Target, code: &Code64) -> Result<Vec<u64>> {
    use std::os::unix::fs::FileExt;
    let memory = fs::File::open(format!("/proc/{}/mem", target.pid()))?;
    let mut left = Vec::new();
    for point in code.points()? {
        let (address, expected) = code.loaded_at(point.offset())?;
        let mut found = [0];
        memory.read_exact_at(&mut found, address)?;
        if found[0] != expected {
            left.push(point.offset());
        }
    }
    Ok(left)
}

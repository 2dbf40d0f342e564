//! Where in a process there are Go runtimes: in its executable, or in shared libraries
//! (`-buildmode=c-shared`) of a program in another language.

use std::collections::HashMap;
use std::fs::File;

use object::{Object as _, ObjectSection as _, ReadCache};

use super::binary::{Binary, Mapped, copying};
use super::buildinfo::BuildInfo;
use super::error::Error;
use super::live::LiveMemory;
use super::objects::Object;
use super::process::Process;
use super::version_in_memory;

/// What is shown where neither the file nor the memory names a version.
const UNKNOWN: &str = "unknown";
/// The sections that Go's linker writes: the function table (in a section of its own name, or that of
/// older versions in position-independent files), and the build information.
const SECTIONS: [&str; 3] = [".gopclntab", ".data.rel.ro.gopclntab", ".go.buildinfo"];

/// A Go runtime in a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoRuntime {
    /// The library that holds it: its file name, or its path where several have one name; `None` for
    /// the executable.
    pub library: Option<String>,
    /// Go's version.
    pub go_version: String,
}

/// What a file says of Go.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    /// It holds no Go, or a plugin, whose runtime is the program's.
    Nothing,
    /// It holds a runtime of a version; `None` when its build information was stripped away.
    Runtime(Option<String>),
}

/// Finds runtimes, and keeps what files say: many processes share one library.
#[derive(Default)]
pub(crate) struct Finder {
    known: HashMap<(String, u64), Said>,
}

impl Finder {
    /// All Go runtimes of a process.
    ///
    /// # Errors
    /// When the process is gone or access is refused.
    pub(crate) fn all(&mut self, process: &Process) -> Result<Vec<GoRuntime>, Error> {
        let mut found = Vec::new();
        let executable = process.executable()?;
        if let Some(go_version) = of_executable(process, &executable) {
            found.push(GoRuntime { library: None, go_version });
        }
        let libraries = self.libraries(process)?;
        let count = |name: &str| libraries.iter().filter(|(it, _)| it.name() == name).count();
        for (object, version) in &libraries {
            let name = if count(object.name()) > 1 { &object.path } else { object.name() };
            let version = version.clone().or_else(|| in_memory(process, object));
            found.push(GoRuntime {
                library: Some(name.to_owned()),
                go_version: version.unwrap_or_else(|| UNKNOWN.to_owned()),
            });
        }
        Ok(found)
    }

    /// The libraries that hold a runtime, with its version where their file names it.
    pub(super) fn libraries(
        &mut self,
        process: &Process,
    ) -> Result<Vec<(Object, Option<String>)>, Error> {
        let memory = LiveMemory::new(process.pid);
        let executable = process.executable()?;
        let own = executable.metadata().map(|it| std::os::unix::fs::MetadataExt::ino(&it)).ok();
        let mut libraries = Vec::new();
        for object in Object::all(process)? {
            if own == Some(object.inode) && object.name() == process.exe {
                continue;
            }
            let key = (object.device.clone(), object.inode);
            let said = self.known.entry(key).or_insert_with(|| {
                // A library that cannot be opened is like one that is not there.
                object.open(process, &memory).map_or(Said::Nothing, said)
            });
            if let Said::Runtime(version) = said {
                libraries.push((object, version.clone()));
            }
        }
        Ok(libraries)
    }
}

/// The Go runtimes of a process that holds one in a shared library at least, that of its executable first;
/// none for all others. Of those, which are nearly all, no file is read.
///
/// # Errors
/// When there is no such process, or access is refused.
pub fn with_libraries(pid: u32) -> Result<Vec<GoRuntime>, Error> {
    let process = Process::find(pid)?;
    let mut finder = Finder::default();
    if finder.libraries(&process)?.is_empty() { Ok(Vec::new()) } else { finder.all(&process) }
}

/// By its sections alone: those of a library are never stripped away whole.
fn said(file: File) -> Said {
    let file = ReadCache::new(file);
    let Ok(elf) = object::File::parse(&file) else { return Said::Nothing };
    let is_go = elf.sections().any(|it| it.name().is_ok_and(|name| SECTIONS.contains(&name)));
    if !is_go {
        return Said::Nothing;
    }
    let info = elf.section_by_name(".go.buildinfo").and_then(|section| section.data().ok());
    let Some(info) = info.and_then(BuildInfo::find) else { return Said::Runtime(None) };
    let is_plugin =
        info.settings.iter().any(|(key, value)| (&**key, &**value) == ("-buildmode", "plugin"));
    if is_plugin { Said::Nothing } else { Said::Runtime(Some(info.version)) }
}

fn of_executable(process: &Process, executable: &File) -> Option<String> {
    let file = &ReadCache::new(executable);
    let elf = object::File::parse(file).ok()?;
    let section = elf.section_by_name(".go.buildinfo").and_then(|it| it.data().ok());
    if let Some(info) = section.and_then(BuildInfo::find) {
        return Some(info.version);
    }
    let is_go = elf.sections().any(|it| it.name().is_ok_and(|name| SECTIONS.contains(&name)));
    // Without section headers the whole file has to be searched.
    if !is_go && elf.sections().next().is_some() {
        return None;
    }
    let version = |mapped: &Mapped| {
        let bias = process.load_bias(mapped.entry)?;
        version_in_memory::find(&LiveMemory::new(process.pid), process.pid, mapped, bias)
    };
    match Binary::read_with(&process.exe, file, &copying(executable), &version) {
        Ok(binary) => Some(binary.info.version),
        Err(Error::BadElf { .. } | Error::NotGo { .. } | Error::Packed { .. }) => None,
        Err(_) => Some(UNKNOWN.to_owned()),
    }
}

fn in_memory(process: &Process, object: &Object) -> Option<String> {
    let memory = LiveMemory::new(process.pid);
    let file = object.open(process, &memory).ok()?;
    let bytes = ReadCache::new(&file);
    let version = |mapped: &Mapped| match mapped.bias(object.address, object.offset) {
        Some(bias) => version_in_memory::find(&memory, process.pid, mapped, bias),
        None => Ok(None),
    };
    let binary = Binary::read_with(object.name(), &bytes, &copying(&file), &version);
    Some(binary.ok()?.info.version)
}

//! A running Go program, located: everything that is needed to read its goroutines.

mod still;

use std::fs::File;

use object::ReadCache;
use rustc_hash::FxHashMap;

use super::binary::{Binary, Mapped, copying, moved};
use super::caveat::{Caveat, PluginGap};
use super::error::Error;
use super::globals::{self, FunctionCode, Global, Globals, NotLocated, Source};
use super::goroutines::{AllGs, GReader};
use super::heap::buckets::Buckets;
use super::heap::roots::Variables;
use super::heap::stacks::{self, Stacks};
use super::heap::{Form, Heap, NoHeap, Spans, Walk};
use super::image::Image;
use super::labels::LabelForm;
use super::layout::described::DebugTypes;
use super::live::LiveMemory;
use super::memory::{Memory, ReadError};
use super::module::Module;
use super::objects::Object;
use super::plugins::{Code, Codes, Plugins};
use super::probe_points::{self, ProbePoints};
use super::process::Process;
use super::reasons;
use super::runtimes::Finder;
use super::survey::Survey;
use super::symbolize::Symbolizer;
use super::types::{self, Types};
use super::unwind::{Steps, Unwinder};
use super::variable_names::VariableNames;
use super::variable_types::VariableTypes;
use super::version_in_memory;

/// Functions longer than this are not taken apart.
const MAX_CODE: u32 = 1 << 16;

/// A running Go program.
pub struct Program {
    process: Process,
    memory: Box<dyn Memory + Send + Sync>,
    binary: Binary,
    /// Where the function table is in memory.
    table: u64,
    module: Module,
    plugins: Plugins,
    runtime: Runtime,
    survey: Survey,
    reasons: Vec<String>,
    caveats: Vec<Caveat>,
    /// The executable and how far from its link addresses it was loaded; `None` for a program that
    /// does not run.
    executable: Option<(File, u64)>,
    /// What tells that the process runs another program by now.
    image: Option<Image>,
}

/// What it takes to put probes on a program.
pub struct Probing {
    /// Where they may sit.
    pub points: ProbePoints,
    /// The very file that they were found in. Probes go on this one (`/proc/self/fd/N`): under its
    /// path, and behind `/proc/PID/exe` after an exec, there may be another by now, in which the
    /// same offsets are the middle of some instruction.
    pub executable: File,
}

/// Where the runtime's variables are, in the process.
struct Runtime {
    allglen: u64,
    allgptr: u64,
    heap: Result<Heap, NoHeap>,
    buckets: Result<Buckets, NotLocated>,
    source: Source,
}

impl Program {
    /// Locates the Go program that a process runs; where its executable is none, the one shared library
    /// that holds a Go runtime. Reads its memory; changes and stops nothing.
    ///
    /// # Errors
    /// When there is no such process, it is no Go program that this version reads, access is
    /// refused, or what was found does not pass the self-check.
    pub fn attach(pid: u32) -> Result<Self, Error> {
        let process = Process::find(pid)?;
        let program = match Self::in_executable(process.clone()) {
            Err(error @ Error::NotGo { .. }) => {
                let libraries = Finder::default().libraries(&process)?;
                match &libraries[..] {
                    [] => Err(error),
                    [(library, _)] => Self::in_library(process.clone(), library),
                    several => {
                        let names = several.iter().map(|(it, _)| it.path.clone()).collect();
                        Err(Error::Several { pid, names })
                    }
                }
            }
            outcome => outcome,
        };
        program?.unless_executed(&process)
    }

    /// As [`Program::attach`], for the Go runtime in one file of a process: its executable or a shared
    /// library, by file name or by path.
    ///
    /// # Errors
    /// As [`Program::attach`], and when there is none in a file of that name.
    pub fn attach_object(pid: u32, name: &str) -> Result<Self, Error> {
        let process = Process::find(pid)?;
        let libraries = Finder::default().libraries(&process)?;
        let is_named = |it: &&(Object, _)| it.0.name() == name || it.0.path == name;
        let program = match libraries.iter().find(is_named) {
            Some((library, _)) => Self::in_library(process.clone(), library),
            None if process.exe == name => Self::in_executable(process.clone()),
            None => Err(Error::NoObject { pid, name: name.to_owned() }),
        };
        program?.unless_executed(&process)
    }

    /// The program, unless its process has executed it only after it was found: its name is another's then.
    fn unless_executed(self, process: &Process) -> Result<Self, Error> {
        let pid = process.pid;
        if Process::find(pid)?.exe == process.exe { Ok(self) } else { Err(Error::Replaced { pid }) }
    }

    /// The file that is mapped is read, and probed.
    fn in_library(mut process: Process, library: &Object) -> Result<Self, Error> {
        let pid = process.pid;
        // Before anything is read of it.
        let image = Image::of(&process);
        let memory = LiveMemory::new(pid);
        let file = library.open(&process, &memory)?;
        process.exe = format!("{}/{}", process.exe, library.name());
        process.library = Some(library.name().to_owned());
        let astray = || Error::Mapping { exe: library.path.clone() };
        let version = |mapped: &Mapped| {
            let bias = mapped.bias(library.address, library.offset).ok_or_else(astray)?;
            version_in_memory::find(&memory, pid, mapped, bias)
        };
        let bytes = ReadCache::new(&file);
        let binary = Binary::read_with(&process.exe, &bytes, &copying(&file), &version)?;
        drop(bytes);
        let bias = binary.bias(library.address, library.offset).ok_or_else(astray)?;
        Self::of_file(process, image, file, binary, bias)
    }

    fn in_executable(process: Process) -> Result<Self, Error> {
        let pid = process.pid;
        // Before anything is read of it.
        let image = Image::of(&process);
        let file = process.executable()?;
        let version = |mapped: &Mapped| {
            let bias = process.load_bias(mapped.entry)?;
            version_in_memory::find(&LiveMemory::new(pid), pid, mapped, bias)
        };
        let bytes = ReadCache::new(&file);
        let binary = Binary::read_with(&process.exe, &bytes, &copying(&file), &version)?;
        drop(bytes);
        let bias = process.load_bias(binary.entry)?;
        Self::of_file(process, image, file, binary, bias)
    }

    fn of_file(
        process: Process,
        image: Image,
        file: File,
        binary: Binary,
        bias: u64,
    ) -> Result<Self, Error> {
        let pid = process.pid;
        let memory = Box::new(LiveMemory::new(pid));
        let symbols = || {
            let bytes = ReadCache::new(&file);
            Globals::from_symbols(&object::File::parse(&bytes).ok()?)
        };
        let mut program = Self::locate_with(process, binary, bias, memory, &symbols)?;
        program.executable = Some((file, bias));
        program.image = Some(image);
        if program.is_replaced() {
            return Err(Error::Replaced { pid });
        }
        Ok(program)
    }

    /// Locates a program in any memory, its executable loaded `bias` away from its link addresses.
    ///
    /// # Errors
    /// As [`Program::attach`].
    pub fn locate(
        process: Process,
        binary: Binary,
        bias: u64,
        memory: Box<dyn Memory + Send + Sync>,
    ) -> Result<Self, Error> {
        Self::locate_with(process, binary, bias, memory, &|| None)
    }

    /// `symbols` reads the runtime's variables from the symbol table, if there is one: slow for a
    /// large program, and seldom needed.
    fn locate_with(
        process: Process,
        binary: Binary,
        bias: u64,
        memory: Box<dyn Memory + Send + Sync>,
        symbols: &dyn Fn() -> Option<Globals>,
    ) -> Result<Self, Error> {
        let pid = process.pid;
        let version = binary.version.to_string();
        let missing =
            |what, why: String| Error::Locate { pid, version: version.clone(), what, why };
        let fail = |what| move |source| Error::read(pid, what, source);
        let layout = &binary.layout.layout;
        let table = binary.pclntab_address.wrapping_add(bias);

        let module = Module::find(
            &*memory,
            &layout.moduledata,
            &moved(&binary.initialised, bias),
            table,
            binary.pclntab.name_table_offset(),
        )
        .map_err(fail("the module data"))?
        .ok_or_else(|| {
            missing(
                "the module data",
                "no word in initialised data points to the function table".into(),
            )
        })?;

        let survey = Survey::of(&binary.pclntab, wanted_functions());
        let (globals, globals_bias) =
            find_globals(&binary, &survey, &module, bias, &*memory, symbols)
                .map_err(fail("the runtime's code"))?;
        let address = |global: Global| match globals.get(global) {
            Ok(located) => Ok(located.address.wrapping_add(globals_bias)),
            Err(error) => Err(missing(global.symbol(), error.to_string())),
        };
        if let Ok(first) = globals.get(Global::FirstModuleData)
            && first.address.wrapping_add(globals_bias) != module.address
        {
            let why = format!("found at {:#x}, but the program uses another", module.address);
            return Err(missing("the module data", why));
        }
        let runtime = Runtime {
            allglen: address(Global::AllGLen)?,
            allgptr: address(Global::AllGPtr)?,
            heap: Heap::locate(
                layout.heap,
                Form::of(&binary.version, binary.arch),
                |global| globals.get(global),
                globals_bias,
            ),
            buckets: Buckets::locate(&binary.version, |global| globals.get(global), globals_bias),
            source: globals.source(),
        };

        let mut caveats = if binary.is_told {
            Vec::from_iter(binary.layout.caveat())
        } else {
            vec![Caveat::VersionByFunctions(binary.version.minor)]
        };
        // Without its names a wait is still seen, only not understood.
        let reasons = match address(Global::WaitReasonStrings) {
            Ok(address) => reasons::read(&*memory, address),
            Err(error) => {
                caveats.push(Caveat::NoWaitReasons(error.to_string()));
                Vec::new()
            }
        };
        let mut plugins = Plugins::after(&module);
        plugins.refresh(&*memory, &layout.moduledata).map_err(fail("the list of modules"))?;
        let program = Self {
            process,
            memory,
            binary,
            table,
            module,
            plugins,
            runtime,
            survey,
            reasons,
            caveats,
            executable: None,
            image: None,
        };
        program.self_check()?;
        Ok(program)
    }

    /// The process.
    #[must_use]
    pub const fn process(&self) -> &Process {
        &self.process
    }

    /// Its executable.
    #[must_use]
    pub const fn binary(&self) -> &Binary {
        &self.binary
    }

    /// Its memory.
    #[must_use]
    pub fn memory(&self) -> &dyn Memory {
        &*self.memory
    }

    /// Whether it holds cgo code.
    #[must_use]
    pub const fn has_cgo(&self) -> bool {
        self.survey.cgo
    }

    /// The runtime's wait reasons, by number.
    #[must_use]
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// What could be located only in a roundabout way, and what could not.
    #[must_use]
    pub fn caveats(&self) -> &[Caveat] {
        &self.caveats
    }

    /// Searches for where probes may sit; `None` for a program that does not run
    /// ([`Program::locate`]). Takes functions apart anew each time: snapshots alone need none of it.
    #[must_use]
    pub fn probing(&self) -> Option<Probing> {
        let (file, bias) = self.executable.as_ref()?;
        let executable = file.try_clone().ok()?;
        let text = self.module.text.wrapping_sub(*bias);
        let bytes = ReadCache::new(file);
        let points = probe_points::find(&self.binary, &self.survey, text, &bytes);
        Some(Probing { points, executable })
    }

    /// Where the figures of its heap are.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub const fn heap(&self) -> Result<&Heap, &NoHeap> {
        self.runtime.heap.as_ref()
    }

    /// Where its memory profile is.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub const fn buckets(&self) -> Result<&Buckets, &NotLocated> {
        self.runtime.buckets.as_ref()
    }

    /// The variables of all modules that point into the heap, or to each other.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn variables(&self, spans: &Spans) -> Result<Variables, Error> {
        self.variables_in(&*self.memory, spans)
    }

    /// A walk of the objects of some spans of the heap.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn walk<'a>(&'a self, heap: &Heap, spans: &'a Spans) -> Result<Walk<'a>, Error> {
        let failed = |source| Error::read(self.process.pid, "the heap", source);
        let layout = &self.binary.layout.layout.moduledata;
        let mut code = Vec::new();
        let mut ranges = Vec::new();
        for module in self.plugins.addresses() {
            let field = |offset: u32| self.memory.read_u64(module.wrapping_add(offset.into()));
            code.push(field(layout.text).map_err(failed)?..field(layout.etext).map_err(failed)?);
            ranges.push((
                field(layout.types).map_err(failed)?,
                field(layout.end_types).map_err(failed)?,
            ));
        }
        let types = Types::new(types::Form::of(&self.binary.version), ranges);
        heap.walk(&*self.memory, spans, (types, code)).map_err(failed)
    }

    /// The names of the main module's variables; of none where the executable is stripped.
    #[must_use]
    pub fn variable_names(&self) -> VariableNames {
        let Some((file, bias)) = &self.executable else { return VariableNames::default() };
        let bytes = ReadCache::new(file);
        match object::File::parse(&bytes) {
            Ok(parsed) => VariableNames::of(&parsed, *bias),
            Err(_) => VariableNames::default(),
        }
    }

    /// The types of variables that begin where `is_wanted` says; of none without debug information, or where there is
    /// too much of it.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn variable_types(
        &self,
        types: &mut Types,
        is_wanted: impl Fn(u64) -> bool,
    ) -> Result<VariableTypes, Error> {
        let Some((file, bias)) = &self.executable else { return Ok(VariableTypes::default()) };
        let bytes = ReadCache::new(file);
        let parsed = object::File::parse(&bytes).ok();
        let debug = parsed.and_then(|parsed| DebugTypes::read(&parsed).ok());
        let Some(debug) = debug else { return Ok(VariableTypes::default()) };
        // What was read of the file to get there.
        drop(bytes);
        VariableTypes::read(types, &*self.memory, (&debug.units(), *bias), is_wanted)
            .map_err(|source| Error::read(self.process.pid, "the types of variables", source))
    }

    /// The stacks of all goroutines, those of one function one behind the other.
    ///
    /// # Errors
    /// As [`Program::all_gs`].
    pub fn stacks(&self) -> Result<Stacks, Error> {
        let (all, count) = self.all_gs()?;
        stacks::read(&*self.memory, &self.goroutine_reader(), &all, count)
            .map_err(|source| Error::read(self.process.pid, "the stacks of goroutines", source))
    }

    /// How the runtime's variables were found.
    #[must_use]
    pub const fn globals_source(&self) -> Source {
        self.runtime.source
    }

    /// Whether an address is in Go's text, that of a plugin too.
    #[must_use]
    pub fn is_text(&self, address: u64) -> bool {
        self.module.is_text(address) || self.plugins.is_text(address)
    }

    /// Reads which plugins were loaded since the last time, or the attach. Whether there are any: what
    /// was learnt of addresses in no function then no longer holds.
    ///
    /// # Errors
    /// When the process is gone or its memory may not be read.
    pub fn refresh_plugins(&mut self) -> Result<bool, Error> {
        let layout = &self.binary.layout.layout.moduledata;
        let read = self.plugins.refresh(&*self.memory, layout);
        read.map_err(|source| Error::read(self.process.pid, "the list of modules", source))
    }

    /// Whether plugins are loaded, as far as that was read.
    #[must_use]
    pub fn has_plugins(&self) -> bool {
        self.plugins.count() > 0
    }

    /// Whether a plugin was loaded since that was last read.
    #[must_use]
    pub fn has_new_plugins(&self) -> bool {
        self.plugins.has_more(&*self.memory, &self.binary.layout.layout.moduledata)
    }

    /// Plain sentences: which plugins cannot be read.
    #[must_use]
    pub fn plugin_gaps(&self) -> &[PluginGap] {
        self.plugins.gaps()
    }

    fn codes(&self) -> Codes<'_> {
        let Module { text, gofunc, .. } = self.module;
        let main = Code { pclntab: &self.binary.pclntab, text, gofunc };
        Codes::new(main, self.plugins.readable())
    }

    /// Reads goroutines of this program.
    #[must_use]
    pub fn goroutine_reader(&self) -> GReader<'_> {
        let Binary { layout, arch, .. } = &self.binary;
        GReader::new(&layout.layout.g, arch.uses_link_register(), layout.is_known)
    }

    /// Walks stacks of this program.
    #[must_use]
    pub fn unwinder<'a>(&'a self, steps: &'a mut Steps) -> Unwinder<'a> {
        Unwinder::new(self.codes(), self.binary.arch, steps)
    }

    /// Where in a frame the room for its callees' arguments begins: behind the saved link register,
    /// where there is one.
    #[must_use]
    pub const fn arguments_at(&self) -> usize {
        if self.binary.arch.uses_link_register() { 8 } else { 0 }
    }

    /// Names addresses of this program.
    #[must_use]
    pub fn symbolizer(&self) -> Symbolizer<'_> {
        Symbolizer::new(self.codes(), &*self.memory, self.survey.wrapper_id)
    }

    /// How this program keeps profiler labels.
    #[must_use]
    pub fn label_form(&self) -> LabelForm {
        LabelForm::of(&self.binary.version)
    }

    /// Whether the process runs another program by now, or the same anew. Its end is told by
    /// [`Process::is_alive`].
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        self.image.as_ref().is_some_and(Image::is_gone) && self.process.is_alive()
    }

    /// The list of all goroutines, as it is now.
    ///
    /// # Errors
    /// When the process is gone, runs another program by now, or the list is beyond all sense.
    pub fn all_gs(&self) -> Result<(AllGs, usize), Error> {
        self.all_gs_in(&*self.memory)
    }
}

/// By taking functions apart as they are loaded; where that does not find them all, by the symbol
/// table if there is one. And how far from these addresses the variables really are.
fn find_globals(
    binary: &Binary,
    survey: &Survey,
    module: &Module,
    bias: u64,
    memory: &dyn Memory,
    symbols: &dyn Fn() -> Option<Globals>,
) -> Result<(Globals, u64), ReadError> {
    let mut code = FxHashMap::default();
    for &name in globals::wanted() {
        let Some(&(entry, end)) = survey.functions.get(name) else { continue };
        let address = module.text.wrapping_add(u64::from(entry));
        let len = (end - entry).min(MAX_CODE);
        code.insert(name, (address, memory.read_vec(address, len as usize)?));
    }
    let lookup = |name: &str| {
        code.get(name).map(|(address, bytes)| FunctionCode { address: *address, bytes })
    };
    let found = globals::locate(binary.arch, &lookup, &moved(&binary.variables, bias));
    if Global::ALL
        .iter()
        .filter(|global| global.is_in_all())
        .all(|&global| found.get(global).is_ok())
    {
        return Ok((found, 0));
    }
    Ok(symbols().map_or((found, 0), |symbols| (symbols, bias)))
}

/// The functions that are found by name, to be taken apart.
pub fn wanted_functions() -> impl Iterator<Item = &'static str> {
    globals::wanted().iter().chain(probe_points::wanted()).copied()
}

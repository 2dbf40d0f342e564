//! The folder in which `monitor` remembers what is usual of each program: a file for each, which outlives the process.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::output;
use crate::golang::build_id::build_id;
use crate::host::service::service;
use crate::model::Habits;
use crate::pipeline::Remember;

/// The form of the files. One of another form is begun anew.
const SCHEMA: &str = "leak-agent/state/v1";
/// A larger file is none of ours.
const MAX_BYTES: u64 = 1 << 20;
/// Programs that are remembered in one folder; beyond them the one that was seen longest ago is forgotten.
const MAX_FILES: usize = 1_000;
/// Characters that a name has of each part.
const MAX_PART: usize = 60;

/// What one program is called, whichever process runs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    /// The executable's file name.
    exe: String,
    /// Which build of it.
    build_id: Option<String>,
    /// The service that runs it.
    service: Option<String>,
}

/// A file.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    schema: String,
    program: Identity,
    habits: Habits,
}

/// Remembers what is usual of one process's program.
pub(super) struct Remembering {
    folder: PathBuf,
    pid: u32,
    program: Option<Identity>,
    /// Whether it was said that nothing can be kept.
    has_failed: bool,
}

impl Remembering {
    pub(super) const fn new(folder: PathBuf, pid: u32) -> Self {
        Self { folder, pid, program: None, has_failed: false }
    }
}

impl Remember for Remembering {
    fn recall(&mut self) -> Habits {
        self.program = Identity::of(self.pid);
        let Some(program) = &self.program else {
            output::say(format_args!(
                "process {}: what it runs cannot be read, and nothing is remembered of it",
                self.pid
            ));
            return Habits::default();
        };
        let path = program.path(&self.folder);
        read(&path, program).unwrap_or_else(|why| {
            output::say(format_args!("{}: {why}: begun anew", path.display()));
            Habits::default()
        })
    }

    fn keep(&mut self, habits: &Habits) {
        let Some(program) = &self.program else { return };
        let path = program.path(&self.folder);
        let state =
            State { schema: SCHEMA.to_owned(), program: program.clone(), habits: habits.clone() };
        if let Err(error) = write(&path, &self.folder, &state)
            && !self.has_failed
        {
            output::say(format_args!(
                "{}: cannot be written: {error}; what is usual is forgotten at the end",
                path.display()
            ));
            self.has_failed = true;
        }
    }
}

impl Identity {
    fn of(pid: u32) -> Option<Self> {
        let link = PathBuf::from(format!("/proc/{pid}/exe"));
        let exe = fs::read_link(&link).ok()?;
        let exe = exe.file_name()?.to_string_lossy();
        let exe = exe.strip_suffix(" (deleted)").unwrap_or(&exe).to_owned();
        Some(Self { exe, build_id: build_id(&link), service: service(pid) })
    }

    /// `shop-Xk3v…-shop.service.json`: for people, who may remove it. What it is of stands in the file too.
    fn path(&self, folder: &Path) -> PathBuf {
        let parts = [Some(&self.exe), self.build_id.as_ref(), self.service.as_ref()];
        let parts: Vec<_> = parts.into_iter().flatten().map(|part| plain(part)).collect();
        folder.join(format!("{}.json", parts.join("-")))
    }
}

/// The beginning of a name, of which a file may be called.
fn plain(part: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "._@".contains(character);
    let plain = part.chars().map(|it| if is_plain(it) { it } else { '_' });
    plain.take(MAX_PART).collect()
}

/// What is remembered of a program; nothing where there is no file. Else why it cannot be read.
fn read(path: &Path, program: &Identity) -> Result<Habits, String> {
    let mut text = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(MAX_BYTES + 1).read_to_end(&mut text).map_err(|it| it.to_string())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Habits::default()),
        Err(error) => return Err(error.to_string()),
    };
    if text.len() as u64 > MAX_BYTES {
        return Err("larger than any such file".to_owned());
    }
    let state: State =
        serde_json::from_slice(&text).map_err(|error| format!("not what was written: {error}"))?;
    if state.schema != SCHEMA {
        return Err(format!("its form is {}, not {SCHEMA}", state.schema));
    }
    if state.program != *program {
        return Err("of another program".to_owned());
    }
    Ok(state.habits)
}

/// Writes a file whole or not at all.
fn write(path: &Path, folder: &Path, state: &State) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    if !path.exists() {
        forget(folder)?;
    }
    let mut file = NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&mut file, state)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Makes room for one more file.
fn forget(folder: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|it| it == "json") {
            files.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    files.sort();
    let many = (files.len() + 1).saturating_sub(MAX_FILES);
    files.iter().take(many).try_for_each(|(_, path)| fs::remove_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Quantity;

    fn program() -> Identity {
        let build_id = Some("Xk3v/abc-_1".to_owned());
        Identity { exe: "../shop".to_owned(), build_id, service: Some("shop@1.service".to_owned()) }
    }

    fn habits() -> Habits {
        let mut habits = Habits::default();
        habits.quantities.entry(Quantity::LiveHeap).or_default().add(1e9, 4096.0);
        habits
    }

    fn remembering(folder: &Path) -> Remembering {
        let program = Some(program());
        Remembering { program, ..Remembering::new(folder.to_owned(), std::process::id()) }
    }

    #[test]
    fn what_is_kept_comes_back_and_what_is_broken_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = program().path(folder.path());
        assert_eq!(path.file_name().expect("a name"), ".._shop-Xk3v_abc__1-shop@1.service.json");
        assert_eq!(read(&path, &program()), Ok(Habits::default()));
        remembering(folder.path()).keep(&habits());
        assert_eq!(read(&path, &program()), Ok(habits()));
        let other = Identity { exe: "till".to_owned(), ..program() };
        assert_eq!(read(&path, &other), Err("of another program".to_owned()));
        let whole = fs::read_to_string(&path).expect("text");
        let newer = whole.replace("state/v1", "state/v2");
        for broken in [&whole[..whole.len() / 2], "", "[]", &newer, &" ".repeat(2 << 20)] {
            fs::write(&path, broken).expect("written");
            assert!(read(&path, &program()).is_err(), "{broken:.60}");
        }
        // Nothing but the file itself is left.
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_process_of_its_own_is_known_by_its_executable() {
        let own = Identity::of(std::process::id()).expect("it is read");
        assert!(own.exe.starts_with("leak_agent"), "{own:?}");
        assert_eq!(Identity::of(u32::MAX), None);
    }

    #[test]
    fn a_folder_has_so_many_files_at_most() {
        let folder = tempfile::tempdir().expect("a folder");
        for file in 0..MAX_FILES + 5 {
            fs::write(folder.path().join(format!("{file}.json")), "{}").expect("written");
        }
        remembering(folder.path()).keep(&habits());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), MAX_FILES);
        assert!(program().path(folder.path()).exists());
    }
}

//! Where the report goes, in which form, and how wide.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use tempfile::NamedTempFile;

use super::args::Color;
use super::failure::Failure;
use super::format::{Format, Page};
use super::request::{Delivery, Destination, Request};
use super::time::now;
use crate::host::privileges::may_replace_any_file;
use crate::model::Assessment;
use crate::report::style::Style;
use crate::report::{Report, format, json};
use crate::watch;

/// Columns where there is no terminal to ask.
const WIDTH: usize = 100;

/// Writes the report to where the flags say.
pub(super) fn write(
    delivery: &Delivery,
    assessments: &[Assessment],
    several: bool,
) -> Result<(), Failure> {
    let report = Report { generated_at: now(), assessments, several };
    let renderer = delivery.format.renderer(&Page {
        style: Style { colour: colour(delivery) },
        width: width(delivery),
        top: delivery.top,
        groups: delivery.groups,
        project: &delivery.project,
    });
    if let Destination::Folder(folder) = &delivery.to {
        let path = folder.join(name(delivery.format, &report));
        fs::create_dir_all(folder)
            .and_then(|()| write_file(&path, |out| renderer.render(&report, out)))
            .map_err(|source| Failure::File { path: path.clone(), source })?;
        say(format_args!("report: {}", path.display()));
    } else {
        put(delivery, |out| renderer.render(&report, out))?;
    }
    if delivery.lacks_source_root
        && let Some(file) = assessments.iter().find_map(missing_source)
    {
        let file = format::clean(file);
        say(format_args!(
            "no source file was found (such as {file}): --source-root DIR, where it is"
        ));
    }
    Ok(())
}

/// A file that a finding names, where none of a process's findings has its source.
fn missing_source(assessment: &Assessment) -> Option<&str> {
    let findings = &assessment.judgement.as_ref()?.findings;
    if !cfg!(feature = "source") || findings.iter().any(|finding| finding.source.is_some()) {
        return None;
    }
    findings.iter().find_map(|finding| {
        let group = finding.group_in(&assessment.groups)?;
        Some(assessment.stacks.lookup(group.blocked_at?).ok()?.file)
    })
}

/// The name of a report in a folder of them: of whom, and when, to the millisecond.
fn name(format: &Format, report: &Report<'_>) -> String {
    let of = match report.assessments {
        [one] => {
            let exe = one.target.name().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
            one.target.pid().map_or(exe.clone(), |pid| format!("{exe}-{pid}"))
        }
        _ => "several".to_owned(),
    };
    let time = json::time(report.generated_at).unwrap_or_default().replace(':', "");
    format!("leak-agent-{of}-{time}.{}", format.extension)
}

/// The file of a profile that is to be saved to a file or into a folder, which is there already, at this time.
pub(super) fn profile_file(path: &Path, time: &str) -> PathBuf {
    let time = time.replace(':', "");
    if path.is_dir() { path.join(format!("memory_profile_{time}.pb.gz")) } else { path.to_owned() }
}

/// Writes what `render` gives to where the flags say.
pub(super) fn put(
    delivery: &Delivery,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let Destination::File(path) = &delivery.to else {
        let mut out = BufWriter::new(io::stdout().lock());
        let written = render(&mut out).and_then(|()| out.flush()).map_err(Failure::Stdout);
        return unless_closed(written);
    };
    write_file(path, render).map_err(|source| Failure::File { path: path.clone(), source })
}

/// That nobody reads standard output any more (`check | true`) ends it quietly: the exit code stays
/// that of the verdict.
pub(super) fn unless_closed(written: Result<(), Failure>) -> Result<(), Failure> {
    match written {
        Err(Failure::Stdout(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes a line to standard error. Nobody is left to tell when even this cannot be written.
pub(super) fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Tries whether what the flags name can be written, before time is spent on what to write there.
/// Leaves files as they are; folders are made.
pub(super) fn try_first(request: &Request) -> Result<(), Failure> {
    let file = |path: &Path, tried: io::Result<()>| {
        tried.map_err(|source| Failure::File { path: path.to_owned(), source })
    };
    let folder = |folder: &Path| {
        let inside = folder.join("file");
        file(folder, fs::create_dir_all(folder).and_then(|()| tried(&inside)))
    };
    match &request.delivery.to {
        Destination::Stdout => {}
        Destination::File(path) => file(path, tried(path))?,
        Destination::Folder(path) => folder(path)?,
    }
    if let Some(path) = request.profile() {
        let path = profile_file(path, "new");
        tried(&path).map_err(|source| Failure::ProfileFile { path, source })?;
    }
    if let Some(path) = request.metrics_file() {
        file(path, tried(path))?;
    }
    let folders = [request.save.as_deref(), request.dump_folder(), request.alert_folder()];
    folders.into_iter().flatten().try_for_each(folder)
}

/// Whether the report for people is coloured.
fn colour(delivery: &Delivery) -> bool {
    match delivery.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => !delivery.has_file() && may_colour(),
    }
}

/// Whether the live view, which is on a terminal by nature, is coloured.
pub(super) fn colour_live(delivery: &Delivery) -> bool {
    match delivery.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => may_colour(),
    }
}

/// Whether standard output takes colours, by what it is and what the environment asks for (`NO_COLOR`,
/// `CLICOLOR`, `CLICOLOR_FORCE`, `TERM`).
fn may_colour() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

fn width(delivery: &Delivery) -> usize {
    let screen = if !delivery.has_file() { screen_width() } else { None };
    let asked = || std::env::var("COLUMNS").ok()?.parse().ok();
    screen.or_else(asked).unwrap_or(WIDTH)
}

/// The columns of the terminal that standard output is, if it is one.
pub(super) fn screen_width() -> Option<usize> {
    let size = io::stdout().is_terminal().then(watch::terminal_size)??;
    Some(usize::from(size.0))
}

/// Who may read and write a report: that is the umask's business, as for every file.
pub(super) const MODE: u32 = 0o666;

/// Writes a file that is there whole or not at all: beside its place first, then renamed. A
/// device or a pipe is written to as it is.
pub(super) fn write_file(
    path: &Path,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    write_file_of_mode(path, MODE, render)
}

/// The same, with who may read it.
pub(super) fn write_file_of_mode(
    path: &Path,
    mode: u32,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    // A link is followed, so that what it names is replaced and not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&path).is_ok_and(|file| !file.is_file()) {
        let mut out = BufWriter::new(OpenOptions::new().write(true).open(&path)?);
        return render(&mut out).and_then(|()| out.flush());
    }
    let mut beside = beside(&path, mode)?;
    fill(beside.as_file_mut(), render)?;
    beside.persist(&path)?;
    Ok(())
}

/// Whether this process may not write a report to a path, by its present rights. Tries, and leaves
/// nothing behind.
pub(super) fn is_denied(path: &Path) -> bool {
    tried(path).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// Tries to write a report to a path, and leaves nothing behind.
fn tried(path: &Path) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&path) {
        Ok(file) if file.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // Opening a pipe that nobody reads must not wait.
        Ok(file) if !file.is_file() => {
            let open = OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(&path);
            // Its reader may still come.
            open.map(drop).or_else(|error| match error.raw_os_error() {
                Some(libc::ENXIO) => Ok(()),
                _ => Err(error),
            })
        }
        // In a folder like /tmp it takes more to replace somebody else's file.
        Ok(file) if file.uid() != own_uid() && is_sticky(&path) && !may_replace_any_file() => {
            Err(io::ErrorKind::PermissionDenied.into())
        }
        _ => beside(&path, MODE).map(drop),
    }
}

fn own_uid() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// Whether each may remove only their own files from a file's folder, and the folder is not ours.
fn is_sticky(path: &Path) -> bool {
    let folder = path.parent().and_then(|folder| fs::metadata(folder).ok());
    folder.is_some_and(|it| it.mode() & libc::S_ISVTX != 0 && it.uid() != own_uid())
}

fn fill(file: &mut File, render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    render(&mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

/// A new file beside a path, which goes unless it is renamed. Never one, nor through a link, that somebody
/// else put there.
fn beside(path: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it does not name a file"))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(".");
    tempfile::Builder::new()
        .prefix(&hidden)
        .suffix(".tmp")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(path.with_file_name(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("it is there");
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into()).collect()
    }

    #[test]
    fn source_that_no_finding_has_is_missing() {
        use crate::analyze::{CodeFiles, Settings, Window, judge};
        use crate::sample::leaking;
        let mut window = Window::default();
        for second in 0..30 {
            window.push(&leaking(u64::from(second) * 20).observe(second));
        }
        let judged = judge(&window, &Settings::default(), &mut CodeFiles::default());
        let mut assessment = judged.expect("observed");
        assert_eq!(missing_source(&assessment), Some("/src/app/leak.go"));
        let judgement = assessment.judgement.as_mut().expect("judged");
        judgement.findings[0].source = Some(crate::model::Snippet {
            file: "/src/app/leak.go".to_owned(),
            line: 33,
            first: 33,
            lines: Vec::new(),
            stale: false,
        });
        assert_eq!(missing_source(&assessment), None);
    }

    #[test]
    fn a_report_that_fails_leaves_the_old_one_and_nothing_else() {
        let scratch = tempfile::tempdir().expect("a directory for the test");
        let path = scratch.path().join("report.json");
        write_file(&path, |out| out.write_all(b"old")).expect("it can be written");
        let failed = write_file(&path, |out| {
            out.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).expect("still there"), b"old");
        assert_eq!(names(scratch.path()), ["report.json"]);
        assert!(!is_denied(&path));
        assert_eq!(names(scratch.path()), ["report.json"]);
    }

    #[test]
    fn a_link_is_followed_and_a_device_written_to() {
        let scratch = tempfile::tempdir().expect("a directory for the test");
        let path = scratch.path().join("real");
        let link = scratch.path().join("link");
        fs::write(&path, "old").expect("it can be written");
        std::os::unix::fs::symlink(&path, &link).expect("it can be linked");
        write_file(&link, |out| out.write_all(b"new")).expect("it can be written");
        assert_eq!(fs::read(&path).expect("still there"), b"new");
        assert!(fs::symlink_metadata(&link).expect("still there").is_symlink());
        write_file(Path::new("/dev/null"), |out| out.write_all(b"x")).expect("a device");
        assert!(fs::metadata("/dev/null").is_ok_and(|file| !file.is_file()));
    }
}

//! `daemon off`, `daemon on`, `daemon status`: what is told to the daemon that runs here, through files alone.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::cli::daemon::{Action, Order};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::Kind;
use crate::cli::off::Off;
use crate::cli::request::Request;
use crate::cli::{Outcome, output};
use crate::report::format;
use crate::report::schema::{DaemonDoc, DaemonTargetDoc};

use super::status;

/// Does what was ordered.
pub(in crate::cli) fn run(request: &Request, order: &Order) -> Outcome {
    let Order { action, which, off_file } = order;
    let which = which.as_deref();
    let fail = |source| Failure::File { path: off_file.clone(), source };
    let (off, fault) = Off::read(off_file);
    match action {
        Action::Status => return show(request, off_file, which, &off),
        Action::Off => {
            if let Some(error) = fault {
                return Err(fail(error));
            }
            if let Some(folder) = off_file.parent() {
                fs::create_dir_all(folder).map_err(fail)?;
            }
            write(off_file, &off.with(which)).map_err(fail)?;
        }
        Action::On => match off.without(which) {
            Ok(Some(text)) => write(off_file, &text).map_err(fail)?,
            Ok(None) => match fs::remove_file(off_file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
                _ => {}
            },
            Err(why) => return Err(Failure::NotOff(why)),
        },
    }
    let (off, _) = Off::read(off_file);
    let said = off.said().unwrap_or_else(|| "nothing".to_owned());
    writeln!(io::stdout(), "off: {said}").map_err(Failure::Stdout)?;
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    output::write_file(path, |out| out.write_all(text.as_bytes()))
}

fn show(request: &Request, off_file: &Path, which: Option<&str>, off: &Off) -> Outcome {
    let file = status::file(off_file);
    let text =
        fs::read(&file).map_err(|source| Failure::NoDaemon { file: file.clone(), source })?;
    let unread =
        |error: serde_json::Error| Failure::NoDaemon { file: file.clone(), source: error.into() };
    let mut document: DaemonDoc<'_> = serde_json::from_slice(&text).map_err(unread)?;
    if !status::runs(document.pid) {
        let source = io::Error::other(format!("process {} has ended", document.pid));
        return Err(Failure::NoDaemon { file, source });
    }
    if let Some(which) = which {
        document.targets.retain(|it| it.pid.to_string() == which || it.name == which);
    }
    let out = &mut io::stdout().lock();
    match request.delivery.format.kind {
        Kind::Json => serde_json::to_writer_pretty(&mut *out, &document)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out)),
        Kind::Text | Kind::Document => table(&document, off, out),
    }
    .map_err(Failure::Stdout)?;
    Ok(Exit::Done)
}

fn table(document: &DaemonDoc<'_>, off: &Off, out: &mut dyn Write) -> io::Result<()> {
    let DaemonDoc { pid, version, load, stretch, rss_bytes, max_memory_bytes, targets, .. } =
        document;
    write!(out, "daemon {version}, process {pid}")?;
    if let Some(load) = load {
        write!(out, ", {:.2} % of a processor", load * 100.0)?;
    }
    if let Some(bytes) = rss_bytes {
        write!(out, ", {} of {}", format::bytes(*bytes), format::bytes(*max_memory_bytes))?;
    }
    if *stretch > 1.0 {
        write!(out, ", intervals {stretch:.1} times as long to keep to that")?;
    }
    writeln!(out)?;
    if let Some(off) = off.said() {
        writeln!(out, "off: {off}")?;
    }
    let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |it| it.to_string());
    writeln!(
        out,
        "{:>8}  {:<9}  {:>8}  {:>10}  {:>8}  NAME",
        "PID", "STATE", "EVERY", "GOROUTINES", "FINDINGS"
    )?;
    for target in targets {
        let DaemonTargetDoc {
            pid, name, state, why, interval_seconds, goroutines, findings, ..
        } = target;
        let every = interval_seconds.map_or_else(|| "-".to_owned(), |it| format!("{it:.0}s"));
        let whose = [&target.unit, &target.pod].into_iter().flatten().next();
        let mut text = format::clean(name).into_owned();
        for more in whose.into_iter().chain(why) {
            text.push_str(&format!("  {}", format::clean(more)));
        }
        writeln!(
            out,
            "{pid:>8}  {:<9}  {every:>8}  {:>10}  {:>8}  {text}",
            state.name(),
            number(*goroutines),
            number(*findings)
        )?;
    }
    Ok(())
}

//! `--list`: the Go programs that run here.

use std::io::{self, Write};

use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, processes};
use crate::cli::format::Kind;
use crate::cli::request::Request;
use crate::cli::{Outcome, output};
use crate::pipeline::{self, GoProcess, Listing};
use crate::report::format;
use crate::report::schema::{GoProcessDoc, ListDoc, SchemaName};

/// Lists them, as a table or as JSON.
pub(in crate::cli) fn run(request: &Request) -> Outcome {
    let listing = pipeline::processes().map_err(Failure::Processes)?;
    let out = &mut io::stdout().lock();
    match request.delivery.format.kind {
        Kind::Text | Kind::Document => table(&listing, output::screen_width(), out),
        Kind::Json => json(&listing, out),
    }
    .map_err(Failure::Stdout)?;
    if listing.refused > 0 {
        let refused = processes(listing.refused);
        let advice =
            if nix::unistd::geteuid().is_root() { "" } else { " (sudo leak-agent --list)" };
        output::say(format_args!("permission denied for {refused}{advice}"));
    }
    Ok(Exit::Done)
}

/// `width`: where to cut a line, if it goes to a screen.
fn table(listing: &Listing, width: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    if listing.processes.is_empty() {
        return writeln!(out, "no running Go program found");
    }
    let column = |title: &str, texts: &mut dyn Iterator<Item = usize>| {
        texts.chain([format::width(title)]).max().unwrap_or_default()
    };
    let exe = column("EXE", &mut listing.processes.iter().map(|p| format::width(&name(p))));
    let go = column("GO", &mut listing.processes.iter().map(|p| format::width(&p.go_version)));
    writeln!(out, "{:>8}  {:exe$}  {:go$}  COMMAND", "PID", "EXE", "GO")?;
    for process in &listing.processes {
        let name = name(process);
        let name = format::clean(&name);
        let version = format::clean(&process.go_version);
        let mut command = format::clean(&process.command).into_owned();
        if let Some(own) = process.own_pid {
            command.push_str(&format!("  (pid {own} in its container)"));
        }
        let line = format!("{:>8}  {name:exe$}  {version:go$}  {command}", process.pid);
        writeln!(out, "{}", format::cut(&line, width.unwrap_or(usize::MAX)))?;
    }
    Ok(())
}

/// As reports name it: a library behind the program that loaded it.
fn name(process: &GoProcess) -> String {
    match &process.library {
        Some(library) => format!("{}/{}", process.exe, library.trim_start_matches('/')),
        None => process.exe.clone(),
    }
}

fn json(listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
    let processes = listing.processes.iter().map(|process| GoProcessDoc {
        pid: process.pid,
        exe: (&process.exe).into(),
        library: process.library.as_deref().map(Into::into),
        go_version: (&process.go_version).into(),
        command: (&process.command).into(),
        own_pid: process.own_pid,
    });
    let document = ListDoc {
        schema: SchemaName::default(),
        processes: processes.collect(),
        refused: listing.refused as u64,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        let process = |pid, exe: &str| GoProcess {
            pid,
            exe: exe.to_owned(),
            library: None,
            go_version: "go1.26.6".to_owned(),
            command: format!("./{exe} -x"),
            own_pid: None,
        };
        Listing { processes: vec![process(7, "potato"), process(4711, "a\x1bb")], refused: 1 }
    }

    #[test]
    fn a_table_with_aligned_columns_and_no_escapes() {
        let mut out = Vec::new();
        table(&listing(), None, &mut out).expect("a Vec takes everything");
        let expected = "     PID  EXE     GO        COMMAND\n       7  potato  go1.26.6  ./potato -x\n    4711  a\u{fffd}b     go1.26.6  ./a\u{fffd}b -x\n";
        assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
    }

    #[test]
    fn a_library_stands_behind_its_program() {
        let mut listing = listing();
        listing.processes[0].library = Some("libwork.so".to_owned());
        let mut out = Vec::new();
        table(&listing, None, &mut out).expect("a Vec takes everything");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.contains("       7  potato/libwork.so  go1.26.6  ./potato -x\n"), "{text}");
    }

    #[test]
    fn json_has_every_process() {
        let mut out = Vec::new();
        json(&listing(), &mut out).expect("a Vec takes everything");
        let document: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(document["processes"][1]["pid"], 4711);
        assert_eq!(
            (&document["schema"], &document["refused"]),
            (&"leak-agent/list/v1".into(), &1.into())
        );
    }
}

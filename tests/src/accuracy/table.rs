//! Runs, sums and goals as tables for people.

use std::io::{self, Write};

use leak_agent::model::pattern::Pattern;

use super::matching::{CauseTold, Outcome};
use super::proofs;
use super::run::Run;
use super::sums::{Goal, Part, Sum};

/// One line a program.
///
/// # Errors
/// When it cannot be written.
pub fn programs(out: &mut dyn Write, runs: &[Run]) -> io::Result<()> {
    let width = runs.iter().map(|it| it.program.name.len()).max().unwrap_or(0).max(7);
    writeln!(
        out,
        "{:width$}  {:8} {:9} {:>6} {:>6} {:>6} {:>7} {:>6} {:>6} {:>6} {:>6} {:>8} {:>7} {:>6}  verdict",
        "program",
        "go",
        "build",
        "sites",
        "class",
        "line",
        "pattern",
        "held",
        "cause",
        "split",
        "false",
        "suspects",
        "gorout.",
        "s"
    )?;
    for run in runs {
        let program = &run.program;
        write!(out, "{:width$}  {:8} {:9} ", program.name, program.go, program.build)?;
        if let Some(failure) = &run.failed {
            writeln!(out, "not judged: {failure}")?;
            continue;
        }
        // What a site of its own kind wants: `sure` and `suspect` of one program together.
        let Sum { sure, suspect, classes, patterns, holders, causes, split, wrong_lines, .. } =
            Sum::over("", [run]);
        let sites = Part { right: sure.right + suspect.right, of: sure.of + suspect.of };
        let there = run.sites.iter().filter(|it| it.outcome != Outcome::Missed).count();
        let lines = Part { right: there - wrong_lines, of: there };
        writeln!(
            out,
            "{sites:>6} {classes:>6} {lines:>6} {patterns:>7} {holders:>6} {causes:>6} {split:>6} {:>6} {:>8} {:>7} {:>6.1}  {}",
            run.false_findings().count(),
            run.suspects().count(),
            run.goroutines,
            run.seconds,
            run.verdict.map_or("-", |it| it.name())
        )?;
    }
    Ok(())
}

/// What is not as it should be, one line each: sites that were not found or not told right, findings that no site
/// wants, expected leaks that were not there.
///
/// # Errors
/// When it cannot be written.
pub fn details(out: &mut dyn Write, runs: &[Run]) -> io::Result<()> {
    for run in runs {
        let name = &run.program.name;
        for site in &run.sites {
            let wrong = match site.outcome {
                Outcome::Missed => "missed",
                Outcome::Weak => "weak",
                Outcome::WrongLine => "wrong line",
                Outcome::Found if site.class_right == Some(false) => "wrong class",
                Outcome::Found if site.pattern_right == Some(false) => "wrong pattern",
                Outcome::Found if site.held_right == Some(false) => "wrong holder",
                Outcome::Found if site.cause == Some(CauseTold::Nothing) => "no cause",
                Outcome::Found if site.cause == Some(CauseTold::Elsewhere) => "wrong cause",
                Outcome::Found if site.split > 0 => "split",
                Outcome::Found => continue,
            };
            write!(out, "{wrong:14} {name}: {}", site.site)?;
            match &site.finding {
                Some(it) => {
                    writeln!(out, "; said: {it}, {}", it.pattern.map_or("-", Pattern::name))?
                }
                None => writeln!(out)?,
            }
        }
        for site in run.check.iter().flat_map(|it| &it.sites) {
            if site.outcome != Outcome::Found {
                writeln!(out, "{:14} {name}: {}", "not by check", site.site)?;
            }
        }
        for (word, findings) in [
            ("false", run.false_findings().collect::<Vec<_>>()),
            ("false by check", run.check_alarms().collect()),
            ("suspect", run.suspects().collect()),
        ] {
            for finding in findings {
                writeln!(out, "{word:14} {name}: {finding}")?;
            }
        }
        for (word, what) in of_proof(run) {
            writeln!(out, "{word:14} {name}: {what}")?;
        }
        for leak in &run.absent {
            writeln!(out, "{:14} {name}: {leak}", "not come about")?;
        }
    }
    Ok(())
}

/// What is not as it should be in what was proven.
fn of_proof(run: &Run) -> Vec<(&'static str, String)> {
    let Some(proof) = &run.proof else { return Vec::new() };
    let mut said: Vec<(&str, String)> = Vec::new();
    said.extend(proof.refused.iter().map(|why| ("no proof", why.clone())));
    said.extend(proofs::wrong(run).into_iter().map(|it| ("proven falsely", it)));
    let Some(compared) = &proof.compared else { return said };
    for (word, list) in [
        ("not proven", &compared.missed),
        ("unconfirmed", &compared.unconfirmed),
        ("unproven", &compared.unproven),
        ("unexpected", &compared.unexpected),
    ] {
        said.extend(list.iter().map(|it| (word, it.clone())));
    }
    if !compared.control {
        said.push(("control failed", "what was planted is not told right".to_owned()));
    }
    said
}

/// One line a corpus, Go and build, of what was proven.
///
/// # Errors
/// When it cannot be written.
pub fn proofs(out: &mut dyn Write, sums: &[proofs::Sum]) -> io::Result<()> {
    if sums.is_empty() {
        return Ok(());
    }
    let width = sums.iter().map(|it| it.of.len()).max().unwrap_or(0);
    writeln!(
        out,
        "{:width$} {:>8} {:>7} {:>6} {:>5} {:>9} {:>5} {:>7} {:>9} {:>8} {:>9} {:>8}",
        "",
        "programs",
        "refused",
        "proven",
        "false",
        "runtime's",
        "late",
        "added",
        "expected",
        "control",
        "verdict s",
        "pause ms"
    )?;
    for sum in sums {
        let proofs::Sum { of, programs, refused, proven, wrong, reported, late, added, .. } = sum;
        let proofs::Sum { expected, controls, slowest_verdict_seconds, longest_pause_ms, .. } = sum;
        writeln!(
            out,
            "{of:width$} {programs:>8} {refused:>7} {proven:>6} {wrong:>5} {reported:>9} {late:>5} {added:>7} \
             {expected:>9} {controls:>8} {slowest_verdict_seconds:>9.1} {longest_pause_ms:>8.2}"
        )?;
    }
    writeln!(out)
}

/// One line a corpus, Go and build.
///
/// # Errors
/// When it cannot be written.
pub fn sums(out: &mut dyn Write, sums: &[Sum]) -> io::Result<()> {
    let width = sums.iter().map(|it| it.of.len()).max().unwrap_or(0);
    writeln!(
        out,
        "{:width$} {:>8} {:>5} {:>7} {:>8} {:>7} {:>10} {:>8} {:>7} {:>7} {:>6} {:>6} {:>7} {:>8} {:>6} {:>8} {:>6} {:>7}",
        "",
        "programs",
        "ended",
        "sure",
        "suspect",
        "class",
        "wrong line",
        "pattern",
        "held",
        "cause",
        "line",
        "split",
        "check",
        "healthy",
        "false",
        "suspects",
        "absent",
        "s"
    )?;
    for sum in sums {
        let Sum { of, programs, ended, sure, suspect, classes, wrong_lines, .. } = sum;
        let Sum { patterns, holders, causes, cause_lines, split, checked, healthy, .. } = sum;
        let Sum { false_findings, suspects, absent, slowest_seconds, .. } = sum;
        writeln!(
            out,
            "{of:width$} {programs:>8} {ended:>5} {sure:>7} {suspect:>8} {classes:>7} {wrong_lines:>10} \
             {patterns:>8} {holders:>7} {causes:>7} {cause_lines:>6} {split:>6} {checked:>7} {healthy:>8} {false_findings:>6} {suspects:>8} {absent:>6} {slowest_seconds:>7.1}"
        )?;
    }
    Ok(())
}

/// One line a goal.
///
/// # Errors
/// When it cannot be written.
pub fn goals(out: &mut dyn Write, goals: &[Goal]) -> io::Result<()> {
    for Goal { what, is, met } in goals {
        writeln!(out, "{} {what}: {is}", if *met { "reached" } else { "MISSED " })?;
    }
    Ok(())
}

//! A dump, as `debug=2` and `runtime.Stack` give it (`runtime/traceback.go`, Go 1.21 to 1.27).

use std::io::Write;

use super::error::Error;
use super::of_runtime::is_of_runtime;
use super::state::state;
use super::{names, quote};
use crate::model::{FrameId, Goroutine, Observation, Resolved, StackView, Status};
use crate::profile::marks;

/// Frames that are printed of a deep stack, innermost and outermost.
const INNER: usize = 50;
const OUTER: usize = 50;

/// Writes every goroutine, as the text has them: functions of the runtime left out within other stacks,
/// and the middle of deep ones. Those that are proven to leak have the mark of those that the runtime finds leaked,
/// and a line before all of them says whose it is.
///
/// # Errors
/// When goroutines are not told apart, or `out` fails.
pub fn dump(observation: &Observation, out: &mut dyn Write) -> Result<(), Error> {
    if observation.goroutines.iter().any(|goroutine| goroutine.proven) {
        whose(observation, out)?;
    }
    write(observation, out)
}

/// Says whose the marks of a dump are.
pub(super) fn whose(observation: &Observation, out: &mut dyn Write) -> Result<(), Error> {
    let shown = || observation.goroutines.iter().filter(|it| !is_of_runtime(observation, it));
    let leaked = shown().filter(|goroutine| goroutine.status == Status::Leaked);
    let leaked = leaked.filter_map(Goroutine::id).collect();
    Ok(marks::write_whose(shown().count() as u64, leaked, out)?)
}

/// Writes the goroutines.
pub(super) fn write(observation: &Observation, out: &mut dyn Write) -> Result<(), Error> {
    let version = observation.target.go_version.as_deref();
    let dump = Dump { observation, minor: version.and_then(minor) };
    let mut is_first = true;
    for goroutine in &observation.goroutines {
        if is_of_runtime(observation, goroutine) {
            continue;
        }
        if !std::mem::take(&mut is_first) {
            out.write_all(b"\n")?;
        }
        dump.goroutine(goroutine, out)?;
    }
    Ok(())
}

/// Whether each goroutine is known by itself, as a dump has it.
#[must_use]
pub fn tells_apart(observation: &Observation) -> bool {
    observation.goroutines.iter().all(|goroutine| goroutine.goid.is_some())
}

/// `26` of `go1.26.6`, with or without what stands behind it.
fn minor(version: &str) -> Option<u32> {
    let rest = version.strip_prefix("go1.")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

struct Dump<'o> {
    observation: &'o Observation,
    /// Go's; `None` for what is no release.
    minor: Option<u32>,
}

impl Dump<'_> {
    fn goroutine(&self, goroutine: &Goroutine, out: &mut dyn Write) -> Result<(), Error> {
        let Some(goid) = goroutine.goid else { return Err(Error::NotTold) };
        let is_leaked = goroutine.status == Status::Leaked || goroutine.proven;
        let of = (goroutine.status, goroutine.reason, goroutine.wait);
        write!(out, "goroutine {goid} [{}", state(self.observation, of))?;
        if is_leaked {
            out.write_all(b" (leaked)")?;
        }
        let minutes = goroutine.blocked.map_or(0, |blocked| blocked.duration.as_secs() / 60);
        if minutes > 0 && matches!(goroutine.status, Status::Waiting | Status::Syscall) {
            write!(out, ", {minutes} minutes")?;
        }
        if goroutine.locked_to_thread {
            out.write_all(b", locked to thread")?;
        }
        out.write_all(b"]")?;
        self.labels(goroutine, out)?;
        out.write_all(b":\n")?;
        match goroutine.stack {
            StackView::Read(stack) => {
                let stacks = &self.observation.stacks;
                let left_out = stacks.elided(stack) as usize;
                self.stack(stacks.frames_of(stack), left_out, out)?;
            }
            StackView::Running => {
                out.write_all(b"\tgoroutine running on other thread; stack unavailable\n")?;
            }
            StackView::Torn | StackView::NotUnwound => {}
        }
        self.creation(goroutine, out)
    }

    /// Go prints them since 1.27, unless the program's module is of an older one.
    fn labels(&self, goroutine: &Goroutine, out: &mut dyn Write) -> Result<(), Error> {
        let labels = self.observation.labels_of(goroutine.labels);
        if labels.is_empty() || self.minor.is_some_and(|minor| minor < 27) {
            return Ok(());
        }
        let pair = |(key, value): &(String, String)| {
            format!("{}: {}", quote::if_needed(key), quote::if_needed(value))
        };
        let pairs: Vec<String> = labels.iter().map(pair).collect();
        Ok(write!(out, " {{{}}}", pairs.join(", "))?)
    }

    /// `left_out`: how many frames further out the observation does not have.
    fn stack(&self, frames: &[FrameId], left_out: usize, out: &mut dyn Write) -> Result<(), Error> {
        let mut shown: Vec<FrameId> = Vec::new();
        for &frame in frames {
            if self.is_shown(frame, shown.is_empty()) {
                shown.push(frame);
            }
        }
        // A stack that would have none is printed whole.
        if shown.is_empty() {
            shown = frames.to_vec();
        }
        let (inner, outer) = if left_out > 0 {
            (shown.len().min(INNER + OUTER), shown.len())
        } else if shown.len() > INNER + OUTER {
            (INNER, shown.len() - OUTER)
        } else {
            (shown.len(), shown.len())
        };
        for &frame in &shown[..inner] {
            self.frame(frame, out)?;
        }
        let elided = outer - inner + left_out;
        if elided > 0 {
            writeln!(out, "...{elided} frames elided...")?;
        }
        for &frame in &shown[outer..] {
            self.frame(frame, out)?;
        }
        Ok(())
    }

    /// As `showfuncinfo` has it.
    fn is_shown(&self, frame: FrameId, is_first: bool) -> bool {
        let Ok(Resolved { function, .. }) = self.observation.stacks.lookup(frame) else {
            return true;
        };
        match function {
            "runtime.gopanic" => !is_first,
            "runtime.runFinalizers" | "runtime.runCleanups" => true,
            _ => {
                function.contains('.')
                    && function.strip_prefix("runtime.").is_none_or(|name| self.is_exported(name))
            }
        }
    }

    /// Whether a function of the runtime is for others to call: by its first letter, and since Go 1.23 by
    /// that of its type too.
    fn is_exported(&self, name: &str) -> bool {
        let is_upper = |name: &str| name.starts_with(|c: char| c.is_ascii_uppercase());
        match name.rsplit_once('.') {
            Some((receiver, method)) if self.minor.is_none_or(|minor| minor >= 23) => {
                let star = receiver.strip_prefix("(*").and_then(|it| it.strip_suffix(')'));
                let receiver = star.unwrap_or(receiver);
                is_upper(method) && (receiver.is_empty() || is_upper(receiver))
            }
            _ => is_upper(name),
        }
    }

    fn frame(&self, frame: FrameId, out: &mut dyn Write) -> Result<(), Error> {
        match self.observation.stacks.lookup(frame) {
            Ok(Resolved { function, file, line, inlined }) => {
                let offset = if inlined { "" } else { UNKNOWN_OFFSET };
                let (function, file) = (names::traced(function), names::line(file));
                writeln!(out, "{function}(...)\n\t{file}:{line}{offset}")?;
            }
            Err(pc) => writeln!(out, "non-Go function at pc={pc:#x}")?,
        }
        Ok(())
    }

    fn creation(&self, goroutine: &Goroutine, out: &mut dyn Write) -> Result<(), Error> {
        let site = goroutine.created_by.filter(|&site| self.is_shown(site, false));
        let site = site.and_then(|site| self.observation.stacks.lookup(site).ok());
        let Some(Resolved { function, file, line, .. }) = site.filter(|_| !goroutine.is(1)) else {
            return Ok(());
        };
        write!(out, "created by {}", names::traced(function))?;
        if let Some(parent) = goroutine.parent {
            write!(out, " in goroutine {parent}")?;
        }
        writeln!(out, "\n\t{}:{line}{UNKNOWN_OFFSET}", names::line(file))?;
        Ok(())
    }
}

/// What stands where Go says how far into the function an address is. Without it, readers would take the
/// frame for one that was inlined.
const UNKNOWN_OFFSET: &str = " +0x0";

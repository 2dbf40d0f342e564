//! Who called the creator of goroutines, and stacks in brief.

use crate::model::{StackId, StackTable};
use crate::report::format::{self, FrameText};

/// One who called the creator of goroutines, or several of Go's own and of modules in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// One function.
    Frame(FrameText),
    /// So many frames, and the packages that most of them are of.
    Elided {
        /// How many.
        frames: u64,
        /// The packages, with most frames first.
        of: Vec<String>,
    },
}

impl Caller {
    /// `main.serve (main.go:12)`, or `… 9 frames of net/http …`.
    #[must_use]
    pub fn brief(&self) -> String {
        match self {
            Self::Frame(text) => text.brief(),
            Self::Elided { frames, of } => {
                let packages = match &**of {
                    [] => String::new(),
                    [only] => format!(" of {only}"),
                    [first, rest @ ..] => format!(" of {first} and {} more", rest.len()),
                };
                format!("… {}{packages} …", format::counted(*frames, "frame", "frames"))
            }
        }
    }
}

/// Those who called the creator of a group's goroutines, innermost first. The runtime, which is
/// below everybody, is left out.
#[must_use]
pub fn callers(stacks: &StackTable, creation_stack: StackId) -> Vec<FrameText> {
    let callers = stacks.frames_of(creation_stack).get(1..).unwrap_or(&[]);
    let callers = callers.iter().map(|&frame| format::frame(stacks, frame));
    callers.filter(|caller| !caller.runtime).collect()
}

/// The same, with what is not the program's own drawn together, so that its own functions are seen.
#[must_use]
pub fn callers_in_brief(stacks: &StackTable, creation_stack: StackId) -> Vec<Caller> {
    in_brief(&callers(stacks, creation_stack))
}

/// A stack's frames in the same way, with the function that the goroutine runs.
#[must_use]
pub fn stack_in_brief(frames: &[FrameText]) -> Vec<Caller> {
    match frames {
        [inner @ .., entry] if !entry.own => {
            let mut brief = in_brief(inner);
            brief.push(Caller::Frame(entry.clone()));
            brief
        }
        _ => in_brief(frames),
    }
}

fn in_brief(frames: &[FrameText]) -> Vec<Caller> {
    let mut brief = Vec::new();
    for run in frames.chunk_by(|a, b| a.own == b.own) {
        match run {
            [first, ..] if first.own => brief.extend(run.iter().cloned().map(Caller::Frame)),
            [only] => brief.push(Caller::Frame(only.clone())),
            several => brief.push(elided(several)),
        }
    }
    brief
}

fn elided(run: &[FrameText]) -> Caller {
    // The outermost first, which is nearest to the program's own code.
    let mut packages: Vec<(&str, u64)> = Vec::new();
    for frame in run.iter().rev() {
        match packages.iter_mut().find(|(package, _)| *package == frame.package()) {
            Some((_, frames)) => *frames += 1,
            None => packages.push((frame.package(), 1)),
        }
    }
    packages.sort_by_key(|&(_, frames)| std::cmp::Reverse(frames));
    let of = packages.into_iter().map(|(package, _)| package.to_owned()).collect();
    Caller::Elided { frames: run.len() as u64, of }
}

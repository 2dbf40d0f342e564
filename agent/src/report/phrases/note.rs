//! What there is to say of how far an assessment can be relied on, beyond its numbers: its coverage's own
//! notes, and what is known of its beginning and its end.

use super::{coverage_note, files, profile};
use crate::model::{Assessment, EarlierFinding, EarlierProgram, EarlyEnd, Target};
use crate::report::{format, json};

/// Everything that is to be noted, in the order in which it happened.
#[must_use]
pub fn notes(assessment: &Assessment) -> Vec<String> {
    let Assessment { earlier, coverage, .. } = assessment;
    let more = (earlier.more > 0).then(|| {
        let times = format::counted(earlier.more, "more time", "more times");
        match assessment.target.pid() {
            Some(_) => format!("the process executed another program {times} before"),
            None => format!("another process was seen {times} before"),
        }
    });
    more.into_iter()
        .chain(earlier.known.iter().map(|program| replaced(&assessment.target, program)))
        .chain(coverage.files.iter().flat_map(files))
        .chain(coverage.profile.iter().flat_map(profile))
        .chain(coverage.notes.iter().map(|note| coverage_note(note).into_owned()))
        .chain(assessment.early_end.iter().filter_map(|why| early_end(assessment, why)))
        .collect()
}

/// That a process has executed another program, or that another process is seen, and what was found in the
/// one before.
#[must_use]
pub fn replaced(target: &Target, program: &EarlierProgram) -> String {
    let at = json::time(program.replaced_at);
    let at = at.map_or_else(|| "an unknown time".to_owned(), |at| format::date(&at));
    let found = if program.found == 0 {
        "nothing was found in it".to_owned()
    } else {
        let worst: Vec<_> = program.worst.iter().map(finding).collect();
        format!(
            "it had {}: {}",
            format::counted(program.found, "finding", "findings"),
            worst.join("; ")
        )
    };
    let watched = format::duration(program.watched);
    match target.pid() {
        Some(_) => format!(
            "the process executed another program, or itself anew, shortly before {at}: a new window \
             begins there; the program before it was watched for {watched}, and {found}"
        ),
        None => format!(
            "what is seen from {at} on is of another process: a new window begins there; the process \
             before it was watched for {watched}, and {found}"
        ),
    }
}

fn finding(finding: &EarlierFinding) -> String {
    let EarlierFinding { verdict, class, count, blocked_at } = finding;
    let at = blocked_at.as_ref().map(|at| format!(" at {} {}:{}", at.function, at.file, at.line));
    let (verdict, count) = (verdict.name(), format::counted(*count, "goroutine", "goroutines"));
    format!("{verdict} {class}{} ({count})", at.unwrap_or_default())
}

/// That less was watched than was asked for, where somebody ended it before.
#[must_use]
pub fn cut_short(assessment: &Assessment) -> Option<String> {
    let planned = format::duration(assessment.cut_short()?);
    let watched = format::duration(assessment.window.duration);
    Some(match assessment.early_end {
        Some(EarlyEnd::Starved { .. }) => format!(
            "samples were taken of {watched} of {planned} only: leak-agent had to wait for the rest, for the processor or \
             for what it reads"
        ),
        _ => format!("ended early, by a request to stop: {watched} of {planned} were watched"),
    })
}

/// Why sampling ended early; `None` where nothing is missing for it.
fn early_end(assessment: &Assessment, why: &EarlyEnd) -> Option<String> {
    Some(match why {
        EarlyEnd::Exited => "the process has exited; this is what was seen last".to_owned(),
        EarlyEnd::Found { samples } => format!(
            "ended early, as --until-found asks: a finding was likely or proven in {} one after the \
             other; what takes longer to show was not waited for",
            format::counted(u64::from(*samples), "sample", "samples")
        ),
        EarlyEnd::Stopped { .. } | EarlyEnd::Starved { .. } => return cut_short(assessment),
        EarlyEnd::Interrupted { .. } => {
            let but = cut_short(assessment).map(|text| format!("; {text}")).unwrap_or_default();
            format!(
                "stopped while the next sample was taken or judged; this is the sample before{but}"
            )
        }
        EarlyEnd::Failed(why) => format!("{why}; this is what was seen last"),
    })
}

//! What was read of profiles and files, what they cannot say, and what was lost.

use crate::model::{FilesCoverage, ProfileCoverage, ProfileFault, ProfileForm, TimeBasis};
use crate::report::format::{bytes, count, counted, plural};

/// What there is to say of a profile, a sentence each; nothing of a dump that was read whole.
#[must_use]
pub fn profile(read: &ProfileCoverage) -> Vec<String> {
    let form = match read.form {
        _ if read.only_leaked && read.of_agent => Some(
            "only goroutines that leak-agent had proven to leak: the goroutineleak profile that it wrote \
             holds no others"
                .to_owned(),
        ),
        _ if read.only_leaked => Some(
            "only goroutines that the runtime itself found leaked: a goroutineleak profile holds no \
             others"
                .to_owned(),
        ),
        ProfileForm::Dump => None,
        ProfileForm::Counts | ProfileForm::Proto => Some(format!(
            "counts of equal stacks ({}): no ids, no wait times, and what goroutines wait for only as \
             their stacks tell; a goroutine dump (debug=2) says more",
            if read.form == ProfileForm::Counts { "debug=1" } else { "pprof" }
        )),
    };
    let faults = (read.faults > 0).then(|| {
        let first = read.first_fault.as_ref().map(|fault| first(read.form, fault));
        format!(
            "{} of the profile could not be understood and {} left out{}",
            counted(read.faults, "part", "parts"),
            plural(read.faults, "was", "were"),
            first.unwrap_or_default()
        )
    });
    let cut = read.cut_short.then(|| {
        "the profile is cut short (Go itself cuts a dump at 64 MB): the goroutines behind its end are \
         missing"
            .to_owned()
    });
    let folded = (read.folded > 0).then(|| {
        format!("too many goroutines to keep apart: {} are only counted", count(read.folded))
    });
    let stacks = (read.stacks_left_out > 0).then(|| {
        let goroutines = counted(read.stacks_left_out, "goroutine", "goroutines");
        format!("too many distinct stacks to keep: {goroutines} have none")
    });
    let repeated = (read.repeated > 0).then(|| {
        let goroutines = counted(read.repeated, "goroutine", "goroutines");
        format!("{goroutines} left out whose id another one has")
    });
    [form, faults, cut, folded, stacks, repeated].into_iter().flatten().collect()
}

fn first(form: ProfileForm, ProfileFault { at, what }: &ProfileFault) -> String {
    match (at, form) {
        (None, _) => format!(": {what}"),
        (Some(at), ProfileForm::Proto) => format!("; the first at byte {at}: {what}"),
        (Some(at), _) => format!("; the first in line {at}: {what}"),
    }
}

/// What there is to say of a series of files, a sentence each.
#[must_use]
pub fn files(read: &FilesCoverage) -> Vec<String> {
    let FilesCoverage { file, files, times, unread, more_unread, not_judged, others, .. } = read;
    let times = match times {
        // One sample has no time before it.
        TimeBasis::Modified if *files == 1 => "",
        TimeBasis::Profile => "; times from the profiles",
        TimeBasis::Name => "; times from the files' names",
        TimeBasis::Log => "; times from the log's lines",
        TimeBasis::Modified => "; times from when the files were last changed",
        TimeBasis::Order => {
            "; nothing says when they were made: taken in the order of their names, a second apart, so \
             that rates and times mean little"
        }
    };
    let whole = format!(
        "read {} of {}, {}, the last {file}{times}",
        count(read.read),
        counted(*files, "file", "files"),
        bytes(read.bytes)
    );
    let unread =
        unread.iter().map(|unread| format!("not read whole: {}: {}", unread.file, unread.why));
    let more = (*more_unread > 0)
        .then(|| format!("{} not read whole", counted(*more_unread, "more file", "more files")));
    let not_judged = (!not_judged.is_empty()).then(|| {
        let kinds: Vec<_> =
            not_judged.iter().map(|it| format!("{} {}", count(it.files), it.kind)).collect();
        format!("profiles beside them that are not judged: {}", kinds.join(", "))
    });
    let others = (*others > 0)
        .then(|| format!("{} beside them without goroutines", counted(*others, "file", "files")));
    [whole].into_iter().chain(unread).chain(more).chain(not_judged).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NotJudged, UnreadFile};

    #[test]
    fn a_whole_dump_needs_no_words_and_every_loss_has_some() {
        let whole = ProfileCoverage::of(ProfileForm::Dump);
        assert!(profile(&whole).is_empty());
        let lossy = ProfileCoverage {
            faults: 2,
            first_fault: Some(ProfileFault { at: Some(7), what: "a negative count".to_owned() }),
            cut_short: true,
            folded: 1_200_000,
            stacks_left_out: 1,
            repeated: 3,
            ..ProfileCoverage::of(ProfileForm::Proto)
        };
        let said = profile(&lossy);
        assert_eq!(said.len(), 6, "{said:?}");
        assert_eq!(
            said[1],
            "2 parts of the profile could not be understood and were left out; the first at byte 7: a \
             negative count"
        );
    }

    #[test]
    fn a_series_says_what_was_not_read() {
        let read = FilesCoverage {
            file: "dumps/3.txt".to_owned(),
            read: 3,
            files: 5,
            bytes: 2048,
            times: TimeBasis::Name,
            unread: vec![UnreadFile { file: "dumps/1.txt".to_owned(), why: "denied".to_owned() }],
            more_unread: 1,
            not_judged: vec![
                NotJudged { kind: "CPU".to_owned(), files: 1 },
                NotJudged { kind: "heap".to_owned(), files: 2 },
            ],
            others: 0,
        };
        assert_eq!(
            files(&read),
            [
                "read 3 of 5 files, 2.0 KiB, the last dumps/3.txt; times from the files' names",
                "not read whole: dumps/1.txt: denied",
                "1 more file not read whole",
                "profiles beside them that are not judged: 1 CPU, 2 heap",
            ]
        );
    }
}

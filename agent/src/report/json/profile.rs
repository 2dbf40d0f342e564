//! What was read of profiles and files.

use crate::model::{FilesCoverage, NotJudged, ProfileCoverage, ProfileFault, UnreadFile};
use crate::report::schema::{FilesDoc, NotJudgedDoc, ProfileDoc, ProfileFaultDoc, UnreadFileDoc};

/// Of one profile.
pub(super) fn profile(read: &ProfileCoverage) -> ProfileDoc<'_> {
    let fault = |ProfileFault { at, what }: &'_ ProfileFault| ProfileFaultDoc {
        at: *at,
        what: what.clone().into(),
    };
    ProfileDoc {
        form: read.form,
        only_leaked: read.only_leaked,
        of_agent: read.of_agent,
        bytes: read.bytes,
        announced: read.announced,
        other_lines: read.other_lines,
        faults: read.faults,
        first_fault: read.first_fault.as_ref().map(fault),
        cut_short: read.cut_short,
        folded: read.folded,
        stacks_left_out: read.stacks_left_out,
        repeated: read.repeated,
    }
}

/// Of a series of files.
pub(super) fn files(read: &FilesCoverage) -> FilesDoc<'_> {
    let unread = |UnreadFile { file, why }| UnreadFileDoc { file: file.into(), why: why.into() };
    let not_judged = |NotJudged { kind, files }| NotJudgedDoc { kind: kind.into(), files };
    FilesDoc {
        file: (&read.file).into(),
        read: read.read,
        files: read.files,
        bytes: read.bytes,
        times: read.times,
        unread: read.unread.iter().cloned().map(unread).collect(),
        more_unread: read.more_unread,
        not_judged: read.not_judged.iter().cloned().map(not_judged).collect(),
        others: read.others,
    }
}

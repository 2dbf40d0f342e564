//! Reads a profile that goes beside goroutines and is in memory whole: block, mutex or heap.

use std::convert::Infallible;
use std::time::Duration;

use crate::model::ProfileForm;
use crate::profile::counts::{Measured, SiteReader};
use crate::profile::intake::Intake;
use crate::profile::proto::{Contention, Kind, Profile};
use crate::units::counted;

/// Reads a profile of this kind into an intake; what of it could not be understood, or that it cannot be read.
pub(super) fn read(
    bytes: &[u8],
    (form, kind): (ProfileForm, Kind),
    name: &str,
    intake: &mut Intake,
) -> Result<Option<String>, String> {
    if kind == Kind::Heap {
        return heap(bytes, form, intake).map(|()| None);
    }
    let mut take = |site: &Contention<'_>| intake.take_contention(site);
    let (faults, is_cut, over) = match form {
        ProfileForm::Proto => {
            let profile = Profile::read(bytes).map_err(|error| error.to_string())?;
            let read = profile.contention(&mut take).map_err(|error| error.to_string())?;
            (read.0, false, profile.duration())
        }
        ProfileForm::Counts | ProfileForm::Dump => {
            let mut reader = SiteReader::new(|site: &Measured<'_>| {
                if let Measured::Contention(site) = site {
                    take(site);
                }
            });
            reader.feed(bytes);
            let reading = reader.finish();
            (reading.faults, reading.cut_short, None)
        }
    };
    if !intake.end_contention(kind, over.or_else(|| of_a_part(name))) {
        return Err("it does not say both how often and for how long goroutines waited".to_owned());
    }
    Ok(match (faults, is_cut) {
        (0, false) => None,
        (0, true) => Some("it is cut short".to_owned()),
        _ => Some(format!("{} could not be understood", counted(faults, "site", "sites"))),
    })
}

/// Of a heap profile the sums and sites, and as text has it, what the runtime says of its memory.
fn heap(bytes: &[u8], form: ProfileForm, intake: &mut Intake) -> Result<(), String> {
    let is_said = match form {
        ProfileForm::Proto => {
            let profile = Profile::read(bytes).map_err(|error| error.to_string())?;
            intake.begin_heap();
            profile.heap(|site| intake.take_heap(site)).map_err(|error| error.to_string())?;
            intake.end_heap(profile.period())
        }
        ProfileForm::Counts | ProfileForm::Dump => {
            let read = intake.take_heap_text(|take| {
                take(bytes);
                Ok::<(), Infallible>(())
            });
            read.is_ok_and(|stats| stats.is_some())
        }
    };
    is_said.then_some(()).ok_or_else(|| "it does not say how much of the heap is in use".to_owned())
}

/// A profile of a part of the program's time that does not say of how much, as some profilers name theirs.
fn of_a_part(name: &str) -> Option<Duration> {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.starts_with("delta-").then_some(Duration::ZERO)
}

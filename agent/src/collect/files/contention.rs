//! Reads a block or mutex profile that is in memory whole.

use std::time::Duration;

use crate::model::ProfileForm;
use crate::profile::counts::ContentionReader;
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
    let mut take = |site: &Contention<'_>| intake.take_contention(site);
    let (faults, is_cut, over) = match form {
        ProfileForm::Proto => {
            let profile = Profile::read(bytes).map_err(|error| error.to_string())?;
            let read = profile.contention(&mut take).map_err(|error| error.to_string())?;
            (read.0, false, profile.duration())
        }
        ProfileForm::Counts | ProfileForm::Dump => {
            let mut reader = ContentionReader::new(&mut take);
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

/// A profile of a part of the program's time that does not say of how much, as some profilers name theirs.
fn of_a_part(name: &str) -> Option<Duration> {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.starts_with("delta-").then_some(Duration::ZERO)
}

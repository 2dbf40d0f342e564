//! Reads a profile that goes beside goroutines and is in memory whole: block, mutex or heap.

use std::time::Duration;

use crate::model::{HeapProfile, HeapProfileBasis, ProfileForm};
use crate::profile::counts::ContentionReader;
use crate::profile::intake::Intake;
use crate::profile::memstats;
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

/// Of a heap profile the sums: as text has them of the sampled objects alone, what the runtime counts at its end.
fn heap(bytes: &[u8], form: ProfileForm, intake: &mut Intake) -> Result<(), String> {
    let read = match form {
        ProfileForm::Proto => {
            let profile = Profile::read(bytes).map_err(|error| error.to_string())?;
            let (sum, ..) = profile.heap(|_| ()).map_err(|error| error.to_string())?;
            sum.inuse_bytes.zip(sum.inuse_objects).map(|(in_use_bytes, in_use_objects)| {
                let basis = HeapProfileBasis::Sampled;
                let allocated_bytes = sum.alloc_bytes;
                HeapProfile { basis, in_use_bytes, in_use_objects, allocated_bytes }
            })
        }
        ProfileForm::Counts | ProfileForm::Dump => {
            let mut reader = memstats::Reader::default();
            reader.feed(bytes);
            reader.finish().map(|stats| HeapProfile {
                basis: HeapProfileBasis::Counted,
                in_use_bytes: stats.heap_bytes,
                in_use_objects: stats.heap_objects,
                allocated_bytes: Some(stats.allocated_bytes),
            })
        }
    };
    intake.heap(read.ok_or("it does not say how much of the heap is in use")?);
    Ok(())
}

/// A profile of a part of the program's time that does not say of how much, as some profilers name theirs.
fn of_a_part(name: &str) -> Option<Duration> {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.starts_with("delta-").then_some(Duration::ZERO)
}

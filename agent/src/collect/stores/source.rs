//! The profiles of one instance, as a source.

use std::sync::Arc;
use std::time::{Duration, Instant};
use std::vec;

use super::instances::Found;
use super::{Asked, Error, Query, Taken};
use crate::collect::{CollectError, Source};
use crate::error_chain::one_line;
use crate::model::{
    CoverageNote, Instance, Observation, Overhead, ProfileForm, Target, TargetId, Timestamp,
};
use crate::profile::Reading;
use crate::profile::intake::{Intake, Moment};
use crate::profile::packed::{self, Limits};
use crate::profile::proto::Profile;

/// A profile is no larger than this, unpacked: it is in memory whole.
const MAX_UNPACKED: u64 = 512 << 20;

/// So many that follow each other and cannot be read tell that the store is no longer to be had.
const MAX_UNREAD: u64 = 3;

/// Shows the profiles of one instance, in the order in which they were taken.
pub struct Stored {
    asked: Asked,
    matchers: String,
    times: vec::IntoIter<Taken>,
    intake: Intake,
    target: Arc<Target>,
    is_insecure: bool,
    step: Duration,
    first: Option<Timestamp>,
    /// Profiles that were read, that there were, and that could not be read.
    read: u64,
    of: u64,
    unread: u64,
    /// How many of those follow each other.
    in_a_row: u64,
    why: Option<String>,
    /// The latest observation, until it is known whether the profile that follows it could be read.
    held: Option<Observation>,
    /// Why there is no other.
    failed: Option<Error>,
}

impl Stored {
    /// Shows what was found of an instance. Nothing is asked yet.
    ///
    /// # Errors
    /// When the certificates or the key of the settings are not sound.
    pub fn open(query: &Query, found: Found) -> Result<Self, Error> {
        let Found { instance, matchers, profile_type, times, step, .. } = found;
        let (client, url) = query.client()?;
        Ok(Self {
            asked: Asked { client, store: query.store, base: url, profile_type },
            matchers,
            intake: Intake::default(),
            target: Arc::new(target(instance)),
            is_insecure: query.settings.insecure,
            step,
            first: None,
            read: 0,
            of: 0,
            unread: 0,
            in_a_row: 0,
            why: None,
            held: None,
            failed: None,
            times: times.into_iter(),
        })
    }

    fn sample(&mut self, taken: Taken) -> Result<Observation, Error> {
        let start = Instant::now();
        let packed = self.asked.profile(&self.matchers, taken.at)?;
        let no_profile = |error: &dyn std::error::Error| Error::NoProfile(error.to_string());
        let bytes = packed::whole(&packed, Limits::of_bytes(MAX_UNPACKED));
        let bytes = bytes.map_err(|error| no_profile(&error))?;
        let profile = Profile::read(&bytes).map_err(|error| no_profile(&error))?;
        let reading: Reading =
            profile.goroutines(&mut self.intake).map_err(|error| no_profile(&error))?;
        if reading.goroutines == 0 {
            return Err(Error::NoProfile("it has no goroutine".to_owned()));
        }
        if self.target.exe.is_none() {
            Arc::make_mut(&mut self.target).exe = profile.binary().and_then(file_name);
        }
        let first = *self.first.get_or_insert(taken.at);
        let ns = taken.at.unix_ns().saturating_sub(first.unix_ns());
        let mut observation = self.intake.observation(Moment {
            target: Arc::clone(&self.target),
            at: taken.at,
            elapsed: Duration::from_nanos(u64::try_from(ns).unwrap_or(0)),
            form: ProfileForm::Proto,
            only_leaked: false,
            reading: &reading,
        });
        self.read += 1;
        observation.overhead = Overhead { snapshot: Some(start.elapsed()), ..Overhead::default() };
        Ok(observation)
    }

    fn notes(&self) -> Vec<CoverageNote> {
        let stored = CoverageNote::Stored {
            read: self.read,
            of: self.of,
            step_seconds: self.step.as_secs_f64().ceil() as u64,
        };
        let unread = self
            .why
            .as_ref()
            .map(|why| CoverageNote::StoredUnread { profiles: self.unread, why: why.clone() });
        let insecure = self.is_insecure.then_some(CoverageNote::Unchecked);
        [Some(stored), unread, insecure].into_iter().flatten().collect()
    }

    /// What a profile that cannot be read means: the next one may, unless that is in vain.
    fn unread(&mut self, error: Error) {
        self.intake.drop_sample();
        (self.unread, self.in_a_row) = (self.unread + 1, self.in_a_row + 1);
        self.why = Some(one_line(&error));
        let is_last = self.times.len() == 0 && self.read == 0;
        if error.is_final() {
            self.failed = Some(error);
        } else if is_last || self.in_a_row >= MAX_UNREAD {
            self.failed = Some(Error::Unread { profiles: self.in_a_row, last: Box::new(error) });
        }
    }

    /// The observation that was held, with all that is known by now of how much was read.
    fn give(&mut self) -> Option<Observation> {
        let mut observation = self.held.take()?;
        observation.coverage.notes = self.notes();
        Some(observation)
    }
}

impl Source for Stored {
    fn observe(&mut self) -> Result<Option<Observation>, CollectError> {
        while self.failed.is_none()
            && let Some(taken) = self.times.next()
        {
            self.of += taken.of;
            match self.sample(taken) {
                Ok(observation) => {
                    let before = self.give();
                    self.in_a_row = 0;
                    self.held = Some(observation);
                    if before.is_some() {
                        return Ok(before);
                    }
                }
                Err(error) => self.unread(error),
            }
        }
        match (self.give(), self.failed.take()) {
            (Some(last), failed) => {
                self.failed = failed;
                Ok(Some(last))
            }
            (None, Some(error)) => {
                self.times = Vec::new().into_iter();
                Err(error.into())
            }
            (None, None) => Ok(None),
        }
    }
}

fn target(instance: Instance) -> Target {
    let id = TargetId { instance, started: None, generation: 0, recording: None };
    Target::of(id)
}

/// The file's name of a path, if it is one.
fn file_name(path: &str) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_name = !name.is_empty() && !name.contains(char::is_control);
    is_name.then(|| name.to_owned())
}

//! The block and mutex profiles that a program serves, where it counts them.

use std::time::Duration;

use super::error::Error;
use super::index::Index;
use crate::error_chain;
use crate::http::{Client, Url};
use crate::profile::intake::Intake;
use crate::profile::packed::{self, Limits};
use crate::profile::proto::{Contention, Kind, Profile};

/// They count since the program started, so that nothing is lost between two questions.
const APART: Duration = Duration::from_secs(5);

/// They are no larger than this, packed and unpacked.
const MAX_PROTO: u64 = 16 << 20;
const MAX_UNPACKED: u64 = 128 << 20;

/// What was asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    due: Duration,
    /// Those that are not served.
    refused: Vec<Kind>,
}

impl Asked {
    /// Another program may serve others.
    pub(super) fn begin_anew(&mut self) {
        *self = Self::default();
    }

    /// Asks for those profiles that have something in them, for the observation to come; why one could not be
    /// read.
    pub(super) fn read(
        &mut self,
        (client, base): (&Client, &Url),
        index: Option<&Index>,
        elapsed: Duration,
        intake: &mut Intake,
    ) -> Option<String> {
        if elapsed < self.due {
            return None;
        }
        self.due = elapsed.saturating_add(APART);
        let mut unread = None;
        for (kind, page) in [(Kind::Block, "block"), (Kind::Mutex, "mutex")] {
            let is_counted = index.is_some_and(|index| index.count(page) > Some(0));
            if !is_counted || self.refused.contains(&kind) {
                continue;
            }
            match read(client, base, (kind, page), intake) {
                Ok(()) => {}
                Err(error) => {
                    intake.drop_contention();
                    if error.is_elsewhere() || error.is_denied() {
                        self.refused.push(kind);
                    }
                    unread = Some(error_chain::one_line(&error));
                }
            }
        }
        unread
    }
}

fn read(
    client: &Client,
    base: &Url,
    (kind, page): (Kind, &str),
    intake: &mut Intake,
) -> Result<(), Error> {
    let no_contention = |why: String| Error::NoContention { url: format!("{base}{page}"), why };
    let url = base.join(page).map_err(|error| no_contention(error.to_string()))?;
    let mut bytes = Vec::new();
    client.profile(&url, MAX_PROTO, &mut |piece| bytes.extend_from_slice(piece))?;
    let bytes = packed::whole(&bytes, Limits::of_bytes(MAX_UNPACKED))
        .map_err(|error| no_contention(error.to_string()))?;
    let profile = Profile::read(&bytes).map_err(|error| no_contention(error.to_string()))?;
    let mut take = |site: &Contention<'_>| intake.take_contention(site);
    let (faults, _) =
        profile.contention(&mut take).map_err(|error| no_contention(error.to_string()))?;
    if faults > 0 || !intake.end_contention(kind, profile.duration()) {
        return Err(no_contention("some of its sites could not be understood".to_owned()));
    }
    Ok(())
}

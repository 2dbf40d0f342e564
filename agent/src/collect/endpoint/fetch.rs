//! One profile of goroutines: asked for, and read as it comes.

use super::error::Error;
use super::plan::Form;
use crate::http::{Client, Url};
use crate::model::ProfileForm;
use crate::profile::packed::{self, Limits};
use crate::profile::{Reading, Take, counts, dump, proto};

/// A dump is no larger than this: Go cuts its own at half of it.
const MAX_DUMP: u64 = 128 << 20;

/// Counts are no larger than this: a line for each function of each distinct stack.
const MAX_COUNTS: u64 = 256 << 20;

/// Counts as protobuf are no larger than this, packed and unpacked; they are in memory whole.
const MAX_PROTO: u64 = 64 << 20;
const MAX_UNPACKED: u64 = 512 << 20;

/// What a profile says of goroutines is given to `take`, and what was read is told at the end.
pub(super) fn goroutines(
    client: &Client,
    base: &Url,
    form: Form,
    take: &mut impl Take,
) -> Result<Reading, Error> {
    let url = base
        .join(form.page())
        .map_err(|error| Error::NoProfile { url: base.to_string(), why: error.to_string() })?;
    let no_profile = |why: String| Error::NoProfile { url: url.to_string(), why };
    let reading = match form {
        Form::Leaks | Form::Dump => {
            let mut reader = dump::Reader::new(take);
            client.profile(&url, MAX_DUMP, &mut |piece| reader.feed(piece))?;
            reader.finish()
        }
        Form::Counts => {
            let mut reader = counts::Reader::new(take);
            client.profile(&url, MAX_COUNTS, &mut |piece| reader.feed(piece))?;
            reader.finish()
        }
        Form::Proto => {
            let mut bytes = Vec::new();
            client.profile(&url, MAX_PROTO, &mut |piece| bytes.extend_from_slice(piece))?;
            let bytes = packed::whole(&bytes, Limits::of_bytes(MAX_UNPACKED))
                .map_err(|error| no_profile(error.to_string()))?;
            let profile = proto::Profile::read(&bytes);
            let profile = profile.map_err(|error| no_profile(error.to_string()))?;
            profile.goroutines(take).map_err(|error| no_profile(error.to_string()))?
        }
    };
    // The goroutine that answers is one at least.
    if reading.goroutines == 0 {
        return Err(no_profile("it has no goroutine".to_owned()));
    }
    Ok(reading)
}

/// The form, as the coverage tells it.
pub(super) const fn told(form: Form) -> ProfileForm {
    match form {
        Form::Leaks | Form::Dump => ProfileForm::Dump,
        Form::Proto => ProfileForm::Proto,
        Form::Counts => ProfileForm::Counts,
    }
}

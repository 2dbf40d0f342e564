//! A program that has just been started: not yet one that can be read.

use std::thread;
use std::time::{Duration, Instant};

use crate::collect::{CollectError, Source};
use crate::golang::Error;

/// How often it is tried.
const PAUSE: Duration = Duration::from_millis(20);

/// For how long after its start a program need not be one that can be read: it is being loaded, Go's runtime sets
/// itself up, or a script executes it at last.
const STARTING: Duration = Duration::from_secs(5);

/// Opens a program that has just been started, as soon as it can be.
pub(super) fn opened(
    mut open: impl FnMut() -> Result<Box<dyn Source>, CollectError>,
) -> Result<Box<dyn Source>, CollectError> {
    let start = Instant::now();
    loop {
        match open() {
            Err(error) if may_pass(&error) && start.elapsed() < STARTING => thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
}

/// Whether what cannot be read now may be read soon.
const fn may_pass(error: &CollectError) -> bool {
    match error {
        CollectError::Program(error) => !matches!(
            error,
            Error::Zombie { .. }
                | Error::Exited { .. }
                | Error::Permission { .. }
                | Error::NoSuchProcess { .. }
        ),
        _ => false,
    }
}

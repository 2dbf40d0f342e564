//! A program that serves its profiles (`net/http/pprof`), as a source.

mod contention;
mod error;
mod fetch;
mod find;
mod forcing;
mod heap;
mod index;
mod life;
mod plan;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use error::Error;
pub use forcing::Forcing;

use super::{CollectError, Source};
use crate::http::{self, Address, Client, Url};
use crate::model::{CoverageNote, Instance, Observation, Overhead, Target, TargetId, Timestamp};
use crate::profile::intake::{Intake, Moment};
use crate::profile::{Reading, Record, Take as _};
use find::Found;
use forcing::Collections;
use index::Index;
use life::{Life, Sign};
use plan::{Form, Plan};

/// An endpoint that has not answered for longer is lost. Less is a restart, or a proxy that has no program
/// behind it for a while.
const MAX_SILENCE: Duration = Duration::from_secs(60);

/// A command line is no larger than this; what is longer has no name at its beginning.
const MAX_COMMAND_LINE: u64 = 2 << 20;

/// What pprof adds for itself: its own question is no part of where a server's profiles are.
const OF_PPROF: [&str; 3] = ["debug", "gc", "seconds"];

/// Asks a program for its profiles.
pub struct Endpoint {
    client: Client,
    base: Url,
    is_insecure: bool,
    has_index: bool,
    plan: Plan,
    intake: Intake,
    target: Arc<Target>,
    life: Life,
    contention: contention::Asked,
    heap: heap::Asked,
    /// Where collections are to be forced.
    collections: Option<Collections>,
    /// When the first sample was taken.
    first: Option<Instant>,
    /// When the latest was.
    last: Option<Instant>,
    /// How many goroutines there were then.
    goroutines: Option<u64>,
    /// Samples that were not answered since then, and in all.
    missed: u64,
    missed_in_all: u64,
}

impl Endpoint {
    /// Searches a server for profiles: what is tried, and in which order, says the error when there are
    /// none. Dumps of more than `max_dumped` goroutines are not asked for.
    ///
    /// # Errors
    /// When the server does not answer, or has none.
    pub fn open(
        address: Address,
        mut settings: http::Settings,
        max_dumped: u64,
    ) -> Result<Self, Error> {
        let Address { url, credentials, query } = address;
        if let Some((name, _)) = query.iter().find(|(name, _)| !OF_PPROF.contains(&name.as_str())) {
            return Err(Error::Query { name: name.clone() });
        }
        settings.credentials = credentials.or(settings.credentials);
        let is_insecure = settings.insecure;
        let client = Client::new(&url, settings)?;
        let Found { base, index } = find::find(&client, &url)?;
        let instance = Instance::Endpoint { url: base.to_string() };
        let id = TargetId { instance, started: None, generation: 0, recording: None };
        let exe = executable(&client, &base)?;
        Ok(Self {
            is_insecure,
            has_index: index.is_some(),
            goroutines: index.as_ref().and_then(Index::goroutines),
            plan: Plan::new(max_dumped),
            intake: Intake::default(),
            target: Arc::new(Target { exe, ..Target::of(id) }),
            life: Life::default(),
            contention: contention::Asked::default(),
            heap: heap::Asked::default(),
            collections: None,
            first: None,
            last: None,
            missed: 0,
            missed_in_all: 0,
            client,
            base,
        })
    }

    /// Makes the program collect garbage shortly before the window's end, and measures what that ends.
    #[must_use]
    pub fn forcing(mut self, forcing: Forcing) -> Self {
        self.collections = Some(Collections::new(forcing));
        self
    }

    /// Does not ask for leaked goroutines, for which the program would collect garbage.
    #[must_use]
    pub fn without_leaks(self) -> Self {
        Self { plan: self.plan.without_search(), ..self }
    }

    /// Does not ask for memory.
    #[must_use]
    pub fn without_heap(self) -> Self {
        Self { heap: heap::Asked::never(), ..self }
    }

    /// Where the profiles are: a folder.
    #[must_use]
    pub const fn base(&self) -> &Url {
        &self.base
    }

    fn sample(&mut self) -> Result<Observation, Error> {
        let start = Instant::now();
        let index = self.index()?;
        let goroutines = index.as_ref().and_then(Index::goroutines).or(self.goroutines);
        let elapsed = self.first.map_or(Duration::ZERO, |first| start.duration_since(first));
        if let Some(collections) = &mut self.collections {
            collections.before_sample(&self.client, &self.base, elapsed);
        }
        let (form, reading, sign) = self.read(goroutines, index.as_ref(), elapsed)?;
        // The moment of the profile is that of its answer: it is made between the question and that.
        let (taken, at) = (Instant::now(), now());
        if self.life.is_another(&self.client, &self.base, sign, self.missed > 0)? {
            self.begin_anew()?;
        }
        let first = *self.first.get_or_insert(taken);
        self.plan.given(form, elapsed);
        let goroutines_now = reading.announced.unwrap_or(reading.goroutines);
        self.goroutines = Some(goroutines_now);
        (self.last, self.missed) = (Some(taken), 0);
        let asked = (&self.client, &self.base);
        let unread = self.contention.read(asked, index.as_ref(), elapsed, &mut self.intake);
        let no_heap = self.heap.read(asked, elapsed, &mut self.intake);
        let mut observation = self.intake.observation(Moment {
            target: Arc::clone(&self.target),
            at,
            elapsed: taken.duration_since(first),
            form: fetch::told(form),
            only_leaked: false,
            reading: &reading,
        });
        observation.coverage.notes = self.notes(form, goroutines);
        let unread = unread.map(|why| CoverageNote::ContentionUnread { why });
        observation.coverage.notes.extend(unread);
        observation.coverage.notes.extend(no_heap);
        observation.coverage.forced = self.collections.as_mut().map(|collections| {
            collections.after_sample(&self.client, &self.base, (goroutines_now, elapsed))
        });
        observation.overhead = Overhead { snapshot: Some(start.elapsed()), ..Overhead::default() };
        Ok(observation)
    }

    /// The index, where there is one.
    fn index(&mut self) -> Result<Option<Index>, Error> {
        if !self.has_index {
            return Ok(None);
        }
        match find::index(&self.client, &self.base) {
            Ok((_, index)) => Ok(Some(index)),
            Err(error) if error.is_elsewhere() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The best that is to be had.
    fn read(
        &mut self,
        goroutines: Option<u64>,
        index: Option<&Index>,
        elapsed: Duration,
    ) -> Result<(Form, Reading, Sign), Error> {
        let mut refused = None;
        for form in self.plan.forms(goroutines, index, elapsed) {
            let mut sign = Sign::default();
            let intake = &mut self.intake;
            let mut take = |record: &Record<'_>| {
                sign.take(record);
                intake.take(record);
            };
            match fetch::goroutines(&self.client, &self.base, form, &mut take) {
                Ok(reading) => return Ok((form, reading, sign)),
                // One form may be forbidden where others are not: dumps are the dear ones.
                Err(error) if error.is_elsewhere() || error.is_denied() => {
                    self.intake.drop_sample();
                    self.plan.refused(form);
                    refused = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        // What was refused once may be granted again, as to another version of the program.
        self.plan.begin_anew();
        Err(refused.unwrap_or(Error::NoForm))
    }

    /// Another program is there, or the same one started anew: nothing of before is of it.
    fn begin_anew(&mut self) -> Result<(), Error> {
        self.intake.begin_anew();
        self.plan.begin_anew();
        if let Some(collections) = &mut self.collections {
            collections.begin_anew();
        }
        self.contention.begin_anew();
        self.heap.begin_anew();
        let exe = executable(&self.client, &self.base)?;
        let target = Arc::make_mut(&mut self.target);
        target.id.generation += 1;
        target.exe = exe;
        Ok(())
    }

    fn notes(&self, form: Form, goroutines: Option<u64>) -> Vec<CoverageNote> {
        let is_dump = matches!(form, Form::Leaks | Form::Dump);
        let counted = goroutines.filter(|_| !is_dump).map(|goroutines| CoverageNote::Counted {
            goroutines,
            limit: (goroutines > self.plan.max_dumped()).then(|| self.plan.max_dumped()),
        });
        let collections = self.plan.collections();
        let searched =
            (collections > 0).then_some(CoverageNote::LeaksSearched { times: collections });
        let missed = (self.missed_in_all > 0)
            .then_some(CoverageNote::SamplesMissed { samples: self.missed_in_all });
        let insecure = self.is_insecure.then_some(CoverageNote::Unchecked);
        [counted, searched, missed, insecure].into_iter().flatten().collect()
    }

    /// What a sample that was not answered means: it passes, for a while.
    fn missed(&mut self, error: Error) -> Error {
        self.intake.drop_sample();
        let Some(last) = self.last else { return error };
        self.missed += 1;
        self.missed_in_all += 1;
        let silence = last.elapsed();
        if silence > MAX_SILENCE && self.missed > 1 {
            return Error::Lost { silence, last: Box::new(error) };
        }
        Error::Missed { source: Box::new(error) }
    }
}

impl Source for Endpoint {
    fn observe(&mut self) -> Result<Option<Observation>, CollectError> {
        match self.sample() {
            Ok(observation) => Ok(Some(observation)),
            Err(error) => Err(self.missed(error).into()),
        }
    }
}

/// The file name of the program, of its command line, whose arguments are nobody's business. `None` where
/// it is not served.
fn executable(client: &Client, base: &Url) -> Result<Option<String>, Error> {
    let Ok(url) = base.join("cmdline") else { return Ok(None) };
    let mut path = Vec::new();
    let mut is_over = false;
    let asked = client.profile(&url, MAX_COMMAND_LINE, &mut |piece| {
        let own = piece.split(|&byte| byte == 0).next().unwrap_or_default();
        if !is_over {
            path.extend_from_slice(own);
            is_over = own.len() < piece.len();
        }
    });
    match asked {
        Ok(()) => {}
        Err(error) if error.problem.is_elsewhere() || error.problem.is_denied() => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let path = String::from_utf8_lossy(&path);
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_name = !name.is_empty() && !name.contains(char::is_control);
    Ok(is_name.then(|| name.to_owned()))
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ns(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

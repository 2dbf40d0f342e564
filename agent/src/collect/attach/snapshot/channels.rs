//! The channels that goroutines wait on: of some goroutines of each kind, not of all.

use rustc_hash::FxHashSet;

use super::item::Current;
use crate::collect::attach::wait::Reason;
use crate::golang::Program;
use crate::golang::gather::Gather;
use crate::golang::hchan::{self, Hchan};
use crate::golang::memory::{ReadError, Span};
use crate::golang::sudog::WaitsOn;
use crate::model::{Channel, CoverageNote};

/// Goroutines with the same stack, and so with the same wait reason, of which channels are read.
const SAMPLE: u8 = 4;
/// Channels that one snapshot keeps.
const MAX_CHANNELS: usize = 4096;

/// A channel that was read, and the index in the batch of the goroutine that waits on it.
pub(super) type SampledChannel = (usize, Channel);

/// Reads channels that goroutines of a batch wait on. To be called before goroutines are read again: a
/// channel that somebody waits on all the while is still there.
pub(super) fn read(
    program: &Program,
    wanted: &[(usize, u64)],
    buffer: &mut Gather,
) -> Result<Vec<SampledChannel>, ReadError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let span = |&(_, addr): &(usize, u64)| Span { addr, len: hchan::BYTES };
    buffer.read(program.memory(), &wanted.iter().map(span).collect::<Vec<_>>())?;
    let channels = wanted.iter().enumerate().filter_map(|(place, &(index, address))| {
        let Hchan { len, cap, element_bytes, closed } = Hchan::parse(buffer.get(place)?)?;
        Some((index, Channel { address, len, cap, element_bytes, closed }))
    });
    Ok(channels.collect())
}

/// The channels of one snapshot.
#[derive(Default)]
pub(super) struct Channels {
    /// How many goroutines of each stack were sampled, by the stack's number.
    sampled: Vec<u8>,
    known: FxHashSet<u64>,
    full: bool,
}

impl Channels {
    /// Those of a batch's objects that are channels to be read: pairs of a goroutine's index and a
    /// channel.
    pub(super) fn wanted(
        &self,
        batch: &[Current],
        objects: &[(usize, u64)],
        reasons: &[Reason],
    ) -> Vec<(usize, u64)> {
        if self.full {
            return Vec::new();
        }
        let wants = |&&(index, _): &&(usize, u64)| self.wants(&batch[index], reasons);
        objects.iter().filter(wants).copied().collect()
    }

    fn wants(&self, one: &Current, reasons: &[Reason]) -> bool {
        let sampled = one.key.and_then(|key| self.sampled.get(key.index()));
        sampled.is_none_or(|&sampled| sampled < SAMPLE)
            && reasons
                .get(usize::from(one.g.wait_reason))
                .is_some_and(|reason| reason.waits_on == Some(WaitsOn::Channels))
    }

    /// Keeps the channels of those goroutines that stood still while they were read.
    pub(super) fn take_in(
        &mut self,
        batch: &[Current],
        read: &[SampledChannel],
        channels: &mut Vec<Channel>,
    ) {
        for of_one in read.chunk_by(|(a, _), (b, _)| a == b) {
            let Some(one) = of_one.first().map(|&(index, _)| &batch[index]) else { continue };
            let Some(key) = one.key.filter(|_| one.stood()) else { continue };
            if self.sampled.len() <= key.index() {
                self.sampled.resize(key.index() + 1, 0);
            }
            let sampled = &mut self.sampled[key.index()];
            if *sampled >= SAMPLE {
                continue;
            }
            *sampled += 1;
            for &(_, channel) in of_one {
                if channels.len() >= MAX_CHANNELS {
                    self.full = true;
                } else if self.known.insert(channel.address) {
                    channels.push(channel);
                }
            }
        }
    }

    /// What was not kept, since there was no room for it.
    pub(super) fn note(&self) -> Option<CoverageNote> {
        self.full.then_some(CoverageNote::ChannelsFull { channels: MAX_CHANNELS as u64 })
    }
}

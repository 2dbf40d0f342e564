//! Memory of the synthetic program: a few mapped regions, counted reads, and a place to meddle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use leak_agent::golang::memory::{Memory, ReadError};

/// What is mapped: bytes at addresses, nothing between them.
#[derive(Clone, Debug, Default)]
pub struct Regions(pub Vec<(u64, Vec<u8>)>);

impl Regions {
    /// The bytes from `addr` to the end of its region; empty where nothing is mapped.
    fn from(&mut self, addr: u64) -> &mut [u8] {
        let held = self.0.iter_mut().find_map(|(start, bytes)| {
            let at = usize::try_from(addr.checked_sub(*start)?).ok()?;
            bytes.get_mut(at..)
        });
        held.unwrap_or_default()
    }

    /// Writes where something is mapped; what reaches past the region is dropped.
    pub fn write(&mut self, addr: u64, bytes: &[u8]) {
        for (to, byte) in self.from(addr).iter_mut().zip(bytes) {
            *to = *byte;
        }
    }

    /// Writes a word.
    pub fn set(&mut self, addr: u64, word: u64) {
        self.write(addr, &word.to_le_bytes());
    }

    fn read(&mut self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        let unmapped = ReadError::Unmapped { addr, len: buf.len() };
        buf.copy_from_slice(self.from(addr).get(..buf.len()).ok_or(unmapped)?);
        Ok(())
    }
}

/// Called before each read with its address and length; may change what is mapped, or make the
/// read fail.
pub type Meddle = Box<dyn FnMut(&mut Regions, u64, usize) -> Result<(), ReadError> + Send>;

struct State {
    regions: Regions,
    meddle: Option<Meddle>,
    reads: u64,
    bytes: u64,
}

/// A handle to memory that the agent reads at the same time.
#[derive(Clone)]
pub struct SharedMemory(Arc<Mutex<State>>);

impl SharedMemory {
    /// With these regions mapped.
    #[must_use]
    pub fn new(regions: Regions) -> Self {
        Self(Arc::new(Mutex::new(State { regions, meddle: None, reads: 0, bytes: 0 })))
    }

    /// From now on, before each read.
    pub fn meddle(
        &self,
        meddle: impl FnMut(&mut Regions, u64, usize) -> Result<(), ReadError> + Send + 'static,
    ) {
        self.state().meddle = Some(Box::new(meddle));
    }

    /// Writes a word.
    pub fn set(&self, addr: u64, word: u64) {
        self.state().regions.set(addr, word);
    }

    /// Writes bytes.
    pub fn write(&self, addr: u64, bytes: &[u8]) {
        self.state().regions.write(addr, bytes);
    }

    /// Maps one more region.
    pub fn map(&self, addr: u64, bytes: Vec<u8>) {
        self.state().regions.0.push((addr, bytes));
    }

    /// How many reads there were so far.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.state().reads
    }

    /// How many bytes were asked for so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.state().bytes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory for SharedMemory {
    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        let mut state = self.state();
        let State { regions, meddle, reads, bytes } = &mut *state;
        *reads += 1;
        *bytes += buf.len() as u64;
        if let Some(meddle) = meddle {
            meddle(regions, addr, buf.len())?;
        }
        regions.read(addr, buf)
    }
}

//! What a walk is asked of objects that goroutines wait on: by which path each is held best.

use rustc_hash::FxHashSet;

use super::super::paths::NodeId;
use super::super::reach::Telling;
use super::super::shape::{Shape, Word};
use super::{ReadError, Walk};
use crate::golang::types::Types;

impl Walk<'_> {
    /// Asks, from now on, by which path the object at an address is held best, on which goroutines of a set wait.
    /// Whether there is an object.
    pub fn ask(&mut self, address: u64, set: u32) -> bool {
        self.reach.ask(address, set)
    }

    /// Says what the roots are that are followed from now on, and the set that they are of.
    pub const fn tell(&mut self, telling: Telling, set: Option<u32>) {
        self.reach.tell(telling, set);
    }

    /// By which root, in how many steps and at which node it is held best; `None` where nothing has reached it.
    #[must_use]
    pub fn nearest(&self, address: u64) -> Option<(Telling, u16, NodeId)> {
        self.reach.nearest(address)
    }

    /// Hides the structures of goroutines, and the sudogs with which they wait: through these all that goroutines wait
    /// on leads to each other.
    pub fn hide(&mut self, structures: &[u64]) {
        self.reach.hide(structures);
    }

    /// Ends that.
    pub fn show(&mut self) {
        self.reach.show();
    }

    /// Whether an address leads to what is hidden, or to a list of it.
    #[must_use]
    pub fn lists_hidden(&self, address: u64) -> bool {
        let first = self.memory.read_u64(address);
        self.reach.is_hidden(address) || first.is_ok_and(|first| self.reach.is_hidden(first))
    }

    /// Marks what those words of a stack point to that are among these pointers.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn reach_from_pointers(
        &mut self,
        bytes: &[u8],
        pointers: &FxHashSet<u64>,
    ) -> Result<(), ReadError> {
        let key = (self.reach.root, Shape::Unknown);
        for (offset, word) in (0..).step_by(8).zip(bytes.as_chunks::<8>().0) {
            let value = u64::from_le_bytes(*word);
            if pointers.contains(&value) {
                let word = Word { offset, bytes, at: offset as usize };
                self.reach.word(key, None, word, value)?;
            }
        }
        Ok(())
    }

    /// What the channel at an address is called: `chan main.Event`. `type_at` is where it has its elements' type.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn channel_name(
        &mut self,
        channel: u64,
        type_at: u64,
    ) -> Result<Option<String>, ReadError> {
        let address = match self.memory.read_u64(channel.wrapping_add(type_at)) {
            Ok(address) => address,
            Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
            Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => return Ok(None),
        };
        let types: &mut Types = &mut self.reach.types;
        let Some(id) = types.get(self.memory, address)? else { return Ok(None) };
        Ok(types.name(self.memory, id)?.map(|name| format!("chan {name}")))
    }
}

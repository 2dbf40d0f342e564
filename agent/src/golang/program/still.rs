//! Reads a located program in other memory than its own: that of a clone of it, which has everything at the same
//! addresses.

use super::Program;
use crate::golang::error::Error;
use crate::golang::goroutines::{AllGs, MAX_GOROUTINES};
use crate::golang::heap::Spans;
use crate::golang::heap::roots::{self, Variables};
use crate::golang::memory::{Memory, ReadError};
use crate::golang::stackmap::StackMaps;

impl Program {
    /// Its memory, for several threads.
    #[must_use]
    pub fn shared_memory(&self) -> &(dyn Memory + Sync) {
        &*self.memory
    }

    /// As [`Program::variables`], of another memory.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn variables_in(&self, memory: &dyn Memory, spans: &Spans) -> Result<Variables, Error> {
        let layout = &self.binary.layout.layout.moduledata;
        let mut found = Variables::default();
        for module in self.plugins.addresses() {
            roots::variables(memory, *module, layout, spans, &mut found)
                .map_err(|source| Error::read(self.process.pid, "the variables", source))?;
        }
        Ok(found)
    }

    /// Whether all plugins that there are in another memory are known.
    #[must_use]
    pub fn knows_plugins_in(&self, memory: &dyn Memory) -> bool {
        self.plugins.is_whole(memory, &self.binary.layout.layout.moduledata)
    }

    /// The error of reading something of it.
    pub(crate) fn read_error(&self, what: &'static str, source: ReadError) -> Error {
        Error::read(self.process.pid, what, source)
    }

    /// Whether it has code that runs cleanups: without that none is ever queued (`runtime.AddCleanup` starts it).
    pub(crate) fn has_cleanups(&self) -> bool {
        self.survey.functions.contains_key("runtime.runCleanups")
    }

    /// Tells where pointers are on stacks.
    pub(crate) fn stack_maps<'a>(&'a self, memory: &'a dyn Memory) -> StackMaps<'a> {
        StackMaps::new(self.codes(), self.binary.arch, memory)
    }

    /// The name of the function at an address.
    pub(crate) fn function_name(&self, address: u64) -> Option<&str> {
        self.codes().find(address)?.1.name()
    }

    /// As [`Program::all_gs`], of another memory.
    ///
    /// # Errors
    /// As [`Program::all_gs`].
    pub fn all_gs_in(&self, memory: &dyn Memory) -> Result<(AllGs, usize), Error> {
        let pid = self.process.pid;
        let read = |source| Error::read(pid, "the list of goroutines", source);
        // After an exec there is other memory under the same id.
        let header = u64::from(self.binary.layout.layout.moduledata.pc_header);
        match memory.read_u64(self.module.address.wrapping_add(header)) {
            Ok(table) if table == self.table => {}
            Ok(_) => return Err(Error::Replaced { pid }),
            Err(ReadError::Unmapped { .. }) if self.process.is_alive() => {
                return Err(Error::Replaced { pid });
            }
            Err(error) => return Err(read(error)),
        }
        let all = AllGs::read(memory, self.runtime.allglen, self.runtime.allgptr).map_err(read)?;
        let len = all.entries().ok_or_else(|| {
            self.unbelievable(format!(
                "the list of goroutines is nowhere, or claims more than {MAX_GOROUTINES}"
            ))
        })?;
        Ok((all, len))
    }
}

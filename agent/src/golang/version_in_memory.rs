//! Go's version, as the memory of a process holds it, where the file does not tell.

use super::binary::{Mapped, moved};
use super::build_version;
use super::error::Error;
use super::memory::Memory;

/// Go's version, by the memory of a program whose file does not tell it.
pub(super) fn find(
    memory: &dyn Memory,
    pid: u32,
    mapped: &Mapped,
    bias: u64,
) -> Result<Option<String>, Error> {
    let extent = mapped.extent();
    let loaded = extent.start.wrapping_add(bias)..extent.end.wrapping_add(bias);
    build_version::find(memory, &moved(&mapped.initialised(), bias), &loaded)
        .map_err(|source| Error::read(pid, "the program's variables", source))
}

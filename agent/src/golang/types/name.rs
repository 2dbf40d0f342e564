//! Names of types and fields (`abi.Name`: flags, a length as a varint, bytes).

use super::{Name, TypeId, Types};
use crate::golang::memory::{Memory, ReadError};

/// Longer names are cut.
pub(super) const MAX_NAME: usize = 512;
/// Flags, and a length of two bytes.
const HEAD: usize = 3;
/// What the types of a map's groups and buckets are called, that of a map follows.
const CELLS: [&str; 2] = ["map.group[", "map.bucket["];

impl Types {
    /// The name at an address; `None` where there is none.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub(super) fn read_name(
        &self,
        memory: &dyn Memory,
        address: u64,
    ) -> Result<Option<String>, ReadError> {
        if !self.is_within(address) {
            return Ok(None);
        }
        let read = |len: usize| match memory.read_vec(address, len) {
            Err(error @ (ReadError::Exited | ReadError::Denied)) => Err(error),
            Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => Ok(None),
            Ok(bytes) => Ok(Some(bytes)),
        };
        let Some(head) = read(HEAD)? else { return Ok(None) };
        let low = usize::from(head[1] & 0x7f);
        let (len, start) = match head[1] {
            ..0x80 => (low, 2),
            _ => (low | usize::from(head[2] & 0x7f) << 7, HEAD),
        };
        let is_cut = len > MAX_NAME || head[2] & 0x80 != 0 && start == HEAD;
        let len = if is_cut { MAX_NAME } else { len };
        let Some(bytes) = read(start + len)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes[start..]);
        Ok((len > 0).then(|| text.trim_end_matches('\u{fffd}').to_owned()))
    }

    /// The name of a type, as Go prints it; `None` where it has none that can be read.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn name(&self, memory: &dyn Memory, id: TypeId) -> Result<Option<String>, ReadError> {
        let info = self.info(id);
        let (offset, extra_star) = match &info.name {
            Name::Is(name) => return Ok(Some((**name).to_owned())),
            Name::At { offset, extra_star } => (*offset, *extra_star),
        };
        let module =
            self.modules.iter().find(|(start, end)| (*start..*end).contains(&info.address));
        let Some((start, _)) = module else { return Ok(None) };
        let name = self.read_name(memory, start.wrapping_add(offset.into()))?;
        Ok(name.map(|name| match name.strip_prefix('*').filter(|_| extra_star) {
            Some(rest) => rest.to_owned(),
            None => name,
        }))
    }

    /// The name of the map that holds groups or buckets of a name; `None` for other names.
    #[must_use]
    pub fn map_of_cells(name: &str) -> Option<String> {
        let name = name.strip_prefix("noalg.").unwrap_or(name);
        let rest = CELLS.iter().find_map(|it| name.strip_prefix(it))?;
        Some(format!("map[{rest}"))
    }
}

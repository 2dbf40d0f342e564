//! Objects of Go's library that stand for an open descriptor each: they have a finalizer that closes it.
//!
//! `os.newFile` and `net.(*netFD).setAddr` set one for each, and closing takes it away (Go 1.21 to 1.27).

use rustc_hash::FxHashMap;

use super::super::roots::Special;
use super::{Piece, ReadError, Walk};

/// Where `internal/poll.FD`, with which each begins, has `Sysfd`: behind an `fdMutex` of 16 bytes (Go 1.21 to 1.27).
const NUMBER: u64 = 16;

/// Pointers to what stands for a descriptor.
const TYPES: [&str; 2] = ["*os.file", "*net.netFD"];

/// What stands for a socket.
const SOCKET: &str = "net.netFD";

/// An object that stands for a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Where it is.
    pub object: u64,
    /// The descriptor.
    pub number: u64,
    /// The object's type, as Go prints it.
    pub type_name: &'static str,
}

impl Owner {
    /// Whether it stands for sockets alone.
    #[must_use]
    pub fn is_socket(&self) -> bool {
        self.type_name == SOCKET
    }
}

impl Walk<'_> {
    /// The objects that stand for descriptors, of those with these records.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn descriptors(&mut self, records: &[Special]) -> Result<Vec<Owner>, ReadError> {
        let mut names: FxHashMap<u64, Option<&str>> = FxHashMap::default();
        let mut objects = Vec::new();
        for record in records {
            let name = match names.get(&record.pointer_type) {
                Some(known) => *known,
                None => {
                    let name = self.owner_type(record.pointer_type)?;
                    names.insert(record.pointer_type, name);
                    name
                }
            };
            if let Some(name) = name {
                objects.push((record.object, name));
            }
        }
        // A list that leads back into itself, or is torn, has some more than once.
        objects.sort_unstable();
        objects.dedup();
        let number = |object: u64| Piece { addr: object.wrapping_add(NUMBER), len: 8 };
        let pieces: Vec<Piece> = objects.iter().map(|(object, _)| number(*object)).collect();
        self.gather.read(self.memory, &pieces)?;
        let mut owners = Vec::with_capacity(objects.len());
        for (place, (object, type_name)) in objects.into_iter().enumerate() {
            match self.gather.get(place).and_then(<[u8]>::first_chunk) {
                Some(word) => {
                    let number = u64::from_le_bytes(*word);
                    owners.push(Owner { object, number, type_name });
                }
                None => self.unread += 1,
            }
        }
        Ok(owners)
    }

    /// How much could not be read so far.
    #[must_use]
    pub const fn unread(&self) -> u64 {
        self.unread
    }

    /// The name of what a pointer type is to, if that stands for descriptors.
    fn owner_type(&mut self, pointer: u64) -> Result<Option<&'static str>, ReadError> {
        let types = &mut self.reach.types;
        let Some(id) = types.get(self.memory, pointer)? else { return Ok(None) };
        let name = types.name(self.memory, id)?;
        let known = TYPES.iter().find(|known| name.as_deref() == Some(**known));
        Ok(known.map(|known| known.trim_start_matches('*')))
    }
}

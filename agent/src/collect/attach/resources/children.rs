//! Child processes, and those that were never waited for (proc_tid_children(5)).

use std::fs;
use std::io;

use super::groups::{Groups, Member};
use super::pattern;
use crate::golang::task::{Stat, thread_file, threads};
use crate::model::{CoverageNote, ResourceKey, ResourceKind, ResourceName, ResourcePart};

/// Threads whose children are looked for.
const MAX_THREADS: usize = 4096;
/// Children that are looked at.
const MAX_CHILDREN: usize = 4096;

/// Counts a process's children by their programs. How many there are, and whether that is not all.
///
/// # Errors
/// Where the kernel does not list children (it was built without `CONFIG_PROC_CHILDREN`).
pub(super) fn read(pid: u32, groups: &mut Groups) -> io::Result<(u64, Option<CoverageNote>)> {
    let mut children: Vec<u32> = Vec::new();
    let (mut read, mut missing) = (0, None);
    let mut threads = threads(pid)?;
    for thread in threads.by_ref().take(MAX_THREADS) {
        match fs::read_to_string(thread_file(pid, thread, "children")) {
            Ok(text) => {
                read += 1;
                children.extend(text.split_ascii_whitespace().flat_map(str::parse::<u32>));
            }
            // A thread that has ended since has no file either.
            Err(error) => missing = Some(error),
        }
    }
    if let (0, Some(error)) = (read, missing) {
        return Err(error);
    }
    // A child is its parent's first thread's once the thread that made it has ended: it may be seen twice.
    children.sort_unstable();
    children.dedup();
    let count = children.len() as u64;
    for &child in children.iter().take(MAX_CHILDREN) {
        let Ok(stat) = Stat::read(child) else { continue };
        let kind = if stat.state == 'Z' { ResourceKind::Zombie } else { ResourceKind::Child };
        let name = Some(ResourceName::Program(pattern::of_path(&stat.name)));
        let member = Member::of(&(child, stat.start));
        groups.add(&ResourceKey { kind, name }, member, None);
    }
    let is_cut = children.len() > MAX_CHILDREN || threads.next().is_some();
    let note = CoverageNote::ResourcesCut {
        part: ResourcePart::Children,
        read: count.min(MAX_CHILDREN as u64),
    };
    Ok((count, is_cut.then_some(note)))
}

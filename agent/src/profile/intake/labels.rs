//! The profiler labels of one profile: each distinct set once.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::model::LabelsId;

/// Bytes of labels that are kept of one profile.
const MAX_BYTES: usize = 16 << 20;

/// Sets of labels.
#[derive(Clone, Default)]
pub(super) struct Labels {
    ids: HashMap<Vec<(String, String)>, LabelsId>,
    bytes: usize,
}

impl Labels {
    /// The set of these labels; the empty one where there is no more room.
    pub(super) fn of(&mut self, labels: &[(Cow<'_, str>, Cow<'_, str>)]) -> LabelsId {
        if labels.is_empty() {
            return LabelsId::default();
        }
        let own =
            |(key, value): &(Cow<'_, str>, Cow<'_, str>)| (key.to_string(), value.to_string());
        let mut set: Vec<(String, String)> = labels.iter().map(own).collect();
        set.sort_unstable();
        let size = 64 + set.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        if let Some(&id) = self.ids.get(&set) {
            return id;
        }
        if self.bytes + size > MAX_BYTES {
            return LabelsId::default();
        }
        self.bytes += size;
        let id = LabelsId(u32::try_from(self.ids.len() + 1).unwrap_or_default());
        self.ids.insert(set, id);
        id
    }

    /// The sets by their ids; the first is the empty one.
    pub(super) fn into_sets(self) -> Vec<Vec<(String, String)>> {
        let mut sets = vec![Vec::new(); self.ids.len() + 1];
        for (set, id) in self.ids {
            sets[id.0 as usize] = set;
        }
        sets
    }
}

//! The profiler labels that goroutines carry: each distinct set once a snapshot.

use std::collections::HashMap;

use rustc_hash::FxHashMap;

use crate::golang::labels::LabelForm;
use crate::golang::memory::Memory;
use crate::model::{CoverageNote, LabelsId};

/// Bytes of labels kept of one snapshot.
const MAX_LABEL_BYTES: usize = 16 << 20;

/// Reads sets of labels, each distinct one once a snapshot.
pub(super) struct Labels {
    form: LabelForm,
    /// By address: goroutines that share a set share the pointer.
    known: FxHashMap<u64, LabelsId>,
    /// By content.
    ids: HashMap<Vec<(String, String)>, LabelsId>,
    bytes: usize,
}

impl Labels {
    pub(super) fn new(form: LabelForm) -> Self {
        let ids = HashMap::from([(Vec::new(), LabelsId::default())]);
        Self { form, known: FxHashMap::default(), ids, bytes: 0 }
    }

    /// The set at `address`, which is added to `sets` if it is new.
    pub(super) fn read(
        &mut self,
        memory: &dyn Memory,
        address: u64,
        sets: &mut Vec<Vec<(String, String)>>,
    ) -> LabelsId {
        if address == 0 || self.bytes > MAX_LABEL_BYTES {
            return LabelsId::default();
        }
        if let Some(&id) = self.known.get(&address) {
            return id;
        }
        // What cannot be read was freed meanwhile: the goroutine has ended or changed its labels.
        let labels = self.form.read(memory, address).unwrap_or_default();
        self.bytes += 64 + labels.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        let id = *self.ids.entry(labels).or_insert_with_key(|labels| {
            sets.push(labels.clone());
            LabelsId(u32::try_from(sets.len() - 1).unwrap_or(0))
        });
        self.known.insert(address, id);
        id
    }

    /// What was not kept, since there was no room for it.
    pub(super) fn note(&self) -> Option<CoverageNote> {
        (self.bytes > MAX_LABEL_BYTES).then_some(CoverageNote::LabelsFull)
    }
}

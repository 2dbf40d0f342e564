//! Where most goroutines pass, and who created whom.

use serde::Serialize;
use serde::ser::Serializer;

use super::frame::FrameDoc;
use crate::model::{Group, HotPath, Lineage, StackTable};

/// Functions that most goroutines pass.
pub(super) struct HotPaths<'a>(pub(super) &'a [HotPath], pub(super) &'a StackTable);

impl Serialize for HotPaths<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Doc<'a> {
            #[serde(flatten)]
            frame: FrameDoc<'a>,
            goroutines: u64,
        }
        serializer.collect_seq(
            self.0.iter().map(|hot| Doc {
                frame: FrameDoc::new(self.1, hot.frame),
                goroutines: hot.goroutines,
            }),
        )
    }
}

/// Groups, each with the group that created it.
pub(super) struct LineageDoc<'a>(pub(super) &'a [Lineage], pub(super) &'a [Group]);

impl Serialize for LineageDoc<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Doc<'a> {
            signature: &'a str,
            /// Null where all creators that are known have ended.
            created_by: Option<&'a str>,
        }
        let signature = |group: usize| self.1.get(group).map(|group| &*group.signature);
        serializer.collect_seq(self.0.iter().filter_map(|line| {
            Some(Doc {
                signature: signature(line.group)?,
                created_by: line.parent.and_then(signature),
            })
        }))
    }
}

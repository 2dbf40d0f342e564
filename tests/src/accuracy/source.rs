//! How the agent sees the programs of a corpus, and what it can know of them that way.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;
use leak_agent::model::{CauseClass, Verdict};
use serde::Serialize;

use super::agent::Way;
use super::marker::Marked;
use super::matching::Site;

/// What tells a program where to write the address of its profiles (`tests/served/serve.go`).
const SERVE: &str = "CORPUS_SERVE";

/// What has it serve no form of its goroutines but `debug=1`.
const COUNTS_ONLY: &str = "CORPUS_SERVE_COUNTS";

/// How the agent sees a program.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// It attaches.
    #[default]
    Attach,
    /// By the dumps (`debug=2`) that the program serves.
    Url,
    /// By the counts (`debug=1`) that it serves.
    UrlCounts,
}

impl Source {
    /// Its name in arguments and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attach => "attach",
            Self::Url => "url",
            Self::UrlCounts => "url-counts",
        }
    }

    /// Prepares the start of a program that is to be seen so, and writes its address into a file.
    pub fn prepare(self, command: &mut Command, address: &Path) {
        if self != Self::Attach {
            command.env(SERVE, address);
        }
        if self == Self::UrlCounts {
            command.env(COUNTS_ONLY, "1");
        }
    }

    /// How to reach a program that was started so.
    ///
    /// # Errors
    /// When it has written no address.
    pub fn way(self, pid: u32, address: &Path) -> Result<Way> {
        if self == Self::Attach {
            return Ok(Way::Pid(pid));
        }
        let address = std::fs::read_to_string(address)
            .with_context(|| format!("it serves no profiles: no {}", address.display()))?;
        Ok(Way::Url(format!("http://{address}")))
    }

    /// What markers want of an agent that sees a program so. What it cannot know becomes optional.
    #[must_use]
    pub fn wants(self, marked: Marked) -> Marked {
        let sites = marked.sites.into_iter().map(|site| Site {
            optional: site.optional || !self.shows(&site),
            // Who holds what stands in no profile.
            held: site.held.filter(|_| self == Self::Attach),
            ..site
        });
        // One sample of counts has no age and no wait.
        let check = marked.check.filter(|_| self != Self::UrlCounts);
        Marked { sites: sites.collect(), check }
    }

    fn shows(self, site: &Site) -> bool {
        let is = |class| site.classes.contains(&class);
        match self {
            Self::Attach => true,
            // Who holds which lock stands in no profile, nor what is not Go's.
            Self::Url => {
                let others =
                    [CauseClass::DeadlockCycle, CauseClass::OffHeapGrowth, CauseClass::Resource];
                !others.into_iter().any(is)
            }
            // Counts tell growth, and nothing of goroutines that stay stuck.
            Self::UrlCounts => {
                let grows = !is(CauseClass::DeadlockCycle) && !is(CauseClass::SelectEmpty);
                grows && site.verdict >= Verdict::Likely
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::accuracy::marker;

    /// How many sites of a program each source has to find.
    fn wanted(name: &str) -> [usize; 3] {
        let home = if name.contains('/') { "corpus" } else { "corpus/leaking" };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(home).join(name);
        let marked = marker::of_program(&folder, "1.26.6").unwrap();
        [Source::Attach, Source::Url, Source::UrlCounts].map(|source| {
            source.wants(marked.clone()).sites.iter().filter(|it| !it.optional).count()
        })
    }

    #[test]
    fn a_source_is_asked_for_what_it_can_show() {
        assert_eq!(wanted("first-mirror"), [1, 1, 1]);
        assert_eq!(wanted("empty-select-plugin"), [1, 1, 0], "a constant few");
        assert_eq!(wanted("blocking-finalizer"), [1, 1, 0], "suspect");
        let [attach, url, _] = wanted("lock-order-transfer");
        assert!(url < attach, "{url} of {attach}: a cycle of locks is in no profile");
        assert_eq!(wanted("memory/leaking/sessions-kept")[..2], [1, 1]);
        assert_eq!(wanted("memory/leaking/rows-open")[..2], [1, 0], "connections");
    }
}

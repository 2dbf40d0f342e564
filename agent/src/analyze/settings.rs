//! What a judgement may be told: thresholds, lists of functions, a baseline.

use std::collections::HashMap;
use std::time::Duration;

use wildmatch::WildMatch;

use crate::model::{Subjects, function};

/// Everything that can be set.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What is looked at.
    pub subjects: Subjects,
    /// Goroutines at these functions are idle on purpose, beside those that are known to be.
    pub safe: Vec<Rule>,
    /// Goroutines stuck at these functions are suspect at least.
    pub suspicious: Vec<Rule>,
    /// Which groups are looked at.
    pub filter: Filter,
    /// Groups that were there before, by signature, and how large they were: only what is new
    /// or larger counts.
    pub baseline: HashMap<String, u64>,
    /// Where the lines are drawn.
    pub thresholds: Thresholds,
}

/// Where the lines are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// So many goroutines in the process are moderate, high, critical.
    pub goroutines: [u64; 3],
    /// Stuck means blocked at one place for so long, and for the whole window.
    pub stuck_after: Duration,
    /// So many goroutines stuck at one line sending or locking are too many to be idle.
    pub large: u64,
    /// Whatever waits longer than this is suspect, known or not; off without it.
    pub max_wait: Option<Duration>,
    /// Fewer survivors than this are no growth.
    pub min_growth: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            goroutines: [1_000, 10_000, 100_000],
            stuck_after: Duration::from_secs(10),
            large: 1_000,
            max_wait: None,
            min_growth: 4,
        }
    }
}

/// A function, or many, and why they are listed.
#[derive(Clone, Debug)]
pub struct Rule {
    function: WildMatch,
    /// Why.
    pub reason: Option<String>,
}

impl Rule {
    /// A rule for the functions that a pattern matches as a whole: `*` is any text, `?` one
    /// character, of the name without type arguments and module versions.
    #[must_use]
    pub fn new(pattern: &str, reason: Option<String>) -> Self {
        Self { function: WildMatch::new(pattern), reason }
    }

    /// Whether it means this function.
    #[must_use]
    pub fn matches(&self, function: &str) -> bool {
        self.function.matches(&function::normalise(function))
    }
}

/// Which groups are looked at: all without any of these.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those with such a function on their stack or as their creator.
    pub functions: Vec<Rule>,
    /// Only those with a function of such a package there.
    pub packages: Vec<WildMatch>,
    /// None of those with such a function there.
    pub exclude: Vec<Rule>,
}

impl Filter {
    /// Whether a group with these functions, of stack and creator, is looked at.
    #[must_use]
    pub fn lets_pass<'a>(&self, functions: impl Iterator<Item = &'a str> + Clone) -> bool {
        let any = |rules: &[Rule]| {
            functions.clone().any(|function| rules.iter().any(|rule| rule.matches(function)))
        };
        let in_package = || {
            functions.clone().any(|function| {
                self.packages.iter().any(|package| package.matches(function::package(function)))
            })
        };
        (self.functions.is_empty() || any(&self.functions))
            && (self.packages.is_empty() || in_package())
            && !any(&self.exclude)
    }

    /// Whether every group passes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.functions.is_empty() && self.packages.is_empty() && self.exclude.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_means_the_whole_name_without_instances() {
        let rule = Rule::new("main.(*Pool).*", None);
        assert!(rule.matches("main.(*Pool[go.shape.int]).run"));
        assert!(!rule.matches("xmain.(*Pool).run"));
        assert!(Rule::new("*flush*", None).matches("github.com/acme/log.(*W).flushLoop"));
    }

    #[test]
    fn a_filter_takes_functions_packages_and_leaves_out() {
        let filter = Filter {
            functions: vec![Rule::new("main.*", None)],
            packages: Vec::new(),
            exclude: vec![Rule::new("*.Accept", None)],
        };
        assert!(filter.lets_pass(["net.read", "main.work"].into_iter()));
        assert!(!filter.lets_pass(["net.(*L).Accept", "main.work"].into_iter()));
        assert!(!filter.lets_pass(["net.read"].into_iter()));
        let packages =
            Filter { packages: vec![WildMatch::new("github.com/acme/*")], ..Filter::default() };
        assert!(packages.lets_pass(["github.com/acme/db.(*Pool).get"].into_iter()));
        assert!(!packages.lets_pass(["github.com/other/db.get"].into_iter()));
    }
}

//! The flags of judgement: what counts as a finding, what is left out, and when to fail.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args as ClapArgs, ValueEnum};
use wildmatch::WildMatch;

use super::failure::Failure;
use super::time::duration;
use super::{input, moment};
use crate::analyze::Settings;
use crate::analyze::settings::{Filter, Rule, Thresholds};
use crate::model::{Assessment, Finding, Severity, Subjects, Verdict};

/// What to judge by. Names are Go's full ones (github.com/acme/db.(*Pool).get) without type
/// arguments; in a pattern * stands for any text and ? for one character.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Judgement")]
pub(super) struct Judging {
    /// Exit with 1 when a finding is at least this: a verdict (suspect, likely, proven) or a
    /// severity (low to critical), or never [default: likely].
    #[arg(long, global = true, value_name = "LEVEL", env = "LEAK_AGENT_FAIL_ON")]
    pub(super) fail_on: Option<FailOn>,

    /// Look at memory and resources (descriptors, threads, mappings, child processes) alone: goroutines are not
    /// read, not judged and not shown, and there are no probes.
    #[arg(
        long,
        global = true,
        conflicts_with = "goroutines_only",
        env = "LEAK_AGENT_MEMORY_ONLY",
        value_parser = BoolishValueParser::new()
    )]
    memory_only: bool,

    /// Look at goroutines alone: memory and resources are not read, not judged and not shown.
    #[arg(
        long,
        global = true,
        env = "LEAK_AGENT_GOROUTINES_ONLY",
        value_parser = BoolishValueParser::new()
    )]
    goroutines_only: bool,

    /// Only goroutines with such a function on their stack or as their creator. Without * or ?
    /// part of a name is enough.
    #[arg(long, global = true, value_name = "PATTERN", value_delimiter = ',', env = "FILTER_FUNC")]
    func: Vec<String>,

    /// Only goroutines with a function of such a package, or of one below it: the
    /// import path, or its end as reports print it (main, net/http, db).
    #[arg(long, global = true, value_name = "PATTERN", value_delimiter = ',', env = "FILTER_PKG")]
    package: Vec<String>,

    /// No goroutines with such a function on their stack or as their creator.
    #[arg(
        long,
        global = true,
        value_name = "PATTERN",
        value_delimiter = ',',
        env = "EXCLUDE_PATTERNS"
    )]
    exclude: Vec<String>,

    /// Goroutines at such functions are idle on purpose: never a finding.
    #[arg(
        long,
        global = true,
        value_name = "PATTERN",
        value_delimiter = ',',
        env = "SAFE_PATTERNS"
    )]
    safe_patterns: Vec<String>,

    /// Goroutines stuck at such functions are suspect at least.
    #[arg(
        long,
        global = true,
        value_name = "PATTERN",
        value_delimiter = ',',
        env = "SUSPICIOUS_PATTERNS"
    )]
    suspicious_patterns: Vec<String>,

    /// Patterns from a file, one a line: safe|suspicious|exclude PATTERN # reason. May be repeated.
    #[arg(long, global = true, value_name = "FILE", env = "LEAK_AGENT_PATTERNS_FILE")]
    patterns_file: Vec<PathBuf>,

    /// What was there before: a saved JSON report, or a folder of --save. Only what is new or has
    /// grown by more than a fifth counts. For memory --retained the JSON report of an earlier one: what became more
    /// or less since, by holder and by type, is shown too.
    #[arg(long, global = true, value_name = "PATH", env = "LEAK_AGENT_BASELINE")]
    pub(super) baseline: Option<PathBuf>,

    /// This many goroutines or more are a moderate number.
    #[arg(
        long,
        global = true,
        value_name = "N",
        default_value_t = Thresholds::default().goroutines[0],
        env = "LEAK_AGENT_GOROUTINES_MODERATE"
    )]
    goroutines_moderate: u64,

    /// This many goroutines or more are a high number.
    #[arg(
        long,
        global = true,
        value_name = "N",
        default_value_t = Thresholds::default().goroutines[1],
        env = "LEAK_AGENT_GOROUTINES_HIGH"
    )]
    goroutines_high: u64,

    /// This many goroutines or more are a critical number, which check fails on.
    #[arg(
        long,
        global = true,
        value_name = "N",
        default_value_t = Thresholds::default().goroutines[2],
        env = "LEAK_AGENT_GOROUTINES_CRITICAL"
    )]
    goroutines_critical: u64,

    /// Stuck means blocked at one place for at least this time, and in every sample.
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        default_value = "10s",
        env = "LEAK_AGENT_STUCK_AFTER",
        value_parser = duration
    )]
    stuck_after: Duration,

    /// Whatever waits longer than this is suspect, known as idle or not. Off unless given.
    #[arg(
        long,
        alias = "too-long",
        global = true,
        value_name = "TIME",
        env = "LEAK_AGENT_MAX_WAIT",
        value_parser = duration
    )]
    max_wait: Option<Duration>,

    /// At least this many goroutines stuck at one line sending or locking are too many to be idle.
    #[arg(
        long,
        alias = "large",
        global = true,
        value_name = "N",
        default_value_t = Thresholds::default().large,
        env = "LEAK_AGENT_LARGE_GROUP"
    )]
    large_group: u64,

    /// Growth by fewer goroutines than this is none.
    #[arg(
        long,
        alias = "least-growth",
        global = true,
        value_name = "N",
        default_value_t = Thresholds::default().min_growth,
        env = "LEAK_AGENT_MIN_GROWTH"
    )]
    min_growth: u64,
}

/// From which findings on the process ends in 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// None.
    Never,
    /// Any verdict.
    Suspect,
    /// Likely or proven.
    Likely,
    /// Proven.
    Proven,
    /// Any severity.
    Low,
    /// Medium and above.
    Medium,
    /// High and critical.
    High,
    /// Critical.
    Critical,
}

impl FailOn {
    /// Whether a finding like this is worth a failure.
    pub(super) fn is_met(self, verdict: Verdict, severity: Severity) -> bool {
        match self {
            Self::Never => false,
            Self::Suspect => verdict >= Verdict::Suspect,
            Self::Likely => verdict >= Verdict::Likely,
            Self::Proven => verdict >= Verdict::Proven,
            Self::Low => severity >= Severity::Low,
            Self::Medium => severity >= Severity::Medium,
            Self::High => severity >= Severity::High,
            Self::Critical => severity >= Severity::Critical,
        }
    }

    /// Whether any finding is worth a failure.
    pub(super) fn is_met_by(self, assessments: &[Assessment]) -> bool {
        let judgements = assessments.iter().filter_map(|assessment| assessment.judgement.as_ref());
        judgements
            .flat_map(|judgement| &judgement.findings)
            .any(|finding: &Finding| self.is_met(finding.verdict, finding.severity()))
    }
}

impl Judging {
    /// What the analyst is told.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        let baseline = match &self.baseline {
            Some(path) => moment::last(path)?.baseline(),
            None => HashMap::new(),
        };
        Ok(Settings { baseline, ..self.without_baseline()? })
    }

    /// The same, of commands whose baseline is none of goroutines.
    pub(super) fn without_baseline(&self) -> Result<Settings, Failure> {
        let rules = |patterns: &[String]| patterns.iter().map(|text| rule(text, None)).collect();
        let mut settings = Settings {
            subjects: self.subjects(),
            safe: rules(&self.safe_patterns),
            suspicious: rules(&self.suspicious_patterns),
            filter: Filter {
                functions: rules(&self.func),
                packages: self.package.iter().flat_map(|text| package(text)).collect(),
                exclude: rules(&self.exclude),
            },
            baseline: HashMap::new(),
            thresholds: self.thresholds()?,
        };
        for path in &self.patterns_file {
            let text = input::text(path)?;
            add_lines(&text, &mut settings).map_err(|(line, text)| Failure::PatternLine {
                path: path.clone(),
                line,
                text,
            })?;
        }
        Ok(settings)
    }

    /// What is looked at.
    const fn subjects(&self) -> Subjects {
        Subjects { goroutines: !self.memory_only, memory: !self.goroutines_only }
    }

    fn thresholds(&self) -> Result<Thresholds, Failure> {
        let goroutines = [self.goroutines_moderate, self.goroutines_high, self.goroutines_critical];
        if !goroutines.is_sorted() {
            return Err(Failure::Thresholds(goroutines));
        }
        Ok(Thresholds {
            goroutines,
            stuck_after: self.stuck_after,
            large: self.large_group,
            max_wait: self.max_wait,
            min_growth: self.min_growth,
        })
    }
}

/// A pattern as people write it: without wildcards it means every name that holds it.
fn rule(text: &str, reason: Option<String>) -> Rule {
    if text.contains(['*', '?']) {
        Rule::new(text, reason)
    } else {
        Rule::new(&format!("*{text}*"), reason)
    }
}

/// A package and those below it.
/// A package as reports print it is the end of an import path (`db` of `github.com/acme/db`).
pub(super) fn package(text: &str) -> [WildMatch; 4] {
    [text.to_owned(), format!("{text}/*"), format!("*/{text}"), format!("*/{text}/*")]
        .map(|pattern| WildMatch::new(&pattern))
}

/// Adds the patterns of a file, or gives the number and text of a line that is none.
fn add_lines(text: &str, settings: &mut Settings) -> Result<(), (usize, String)> {
    for (index, line) in text.lines().enumerate() {
        let (line, reason) = match line.split_once('#') {
            Some((line, reason)) => (line, Some(reason.trim().to_owned())),
            None => (line, None),
        };
        let mut words = line.split_whitespace();
        let Some(kind) = words.next() else { continue };
        let rules = match kind {
            "safe" => &mut settings.safe,
            "suspicious" => &mut settings.suspicious,
            "exclude" => &mut settings.filter.exclude,
            _ => return Err((index + 1, line.trim().to_owned())),
        };
        match (words.next(), words.next()) {
            (Some(pattern), None) => rules.push(rule(pattern, reason)),
            _ => return Err((index + 1, line.trim().to_owned())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::Args;

    fn settings(line: &str) -> Result<Settings, Failure> {
        let args = Args::try_parse_from(line.split_whitespace()).expect(line);
        args.common.judging.settings()
    }

    #[test]
    fn without_flags_the_analyst_decides() {
        let settings = settings("leak-agent").expect("nothing to fail on");
        assert_eq!(settings.thresholds, Thresholds::default());
        assert!(settings.filter.is_open() && settings.baseline.is_empty());
    }

    #[test]
    fn patterns_mean_parts_of_names_unless_they_have_wildcards() {
        let in_db = settings("leak-agent --package db").expect("sound flags");
        let settings = settings("leak-agent --func Pool,main.?un --package github.com/acme")
            .expect("sound flags");
        let passes = |names: &[&str]| settings.filter.lets_pass(names.iter().copied());
        assert!(passes(&["github.com/acme/db.(*Pool).get"]));
        assert!(passes(&["main.run", "github.com/acme.Start"]));
        assert!(in_db.filter.lets_pass(["github.com/acme/db.(*Pool).get"].into_iter()));
        assert!(!in_db.filter.lets_pass(["github.com/acme/mydb.Get"].into_iter()));
        assert!(!passes(&["main.run", "github.com/acmeother.Start"]));
        assert!(!passes(&["main.runs", "github.com/acme.Start"]));
    }

    #[test]
    fn a_file_of_patterns() {
        let mut settings = Settings::default();
        let text = "# ours\n\nsafe main.poll # long poll\nsuspicious *.legacy*\nexclude x.y\n";
        assert_eq!(add_lines(text, &mut settings), Ok(()));
        assert_eq!(settings.safe[0].reason.as_deref(), Some("long poll"));
        assert!(settings.suspicious[0].matches("main.legacyLoop"));
        assert_eq!(settings.filter.exclude.len(), 1);
        for bad in ["potato main.x", "safe", "safe a b"] {
            assert_eq!(add_lines(bad, &mut settings), Err((1, bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn thresholds_have_an_order() {
        assert!(settings("leak-agent --goroutines-moderate 20000").is_err());
        let settings = settings("leak-agent --goroutines-moderate 5 --too-long 1h").expect("sound");
        assert_eq!(settings.thresholds.goroutines, [5, 10_000, 100_000]);
        assert_eq!(settings.thresholds.max_wait, Some(Duration::from_secs(3600)));
    }
}

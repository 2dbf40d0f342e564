//! The forms of a report, and of a profile: the one table of them.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::report::Render;
use crate::report::html::Html;
use crate::report::json::Json;
use crate::report::review::Project;
use crate::report::review::github::Github;
use crate::report::review::junit::Junit;
use crate::report::review::markdown::Markdown;
use crate::report::review::sarif::Sarif;
use crate::report::style::Style;
use crate::report::terminal::Terminal;

/// The page for a browser, of what `memory` shows too.
const HTML: &str = "html";

/// Every form of a report; the first is the default.
static REPORTS: [Format; 7] = [
    Format {
        name: "terminal",
        extension: "txt",
        kind: Kind::Text,
        renderer: |page| {
            Box::new(Terminal {
                style: page.style,
                width: page.width,
                top: page.top,
                groups: page.groups,
            })
        },
    },
    Format { name: "json", extension: "json", kind: Kind::Json, renderer: |_| Box::new(Json) },
    Format { name: HTML, extension: HTML, kind: Kind::Document, renderer: |_| Box::new(Html) },
    Format {
        name: "markdown",
        extension: "md",
        kind: Kind::Document,
        renderer: |page| Box::new(Markdown { project: page.project.clone() }),
    },
    Format {
        name: "sarif",
        extension: "sarif",
        kind: Kind::Document,
        renderer: |page| Box::new(Sarif { project: page.project.clone() }),
    },
    Format {
        name: "github",
        extension: "txt",
        kind: Kind::Document,
        renderer: |page| Box::new(Github { project: page.project.clone() }),
    },
    Format {
        name: "junit",
        extension: "xml",
        kind: Kind::Document,
        renderer: |page| Box::new(Junit { project: page.project.clone() }),
    },
];

/// Every form that can be asked for.
static CHOICES: [Choice; 10] = [
    Choice { help: "For people", writes: Writes::Report(&REPORTS[0]) },
    Choice {
        help: "For programs: schema leak-agent/report/v1",
        writes: Writes::Report(&REPORTS[1]),
    },
    Choice { help: "A page for a browser, in one file", writes: Writes::Report(&REPORTS[2]) },
    Choice {
        help: "For a comment of a code review, or the summary of a CI job",
        writes: Writes::Report(&REPORTS[3]),
    },
    Choice {
        help: "SARIF 2.1.0, which code hosts show beside the code",
        writes: Writes::Report(&REPORTS[4]),
    },
    Choice { help: "Annotations of GitHub Actions", writes: Writes::Report(&REPORTS[5]) },
    Choice {
        help: "JUnit's XML, which CI servers show as test results",
        writes: Writes::Report(&REPORTS[6]),
    },
    Choice { help: "pprof's protobuf, for go tool pprof", writes: Writes::Profile(Form::Pprof) },
    Choice {
        help: "Counts by stack, as debug=1 of Go's pprof endpoint",
        writes: Writes::Profile(Form::Counts),
    },
    Choice {
        help: "Every goroutine by itself, as debug=2 of Go's pprof endpoint",
        writes: Writes::Profile(Form::Dump),
    },
];

/// A form that can be asked for.
#[derive(Debug)]
pub(super) struct Choice {
    help: &'static str,
    writes: Writes,
}

/// What is written in a form.
#[derive(Debug)]
enum Writes {
    Report(&'static Format),
    Profile(Form),
}

/// A form of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// pprof's protobuf.
    Pprof,
    /// Counts by stack.
    Counts,
    /// Every goroutine by itself.
    Dump,
}

/// What a command writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    Reports,
    /// Something else, for people or programs.
    Values,
    /// The same, or who holds the heap as a profile or a page.
    Memory,
    Profiles,
}

/// A form of the report.
#[derive(Debug)]
pub(super) struct Format {
    name: &'static str,
    /// How the name of a file in it ends.
    pub(super) extension: &'static str,
    pub(super) kind: Kind,
    renderer: fn(&Page<'_>) -> Box<dyn Render>,
}

/// What else can be written in a form than reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Everything, for people.
    Text,
    /// Everything, for programs.
    Json,
    /// Reports alone.
    Document,
}

/// What a form for people is fitted to.
#[derive(Clone, Debug)]
pub(super) struct Page<'a> {
    pub(super) style: Style,
    /// Columns.
    pub(super) width: usize,
    /// At most this many findings and groups in full; all without it.
    pub(super) top: Option<usize>,
    /// Whether the groups are shown too.
    pub(super) groups: bool,
    /// The source tree that lines are shown in.
    pub(super) project: &'a Project,
}

impl Format {
    pub(super) fn renderer(&self, page: &Page<'_>) -> Box<dyn Render> {
        (self.renderer)(page)
    }
}

impl Choice {
    pub(super) const fn name(&self) -> &'static str {
        match self.writes {
            Writes::Report(format) => format.name,
            Writes::Profile(Form::Pprof) => "pprof",
            Writes::Profile(Form::Counts) => "debug1",
            Writes::Profile(Form::Dump) => "debug2",
        }
    }

    /// Whether a command can write in it.
    pub(super) fn is_written(&self, gives: Gives) -> bool {
        match (&self.writes, gives) {
            (Writes::Report(_), Gives::Reports) | (Writes::Profile(_), Gives::Profiles) => true,
            (Writes::Report(format), Gives::Values) => format.kind != Kind::Document,
            (Writes::Report(format), Gives::Memory) => {
                format.kind != Kind::Document || format.name == HTML
            }
            (Writes::Profile(form), Gives::Memory) => *form == Form::Pprof,
            _ => false,
        }
    }

    /// The form of a report. Commands that write profiles have the default one, and do not use it.
    pub(super) fn of_report(&self) -> &'static Format {
        match self.writes {
            Writes::Report(format) => format,
            Writes::Profile(_) => &REPORTS[0],
        }
    }

    /// Whether it is a profile's.
    pub(super) const fn is_of_profile(&self) -> bool {
        matches!(self.writes, Writes::Profile(_))
    }

    /// The form of a profile: pprof's where none was asked for, so that the default of reports stands there.
    pub(super) const fn of_profile(&self) -> Form {
        match self.writes {
            Writes::Report(_) => Form::Pprof,
            Writes::Profile(form) => form,
        }
    }
}

/// What a report is written in unless something else is asked for.
pub(super) fn default() -> &'static Choice {
    &CHOICES[0]
}

/// What a command writes in unless something else is asked for.
pub(super) fn default_of(gives: Gives) -> &'static Choice {
    of(gives).next().unwrap_or(default())
}

/// The form of this name.
pub(super) fn named(name: &str) -> Option<&'static Choice> {
    CHOICES.iter().find(|choice| choice.name() == name)
}

/// The forms that a command writes.
pub(super) fn of(gives: Gives) -> impl Iterator<Item = &'static Choice> {
    CHOICES.iter().filter(move |choice| choice.is_written(gives))
}

/// Takes the names of those that a command writes.
pub(super) fn parser(gives: Gives) -> impl TypedValueParser<Value = &'static Choice> {
    let value = |choice: &Choice| PossibleValue::new(choice.name()).help(choice.help);
    look_up(PossibleValuesParser::new(of(gives).map(value)))
}

/// Takes every name, and shows those of reports: which command is meant is not known yet.
pub(super) fn any() -> impl TypedValueParser<Value = &'static Choice> {
    let value = |choice: &Choice| {
        let is_shown = choice.is_written(Gives::Reports);
        PossibleValue::new(choice.name()).help(choice.help).hide(!is_shown)
    };
    look_up(PossibleValuesParser::new(CHOICES.iter().map(value)))
}

fn look_up(names: PossibleValuesParser) -> impl TypedValueParser<Value = &'static Choice> {
    names.try_map(|name| named(&name).ok_or("no such format"))
}

//! The forms of a report: the one table of them.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::report::Render;
use crate::report::html::Html;
use crate::report::json::Json;
use crate::report::style::Style;
use crate::report::terminal::Terminal;

/// Every form; the first is the default.
static FORMATS: [Format; 3] = [
    Format {
        name: "terminal",
        help: "For people",
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
    Format {
        name: "json",
        help: "For programs: schema leak-agent/report/v1",
        extension: "json",
        kind: Kind::Json,
        renderer: |_| Box::new(Json),
    },
    Format {
        name: "html",
        help: "A page for a browser, in one file",
        extension: "html",
        kind: Kind::Document,
        renderer: |_| Box::new(Html),
    },
];

/// A form of the report.
#[derive(Debug)]
pub(super) struct Format {
    pub(super) name: &'static str,
    help: &'static str,
    /// How the name of a file in it ends.
    pub(super) extension: &'static str,
    pub(super) kind: Kind,
    renderer: fn(&Page) -> Box<dyn Render>,
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
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub(super) style: Style,
    /// Columns.
    pub(super) width: usize,
    /// At most this many findings and groups in full; all without it.
    pub(super) top: Option<usize>,
    /// Whether the groups are shown too.
    pub(super) groups: bool,
}

impl Format {
    pub(super) fn renderer(&self, page: &Page) -> Box<dyn Render> {
        (self.renderer)(page)
    }

    /// Whether a command can write in it that gives reports, or other things.
    pub(super) fn is_written(&self, gives_report: bool) -> bool {
        self.kind != Kind::Document || gives_report
    }
}

/// What a report is written in unless something else is asked for.
pub(super) fn default() -> &'static Format {
    &FORMATS[0]
}

/// The form of this name.
pub(super) fn named(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// The forms that a command writes.
pub(super) fn of(gives_report: bool) -> impl Iterator<Item = &'static Format> {
    FORMATS.iter().filter(move |format| format.is_written(gives_report))
}

/// Takes the names of those that a command writes.
pub(super) fn parser(gives_report: bool) -> impl TypedValueParser<Value = &'static Format> {
    let value = |format: &Format| PossibleValue::new(format.name).help(format.help);
    PossibleValuesParser::new(of(gives_report).map(value))
        .try_map(|name| named(&name).ok_or("no such format"))
}

//! The flame graph: each frame as wide as there are goroutines in it, its callees below it.
//!
//! Bars are positioned elements and no drawing, so that their names keep their size on any screen.

use maud::{Markup, html};

use super::Page;
use super::text::Text;
use super::tree::{Bar, Kind, bars};
use crate::model::function;
use crate::report::format;

pub(super) fn graph(page: &Page<'_>) -> Markup {
    let (bars, narrow) = bars(page.assessment);
    let total = page.assessment.groups.iter().map(|group| group.count).sum::<u64>();
    if total == 0 {
        return Markup::default();
    }
    html! {
        p.note {
            "Each bar is a function, as wide as there are goroutines in it; below it is what it "
            "calls, down to where they wait."
        }
        p.note.keys {
            span.key.found { "of a finding" } " " span.key.user { "user code" } " "
            span.key.std { "standard library" } " " span.key.runtime { "runtime" }
            button.back type="button" hidden { "Show all" }
        }
        (drawing(&bars, narrow, "The table of groups has the same stacks as text.", &goroutines))
    }
}

fn goroutines(count: u64) -> String {
    format::counted(count, "goroutine", "goroutines")
}

/// The bars, of which the first is all; `amount` says how much a bar is.
pub(super) fn drawing(
    bars: &[Bar],
    narrow: usize,
    other: &str,
    amount: &dyn Fn(u64) -> String,
) -> Markup {
    let total = bars.first().map_or(0, |bar| bar.count);
    let rows = bars.iter().map(|bar| bar.depth + 1).max().unwrap_or_default();
    html! {
        div.scroll {
            div.flame role="img" style={ "height:calc(" (rows) " * var(--row))" }
                aria-label={ "Flame graph of " (amount(total)) ". " (other) } {
                @for bar in bars { (self::bar(bar, total, amount)) }
            }
        }
        @if narrow > 0 {
            p.note { (format::counted(narrow as u64, "frame", "frames")) " too narrow to be drawn." }
        }
    }
}

fn bar(bar: &Bar, total: u64, amount: &dyn Fn(u64) -> String) -> Markup {
    let class = match bar.kind {
        Kind::Sum => "sum",
        Kind::Runtime | Kind::Field => "runtime",
        Kind::Std | Kind::Type => "std",
        Kind::User | Kind::Holder => "user",
    };
    let share = bar.count as f64 / total.max(1) as f64 * 100.0;
    html! {
        div.(class).found[bar.found] title={
            (Text(&bar.name)) ": " (amount(bar.count)) ", "
            (format!("{share:.1}")) " %"
        } style={
            "left:" (format!("{:.3}", bar.left * 100.0)) "%;width:"
            (format!("{:.3}", bar.width * 100.0)) "%;top:calc(" (bar.depth) " * var(--row))"
        } {
            span { (Text(short(bar))) }
        }
    }
}

/// What stands on a bar: of functions the name without the path. Types and fields may have several.
fn short(bar: &Bar) -> &str {
    match bar.kind {
        Kind::Holder | Kind::Field | Kind::Type => &bar.name,
        Kind::Sum | Kind::Runtime | Kind::Std | Kind::User => function::short(&bar.name),
    }
}

//! A few lines of source, the one that matters marked.

use maud::{Markup, html};

use super::text::Text;
use crate::model::Snippet;

/// Lines of one snippet that are shown.
const LINES: usize = 60;

pub(super) fn snippet(source: &Snippet) -> Markup {
    let lines: Vec<_> = (u64::from(source.first)..).zip(&source.lines).take(LINES).collect();
    html! {
        figure.source {
            figcaption {
                span.place { (Text(&source.file)) ":" (source.line) }
                @if source.stale {
                    span.doubt { " newer than the program: lines may not fit" }
                }
            }
            pre tabindex="0" {
                @for &(number, line) in &lines {
                    @let blocked = number == u64::from(source.line);
                    span.line.blocked[blocked] {
                        span.number { (number) }
                        @if blocked {
                            mark { (Text(&indented(line))) }
                        } @else {
                            span { (Text(&indented(line))) }
                        }
                    }
                    "\n"
                }
            }
        }
    }
}

fn indented(line: &str) -> String {
    line.replace('\t', "    ")
}

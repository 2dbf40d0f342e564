//! Parses Go files with tree-sitter, within bounds.

use std::ops::ControlFlow;

use tree_sitter::{ParseOptions, ParseState, Parser, Tree};

/// Larger texts are generated; nobody blocks in them.
const MAX_TEXT: usize = 4 << 20;
/// The parser reports every hundred of its steps; a large file of the standard library needs some
/// thousand reports. Text that is no Go at all may need any number, and ends here.
const MAX_REPORTS: usize = 200_000;

/// The tree of a file; `None` where that takes too long.
pub(super) fn parse(text: &str) -> Option<Tree> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_go::LANGUAGE.into()).ok()?;
    let mut reports = 0;
    let mut bounded = |_: &ParseState| {
        reports += 1;
        if reports > MAX_REPORTS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut bounded);
    let mut read = |at: usize, _| text.as_bytes().get(at..).unwrap_or_default();
    parser.parse_with_options(&mut read, None, Some(options))
}

//! The keys, over everything else.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Paragraph};

use super::paint::Paint;
use crate::report::style::Role;
use crate::watch::keys::HELP;

/// Columns of the box.
const WIDTH: u16 = 68;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, paint: Paint) {
    let lines: Vec<_> = HELP
        .iter()
        .map(|&(keys, what)| {
            Line::from(vec![paint.span(Role::Number, format!(" {keys:<14} ")), what.into()])
        })
        .collect();
    let size = (WIDTH.min(area.width), (HELP.len() as u16 + 2).min(area.height));
    let popup = Rect {
        x: area.x + (area.width - size.0) / 2,
        y: area.y + (area.height - size.1) / 2,
        width: size.0,
        height: size.1,
    };
    frame.render_widget(Clear, popup);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" keys ")), popup);
}

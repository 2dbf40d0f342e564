//! Memory: what there is, what grows, which limit that leads to.

use std::io;

use super::{Page, format};
use crate::model::{Assessment, Level};
use crate::report::phrases;
use crate::report::style::Role;

/// Size classes that are named.
const CLASSES: usize = 5;

impl Page<'_> {
    /// In two or three lines; in all if details are asked for.
    pub(super) fn memory(&mut self, assessment: &Assessment) -> io::Result<()> {
        let Some(account) = &assessment.memory else { return Ok(()) };
        let dim = |texts: Vec<String>| -> Vec<(Role, String)> {
            texts.into_iter().map(|text| (Role::Dim, text)).collect()
        };
        let mut parts = dim(phrases::memory(account));
        if let Some((role, _)) = parts.first_mut() {
            *role = Role::Title;
        }
        self.summary_line("memory", &parts)?;
        let collector = phrases::collector(account);
        if !collector.is_empty() {
            self.summary_line("collector", &dim(collector))?;
        }
        if self.details {
            if let Some(parts) = &account.parts {
                self.summary_line("resident", &[(Role::Dim, phrases::rss_parts(parts))])?;
            }
            if let Some(large) = account.large.as_ref().filter(|it| !it.lines.is_empty()) {
                let lines = phrases::large_allocations(large, CLASSES);
                let lines = lines.iter().map(|text| format::clean(text).into_owned()).collect();
                self.summary_line("large", &dim(lines))?;
            }
            if let Some(heap) = account.now.heap.as_ref().filter(|it| !it.classes.is_empty()) {
                self.summary_line("objects", &dim(phrases::size_classes(heap, CLASSES)))?;
            }
        }
        if let Some(held) = &account.held {
            let text = format::clean(&phrases::held_heap(held)).into_owned();
            self.summary_line("held by", &[(Role::Title, text)])?;
        }
        if let Some(would) = &account.would_free {
            for text in phrases::would_free(would) {
                self.summary_line("garbage", &dim(vec![text]))?;
            }
        }
        for sentence in phrases::memory_growth(account) {
            self.summary_line(
                "growing",
                &[(Role::Warning, format::clean(&sentence).into_owned())],
            )?;
        }
        for limit in &account.limits {
            let role = match limit.level {
                Level::Normal if limit.reached_in.is_none() => Role::Dim,
                Level::Normal | Level::Moderate => Role::Warning,
                Level::High | Level::Critical => Role::Alarm,
            };
            if self.details || role != Role::Dim {
                self.summary_line("limit", &[(role, phrases::limit(limit))])?;
            }
        }
        Ok(())
    }
}

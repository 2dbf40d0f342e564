//! What the process holds of the kernel's: descriptors, threads, mappings, children.

use std::io;

use super::{Page, format};
use crate::model::{Assessment, Level};
use crate::report::phrases;
use crate::report::style::Role;

/// Names that are listed.
const NAMES: usize = 10;

impl Page<'_> {
    /// In a line or two; by what most of it leads to if details are asked for.
    pub(super) fn resources(&mut self, assessment: &Assessment) -> io::Result<()> {
        let Some(account) = &assessment.resources else { return Ok(()) };
        let dim = |texts: Vec<String>| -> Vec<(Role, String)> {
            texts.into_iter().map(|text| (Role::Dim, format::clean(&text).into_owned())).collect()
        };
        let mut parts = dim(phrases::resources(account));
        if let Some((role, _)) = parts.first_mut() {
            *role = Role::Title;
        }
        if !parts.is_empty() {
            self.summary_line("resources", &parts)?;
        }
        let kinds = phrases::resource_kinds(account);
        if !kinds.is_empty() {
            self.summary_line("held", &dim(kinds))?;
        }
        if self.details {
            for name in phrases::resource_names(account, NAMES) {
                self.summary_line("", &dim(vec![name]))?;
            }
        }
        for limit in &account.limits {
            let role = match limit.level {
                Level::Normal if limit.reached_in.is_none() => continue,
                Level::Normal | Level::Moderate => Role::Warning,
                Level::High | Level::Critical => Role::Alarm,
            };
            self.summary_line("limit", &[(role, phrases::resource_limit(limit))])?;
        }
        Ok(())
    }
}

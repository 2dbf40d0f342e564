//! What no sample sees: goroutines that came and went in between, by the place that created them.

use std::io;

use super::{Page, format};
use crate::model::{Assessment, Site};
use crate::report::style::Role;

/// Creation sites shown unless all is asked for.
const SITES: usize = 5;

impl Page<'_> {
    pub(super) fn sites(&mut self, assessment: &Assessment) -> io::Result<()> {
        let gone: Vec<&Site> = assessment.sites.iter().filter(|site| site.exited > 0).collect();
        if gone.is_empty() {
            return Ok(());
        }
        writeln!(self.out)?;
        self.line("created and gone between samples", &[])?;
        let shown = if self.top.is_some() { SITES.min(gone.len()) } else { gone.len() };
        for site in &gone[..shown] {
            self.site(site, assessment)?;
        }
        let rest = format::counted(
            (gone.len() - shown) as u64,
            "more creation site",
            "more creation sites",
        );
        if gone.len() > shown {
            self.line("    ", &[(Role::Dim, format!("… and {rest}: --all shows them"))])?;
        }
        Ok(())
    }

    fn site(&mut self, site: &Site, assessment: &Assessment) -> io::Result<()> {
        let mut parts = Vec::new();
        if let Some(rate) = site.rate() {
            parts.push((Role::Number, format::rate(rate)));
        }
        parts.push((Role::Dim, format!("{} gone", format::count(site.exited))));
        if let Some(median) = site.median_lifetime() {
            parts.push((Role::Dim, format!("half of them within {}", format::duration(median))));
        }
        self.line("    ", &parts)?;
        let Some(created_by) = site.created_by else { return Ok(()) };
        self.place("  created  ", created_by, Role::Title, &assessment.stacks)
    }
}

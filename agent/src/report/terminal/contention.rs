//! Contention by line, as the program's own block and mutex profiles count it.

use std::io;

use super::{Page, format};
use crate::model::{Assessment, ContendedLines, LinesOf};
use crate::report::phrases;
use crate::report::style::Role;

/// Lines of each kind that are shown unless all is asked for.
const LINES: usize = 5;

impl Page<'_> {
    pub(super) fn contention(&mut self, assessment: &Assessment) -> io::Result<()> {
        let ContendedLines { waits, releases } = &assessment.contention;
        self.contended("waited for others, by the block profile", waits.as_ref(), assessment)?;
        self.contended("others waited for, by the mutex profile", releases.as_ref(), assessment)
    }

    fn contended(
        &mut self,
        title: &str,
        of: Option<&LinesOf>,
        assessment: &Assessment,
    ) -> io::Result<()> {
        let Some(of) = of else { return Ok(()) };
        let lines = &of.lines;
        writeln!(self.out)?;
        self.line(&format!("{title}, {}", phrases::contended_over(of)), &[])?;
        if lines.is_empty() {
            return self.line("    ", &[(Role::Dim, "nobody".to_owned())]);
        }
        let shown = if self.top.is_some() { LINES.min(lines.len()) } else { lines.len() };
        for line in &lines[..shown] {
            let mut parts = vec![
                (Role::Number, format::duration(line.delay)),
                (Role::Dim, format!("in {}", format::counted(line.count, "wait", "waits"))),
            ];
            parts.extend(phrases::within(line, of).map(|text| (Role::Dim, text)));
            if line.waiting > 0 {
                let waiting = format::counted(line.waiting, "goroutine waits", "goroutines wait");
                parts.push((Role::Wait, format!("{waiting} there now")));
            }
            self.line("    ", &parts)?;
            self.place("  at       ", line.at, Role::Title, &assessment.stacks)?;
        }
        if lines.len() > shown {
            let rest = format::counted((lines.len() - shown) as u64, "more line", "more lines");
            self.line("    ", &[(Role::Dim, format!("… and {rest}: --all shows them"))])?;
        }
        Ok(())
    }
}

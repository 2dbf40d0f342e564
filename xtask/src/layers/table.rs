//! The rooms' table of docs/architecture.md, as rules.

use anyhow::{Context, Result, ensure};

/// The heading by which the table is found.
const HEADING: [&str; 3] = ["room", "may use rooms", "may not use crates"];

/// The rules of all rooms.
#[derive(Debug)]
pub struct Table {
    rules: Vec<Rule>,
}

/// What one room may use.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The room: `collect`, or `collect/*` for each of its parts.
    pub room: String,
    /// The rooms that it may use, besides itself.
    pub rooms: Vec<String>,
    /// Paths outside the crate that it may not use, with all behind them.
    pub forbidden: Vec<String>,
    /// The only dependencies that it may use, where that is limited.
    pub only: Option<Vec<String>>,
}

impl Table {
    /// Reads the table in a Markdown text.
    pub fn read(markdown: &str) -> Result<Self> {
        let mut lines = markdown.lines().map(cells);
        lines
            .by_ref()
            .find(|cells| cells == &HEADING)
            .with_context(|| format!("there is no table headed | {} |", HEADING.join(" | ")))?;
        let rows = lines.skip(1).take_while(|cells| !cells.is_empty());
        let rules = rows.map(|cells| rule(&cells)).collect::<Result<Vec<_>>>()?;
        ensure!(!rules.is_empty(), "the table of rooms has no rows");
        let table = Self { rules };
        for rule in &table.rules {
            for room in &rule.rooms {
                ensure!(
                    table.rules.iter().any(|known| &known.room == room),
                    "room {} may use {room}, which has no row",
                    rule.room
                );
            }
        }
        Ok(table)
    }

    /// The rule for a module: that of its part of a room, where there is one, else the room's.
    pub fn rule_for(&self, module: &[String]) -> Option<&Rule> {
        let room = module.first()?;
        let part = module.get(1).and_then(|_| {
            let parts = format!("{room}/*");
            self.rules.iter().find(|rule| rule.room == parts)
        });
        part.or_else(|| self.rules.iter().find(|rule| &rule.room == room))
    }
}

impl Rule {
    /// Whether the rule is for a room's parts, which may not know each other.
    pub fn is_for_parts(&self) -> bool {
        self.room.ends_with("/*")
    }
}

fn rule(cells: &[String]) -> Result<Rule> {
    let [room, rooms, crates] = cells else {
        anyhow::bail!("a row of the rooms' table has {} cells: {}", cells.len(), cells.join(" | "));
    };
    let mut rule =
        Rule { room: room.clone(), rooms: list(rooms), forbidden: Vec::new(), only: None };
    for clause in crates.split(';').map(str::trim) {
        if clause == "every crate" {
            rule.only = Some(Vec::new());
        } else if let Some(only) = clause.strip_prefix("every crate but ") {
            rule.only = Some(list(only));
        } else {
            rule.forbidden.extend(list(clause));
        }
    }
    Ok(rule)
}

/// The cells of a row, without code marks; none for a line that is no row.
fn cells(line: &str) -> Vec<String> {
    let Some(row) = line.trim().strip_prefix('|') else { return Vec::new() };
    row.strip_suffix('|')
        .unwrap_or(row)
        .split('|')
        .map(|cell| cell.replace('`', "").trim().to_owned())
        .collect()
}

fn list(cell: &str) -> Vec<String> {
    let words = cell.split(',').map(str::trim);
    words.filter(|word| !word.is_empty() && *word != "-").map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const TEXT: &str = "# Title\n\n| a | b |\n|---|---|\n| x | y |\n\n\
        | room | may use rooms | may not use crates |\n|---|---|---|\n\
        | `model` | - | every crate but serde; std::fs, std::net |\n\
        | collect | model | `ratatui` |\n\
        | collect/* | collect, model | - |\n\nMore text | here |\n";

    #[test]
    fn rows_become_rules() {
        let table = Table::read(TEXT).unwrap();
        assert_eq!(table.rules.len(), 3);
        let model = table.rule_for(&["model".into(), "time".into()]).unwrap();
        assert_eq!(model.only, Some(vec!["serde".into()]));
        assert_eq!(model.forbidden, ["std::fs", "std::net"]);
        assert!(model.rooms.is_empty());
        assert_eq!(table.rule_for(&["collect".into()]).unwrap().room, "collect");
        let part = table.rule_for(&["collect".into(), "attach".into()]).unwrap();
        assert!(part.is_for_parts());
        assert_eq!(part.rooms, ["collect", "model"]);
        assert!(table.rule_for(&["attic".into()]).is_none());
    }

    #[test]
    fn a_broken_table_is_refused() {
        assert!(Table::read("no table").is_err());
        let unknown = TEXT.replace("| collect | model |", "| collect | modle |");
        assert!(format!("{:#}", Table::read(&unknown).unwrap_err()).contains("modle"));
        let short = TEXT.replace("| `ratatui` |", "");
        assert!(Table::read(&short).is_err());
    }
}

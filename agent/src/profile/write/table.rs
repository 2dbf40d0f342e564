//! Columns that are parted by as many tabs as they need to stand below each other (`text/tabwriter`, as
//! `runtime/pprof` sets it up: a tab is 8 columns wide, and at least one blank parts two cells).

const TAB: usize = 8;

/// A line of a stack: its address, and the function and place where it has them.
pub(super) struct Row {
    pub(super) address: String,
    pub(super) named: Option<(String, String)>,
}

/// The lines, each behind a `#`. A column is as wide as its widest cell in lines that follow each other.
pub(super) fn lines(rows: &[Row], text: &mut String) {
    for run in rows.chunk_by(|a, b| a.named.is_some() == b.named.is_some()) {
        let addresses = width(run.iter().map(|row| row.address.as_str()));
        let functions =
            width(run.iter().filter_map(|row| row.named.as_ref()).map(|(function, _)| &**function));
        for Row { address, named } in run {
            text.push_str("#\t");
            text.push_str(address);
            if let Some((function, place)) = named {
                pad(address, addresses, text);
                text.push_str(function);
                pad(function, functions, text);
                text.push_str(place);
            }
            text.push('\n');
        }
    }
}

fn columns(cell: &str) -> usize {
    cell.chars().count()
}

/// Where the next column begins.
fn width<'a>(cells: impl Iterator<Item = &'a str>) -> usize {
    (cells.map(columns).max().unwrap_or(0) + 1).next_multiple_of(TAB)
}

fn pad(cell: &str, width: usize, text: &mut String) {
    let tabs = (width - columns(cell)).div_ceil(TAB);
    text.extend(std::iter::repeat_n('\t', tabs));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a tabwriter of Go made of the same cells.
    #[test]
    fn columns_are_as_wide_as_go_makes_them() {
        let row = |address: &str, function: &str| Row {
            address: address.to_owned(),
            named: (!function.is_empty()).then(|| (function.to_owned(), "/m.go:9".to_owned())),
        };
        let rows = [
            row("0x47b0c4", "time.Sleep+0x1"),
            row("0x4b8a2", "main.work.func1.1+0x24"),
            row("0x1", ""),
            row("0x4b8a24", "main.abc+0x1234"),
        ];
        let mut text = String::new();
        lines(&rows, &mut text);
        let expected = "#\t0x47b0c4\ttime.Sleep+0x1\t\t/m.go:9\n\
                        #\t0x4b8a2\t\tmain.work.func1.1+0x24\t/m.go:9\n\
                        #\t0x1\n\
                        #\t0x4b8a24\tmain.abc+0x1234\t/m.go:9\n";
        assert_eq!(text, expected);
    }
}

//! The page that lists a program's profiles, each with how many entries it has (`Index`,
//! `net/http/pprof/pprof.go`, Go 1.21 to 1.27).

/// An index is no larger than this.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// How counts of goroutines begin.
pub(super) const COUNTS: &[u8] = b"goroutine profile: total ";

/// Profiles are no more than this.
const MAX_PROFILES: usize = 256;

/// What an index says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    profiles: Vec<(String, u64)>,
}

impl Index {
    /// Reads the page; `None` where it is another page.
    pub(super) fn read(page: &str) -> Option<Self> {
        let rows = page.split("<tr>").skip(1).take(MAX_PROFILES);
        let profiles: Vec<_> = rows.filter_map(row).collect();
        let index = Self { profiles };
        index.goroutines().is_some().then_some(index)
    }

    /// How many goroutines there are.
    pub(super) fn goroutines(&self) -> Option<u64> {
        self.count("goroutine")
    }

    /// Whether a profile is served.
    pub(super) fn has(&self, profile: &str) -> bool {
        self.count(profile).is_some()
    }

    /// How many entries a profile has; `None` where it is not served.
    pub(super) fn count(&self, profile: &str) -> Option<u64> {
        self.profiles.iter().find(|(name, _)| name == profile).map(|(_, count)| *count)
    }
}

/// `<td>5</td><td><a href='goroutine?debug=1'>goroutine</a></td>`: a count and a name.
fn row(text: &str) -> Option<(String, u64)> {
    let text = text.split("</tr>").next()?;
    let mut words = text.split('<').filter_map(|piece| piece.split_once('>'));
    let mut words = words.by_ref().map(|(_, text)| text.trim()).filter(|text| !text.is_empty());
    let count = words.next()?.parse().ok()?;
    let name = words.next()?;
    Some((name.to_owned(), count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read() {
        let page = "<html>\n<head>\n<title>/debug/pprof/</title></head><table>\n\
            <thead><td>Count</td><td>Profile</td></thead>\n\
            <tr><td>7</td><td><a href='allocs?debug=1'>allocs</a></td></tr>\n\
            <tr><td>12345</td><td><a href='goroutine?debug=1'>goroutine</a></td></tr>\n\
            <tr><td>0</td><td><a href='goroutineleak?debug=1'>goroutineleak</a></td></tr>\n</table>";
        let index = Index::read(page).expect("an index");
        assert_eq!(index.goroutines(), Some(12_345));
        assert!(index.has("goroutineleak") && !index.has("heap"));
        for other in ["", "<html><table><tr><td>1</td><td>potatoes</td></tr>", "<tr><tr><td>"] {
            assert_eq!(Index::read(other), None, "{other}");
        }
    }
}

//! Points in time, as names of files and lines of logs write them.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use crate::model::Timestamp;

/// Bytes of a line in which its time stamp is searched.
const MAX_STAMP: usize = 160;

/// Seconds since the Unix epoch that a name may mean: from 2001 to 2100.
const SECONDS: std::ops::Range<i64> = 978_307_200..4_102_444_800;

/// The time that a file's name says: a date, with or without a time of day, or the seconds since the Unix
/// epoch, or their thousandths, millionths or billionths. In UTC unless it says another offset.
pub(super) fn of_name(name: &str) -> Option<Timestamp> {
    let text = name.as_bytes();
    starts(text).find_map(|at| {
        let cursor = Cursor { text, at };
        cursor.clone().stamp(true).or_else(|| cursor.unix())
    })
}

/// The time that a log's line was written at, as its first stamp says. What says no year is of the latest one
/// in which it is not later than a day after `latest`.
pub(super) fn of_line(line: &[u8], latest: Timestamp) -> Option<Timestamp> {
    let text = line.get(..MAX_STAMP).unwrap_or(line);
    let plain = starts(text).find_map(|at| Cursor { text, at }.stamp(false));
    plain.or_else(|| {
        let mut words =
            (0..text.len()).filter(|&at| at == 0 || !text[at - 1].is_ascii_alphanumeric());
        words.find_map(|at| Cursor { text, at }.stamp_without_year(latest))
    })
}

/// Where numbers start.
fn starts(text: &[u8]) -> impl Iterator<Item = usize> {
    let digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    (0..text.len()).filter(move |&at| digit(at) && (at == 0 || !digit(at - 1)))
}

const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

#[derive(Clone)]
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Steps over a byte that is one of these, and says which it was.
    fn one_of(&mut self, which: &[u8]) -> Option<u8> {
        let byte = self.peek().filter(|byte| which.contains(byte))?;
        self.at += 1;
        Some(byte)
    }

    /// A number of so many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let text = self.text.get(self.at..self.at + digits)?;
        if !text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.at += digits;
        std::str::from_utf8(text).ok()?.parse().ok()
    }

    /// `2026-01-02T15:04:05.123+01:00`, with any of the usual separators or none.
    fn stamp(mut self, or_date: bool) -> Option<Timestamp> {
        let year = self.number(4).filter(|year| (1990..2200).contains(year))?;
        let between = self.one_of(b"-/._");
        let month = self.number(2)?;
        if self.one_of(between.as_slice()) != between {
            return None;
        }
        let day = self.number(2)?;
        let date = [year, month, day];
        let behind = self.clone();
        let time = self.one_of(b"T t_-/").and_then(|_| self.time_of_day());
        let is_date = between.is_some() && !behind.peek().is_some_and(|byte| byte.is_ascii_digit());
        match time {
            Some((time, ns)) => timestamp(date, time, ns, self.offset()),
            None if or_date && is_date => timestamp(date, [0; 3], 0, 0),
            None => None,
        }
    }

    /// Hours, minutes and seconds, and nanoseconds.
    fn time_of_day(&mut self) -> Option<([i64; 3], i64)> {
        let hour = self.number(2)?;
        let between = self.one_of(b":-_.h");
        let minute = self.number(2)?;
        let next = between.map(|between| if between == b'h' { b'm' } else { between });
        if self.one_of(next.as_slice()) != next {
            return None;
        }
        let second = self.number(2)?;
        Some(([hour, minute, second], self.fraction()))
    }

    fn fraction(&mut self) -> i64 {
        let mut ahead = self.clone();
        let digits = match ahead.one_of(b".,") {
            None => 0,
            Some(_) => ahead.text[ahead.at..].iter().take_while(|it| it.is_ascii_digit()).count(),
        };
        let kept = digits.min(9);
        let Some(value) = (kept > 0).then(|| ahead.number(kept)).flatten() else { return 0 };
        self.at = ahead.at + digits - kept;
        value * 10_i64.pow(9 - kept as u32)
    }

    /// Seconds east of UTC, which is where it says nothing.
    fn offset(&mut self) -> i64 {
        _ = self.one_of(b" ");
        let Some(sign) = self.one_of(b"+-") else { return 0 };
        let Some(hours) = self.number(2) else { return 0 };
        _ = self.one_of(b":");
        let minutes = self.number(2).unwrap_or(0);
        let seconds = hours * 3600 + minutes * 60;
        if sign == b'-' { -seconds } else { seconds }
    }

    /// A run of digits that are seconds since the Unix epoch, or parts of them.
    fn unix(mut self) -> Option<Timestamp> {
        let digits = self.text[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let scale = match digits {
            10 => 1_000_000_000,
            13 => 1_000_000,
            16 => 1_000,
            19 => 1,
            _ => return None,
        };
        let ns = self.number(digits)?.checked_mul(scale)?;
        SECONDS.contains(&(ns / 1_000_000_000)).then_some(Timestamp::from_unix_ns(ns))
    }

    /// `Nov 29 10:00:00` of syslog, or `I1129 10:00:00.123456` of klog.
    fn stamp_without_year(mut self, latest: Timestamp) -> Option<Timestamp> {
        let named = self.text.get(self.at..self.at + 3)?;
        let (month, day) = match MONTHS.iter().position(|month| *month == named) {
            Some(month) => {
                self.at += 3;
                self.one_of(b" ")?;
                _ = self.one_of(b" ");
                let day = self.number(2).or_else(|| self.number(1))?;
                (month as i64 + 1, day)
            }
            None => {
                self.one_of(b"IWEF")?;
                (self.number(2)?, self.number(2)?)
            }
        };
        self.one_of(b" ")?;
        let (time, ns) = self.time_of_day()?;
        let bound = latest.unix_ns().saturating_add(86_400_000_000_000);
        let year = jiff::Timestamp::from_nanosecond(bound.into()).ok()?;
        let year = i64::from(TimeZone::UTC.to_datetime(year).year());
        [year, year - 1]
            .into_iter()
            .filter_map(|year| timestamp([year, month, day], time, ns, 0))
            .find(|at| at.unix_ns() <= bound)
    }
}

fn timestamp(date: [i64; 3], time: [i64; 3], ns: i64, offset: i64) -> Option<Timestamp> {
    let [year, month, day] = date;
    let [hour, minute, second] = time.map(|part| i8::try_from(part).ok());
    let civil = DateTime::new(
        year.try_into().ok()?,
        month.try_into().ok()?,
        day.try_into().ok()?,
        hour?,
        minute?,
        // A leap second is the one before it.
        second?.min(59),
        ns.try_into().ok()?,
    );
    let offset = Offset::from_seconds(offset.try_into().ok()?).ok()?;
    let at = offset.to_timestamp(civil.ok()?).ok()?;
    Some(Timestamp::from_unix_ns(at.as_nanosecond().try_into().ok()?))
}

/// What names are sorted by, so that `2.txt` is before `10.txt`: numbers by their value.
pub(super) fn order(name: &str) -> Vec<(bool, u128, &str)> {
    let is_digit = |c: char| c.is_ascii_digit();
    let mut parts = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_digit(c) != is_digit(first)).unwrap_or(rest.len());
        let (part, behind) = rest.split_at(end);
        let value = if is_digit(first) { part.parse().unwrap_or(u128::MAX) } else { 0 };
        parts.push((is_digit(first), value, part));
        rest = behind;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(at: Option<Timestamp>) -> String {
        at.map_or_else(String::new, |at| {
            let at = jiff::Timestamp::from_nanosecond(at.unix_ns().into()).expect("in range");
            at.to_string()
        })
    }

    #[test]
    fn names_say_when_in_many_ways() {
        for (name, said) in [
            ("goroutine-2026-01-02T15:04:05Z.txt", "2026-01-02T15:04:05Z"),
            ("2026-01-02T15-04-05.123.txt", "2026-01-02T15:04:05.123Z"),
            ("shop_20260102T150405Z.pb.gz", "2026-01-02T15:04:05Z"),
            ("shop-20260102-150405.pb.gz", "2026-01-02T15:04:05Z"),
            ("2026-01-02_15_04_05+0130.txt", "2026-01-02T13:34:05Z"),
            ("dump.2026-01-02.txt", "2026-01-02T00:00:00Z"),
            ("goroutine.1700000000.txt", "2023-11-14T22:13:20Z"),
            ("g1700000000123.pb.gz", "2023-11-14T22:13:20.123Z"),
            ("pprof.shop.goroutine.001.pb.gz", ""),
            ("shop-v20260102.txt", ""),
            ("4711-99999999999999999999.txt", ""),
            ("2026-13-45T00:00:00.txt", ""),
            ("7777777777.txt", ""),
            ("", ""),
        ] {
            assert_eq!(text(of_name(name)), said, "{name}");
        }
    }

    #[test]
    fn lines_of_logs_say_when() {
        let latest = of_name("2026-01-02T00:00:00").expect("a time");
        for (line, said) in [
            ("2026/01/02 15:04:05 goroutine 1 [running]:", "2026-01-02T15:04:05Z"),
            ("2025-12-31T23:59:60.5+01:00 stderr F goroutine 1", "2025-12-31T22:59:59.5Z"),
            (
                r#"{"log":"goroutine 1 [running]:\n","time":"2026-01-02T15:04:05.25Z"}"#,
                "2026-01-02T15:04:05.25Z",
            ),
            ("Nov 29 10:00:00 host svc[123]: goroutine 1 [running]:", "2025-11-29T10:00:00Z"),
            ("Jan  2 10:00:00 host svc[123]: goroutine 1 [running]:", "2026-01-02T10:00:00Z"),
            ("E1129 10:00:00.123456       1 main.go:7] goroutine 1", "2025-11-29T10:00:00.123456Z"),
            ("goroutine 1700000000 [running]:", ""),
            ("goroutine 20 [chan receive, 10 minutes]:", ""),
            ("", ""),
        ] {
            assert_eq!(text(of_line(line.as_bytes(), latest)), said, "{line}");
        }
    }

    #[test]
    fn numbers_in_names_are_sorted_by_value() {
        let mut names = ["g10.txt", "g9.txt", "a", "g.txt", "g010a", "g9", "7"];
        names.sort_by(|a, b| order(a).cmp(&order(b)));
        assert_eq!(names, ["a", "g9", "g9.txt", "g010a", "g10.txt", "g.txt", "7"]);
    }
}

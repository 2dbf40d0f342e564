//! Numbers, times and names as people read them, in as little room as there is.

use std::borrow::Cow;
use std::time::Duration;

use crate::model::function::{self, Origin};
use crate::model::{FrameId, Group, Rate, RateBasis, Rates, StackTable};
pub use crate::units::{bytes, count, counted, duration, plural};

/// An RFC 3339 time as people read it, to the second: `2026-11-20 08:00:02 UTC`.
#[must_use]
pub fn date(time: &str) -> String {
    let seconds = time.split('.').next().unwrap_or(time).trim_end_matches('Z');
    format!("{} UTC", seconds.replacen('T', " ", 1))
}

/// An RFC 3339 time as people read it within a window of this length: `08:00:02 UTC`, with the day where the window is
/// a day or longer.
#[must_use]
pub fn clock(time: &str, window: Duration) -> String {
    let date = date(time);
    let is_long = window >= Duration::from_hours(24);
    let clock = date.split_once(' ').map_or(&*date, |(_, clock)| clock);
    if is_long { date } else { clock.to_owned() }
}

/// What is less is shown as no change: one in 200 seconds.
const MIN_CHANGE: f64 = 0.005;

/// Whether a change by the second is shown as growth.
#[must_use]
pub fn is_growth(per_second: f64) -> bool {
    per_second >= MIN_CHANGE
}

/// A change by the second, with its sign: `+50.1/s`, `0/s`.
#[must_use]
pub fn growth(per_second: f64) -> String {
    let size = per_second.abs();
    match size {
        _ if size < MIN_CHANGE => "0/s".to_owned(),
        _ if size < 1.0 => format!("{per_second:+.2}/s"),
        _ if size < 1000.0 => format!("{per_second:+.1}/s"),
        _ => format!("{per_second:+.0}/s"),
    }
}

/// What stands before a rate: nothing where it is exact, `≈` where it is an estimate, `≥` where some
/// were not seen.
const fn mark(basis: RateBasis) -> &'static str {
    match basis {
        RateBasis::Exact => "",
        RateBasis::Estimate => "≈",
        RateBasis::LowerBound => "≥",
    }
}

/// Creations and exits: `≈+50.1 created/s  ≈-0.1 exited/s`.
#[must_use]
pub fn rates(rates: Rates) -> String {
    let Rates { created_per_second, exited_per_second, basis, .. } = rates;
    let mark = mark(basis);
    format!("{mark}+{created_per_second:.1} created/s  {mark}-{exited_per_second:.1} exited/s")
}

/// A rate: `50.1/s`, `≈1,002/s`, `≥0.1/s`.
#[must_use]
pub fn rate(rate: Rate) -> String {
    format!("{}{}/s", mark(rate.basis), figure(rate.per_second))
}

/// How far off an estimate may be: `95 %: 940 to 1,060`.
#[must_use]
pub fn interval(rate: Rate) -> Option<String> {
    let (low, high) = rate.interval?;
    Some(format!("95 %: {} to {}", figure(low), figure(high)))
}

fn figure(per_second: f64) -> String {
    match per_second {
        _ if per_second >= 100.0 => count(per_second.round() as u64),
        _ if per_second > 0.0 && per_second < 1.0 => format!("{per_second:.2}"),
        _ => format!("{per_second:.1}"),
    }
}

/// What a group waits on, and how many wait on that; `None` when it was not found.
#[must_use]
pub fn objects(group: &Group) -> Option<String> {
    let (address, members) = group.object?;
    let waiters = counted(group.object_waiters, "goroutine", "goroutines");
    Some(match group.objects {
        1 => format!("{address:#x}, {waiters} in all"),
        // Each on its own: which one is named says nothing.
        objects if members == 1 && group.object_waiters == 1 => {
            format!("{} objects, one goroutine on each", count(objects))
        }
        objects => format!(
            "{} objects; {} of the group on {address:#x}, {waiters} in all",
            count(objects),
            count(members),
        ),
    })
}

/// Text from the target without what could steer a terminal, break a line or reorder what stands
/// around it.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.contains(steers) {
        Cow::Owned(text.replace(steers, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Control characters, Unicode's line and paragraph separators, and its bidirectional embeddings,
/// overrides, isolates and marks.
fn steers(c: char) -> bool {
    let reorders =
        matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    c.is_control() || reorders || matches!(c, '\u{2028}' | '\u{2029}')
}

/// How many columns a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().count()
}

/// A frame as two texts, function and place, each within its room where that can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameText {
    /// The function, or what stands for it.
    pub function: String,
    /// `FILE:LINE`, never cut before its file name; empty for an unresolved frame.
    pub place: String,
    /// Whether the frame was inlined into the next.
    pub inlined: bool,
    /// Whether it is the runtime's.
    pub runtime: bool,
    /// Whether it is the program's own, neither Go's nor a module's.
    pub own: bool,
}

impl FrameText {
    /// The function without its import path's directories.
    #[must_use]
    pub fn short(&self) -> &str {
        function::short(&self.function)
    }

    /// Its package's import path.
    #[must_use]
    pub fn package(&self) -> &str {
        function::package(&self.function)
    }

    /// File name and line without directories.
    #[must_use]
    pub fn line(&self) -> &str {
        self.place.rsplit('/').next().unwrap_or_default()
    }

    /// `main.(*T).run (main.go:41)`: in as little room as says it.
    #[must_use]
    pub fn brief(&self) -> String {
        match self.line() {
            "" => self.short().to_owned(),
            line => format!("{} ({line})", self.short()),
        }
    }
}

/// A frame with its names in full.
#[must_use]
pub fn frame(stacks: &StackTable, id: FrameId) -> FrameText {
    match stacks.lookup(id) {
        Ok(frame) => {
            let origin = function::origin(frame.function, frame.file);
            FrameText {
                function: clean(frame.function).into_owned(),
                place: format!("{}:{}", clean(frame.file), frame.line),
                inlined: frame.inlined,
                runtime: origin == Origin::Runtime,
                own: origin == Origin::User,
            }
        }
        Err(pc) => FrameText {
            function: format!("{pc:#x} (no symbol)"),
            place: String::new(),
            inlined: false,
            runtime: false,
            own: false,
        },
    }
}

/// A function's name in at most `room` columns: first its import path's directories go, then its
/// type arguments, then its end.
#[must_use]
pub fn fit_function(name: &str, room: usize) -> Cow<'_, str> {
    if width(name) <= room {
        return Cow::Borrowed(name);
    }
    let short = function::short(name);
    if width(short) <= room {
        return Cow::Borrowed(short);
    }
    let normal = function::normalise(short);
    if width(&normal) <= room {
        return normal;
    }
    Cow::Owned(cut(&normal, room))
}

/// A place in at most `room` columns if that leaves file name and line whole: directories go
/// first, from the left.
#[must_use]
pub fn fit_place(place: &str, room: usize) -> Cow<'_, str> {
    if width(place) <= room {
        return Cow::Borrowed(place);
    }
    let mut shortest = place;
    for (at, _) in place.match_indices('/') {
        // The path goes on behind an ellipsis, which takes a column.
        let rest = &place[at..];
        if rest.len() > 1 {
            shortest = rest;
        }
        if width(rest) < room {
            break;
        }
    }
    if shortest.len() == place.len() {
        return Cow::Borrowed(place);
    }
    Cow::Owned(format!("…{shortest}"))
}

/// The start of a text, with an ellipsis if it is cut.
#[must_use]
pub fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(room.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// The ids of some of so many goroutines: `12, 13, …`; `None` where no id is known.
#[must_use]
pub fn goids(some: &[u64], count: u64) -> Option<String> {
    let mut ids: Vec<_> = some.iter().map(u64::to_string).collect();
    if ids.is_empty() {
        return None;
    }
    if count > ids.len() as u64 {
        ids.push("…".to_owned());
    }
    Some(ids.join(", "))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ids_are_some_all_or_not_known() {
        assert_eq!(goids(&[1, 2], 2).as_deref(), Some("1, 2"));
        assert_eq!(goids(&[1, 2], 7).as_deref(), Some("1, 2, …"));
        assert_eq!(goids(&[], 2_189), None);
    }

    #[test]
    fn counts_have_separators() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(count(number), expected);
        }
        assert_eq!(counted(1, "group", "groups"), "1 group");
        assert_eq!(counted(0, "group", "groups"), "0 groups");
    }

    #[test]
    fn durations_use_two_units_at_most() {
        for (millis, expected) in [
            (0, "0s"),
            (4, "4.0ms"),
            (44_190, "44.1s"),
            (59_999, "59.9s"),
            (200_000, "3m20s"),
            (7_500_000, "2h05m"),
            (273_600_000, "3d04h"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), expected);
        }
        assert_eq!(duration(Duration::from_micros(70)), "70µs");
    }

    #[test]
    fn dates_are_read_to_the_second() {
        for time in ["2026-11-20T08:00:02.125Z", "2026-11-20T08:00:02Z"] {
            assert_eq!(date(time), "2026-11-20 08:00:02 UTC");
        }
    }

    #[test]
    fn growth_has_a_sign_unless_there_is_none() {
        for (rate, expected) in
            [(0.0, "0/s"), (-0.001, "0/s"), (0.25, "+0.25/s"), (-3.0, "-3.0/s"), (12e3, "+12000/s")]
        {
            assert_eq!(growth(rate), expected);
        }
    }

    #[test]
    fn rates_say_how_well_they_are_known() {
        let rates = |basis| Rates { basis, ..Rates::at_least(50.12, 0.0) };
        for (basis, expected) in [
            (RateBasis::Exact, "+50.1 created/s  -0.0 exited/s"),
            (RateBasis::Estimate, "≈+50.1 created/s  ≈-0.0 exited/s"),
            (RateBasis::LowerBound, "≥+50.1 created/s  ≥-0.0 exited/s"),
        ] {
            assert_eq!(super::rates(rates(basis)), expected);
        }
        let estimate = Rate {
            per_second: 1001.6,
            basis: RateBasis::Estimate,
            interval: Some((940.2, 1060.0)),
        };
        assert_eq!(rate(estimate), "≈1,002/s");
        assert_eq!(interval(estimate).as_deref(), Some("95 %: 940 to 1,060"));
        let bound = Rate { per_second: 0.12, basis: RateBasis::LowerBound, interval: None };
        assert_eq!((rate(bound).as_str(), interval(bound)), ("≥0.12/s", None));
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes(17), "17 B");
        assert_eq!(bytes(17 << 20), "17.0 MiB");
        assert_eq!(bytes(u64::MAX), "17179869184.0 GiB");
    }

    #[test]
    fn a_function_loses_directories_then_type_arguments_then_its_end() {
        let name = "github.com/acme/db.(*Pool[go.shape.int]).get.func1";
        assert_eq!(fit_function(name, 80), name);
        assert_eq!(fit_function(name, 40), "db.(*Pool[go.shape.int]).get.func1");
        assert_eq!(fit_function(name, 22), "db.(*Pool).get.func1");
        assert_eq!(fit_function(name, 10), "db.(*Pool…");
    }

    #[test]
    fn a_place_loses_directories_and_never_file_or_line() {
        let place = "/root/go/pkg/mod/github.com/acme/db@v1.2.3/pool.go:1234";
        assert_eq!(fit_place(place, 80), place);
        assert_eq!(fit_place(place, 30), "…/acme/db@v1.2.3/pool.go:1234");
        assert_eq!(fit_place(place, 3), "…/pool.go:1234");
        assert_eq!(fit_place("main.go:7", 3), "main.go:7");
    }

    #[test]
    fn escape_sequences_of_the_target_do_not_reach_the_terminal() {
        assert_eq!(clean("main.\x1b[2Jx\u{9b}"), "main.\u{fffd}[2Jx\u{fffd}");
    }

    #[test]
    fn a_label_of_several_lines_is_one_line() {
        let label = clean("one\ntwo\r\u{85}three\u{2028}four\u{2029}\u{202e}evif");
        assert_eq!(label, "one\u{fffd}two\u{fffd}\u{fffd}three\u{fffd}four\u{fffd}\u{fffd}evif");
    }
}

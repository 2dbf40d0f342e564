//! Texts with places for what has happened: `{service}: {class} at {place}`.

use crate::report::schema::{AlertDoc, AlertEventDoc};
use crate::units;

/// A text with places in braces; `{{` and `}}` are braces themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(usize),
}

/// What a place becomes: of the whole alert, and of one event.
type Told = fn(&AlertDoc, &AlertEventDoc) -> String;

/// The places that there are, and what each becomes. What is not known becomes nothing.
pub const PLACES: [(&str, Told); 18] = [
    ("alert", |alert, _| alert.alert.clone()),
    ("summary", |alert, _| summary(alert)),
    ("events", |alert, _| alert.events.len().to_string()),
    ("target", |alert, _| alert.target.name.clone()),
    ("service", |alert, _| label(alert, "service_name")),
    ("host", |alert, _| label(alert, "host")),
    ("pid", |alert, _| alert.target.pid.map_or_else(String::new, |pid| pid.to_string())),
    ("event", |_, event| event.event.name().to_owned()),
    ("class", |_, event| event.finding.class.name().to_owned()),
    ("verdict", |_, event| event.finding.verdict.name().to_owned()),
    ("severity", |_, event| event.finding.severity.name().to_owned()),
    ("goroutines", |_, event| units::count(event.finding.count)),
    ("place", |_, event| place(event)),
    ("at", |_, event| match place(event) {
        place if place.is_empty() => place,
        place => format!(" at {place}"),
    }),
    ("cause", |_, event| event.finding.cause.as_deref().unwrap_or_default().to_owned()),
    ("fix", |_, event| event.fix.clone().unwrap_or_default()),
    ("finding", |_, event| event.finding.id.to_string()),
    ("fingerprint", |_, event| event.fingerprint.clone()),
];

/// One line for a message, unless the configuration has another.
const TITLE: &str = "{target}: {summary}";

/// What an event is told by, unless the configuration has another text.
const TEXT: &str = "{event}: {class}, {verdict}, {severity}{at}: {cause}";

impl Template {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            if let Some(after) = from.strip_prefix("{{") {
                plain.push('{');
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                plain.push('}');
                rest = after;
            } else if let Some((name, after)) =
                from.strip_prefix('{').and_then(|inside| inside.split_once('}'))
            {
                let place = PLACES.iter().position(|(place, _)| *place == name);
                let place = place.ok_or_else(|| unknown(name))?;
                pieces.extend([Piece::Text(std::mem::take(&mut plain)), Piece::Place(place)]);
                rest = after;
            } else {
                return Err("a brace that stands for itself is written twice".to_owned());
            }
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        Ok(Self(pieces))
    }

    /// That of a message's line where nobody wrote one.
    #[must_use]
    pub fn title() -> Self {
        Self::parse(TITLE).unwrap_or(Self(Vec::new()))
    }

    /// That of an event where nobody wrote one.
    #[must_use]
    pub fn text() -> Self {
        Self::parse(TEXT).unwrap_or(Self(Vec::new()))
    }

    /// The text of one event.
    #[must_use]
    pub fn fill(&self, alert: &AlertDoc, event: &AlertEventDoc) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Place(place) => PLACES[*place].1(alert, event),
        };
        self.0.iter().map(piece).collect()
    }
}

fn unknown(name: &str) -> String {
    let near = PLACES
        .iter()
        .map(|(place, _)| (strsim::jaro_winkler(place, name), place))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let near = near.map(|(_, place)| format!("; {{{place}}}, if that is what is meant"));
    format!("there is no {{{name}}}{}", near.unwrap_or_default())
}

fn label(alert: &AlertDoc, name: &str) -> String {
    alert.target.labels.get(name).cloned().unwrap_or_default()
}

fn place(event: &AlertEventDoc) -> String {
    let Some(at) = &event.finding.at else { return String::new() };
    let file = at.file.rsplit('/').next().unwrap_or(&at.file);
    format!("{} ({file}:{})", at.function, at.line)
}

/// `channel-send appeared (likely, high)`, or `3 findings (2 appeared, 1 ended)`.
fn summary(alert: &AlertDoc) -> String {
    use crate::report::schema::AlertEventKind::{Appeared, Ended, Worsened};
    if let [event] = alert.events.as_slice() {
        let finding = &event.finding;
        let (event, class) = (event.event.name(), finding.class.name());
        return format!(
            "{class} {event} ({}, {})",
            finding.verdict.name(),
            finding.severity.name()
        );
    }
    let parts = [Appeared, Worsened, Ended].into_iter().filter_map(|kind| {
        let count = alert.events.iter().filter(|event| event.event == kind).count();
        (count > 0).then(|| format!("{count} {}", kind.name()))
    });
    let parts = parts.collect::<Vec<_>>().join(", ");
    format!("{} findings ({parts})", alert.events.len())
}

#[cfg(test)]
mod tests {
    use super::super::tests::alert;
    use super::*;

    fn filled(text: &str) -> String {
        let alert = alert(1);
        Template::parse(text).expect(text).fill(&alert, &alert.events[0])
    }

    #[test]
    fn places_are_filled_and_braces_are_written_twice() {
        assert_eq!(filled("{{{service}}} on {host}: {pid}"), "{shop} on web-1: 4711");
        let at = " at main.leak (leak.go:7)";
        assert_eq!(filled("{class}{at}"), format!("channel-send{at}"));
        assert_eq!(Template::title().fill(&alert(1), &alert(1).events[0]).matches('{').count(), 0);
        let several = alert(3);
        assert_eq!(
            Template::title().fill(&several, &several.events[0]),
            "shop: 3 findings (3 appeared)"
        );
        assert!(!filled(TEXT).contains('{') && filled(TEXT).contains(at));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for (text, said) in [
            ("{sevice}", "there is no {sevice}; {service}, if that is what is meant"),
            ("{", "a brace that stands for itself is written twice"),
            ("a } b", "a brace that stands for itself is written twice"),
            ("{}", "there is no {}"),
        ] {
            let fault = Template::parse(text).expect_err(text);
            assert!(fault.starts_with(said), "{text}: {fault}");
        }
    }
}

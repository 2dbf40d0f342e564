//! The list of profiles: what is asked, and what is read of the answer.

use serde::Deserialize;
use serde_json::json;

use super::Query;
use crate::model::Timestamp;

/// A profile in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Of the event that tells of it.
    pub(super) id: String,
    /// Its own.
    pub(super) profile: String,
    service: String,
    /// What tells an instance from others, as far as the list says: the process, else the host.
    apart: Option<String>,
    at: jiff::Timestamp,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    attributes: Attributes,
}

#[derive(Deserialize)]
struct Attributes {
    id: String,
    service: Option<String>,
    timestamp: String,
    host: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
}

/// What is searched for: of Go alone, unless it is said which language.
pub(super) fn text(query: &Query) -> String {
    let text = query.text.trim();
    let names_language = text.contains("runtime:") || text.contains("language:");
    if names_language { text.to_owned() } else { format!("{text} runtime:go").trim().to_owned() }
}

/// The request.
pub(super) fn request(query: &Query) -> Vec<u8> {
    let second = |at: Timestamp| format!("{:.0}", time(at));
    let filter =
        json!({ "from": second(query.from), "to": second(query.until), "query": text(query) });
    let sort = json!({ "order": "desc", "field": "timestamp" });
    json!({ "filter": filter, "sort": sort, "limit": query.limit }).to_string().into_bytes()
}

fn time(at: Timestamp) -> jiff::Timestamp {
    // Every number of nanoseconds that 64 bits hold is a time.
    jiff::Timestamp::from_nanosecond(at.unix_ns().into()).unwrap_or_default()
}

/// What there is.
pub(super) fn answer(bytes: &[u8]) -> serde_json::Result<Vec<Event>> {
    let Answer { data } = serde_json::from_slice(bytes)?;
    data.into_iter().map(|Item { id, attributes }| attributes.event(id)).collect()
}

impl Attributes {
    fn event(self, id: String) -> serde_json::Result<Event> {
        let Self { id: profile, service, timestamp, host, tags } = self;
        let tag = |name: &str| {
            let mut pairs = tags.iter().filter_map(|tag| tag.split_once(':'));
            pairs.find(|(own, _)| *own == name).map(|(_, value)| value.to_owned())
        };
        Ok(Event {
            id,
            profile,
            service: service.or_else(|| tag("service")).unwrap_or_default(),
            apart: tag("runtime-id").or(host).or_else(|| tag("host")),
            at: timestamp.parse().map_err(serde::de::Error::custom)?,
        })
    }
}

impl Event {
    /// What people call the instance that it is of.
    pub(super) fn instance(&self) -> String {
        let apart = self.apart.iter().map(String::as_str);
        let parts: Vec<&str> = ["datadog", &self.service]
            .into_iter()
            .filter(|part| !part.is_empty())
            .chain(apart)
            .collect();
        parts.join(" ")
    }

    /// Its time, as the name of a file has it.
    pub(super) fn stamp(&self) -> String {
        format!("{:.3}", self.at).replace(['-', ':'], "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::datadog::Site;
    use crate::http::Settings;

    fn query(text: &str) -> Query {
        Query {
            site: Site::of(|_| Some("https://dd".to_owned())).expect("sound"),
            settings: Settings::default(),
            text: text.to_owned(),
            from: Timestamp::from_unix_ns(1_795_939_200_400_000_000),
            until: Timestamp::from_unix_ns(1_795_942_800_000_000_000),
            limit: 60,
        }
    }

    #[test]
    fn the_newest_are_asked_for_of_go_alone() {
        let request = request(&query(" service:shop env:prod "));
        let request: serde_json::Value = serde_json::from_slice(&request).expect("JSON");
        assert_eq!(
            request,
            json!({
                "filter": {
                    "from": "2026-11-29T08:00:00Z",
                    "to": "2026-11-29T09:00:00Z",
                    "query": "service:shop env:prod runtime:go",
                },
                "sort": { "order": "desc", "field": "timestamp" },
                "limit": 60,
            })
        );
        assert_eq!(text(&query("language:go")), "language:go");
        assert_eq!(text(&query("")), "runtime:go");
    }

    #[test]
    fn an_instance_is_a_process_or_else_a_host() {
        let event = |more: &str| {
            let text = format!(
                r#"{{"data":[{{"id":"e1","type":"profile","attributes":{{"id":"p1","duration_nanos":6e10,
                "timestamp":"2026-11-29T08:00:00.25Z"{more}}}}}]}}"#
            );
            answer(text.as_bytes()).expect("an answer").remove(0)
        };
        let bare = event("");
        assert_eq!((&*bare.id, &*bare.profile, &*bare.instance()), ("e1", "p1", "datadog"));
        assert_eq!(bare.stamp(), "20261129T080000.250Z");
        let full = r#","service":"shop","host":"h","tags":["env:prod","runtime-id:r1","host:h"]"#;
        assert_eq!(event(full).instance(), "datadog shop r1");
        assert_eq!(event(r#","service":"shop","host":"h""#).instance(), "datadog shop h");
        assert_eq!(event(r#","tags":["service:s","host:h"]"#).instance(), "datadog s h");
        for broken in [
            "",
            "{}",
            r#"{"data":[{"id":"x"}]}"#,
            "<html>",
            r#"{"data":[{"id":"x","attributes":{"id":"y","timestamp":"soon"}}]}"#,
        ] {
            assert!(answer(broken.as_bytes()).is_err(), "{broken}");
        }
    }
}

//! The flags of OTLP: where metrics and findings are sent, and how. Where they say nothing, OpenTelemetry's own variables
//! do.

use std::io::{self, Write as _};
use std::time::Duration;

use clap::Args as ClapArgs;
use percent_encoding::percent_decode_str;

use super::asking::{self, Asking};
use super::failure::Failure;
use super::time::every;
use crate::export::otlp::Protocol;
use crate::http::{Address, Header, Settings};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";

/// Metrics and findings for OpenTelemetry.
#[derive(Clone, Debug, PartialEq, ClapArgs)]
#[command(next_help_heading = "OpenTelemetry")]
pub(super) struct Exporting {
    /// Send metrics, and as log records what happens to findings, by OTLP to the OpenTelemetry collector at this address
    /// (http://host:4318); where it is not said, to that of OTEL_EXPORTER_OTLP_ENDPOINT, if that is set.
    #[arg(long, value_name = "URL", env = "LEAK_AGENT_OTLP_ENDPOINT")]
    otlp_endpoint: Option<String>,

    /// Send it by http/protobuf, or by grpc (to http://host:4317); where it is not said, as OTEL_EXPORTER_OTLP_PROTOCOL
    /// says, or else by http/protobuf.
    #[arg(long, value_name = "PROTOCOL", env = "LEAK_AGENT_OTLP_PROTOCOL")]
    otlp_protocol: Option<Protocol>,

    /// Send it with this header too; may be repeated. Where there is none, with those of OTEL_EXPORTER_OTLP_HEADERS.
    #[arg(long, value_name = "NAME: VALUE", env = "LEAK_AGENT_OTLP_HEADER")]
    otlp_header: Vec<String>,

    /// Send metrics every so often; log records go within a second.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "1m",
        env = "LEAK_AGENT_OTLP_EVERY",
        value_parser = every
    )]
    otlp_every: Duration,
}

/// Where metrics and findings are to be sent.
#[derive(Clone, Debug)]
pub(super) struct Exported {
    /// What was asked for.
    pub(super) asked: Exporting,
    pub(super) address: Address,
    pub(super) protocol: Protocol,
    pub(super) every: Duration,
    pub(super) settings: Settings,
}

impl Exporting {
    /// What was decided; nothing where no address is named.
    pub(super) fn decided(self, asking: &Asking) -> Result<Option<Exported>, Failure> {
        let ignored = |name, why: &str| {
            // Nobody is left to tell when even this cannot be written.
            _ = writeln!(io::stderr(), "warning: {name}: {why}; it is ignored");
        };
        self.decided_with(asking, &|name| std::env::var(name).ok(), &ignored)
    }

    /// OpenTelemetry's own variables are meant for many programs: what is wrong in one is ignored, as its specification
    /// has it, after `ignored` was told its name and why.
    fn decided_with(
        self,
        asking: &Asking,
        variable: &dyn Fn(&str) -> Option<String>,
        ignored: &dyn Fn(&'static str, &str),
    ) -> Result<Option<Exported>, Failure> {
        // An empty variable is one that is not set.
        let variable = |name: &str| variable(name).filter(|text| !text.trim().is_empty());
        let address = match &self.otlp_endpoint {
            Some(address) => Some(Address::parse(address).map_err(|error| Failure::Otlp {
                what: "--otlp-endpoint",
                why: error.to_string(),
            })?),
            None => variable(ENDPOINT).and_then(|address| {
                let address = Address::parse(&address);
                address.inspect_err(|error| ignored(ENDPOINT, &error.to_string())).ok()
            }),
        };
        let Some(address) = address else { return Ok(None) };
        let of_variable = || {
            let protocol = variable(PROTOCOL)?.trim().parse::<Protocol>();
            protocol.inspect_err(|why| ignored(PROTOCOL, why)).ok()
        };
        let protocol = self.otlp_protocol.or_else(of_variable).unwrap_or(Protocol::Http);
        let headers = match variable(HEADERS) {
            Some(text) if self.otlp_header.is_empty() => {
                headers(&text, &|why| ignored(HEADERS, why))
            }
            _ => asking::headers("otlp-header", &self.otlp_header)?,
        };
        let settings = Settings { headers, ..asking.trust()? };
        let every = self.otlp_every;
        Ok(Some(Exported { asked: self, address, protocol, every, settings }))
    }
}

/// `name=value,name=value`, with `%` and two digits for what else would end a value. A pair that is none is left out.
fn headers(text: &str, ignored: &dyn Fn(&str)) -> Vec<Header> {
    let header = |pair: &str| {
        let (name, value) = pair.split_once('=').ok_or("it is written name=value,name=value")?;
        let value = percent_decode_str(value.trim()).decode_utf8_lossy();
        Header::parse(&format!("{}: {value}", name.trim()))
    };
    let pairs = (1..).zip(text.split(',')).filter(|(_, pair)| !pair.trim().is_empty());
    let known = |(number, pair)| {
        let header = header(pair);
        header.inspect_err(|why| ignored(&format!("pair {number}: {why}"))).ok()
    };
    pairs.filter_map(known).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        exporting: Exporting,
        #[command(flatten)]
        asking: Asking,
    }

    /// What was decided, and what was ignored.
    fn decided(
        typed: &[&str],
        set: &[(&str, &str)],
    ) -> (Result<Option<Exported>, String>, Vec<String>) {
        let words = ["x"].iter().chain(typed);
        let Typed { exporting, asking } = Typed::try_parse_from(words).expect("flags");
        let value = |name: &str| {
            let known = set.iter().find(|(known, _)| *known == name);
            known.map(|(_, value)| (*value).to_owned())
        };
        let ignored = RefCell::new(Vec::new());
        let ignore =
            |name: &'static str, why: &str| ignored.borrow_mut().push(format!("{name}: {why}"));
        let decided = exporting.decided_with(&asking, &value, &ignore);
        (decided.map_err(|failure| failure.to_string()), ignored.take())
    }

    fn exported(typed: &[&str], set: &[(&str, &str)]) -> Option<Exported> {
        let (decided, ignored) = decided(typed, set);
        assert_eq!(ignored, Vec::<String>::new());
        decided.expect("sound")
    }

    #[test]
    fn flags_go_before_the_variables_of_opentelemetry() {
        assert!(exported(&[], &[(ENDPOINT, " "), (PROTOCOL, "potato")]).is_none());
        let set = [(ENDPOINT, "http://there:4317"), (PROTOCOL, "grpc"), (HEADERS, "a=b%2Cc, d=e")];
        let of_variables = exported(&[], &set).expect("an address");
        assert_eq!(of_variables.address.url.as_str(), "http://there:4317/");
        assert_eq!(of_variables.protocol, Protocol::Grpc);
        assert_eq!(of_variables.settings.headers.len(), 2);
        let typed = ["--otlp-endpoint", "here:4318", "--otlp-protocol", "http/protobuf"];
        let typed = [&typed[..], &["--otlp-header", "X: y"]].concat();
        // Nobody asks what is wrong in what does not hold.
        let wrong = [(ENDPOINT, "ftp://x"), (PROTOCOL, "potato"), (HEADERS, "potato")];
        let of_flags = exported(&typed, &wrong).expect("an address");
        assert_eq!(of_flags.address.url.as_str(), "http://here:4318/");
        assert_eq!((of_flags.protocol, of_flags.settings.headers.len()), (Protocol::Http, 1));
    }

    #[test]
    fn what_is_wrong_in_a_variable_is_ignored_and_told_without_its_secrets() {
        let (outcome, ignored) = decided(&[], &[(ENDPOINT, "ftp://s3cret")]);
        assert!(outcome.expect("no failure").is_none());
        assert!(ignored[0].starts_with(ENDPOINT), "{ignored:?}");
        let wrong = [
            (ENDPOINT, "http://there:4318"),
            (PROTOCOL, "http/json"),
            (HEADERS, "a=b,s3cret,x y=s3cret,c=d"),
        ];
        let (outcome, ignored) = decided(&[], &wrong);
        let exported = outcome.expect("no failure").expect("an address");
        assert_eq!((exported.protocol, exported.settings.headers.len()), (Protocol::Http, 2));
        let said = ignored.join("; ");
        assert!(
            said.starts_with(PROTOCOL) && said.contains(&format!("{HEADERS}: pair 2")),
            "{said}"
        );
        assert_eq!((ignored.len(), said.contains("s3cret")), (3, false), "{said}");
    }

    #[test]
    fn what_is_wrong_in_a_flag_ends_it_without_telling_its_secrets() {
        for (typed, name) in [
            (&["--otlp-endpoint", "ftp://s3cret"][..], "--otlp-endpoint"),
            (&["--otlp-endpoint", "x:1", "--otlp-header", "s3cret"], "--otlp-header"),
        ] {
            let said = decided(typed, &[]).0.expect_err("unfit");
            assert!(said.contains(name) && !said.contains("s3cret"), "{said}");
        }
    }
}

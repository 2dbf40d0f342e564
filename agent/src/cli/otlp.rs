//! The flags of OTLP: where metrics and findings are sent, and how. Where they say nothing, OpenTelemetry's own variables
//! do.

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
        self.decided_with(asking, &|name| std::env::var(name).ok())
    }

    fn decided_with(
        self,
        asking: &Asking,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Exported>, Failure> {
        // An empty variable is one that is not set.
        let variable = |name: &str| variable(name).filter(|text| !text.trim().is_empty());
        let (flag, address) = match &self.otlp_endpoint {
            Some(address) => ("--otlp-endpoint", address.clone()),
            None => match variable(ENDPOINT) {
                Some(address) => (ENDPOINT, address),
                None => return Ok(None),
            },
        };
        let unfit = |what, why: String| Failure::Otlp { what, why };
        let address = Address::parse(&address).map_err(|error| unfit(flag, error.to_string()))?;
        let protocol = match (self.otlp_protocol, variable(PROTOCOL)) {
            (Some(protocol), _) => protocol,
            (None, Some(text)) => {
                text.trim().parse().map_err(|why: &str| unfit(PROTOCOL, why.to_owned()))?
            }
            (None, None) => Protocol::Http,
        };
        let headers = match variable(HEADERS) {
            Some(text) if self.otlp_header.is_empty() => {
                headers(&text).map_err(|why| unfit(HEADERS, why.to_owned()))?
            }
            _ => asking::headers("otlp-header", &self.otlp_header)?,
        };
        let settings = Settings { headers, ..asking.trust()? };
        let every = self.otlp_every;
        Ok(Some(Exported { asked: self, address, protocol, every, settings }))
    }
}

/// `name=value,name=value`, with `%` and two digits for what else would end a value.
fn headers(text: &str) -> Result<Vec<Header>, &'static str> {
    let header = |pair: &str| {
        let (name, value) = pair.split_once('=').ok_or("it is written name=value,name=value")?;
        let value = percent_decode_str(value.trim()).decode_utf8_lossy();
        Header::parse(&format!("{}: {value}", name.trim()))
    };
    text.split(',').filter(|pair| !pair.trim().is_empty()).map(header).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        exporting: Exporting,
        #[command(flatten)]
        asking: Asking,
    }

    fn decided(typed: &[&str], set: &[(&str, &str)]) -> Result<Option<Exported>, String> {
        let words = ["x"].iter().chain(typed);
        let Typed { exporting, asking } = Typed::try_parse_from(words).expect("flags");
        let value = |name: &str| {
            let known = set.iter().find(|(known, _)| *known == name);
            known.map(|(_, value)| (*value).to_owned())
        };
        exporting.decided_with(&asking, &value).map_err(|failure| failure.to_string())
    }

    #[test]
    fn flags_go_before_the_variables_of_opentelemetry() {
        assert!(decided(&[], &[(ENDPOINT, " "), (PROTOCOL, "grpc")]).expect("sound").is_none());
        let set = [(ENDPOINT, "http://there:4317"), (PROTOCOL, "grpc"), (HEADERS, "a=b%2Cc, d=e")];
        let of_variables = decided(&[], &set).expect("sound").expect("an address");
        assert_eq!(of_variables.address.url.as_str(), "http://there:4317/");
        assert_eq!(of_variables.protocol, Protocol::Grpc);
        assert_eq!(of_variables.settings.headers.len(), 2);
        let typed = ["--otlp-endpoint", "here:4318", "--otlp-protocol", "http/protobuf"];
        let of_flags = decided(&[&typed[..], &["--otlp-header", "X: y"]].concat(), &set);
        let of_flags = of_flags.expect("sound").expect("an address");
        assert_eq!(of_flags.address.url.as_str(), "http://here:4318/");
        assert_eq!((of_flags.protocol, of_flags.settings.headers.len()), (Protocol::Http, 1));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_name_and_without_its_secrets() {
        for (set, name) in [
            ((ENDPOINT, "ftp://s3cret"), ENDPOINT),
            ((PROTOCOL, "http/json"), PROTOCOL),
            ((HEADERS, "s3cret"), HEADERS),
        ] {
            let said = decided(&[], &[set, (ENDPOINT, "http://there:4318")]).expect_err("unfit");
            assert!(said.contains(name) && !said.contains("s3cret"), "{said}");
        }
    }
}

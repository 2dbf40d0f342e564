//! Pyroscope: what `PusherService.Push` takes (push/v1/push.proto), as Connect sends it: one protobuf in one
//! request.
//!
//! The older `/ingest` is taken by the same servers, Pyroscope's own and Grafana Cloud's, but has its labels in
//! the text of a query and its times beside the profile. Push has both as they are, and answers with what was
//! wrong.

use prost::Message as _;

use super::{KIND, Labelled};

/// Where to, below the server's address.
pub(super) const PATH: &str = "push.v1.PusherService/Push";

/// How Connect calls a protobuf.
pub(super) const MEDIA_TYPE: &str = "application/proto";

#[derive(prost::Message)]
struct PushRequest {
    #[prost(message, repeated, tag = "1")]
    series: Vec<RawProfileSeries>,
}

#[derive(prost::Message)]
struct RawProfileSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<LabelPair>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<RawSample>,
}

/// types/v1/types.proto
#[derive(prost::Message)]
struct LabelPair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(prost::Message)]
struct RawSample {
    #[prost(bytes = "vec", tag = "1")]
    raw_profile: Vec<u8>,
}

/// The request.
pub(super) fn body(labelled: &Labelled) -> Vec<u8> {
    let pair = |name: &str, value: &str| LabelPair { name: name.into(), value: value.into() };
    let own = labelled.labels.iter().map(|label| pair(&label.name, &label.value));
    let series = RawProfileSeries {
        labels: std::iter::once(pair(KIND.0, KIND.1)).chain(own).collect(),
        samples: vec![RawSample { raw_profile: labelled.profile.clone() }],
    };
    PushRequest { series: vec![series] }.encode_to_vec()
}

/// Whether an answer is one: a message in which there is nothing yet.
pub(super) fn is_answer(bytes: &[u8]) -> bool {
    <() as prost::Message>::decode(bytes).is_ok()
}

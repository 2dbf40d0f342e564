//! Parca: what `ProfileStoreService.WriteRaw` takes (parca/profilestore/v1alpha1/profilestore.proto), as its
//! gateway reads it as JSON, for which a connection needs no HTTP/2.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{KIND, Labelled};

/// Where to, below the server's address.
pub(super) const PATH: &str = "api/profiles/writeraw";

/// How it is sent.
pub(super) const MEDIA_TYPE: &str = "application/json";

/// The request.
pub(super) fn body(labelled: &Labelled) -> Vec<u8> {
    let label = |name: &str, value: &str| json!({ "name": name, "value": value });
    let own = labelled.labels.iter().map(|it| label(&it.name, &it.value));
    let labels: Vec<Value> = std::iter::once(label(KIND.0, KIND.1)).chain(own).collect();
    let series = json!({
        "labels": { "labels": labels },
        "samples": [{ "rawProfile": STANDARD.encode(&labelled.profile) }],
    });
    // Addresses are nobody's: each location has its lines.
    json!({ "series": [series], "normalized": true }).to_string().into_bytes()
}

/// Whether an answer is one: an object, of which nothing has to be known. For a path that it does not have, the
/// server gives a page for people.
pub(super) fn is_answer(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(bytes).is_ok()
}

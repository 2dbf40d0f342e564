//! What is sent, as the stores' own definitions read it.

use serde_json::Value;

use super::*;

fn labelled() -> Labelled {
    Labelled { labels: vec![Label::new("service_name", "shop")], profile: vec![0x1f, 0x8b, 0xff] }
}

#[test]
fn pyroscope_is_sent_one_series_with_one_profile() {
    // Field by field, as push/v1/push.proto numbers them: series 1 (labels 1, samples 2), a label's name 1 and
    // value 2, a sample's profile 1.
    let label = |name: &str, value: &str| {
        let mut text = vec![0x0a, name.len() as u8];
        text.extend(name.bytes());
        text.extend([0x12, value.len() as u8]);
        text.extend(value.bytes());
        [vec![0x0a, text.len() as u8], text].concat()
    };
    let sample = vec![0x12, 5, 0x0a, 3, 0x1f, 0x8b, 0xff];
    let series = [label("__name__", "goroutine"), label("service_name", "shop"), sample].concat();
    let expected = [vec![0x0a, series.len() as u8], series].concat();
    assert_eq!(pyroscope::body(&labelled()), expected);
    assert!(pyroscope::is_answer(b""));
    assert!(!pyroscope::is_answer(b"<!DOCTYPE html>"));
}

#[test]
fn parca_is_sent_the_same_as_json() {
    let sent: Value = serde_json::from_slice(&parca::body(&labelled())).expect("JSON");
    let series = &sent["series"][0];
    assert_eq!(series["labels"]["labels"][0]["value"], "goroutine");
    assert_eq!(series["labels"]["labels"][1]["name"], "service_name");
    assert_eq!(series["samples"][0]["rawProfile"], "H4v/");
    assert_eq!(sent["normalized"], true);
    assert!(parca::is_answer(b"{}"));
    assert!(!parca::is_answer(b"<!DOCTYPE html>"));
}

#[test]
fn a_store_may_be_below_a_path_and_its_address_may_say_who_asks() {
    let url = |text: &str, store| {
        let address = Address::parse(text).expect("an address");
        let pusher = Pusher::new(store, address, Settings::default()).expect("sound");
        pusher.url.to_string()
    };
    assert_eq!(
        url("me:secret@shop:4040", Store::Pyroscope),
        "http://shop:4040/push.v1.PusherService/Push"
    );
    assert_eq!(
        url("http://shop/parca/?a=b", Store::Parca),
        "http://shop/parca/api/profiles/writeraw?a=b"
    );
}

#[test]
fn only_the_profile_itself_is_refused_for_good() {
    let refusal = |code| {
        let problem = Problem::Status { code, reason: "", said: None, retry_after_seconds: None };
        is_refusal(&Error { url: String::new(), problem })
    };
    assert!(refusal(400) && refusal(413));
    assert!(!refusal(401) && !refusal(404) && !refusal(429) && !refusal(503));
}

#[test]
fn an_error_has_no_secrets_of_the_address() {
    let address = Address::parse("http://me:s3cret@127.0.0.1:1/x?token=s3cret").expect("sound");
    let pusher = Pusher::new(Store::Parca, address, Settings::default()).expect("sound");
    let said = pusher.push(&labelled()).expect_err("nobody listens").to_string();
    assert!(said.starts_with("http://127.0.0.1:1/x/api/profiles/writeraw: "), "{said}");
}

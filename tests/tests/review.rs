//! Reports for code review and CI, of a real program that leaks: read by what others read such forms with.
#![allow(clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use leak_agent_tests::{Target, agent};
use serde_json::Value;

/// The crate whose types write SARIF has the standard's JSON Schema in its source.
fn sarif_schema() -> Value {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|it| it["name"] == "serde-sarif").expect("it is used");
    let manifest = package["manifest_path"].as_str().expect("a path");
    let schema = Path::new(manifest).with_file_name("src").join("schema.json");
    let mut schema: Value =
        serde_json::from_slice(&fs::read(schema).expect("the schema")).expect("JSON");
    // The standard's pattern of languages has a bracket too many, which strict readers refuse.
    for place in
        ["/definitions/run/properties/language", "/definitions/toolComponent/properties/language"]
    {
        if let Some(Value::Object(language)) = schema.pointer_mut(place) {
            language.remove("pattern");
        }
    }
    schema
}

/// The agent, run in this repository's work tree, in which the program was built.
fn run(args: &[&str]) -> Output {
    let output = Command::new(agent::binary().expect("agent"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    output.expect("agent")
}

#[test]
fn a_leak_is_shown_at_its_line_in_every_form() {
    agent::binary().expect("built before anything leaks");
    let schema = jsonschema::validator_for(&sarif_schema()).expect("a schema");
    let target = Target::start("1.26.6", "exe", "demo").expect("target");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("review");
    _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let kept = folder.join("seen");
    let kept = kept.to_str().expect("UTF-8");
    let pid = target.pid().to_string();
    let sarif = folder.join("leaks.sarif");
    let seen = run(&[
        "analyze",
        &pid,
        "--until-found",
        "--duration",
        "10m",
        "--save",
        kept,
        "--format",
        "sarif",
        "--output",
        sarif.to_str().expect("UTF-8"),
        "--fail-on",
        "likely",
    ]);
    assert_eq!(seen.status.code(), Some(1), "{}", String::from_utf8_lossy(&seen.stderr));
    drop(target);

    let log: Value = serde_json::from_slice(&fs::read(&sarif).expect("the file")).expect("JSON");
    let faults: Vec<_> = schema.iter_errors(&log).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let results = log["runs"][0]["results"].as_array().expect("results");
    let place = &results[0]["locations"][0]["physicalLocation"];
    let file = place["artifactLocation"]["uri"].as_str().expect("a file");
    assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let line = place["region"]["startLine"].as_u64().expect("a line");
    let text = fs::read_to_string(source).expect("the file is there");
    let text = text.lines().nth(line as usize - 1).expect("the line is there");

    // What was saved gives each other form, which says the same.
    let report = |format: &str| {
        let output = run(&["report", "--input", kept, "--format", format, "--fail-on", "never"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let github = report("github");
    assert!(github.contains(&format!("file={file},line={line},")), "{github}");
    let markdown = report("markdown");
    assert!(markdown.contains(text.trim()), "{text:?} is the line; {markdown}");
    let junit = report("junit");
    let junit = quick_junit::Report::deserialize_from_str(&junit).expect("it is JUnit");
    assert_eq!((junit.failures, junit.errors), (results.len(), 0));
}

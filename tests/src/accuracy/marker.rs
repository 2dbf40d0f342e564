//! The markers in the sources of our own corpus: `// want: CLASS VERDICT [pattern=NAME] [at=FUNCTION]` on each line
//! where goroutines leak, `// may: ...` where some only come along with a leak. `tests/corpus/README.md` tells more.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use leak_agent::model::finding::{CauseClass, Verdict};
use leak_agent::model::pattern::Pattern;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};

use super::matching::{Place, Site, tail};

/// What begins a marker, and whether its site is optional.
const MARKS: [(&str, bool); 2] = [("// want:", false), ("// may:", true)];

/// The sites that the Go files of a program's folder, and of the folders in it, mark.
///
/// # Errors
/// When a file cannot be read, or a marker says something that there is not.
pub fn sites(folder: &Path) -> Result<Vec<Site>> {
    let mut sites = Vec::new();
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("there is no program in {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            sites.extend(self::sites(&path)?);
        } else if path.extension().is_some_and(|it| it == "go") {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let file = tail(&path.to_string_lossy()).to_owned();
            sites.extend(in_text(&file, &text)?);
        }
    }
    sites.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(sites)
}

/// The sites that a file marks.
fn in_text(file: &str, text: &str) -> Result<Vec<Site>> {
    let mut sites = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        for (mark, optional) in MARKS {
            if let Some((_, marker)) = text.split_once(mark) {
                let site = site(file, line, marker);
                let site = site.with_context(|| format!("the marker in {file}:{line}"))?;
                sites.push(Site { optional, ..site });
            }
        }
    }
    Ok(sites)
}

fn site(file: &str, line: u32, marker: &str) -> Result<Site> {
    let mut words = marker.split_whitespace();
    let class: CauseClass = word(words.next().context("it has no class")?)?;
    let (mut verdict, mut pattern) = (None, None);
    let mut place = Place::Line { file: file.to_owned(), line };
    for it in words {
        match it.split_once('=') {
            None => ensure!(verdict.replace(word(it)?).is_none(), "it has two verdicts"),
            Some(("pattern", name)) => pattern = Some(word::<Pattern>(name)?),
            Some(("at", function)) => place = Place::Below(function.to_owned()),
            Some((key, _)) => bail!("it knows pattern= and at=, but no {key}="),
        }
    }
    let verdict = verdict.unwrap_or(Verdict::Likely);
    Ok(Site { place, classes: vec![class], verdict, pattern, optional: false })
}

/// A word of the agent's own.
fn word<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T> {
    let from: StrDeserializer<'a, Error> = text.into_deserializer();
    Ok(T::deserialize(from)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_marker_gives_its_line_and_what_is_wanted_there() {
        let text = "package main\n\nfunc f() {\n\tresults <- r // want: channel-send likely pattern=timed-out-receiver\n\
            \tgo s.Serve() // may: network-io suspect at=net/http.(*conn).serve\n\tselect {} // want: select-empty\n}\n";
        let sites = in_text("orders/main.go", text).unwrap();
        let line = |line| Place::Line { file: "orders/main.go".into(), line };
        assert_eq!(
            sites,
            [
                Site {
                    place: line(4),
                    classes: vec![CauseClass::ChannelSend],
                    verdict: Verdict::Likely,
                    pattern: Some(Pattern::TimedOutReceiver),
                    optional: false,
                },
                Site {
                    place: Place::Below("net/http.(*conn).serve".into()),
                    classes: vec![CauseClass::NetworkIo],
                    verdict: Verdict::Suspect,
                    pattern: None,
                    optional: true,
                },
                Site {
                    place: line(6),
                    classes: vec![CauseClass::SelectEmpty],
                    verdict: Verdict::Likely,
                    pattern: None,
                    optional: false,
                },
            ]
        );
    }

    #[test]
    fn a_marker_that_says_what_there_is_not_is_refused() {
        for marker in [
            "",
            "chanel-send likely",
            "channel-send maybe",
            "channel-send likely suspect",
            "channel-send likely pattern=none-such",
            "channel-send likely patern=n-cast",
        ] {
            let error = in_text("a/b.go", &format!("\n<-c // want: {marker}")).unwrap_err();
            assert_eq!(error.to_string(), "the marker in a/b.go:2", "{marker}: {error:#}");
        }
    }
}

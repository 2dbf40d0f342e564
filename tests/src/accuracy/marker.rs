//! The markers in the sources of our own corpora: `// want: CLASS VERDICT [pattern=NAME] [at=FUNCTION] [cause=WHAT]` on
//! each line where goroutines leak, `// may: ...` where some only come along with a leak, `// cause: WHAT` on the line
//! that makes what is never closed, `// check: VERDICT` where one sample has to do. Where memory or a resource leaks:
//! `// want: CLASS VERDICT [pattern=SHAPE] [held=NAME] [kind=KIND] [until=GO]`. `tests/corpus/README.md` tells more.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use leak_agent::model::pattern::Pattern;
use leak_agent::model::{CauseClass, GrowthPattern, ResourceKind, Verdict};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};

use super::matching::{Cause, Place, Site, tail};

/// What begins a marker, and whether its site is optional.
const MARKS: [(&str, bool); 2] = [("// want:", false), ("// may:", true)];

/// All that a program's markers say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    /// Its sites.
    pub sites: Vec<Site>,
    /// How sure `check` has to be of each of them, where it has to find them.
    pub check: Option<Verdict>,
}

/// What the Go files of a program's folder, and of the folders in it, mark for a program that this Go builds
/// (`1.26.6`).
///
/// # Errors
/// When a file cannot be read, or a marker says something that there is not.
pub fn of_program(folder: &Path, go: &str) -> Result<Marked> {
    let mut read = Read { go: go.to_owned(), ..Read::default() };
    read.folder(folder)?;
    read.join().with_context(|| format!("the markers of {}", folder.display()))
}

/// Markers, before causes are given to their sites.
#[derive(Default)]
struct Read {
    /// The Go that builds the program.
    go: String,
    /// Sites with the cause that they name.
    sites: Vec<(Site, Option<String>)>,
    causes: Vec<Cause>,
    check: Option<Verdict>,
}

impl Read {
    fn folder(&mut self, folder: &Path) -> Result<()> {
        let entries = std::fs::read_dir(folder)
            .with_context(|| format!("there is no program in {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                self.folder(&path)?;
            } else if path.extension().is_some_and(|it| it == "go") {
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                self.text(tail(&path.to_string_lossy()), &text)?;
            }
        }
        Ok(())
    }

    fn text(&mut self, file: &str, text: &str) -> Result<()> {
        for (number, line) in (1..).zip(text.lines()) {
            self.line(file, text, number, line)
                .with_context(|| format!("the marker in {file}:{number}"))?;
        }
        Ok(())
    }

    fn line(&mut self, file: &str, text: &str, number: u32, line: &str) -> Result<()> {
        let cause = match marker(line, "// cause:") {
            Some(what) => {
                let function = function_around(text, number).context("it is in no function")?;
                let what = one_word(what)?.to_owned();
                Some(Cause { file: file.to_owned(), line: number, function, what })
            }
            None => None,
        };
        if let Some(verdict) = marker(line, "// check:") {
            ensure!(self.check.replace(word(one_word(verdict)?)?).is_none(), "there are two");
        }
        for (mark, optional) in MARKS {
            if let Some(marker) = marker(line, mark) {
                let Some((mut site, named)) = site(file, number, marker, &self.go)? else {
                    continue;
                };
                site.optional = optional;
                if site.classes == [CauseClass::NotClosed] {
                    let cause = cause.clone().context("what is not closed has its cause there")?;
                    site.place = Place::Caused(cause);
                }
                // Nothing says of memory and resources yet which line causes it.
                let own = cause.as_ref().filter(|_| !site.place.is_of_process());
                let named = named.or_else(|| own.map(|it| it.what.clone()));
                self.sites.push((site, named));
            }
        }
        self.causes.extend(cause);
        Ok(())
    }

    fn join(self) -> Result<Marked> {
        let Self { sites, causes, check, .. } = self;
        for (at, Cause { what, .. }) in causes.iter().enumerate() {
            let others = causes.get(at + 1..).unwrap_or_default();
            ensure!(others.iter().all(|it| it.what != *what), "two causes are named {what}");
            let is_named = sites.iter().any(|(_, named)| named.as_ref() == Some(what));
            ensure!(is_named, "no site has the cause {what}");
        }
        let joined = sites.into_iter().map(|(site, named)| {
            let Some(named) = named else { return Ok(site) };
            let cause = causes.iter().find(|it| it.what == named).cloned();
            Ok(Site { cause: Some(cause.with_context(|| format!("no cause {named}"))?), ..site })
        });
        let mut sites = joined.collect::<Result<Vec<_>>>()?;
        sites.sort_by(|a, b| a.place.cmp(&b.place));
        Ok(Marked { sites, check })
    }
}

/// The text of a marker on a line, up to the next marker there.
fn marker<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(mark)?;
    Some(rest.split("//").next().unwrap_or(rest))
}

fn one_word(text: &str) -> Result<&str> {
    let mut words = text.split_whitespace();
    let word = words.next().context("it is empty")?;
    ensure!(words.next().is_none(), "it has more than one word");
    Ok(word)
}

/// The first and the last line of the function around a line, in source as gofmt writes it.
fn function_around(text: &str, line: u32) -> Option<(u32, u32)> {
    let lines = || (1..).zip(text.lines());
    let starts = lines().filter(|(_, it)| it.starts_with("func "));
    let (first, _) = starts.take_while(|(number, _)| *number <= line).last()?;
    let (last, _) = lines().find(|(number, it)| *number >= first && it.starts_with('}'))?;
    (last >= line).then_some((first, last))
}

/// A site, and the cause that it names; `None` where this Go no longer leaks there.
fn site(file: &str, line: u32, marker: &str, go: &str) -> Result<Option<(Site, Option<String>)>> {
    let mut words = marker.split_whitespace();
    let name = words.next().context("it has no class")?;
    let class: CauseClass = word(name)?;
    // A class that this version does not know reads as unknown.
    ensure!(class.name() == name, "there is no class {name}");
    let (mut verdict, mut pattern, mut cause) = (None, None, None);
    let (mut shape, mut held, mut kind, mut is_over) = (None, None, None, false);
    let of_process = matches!(
        class,
        CauseClass::HeapGrowth
            | CauseClass::FinalizerCycle
            | CauseClass::OffHeapGrowth
            | CauseClass::Resource
    );
    let mut place = Place::Line { file: file.to_owned(), line };
    for it in words {
        match it.split_once('=') {
            None => ensure!(verdict.replace(word(it)?).is_none(), "it has two verdicts"),
            Some(("pattern", name)) if of_process => shape = Some(word::<GrowthPattern>(name)?),
            Some(("held", name)) if of_process => held = Some(name.to_owned()),
            Some(("kind", name)) if of_process => kind = Some(known_kind(name)?),
            Some(("until", version)) if of_process => is_over = !is_older(go, version)?,
            Some(("pattern", name)) => pattern = Some(word::<Pattern>(name)?),
            Some(("at", function)) => place = Place::Below(function.to_owned()),
            Some(("cause", what)) => cause = Some(what.to_owned()),
            Some((key, _)) => bail!("{name} knows no {key}="),
        }
    }
    let verdict = verdict.unwrap_or(Verdict::Likely);
    ensure!(
        kind.is_some() == (class == CauseClass::Resource),
        "kind= is for {}",
        CauseClass::Resource
    );
    match (class, kind) {
        (CauseClass::HeapGrowth | CauseClass::FinalizerCycle, _) => place = Place::Heap,
        (CauseClass::OffHeapGrowth, _) => place = Place::OffHeap,
        (_, Some(kind)) => place = Place::Resource(kind),
        (_, None) => {}
    }
    let classes = vec![class];
    let site = Site { place, classes, verdict, pattern, shape, held, optional: false, cause: None };
    Ok((!is_over).then_some((site, cause)))
}

/// A kind of resource that this version knows.
fn known_kind(name: &str) -> Result<ResourceKind> {
    let kind: ResourceKind = word(name)?;
    ensure!(kind.name() == name, "there is no kind {name}");
    Ok(kind)
}

/// Whether a Go is older than another: `1.22.10` than `1.23`.
fn is_older(go: &str, than: &str) -> Result<bool> {
    let numbers = |text: &str| text.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>();
    let (go, than) = (numbers(go)?, numbers(than).with_context(|| format!("no version {than}"))?);
    Ok(go < than)
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

    fn read(text: &str) -> Result<Marked> {
        let mut read = Read { go: "1.26.6".into(), ..Read::default() };
        read.text("orders/main.go", text)?;
        read.join()
    }

    #[test]
    fn a_marker_gives_its_line_and_what_is_wanted_there() {
        let text = "package main\n\nfunc f() {\n\tresults <- r // want: channel-send likely pattern=timed-out-receiver\n\
            \tgo s.Serve() // may: network-io suspect at=net/http.(*conn).serve\n\tselect {} // want: select-empty\n}\n";
        let sites = read(text).unwrap().sites;
        let line = |line| Place::Line { file: "orders/main.go".into(), line };
        assert_eq!(
            sites,
            [
                Site {
                    place: line(4),
                    classes: vec![CauseClass::ChannelSend],
                    verdict: Verdict::Likely,
                    pattern: Some(Pattern::TimedOutReceiver),
                    shape: None,
                    held: None,
                    optional: false,
                    cause: None,
                },
                Site {
                    place: line(6),
                    classes: vec![CauseClass::SelectEmpty],
                    verdict: Verdict::Likely,
                    pattern: None,
                    shape: None,
                    held: None,
                    optional: false,
                    cause: None,
                },
                Site {
                    place: Place::Below("net/http.(*conn).serve".into()),
                    classes: vec![CauseClass::NetworkIo],
                    verdict: Verdict::Suspect,
                    pattern: None,
                    shape: None,
                    held: None,
                    optional: true,
                    cause: None,
                },
            ]
        );
    }

    #[test]
    fn memory_and_resources_are_marked_by_what_grows_and_until_which_go() {
        let text = "package main\n\nfunc f() {\n\tkept = append(kept, it) // want: heap-growth pattern=stepped held=main.kept\n\
            \tmap() // may: off-heap-growth suspect until=1.27\n\topen() // want: resource likely kind=tcp-socket\n\
            \tafter() // want: heap-growth until=1.23\n\tw := watch() // want: resource kind=inotify // may: not-closed // cause: W\n}\n";
        let sites = read(text).unwrap().sites;
        let seen = |it: &Site| (it.place.clone(), it.shape, it.held.clone(), it.optional);
        let stepped = Some(GrowthPattern::Stepped);
        let cause =
            Cause { file: "orders/main.go".into(), line: 8, function: (3, 9), what: "W".into() };
        let resource = |kind| (Place::Resource(kind), None, None, false);
        assert_eq!(
            sites.iter().map(seen).collect::<Vec<_>>(),
            [
                (Place::Caused(cause), None, None, true),
                (Place::Heap, stepped, Some("main.kept".into()), false),
                (Place::OffHeap, None, None, true),
                resource(ResourceKind::TcpSocket),
                resource(ResourceKind::Inotify),
            ]
        );
        assert!(sites.iter().all(|it| it.place.is_of_process() == it.cause.is_none()));
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
            "channel-send held=main.kept",
            "heap-growth pattern=n-cast",
            "heap-growth until=new",
            "heap-growth kind=file",
            "resource likely",
            "resource kind=socket",
        ] {
            let error = read(&format!("\n<-c // want: {marker}")).unwrap_err();
            assert_eq!(error.to_string(), "the marker in orders/main.go:2", "{marker}: {error:#}");
        }
    }

    #[test]
    fn what_is_not_closed_is_where_it_is_made_and_others_name_their_cause() {
        let text = "package main\n\nfunc ask() {\n\tconn := dial() // want: not-closed likely // cause: grpc.ClientConn\n\
            \tuse(conn)\n}\n\nfunc list() {\n\trows := query() // cause: sql.Rows\n\tuse(rows)\n}\n\n\
            func wait() {\n\tquery() // want: select likely cause=sql.Rows\n}\n// check: likely\n";
        let marked = read(text).unwrap();
        let cause = |line, function, what: &str| Cause {
            file: "orders/main.go".into(),
            line,
            function,
            what: what.into(),
        };
        let conn = cause(4, (3, 6), "grpc.ClientConn");
        let of = |it: &Site| (it.place.clone(), it.cause.clone());
        let line = Place::Line { file: "orders/main.go".into(), line: 14 };
        assert_eq!(
            marked.sites.iter().map(of).collect::<Vec<_>>(),
            [
                (line, Some(cause(9, (8, 11), "sql.Rows"))),
                (Place::Caused(conn.clone()), Some(conn)),
            ]
        );
        assert_eq!(marked.check, Some(Verdict::Likely));
    }

    #[test]
    fn a_cause_without_its_site_and_a_site_without_its_cause_are_refused() {
        let within = |line: &str| format!("func f() {{\n\t{line}\n}}\n");
        for (text, refusal) in [
            (within("dial() // cause: Conn"), "no site has the cause Conn"),
            (within("<-c // want: select cause=Conn"), "no cause Conn"),
            (within("dial() // want: not-closed likely"), "what is not closed has its cause there"),
            ("var c = dial() // want: not-closed // cause: Conn\n".into(), "it is in no function"),
            (within("dial() // want: not-closed // cause: Conn too"), "it has more than one word"),
        ] {
            let error = format!("{:#}", read(&text).unwrap_err());
            assert!(error.contains(refusal), "{text}: {error}");
        }
        let twice = within("a() // want: not-closed // cause: Conn").repeat(2);
        let error = format!("{:#}", read(&twice).unwrap_err());
        assert!(error.contains("two causes are named Conn"), "{error}");
    }
}

//! `[[response]]` in the configuration file: what is done when a finding reaches a level.

use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::{User, getuid};
use wildmatch::WildMatch;

use super::config::{self, Fault, File};
use super::failure::Failure;
use super::keeping::Form;
use super::section::{SEVERITIES, Section, VERDICTS, fault, near, sections};
use crate::model::{Severity, Verdict};
use crate::respond::{Command, Limits, Rule, Runner};

/// From one time to the next for the same program.
const COOL_DOWN: Duration = Duration::from_secs(3600);

/// Times an hour.
const PER_HOUR: u32 = 4;

/// For how long a command may run.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How often evidence is kept before the oldest goes.
const KEEP_LIMIT: usize = 20;

/// The longest time.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// Whom a command of root's runs as.
const NOBODY: &str = "nobody";

/// What a section of the file is.
const A_RESPONSE: &str = "a response";

/// What responses keep, in the folder of what outlives the agent.
const FOLDER: &str = "responses";

/// All settings.
const KEYS: [&str; 15] = [
    "name",
    "verdict",
    "severity",
    "class",
    "service",
    "keep",
    "keep-dir",
    "keep-limit",
    "command",
    "user",
    "timeout",
    "signal",
    "dry-run",
    "cool-down",
    "per-hour",
];

/// A response.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Response {
    pub(super) rule: Rule,
    /// What is kept of the sample.
    pub(super) kept: Option<KeptEvidence>,
}

/// What is kept of a sample, and where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KeptEvidence {
    pub(super) forms: Vec<Form>,
    pub(super) folder: PathBuf,
    pub(super) limit: NonZeroUsize,
}

/// All of them, the folder of their log, and the process that runs commands.
#[derive(Debug)]
pub(super) struct Responses {
    pub(super) responses: Vec<Response>,
    pub(super) state: PathBuf,
    /// Until it is handed on to whom it works for.
    pub(super) runner: std::sync::Mutex<Option<Runner>>,
}

impl Responses {
    /// Starts the process that runs commands and sends signals, where any response does: before privileges are given up,
    /// and before there are threads.
    pub(super) fn start(&mut self) -> Result<(), Failure> {
        let has_work = |it: &Response| {
            !it.rule.is_dry && (it.rule.command.is_some() || it.rule.signal.is_some())
        };
        if self.responses.iter().any(has_work) {
            let rules = self.responses.iter().map(|it| it.rule.without_dry()).collect();
            let runner = Runner::start(rules).map_err(Failure::Runner)?;
            self.runner = Some(runner).into();
        }
        Ok(())
    }
}

/// What the file says of responses; `None` where it says nothing. They need a folder.
pub(super) fn decided(
    file: Option<&File>,
    state: Option<&Path>,
) -> Result<Option<Responses>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let read = |text| parse(text, state.map(|state| state.join(FOLDER)).as_deref());
    let responses = read(&file.text).map_err(|fault| file.failure(fault))?;
    let Some(state) = state.filter(|_| !responses.is_empty()) else { return Ok(None) };
    Ok(Some(Responses { responses, state: state.join(FOLDER), runner: None.into() }))
}

fn parse(text: &str, state: Option<&Path>) -> Result<Vec<Response>, Fault> {
    let mut responses: Vec<Response> = Vec::new();
    for section in sections(text, config::RESPONSES, A_RESPONSE)? {
        let section = section?;
        let at = section.at;
        let state = state.ok_or_else(|| Fault {
            at,
            why: "responses need a folder that keeps their log".to_owned(),
            advice: Some("state = \"/var/lib/leak-agent\", or --state DIR".to_owned()),
        })?;
        let response = section.response(state)?;
        if responses.iter().any(|other| other.rule.name == response.rule.name) {
            let name = response.rule.name;
            return Err(fault(at, format!("there is another response called {name}")));
        }
        responses.push(response);
    }
    Ok(responses)
}

impl Section<'_> {
    fn response(mut self, state: &Path) -> Result<Response, Fault> {
        if let Some((key, at)) = self.unknown(&KEYS) {
            let advice = near(key, KEYS.into_iter());
            return Err(Fault { at, why: format!("{A_RESPONSE} has no {key}"), advice });
        }
        let name = self.name(A_RESPONSE)?;
        let services = self.texts("service")?;
        let rule = Rule {
            name,
            verdict: self.one_of("verdict", &VERDICTS, |it| it.name())?.unwrap_or(Verdict::Likely),
            severity: self
                .one_of("severity", &SEVERITIES, |it| it.name())?
                .unwrap_or(Severity::High),
            classes: self.classes()?,
            services: services.iter().map(|text| WildMatch::new(text)).collect(),
            command: self.command()?,
            signal: self.signal()?,
            is_dry: self.boolean("dry-run")?.unwrap_or(true),
            limits: Limits {
                cool_down: self.time("cool-down")?.unwrap_or(COOL_DOWN),
                per_hour: self.number("per-hour")?.unwrap_or(PER_HOUR),
            },
        };
        let kept = self.kept(state, &rule.name)?;
        if kept.is_none() && rule.command.is_none() && rule.signal.is_none() {
            let why = "it does nothing: it needs keep, command or signal";
            return Err(fault(self.at, why.to_owned()));
        }
        Ok(Response { rule, kept })
    }

    fn kept(&mut self, state: &Path, name: &str) -> Result<Option<KeptEvidence>, Fault> {
        let names = self.texts("keep")?;
        let folder = self.text("keep-dir")?;
        let limit = self.number("keep-limit")?;
        let form = |name: &String| {
            let found = Form::ALL.into_iter().find(|form| form.name() == name);
            found.ok_or_else(|| {
                let all = Form::ALL.map(Form::name);
                let why = format!("{name:?}: it is one of {}", all.join(", "));
                Fault { advice: near(name, all.into_iter()), ..self.fault("keep", why) }
            })
        };
        let forms = names.iter().map(form).collect::<Result<Vec<Form>, Fault>>()?;
        if forms.is_empty() {
            return Ok(None);
        }
        Ok(Some(KeptEvidence {
            forms,
            // Each has a folder of its own: what one removes beyond its limit is no other's.
            folder: folder.map_or_else(|| state.join("evidence"), PathBuf::from).join(name),
            limit: limit
                .and_then(NonZeroUsize::new)
                .unwrap_or(NonZeroUsize::new(KEEP_LIMIT).unwrap_or(NonZeroUsize::MIN)),
        }))
    }

    fn command(&mut self) -> Result<Option<Command>, Fault> {
        let mut words = self.texts("command")?.into_iter();
        let user = self.text("user")?;
        let timeout = self.time("timeout")?.unwrap_or(TIMEOUT);
        if timeout.is_zero() || timeout > MAX_TIMEOUT {
            return Err(self.fault("timeout", "it takes a time above 0, at most 24h".to_owned()));
        }
        let Some(program) = words.next().map(PathBuf::from) else { return Ok(None) };
        let unfit = |why: &str| Err(self.fault("command", why.to_owned()));
        if !program.is_absolute() {
            return unfit("its program is written with its whole path");
        }
        match program.metadata() {
            Ok(file) if file.is_file() && file.permissions().mode() & 0o111 != 0 => {}
            Ok(_) => return unfit("its program is no file that can be executed"),
            Err(error) => return unfit(&format!("its program cannot be found: {error}")),
        }
        let name = user.or_else(|| getuid().is_root().then(|| NOBODY.to_owned()));
        let user = match name {
            None => None,
            Some(name) => match User::from_name(&name) {
                Ok(Some(user)) if user.uid == getuid() => None,
                Ok(Some(user)) => Some((name, user.uid.as_raw(), user.gid.as_raw())),
                Ok(None) => return Err(self.fault("user", format!("there is no user {name:?}"))),
                Err(error) => {
                    return Err(
                        self.fault("user", format!("{name:?} cannot be looked up: {error}"))
                    );
                }
            },
        };
        Ok(Some(Command { program, args: words.collect(), user, timeout }))
    }

    fn signal(&mut self) -> Result<Option<Signal>, Fault> {
        let Some(text) = self.text("signal")? else { return Ok(None) };
        let whole = if text.starts_with("SIG") { text.clone() } else { format!("SIG{text}") };
        whole.parse().map(Some).map_err(|_| {
            self.fault("signal", format!("{text:?} is no signal: SIGUSR1, SIGTERM, ..."))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Response>, String> {
        parse(text, Some(Path::new("/state"))).map_err(|fault| {
            let line = text[..fault.at].matches('\n').count() + 1;
            let advice = fault.advice.map_or_else(String::new, |it| format!(" ({it})"));
            format!("{line}: {}{advice}", fault.why)
        })
    }

    #[test]
    fn a_response_has_careful_defaults_and_may_have_others() {
        let text = "[[response]]\nname = \"keep\"\nkeep = [\"snapshot\", \"html\"]\n\
                    [[response]]\nname = \"page\"\ncommand = [\"/bin/sh\", \"-c\", \"true\"]\nsignal = \"USR1\"\n\
                    dry-run = false\ncool-down = \"10m\"\nper-hour = 2\nverdict = \"proven\"\nservice = \"shop-*\"\n";
        let [keep, page] = &read(text).expect("sound")[..] else { panic!("two") };
        assert!(keep.rule.is_dry && keep.rule.command.is_none());
        assert_eq!((keep.rule.verdict, keep.rule.severity), (Verdict::Likely, Severity::High));
        assert_eq!(keep.rule.limits, Limits { cool_down: COOL_DOWN, per_hour: PER_HOUR });
        let kept = keep.kept.as_ref().expect("something");
        assert_eq!(kept.forms, [Form::Snapshot, Form::Html]);
        assert_eq!(kept.folder, Path::new("/state/evidence/keep"));
        let command = page.rule.command.as_ref().expect("a command");
        assert_eq!(command.args, ["-c", "true"]);
        let expected = getuid().is_root().then_some("nobody");
        assert_eq!(command.user.as_ref().map(|(name, ..)| name.as_str()), expected);
        assert_eq!((page.rule.signal, page.rule.is_dry), (Some(Signal::SIGUSR1), false));
        assert_eq!(page.rule.limits.per_hour, 2);
        assert_eq!(read("top = 3").expect("sound"), []);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (settings, said) in [
            ("", "1: it does nothing"),
            ("keep = [\"potato\"]", "3: \"potato\": it is one of snapshot, html, pprof, dump"),
            ("comand = [\"/bin/sh\"]", "3: a response has no comand (command, if"),
            ("command = [\"sh\"]", "3: its program is written with its whole path"),
            ("command = [\"/bin\"]", "3: its program is no file that can be executed"),
            ("command = [\"/no/such\"]", "3: its program cannot be found"),
            (
                "command = \"/bin/sh\"\nuser = \"nobody-else\"",
                "4: there is no user \"nobody-else\"",
            ),
            ("command = \"/bin/sh\"\ntimeout = \"0s\"", "4: it takes a time above 0, at most 24h"),
            ("signal = \"SIGPOTATO\"", "3: \"SIGPOTATO\" is no signal"),
            ("keep = \"dump\"\nper-hour = 0", "4: it takes a whole number from 1"),
            ("keep = \"dump\"\ndry-run = \"no\"", "4: it is true or false"),
        ] {
            let text = format!("[[response]]\nname = \"x\"\n{settings}\n");
            let fault = read(&text).expect_err(settings);
            assert!(fault.starts_with(said), "{settings}: {fault}");
        }
        let twice = "[[response]]\nname = \"x\"\nkeep = \"dump\"\n".repeat(2);
        assert!(read(&twice).expect_err("twice").contains("another response called x"));
        let homeless = parse("[[response]]\nname = \"x\"\nkeep = \"dump\"\n", None);
        assert!(homeless.expect_err("no folder").why.contains("need a folder"));
    }
}

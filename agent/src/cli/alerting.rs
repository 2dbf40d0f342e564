//! `[[alert]]` in the configuration file: whom to tell of which findings.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use wildmatch::WildMatch;

use super::config::{self, Fault, File};
use super::failure::Failure;
use super::judging::package;
use super::section::{SEVERITIES, Section, VERDICTS, fault, near, sections};
use crate::alert::{
    Form, Given, KINDS, Key, Kind, Limits, Receiver, Rule, SecretSource, Setting, Template, Unfit,
};
use crate::error_chain::one_line;
use crate::http::{Secret, Settings};
use crate::model::{Severity, Verdict};

/// From the first event to the message that tells it.
const GROUP_WAIT: Duration = Duration::from_secs(30);

/// For how long a finding must not be there to be over.
const RESOLVE_WAIT: Duration = Duration::from_secs(60);

/// From one time that what stands is told again to the next.
const RESEND: Duration = Duration::from_secs(60);

/// Messages an hour.
const PER_HOUR: u32 = 120;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a section of the file is.
const AN_ALERT: &str = "an alert";

/// What alerts keep, in the folder of what outlives the agent.
const FOLDER: &str = "alerts";

/// The settings that every alert has, beside those of its kind.
const COMMON: [&str; 16] = [
    "name",
    "kind",
    "verdict",
    "severity",
    "class",
    "package",
    "service",
    "group-wait",
    "resolve-wait",
    "per-hour",
    "title",
    "text",
    "timeout",
    "ca-file",
    "insecure",
    "resend",
];

/// Everybody who is told, and the folder of what is kept.
#[derive(Debug)]
pub(super) struct Alerts {
    pub(super) alerts: Vec<Alert>,
    pub(super) state: PathBuf,
}

impl Alerts {
    /// Nobody is told, for now.
    pub(super) fn nobody(state: &Path) -> Self {
        Self { alerts: Vec::new(), state: state.join(FOLDER) }
    }
}

/// Somebody who is told of some findings.
#[derive(Clone)]
pub(super) struct Alert {
    pub(super) rule: Rule,
    pub(super) receiver: Arc<dyn Receiver>,
    pub(super) limits: Limits,
    /// How often what stands is told again, to those who forget it.
    pub(super) resend: Option<Duration>,
    /// Whether the receiver is believed whatever its certificate says.
    pub(super) insecure: bool,
}

/// Without the receiver, which holds secrets.
impl fmt::Debug for Alert {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Alert").field("rule", &self.rule).finish_non_exhaustive()
    }
}

/// What the file says of alerts; `None` where it says nothing. They need a folder.
pub(super) fn decided(
    file: Option<&File>,
    state: Option<PathBuf>,
) -> Result<Option<Alerts>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let alerts = read(file)?;
    let Some((at, _)) = alerts.first() else { return Ok(None) };
    let state = state.ok_or_else(|| {
        file.failure(Fault {
            at: *at,
            why: "alerts need a folder that keeps what was told and what waits to be sent"
                .to_owned(),
            advice: Some("state = \"/var/lib/leak-agent\", or --state DIR".to_owned()),
        })
    })?;
    let alerts = alerts.into_iter().map(|(_, alert)| alert).collect();
    Ok(Some(Alerts { alerts, state: state.join(FOLDER) }))
}

/// The alert of a name.
pub(super) fn named(file: Option<&File>, name: &str) -> Result<Alert, Failure> {
    let alerts = file.map(read).transpose()?.unwrap_or_default();
    let known = alerts.iter().map(|(_, alert)| alert.rule.name.clone()).collect();
    let found = alerts.into_iter().find(|(_, alert)| alert.rule.name == name);
    let unknown = || Failure::NoAlert { name: name.to_owned(), known };
    found.map(|(_, alert)| alert).ok_or_else(unknown)
}

/// All of them, and where each begins.
fn read(file: &File) -> Result<Vec<(usize, Alert)>, Failure> {
    let variable = |name: &str| std::env::var(name).ok();
    parse(&file.text, &variable).map_err(|fault| file.failure(fault))
}

fn parse(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(usize, Alert)>, Fault> {
    let mut alerts: Vec<(usize, Alert)> = Vec::new();
    for section in sections(text, config::ALERTS, AN_ALERT)? {
        let section = section?;
        let at = section.at;
        let alert = section.alert(variable)?;
        if alerts.iter().any(|(_, other)| other.rule.name == alert.rule.name) {
            return Err(fault(at, format!("there is another alert called {}", alert.rule.name)));
        }
        alerts.push((at, alert));
    }
    Ok(alerts)
}

impl Section<'_> {
    fn alert(mut self, variable: &dyn Fn(&str) -> Option<String>) -> Result<Alert, Fault> {
        let name = self.name(AN_ALERT)?;
        let kind = self.text("kind")?.ok_or_else(|| self.missing("kind"))?;
        let kind = KINDS.iter().find(|it| it.name == kind).ok_or_else(|| {
            let names: Vec<&str> = KINDS.iter().map(|it| it.name).collect();
            let why = format!("{kind:?}: it is one of {}", names.join(", "));
            Fault { advice: near(&kind, names.into_iter()), ..self.fault("kind", why) }
        })?;
        self.know(kind)?;
        let rule = self.rule(name, kind)?;
        let asking = self.asking()?;
        let limits = Limits {
            per_hour: self.number("per-hour")?.unwrap_or(PER_HOUR),
            timeout: asking.timeout,
        };
        let resend = self.time("resend")?;
        if resend.is_some_and(|resend| resend < Duration::from_secs(1)) {
            return Err(self.fault("resend", "at least 1s".into()));
        }
        let insecure = asking.insecure;
        let mut given = Given { settings: BTreeMap::new(), asking };
        for key in kind.keys {
            if let Some(setting) = self.setting(key, variable)? {
                given.settings.insert(key.name, setting);
            } else if key.is_required {
                return Err(self.missing(&written(key)));
            }
        }
        if kind.is_forgetful {
            given.settings.insert("resend", Setting::Time(resend.unwrap_or(RESEND)));
        }
        let receiver = (kind.make)(&given).map_err(|Unfit { key, why }| self.fault(key, why))?;
        let resend = kind.is_forgetful.then(|| resend.unwrap_or(RESEND));
        Ok(Alert { rule, receiver, limits, resend, insecure })
    }

    fn rule(&mut self, name: String, kind: &Kind) -> Result<Rule, Fault> {
        let patterns = |texts: Vec<String>| texts.iter().map(|text| WildMatch::new(text)).collect();
        Ok(Rule {
            name,
            verdict: self.one_of("verdict", &VERDICTS, |it| it.name())?.unwrap_or(Verdict::Likely),
            severity: self
                .one_of("severity", &SEVERITIES, |it| it.name())?
                .unwrap_or(Severity::Low),
            classes: self.classes()?,
            packages: self.texts("package")?.iter().flat_map(|text| package(text)).collect(),
            services: patterns(self.texts("service")?),
            group_wait: self.time("group-wait")?.unwrap_or(GROUP_WAIT),
            resolve_wait: self.time("resolve-wait")?.unwrap_or(RESOLVE_WAIT),
            title: self.template("title")?.unwrap_or_else(Template::title),
            text: self.template("text")?.unwrap_or_else(Template::text),
            is_one_by_one: kind.is_one_by_one,
        })
    }

    fn asking(&mut self) -> Result<Settings, Fault> {
        let authorities = match self.text("ca-file")? {
            Some(file) => Some(
                Settings::authorities_of(file.as_ref())
                    .map_err(|error| self.fault("ca-file", one_line(&error)))?,
            ),
            None => None,
        };
        let timeout = self.time("timeout")?.unwrap_or(TIMEOUT);
        if timeout.is_zero() {
            return Err(self.fault("timeout", "it is no time to answer in".into()));
        }
        let insecure = self.boolean("insecure")?.unwrap_or(false);
        Ok(Settings { timeout, authorities, insecure, ..Settings::default() })
    }

    /// A setting of a kind; a secret stands in a file or a variable.
    fn setting(
        &mut self,
        key: &Key,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Setting>, Fault> {
        let name = key.name;
        let plain = match key.form {
            Form::Text | Form::TextOrSecret => self.text(name)?.map(Setting::Text),
            Form::Texts => {
                let texts = self.texts(name)?;
                (!texts.is_empty()).then_some(Setting::Texts(texts))
            }
            Form::Time => self.time(name)?.map(Setting::Time),
            Form::Secret => None,
        };
        if !is_secret(key) {
            return Ok(plain);
        }
        let [in_file, in_variable] = [format!("{name}-file"), format!("{name}-env")];
        let file = self.text(&in_file)?;
        let named = self.text(&in_variable)?;
        if [plain.is_some(), file.is_some(), named.is_some()].iter().filter(|it| **it).count() > 1 {
            let why = format!("{name} is said more than once: {}", written(key));
            return Err(self.fault(if named.is_some() { &in_variable } else { &in_file }, why));
        }
        let source = match (file, named) {
            (Some(path), _) => {
                let source = SecretSource::File(path.into());
                source
                    .read()
                    .map_err(|error| self.fault(&in_file, format!("cannot read it: {error}")))?;
                source
            }
            (None, Some(named)) => {
                let secret = variable(&named).filter(|text| !text.is_empty());
                let why = || self.fault(&in_variable, format!("the variable {named} is not set"));
                SecretSource::Variable(Secret::new(secret.ok_or_else(why)?))
            }
            (None, None) => return Ok(plain),
        };
        Ok(Some(Setting::Secret(source)))
    }

    /// That all settings are ones of this kind.
    fn know(&self, kind: &Kind) -> Result<(), Fault> {
        let mut known: Vec<String> = COMMON
            .iter()
            .filter(|name| kind.is_forgetful || **name != "resend")
            .map(|name| (*name).to_owned())
            .collect();
        for key in kind.keys {
            if key.form != Form::Secret {
                known.push(key.name.to_owned());
            }
            if is_secret(key) {
                known.extend(["file", "env"].map(|end| format!("{}-{end}", key.name)));
            }
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let Some((key, at)) = self.unknown(&known) else { return Ok(()) };
        if let Some(secret) = kind.keys.iter().find(|it| it.name == key && it.form == Form::Secret)
        {
            return Err(Fault {
                at,
                why: format!("{key} is a secret, which does not stand in this file"),
                advice: Some(written(secret)),
            });
        }
        let why = format!("an alert of kind {} has no {key}", kind.name);
        Err(Fault { at, why, advice: near(key, known.into_iter()) })
    }

    fn missing(&self, what: &str) -> Fault {
        fault(self.at, format!("{AN_ALERT} needs {what}"))
    }

    fn template(&mut self, key: &str) -> Result<Option<Template>, Fault> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        Template::parse(&text).map(Some).map_err(|why| self.fault(key, why))
    }
}

const fn is_secret(key: &Key) -> bool {
    matches!(key.form, Form::Secret | Form::TextOrSecret)
}

/// The names by which a setting is written: `key-file or key-env`.
fn written(key: &Key) -> String {
    let name = key.name;
    match key.form {
        Form::Secret => format!("{name}-file or {name}-env"),
        Form::TextOrSecret => format!("{name}, {name}-file or {name}-env"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CauseClass;

    const WEBHOOK: &str = "[[alert]]\nname = \"ops\"\nkind = \"webhook\"\nurl = \"http://h/x\"\n";

    fn read(text: &str) -> Result<Vec<Alert>, String> {
        let variable = |name: &str| (name == "SECRET").then(|| "http://h/T0/hush".to_owned());
        parse(text, &variable).map(|all| all.into_iter().map(|(_, alert)| alert).collect()).map_err(
            |fault| {
                let before = &text[..fault.at];
                let advice = fault.advice.map_or_else(String::new, |it| format!(" ({it})"));
                format!("{}: {}{advice}", before.matches('\n').count() + 1, fault.why)
            },
        )
    }

    #[test]
    fn an_alert_has_defaults_and_may_have_more() {
        let [only] = &read(WEBHOOK).expect("sound")[..] else { panic!("one") };
        assert_eq!((only.rule.verdict, only.rule.severity), (Verdict::Likely, Severity::Low));
        assert_eq!((only.limits.per_hour, only.resend), (PER_HOUR, None));
        let text = format!(
            "interval = \"2s\"\n{WEBHOOK}verdict = \"proven\"\nseverity = \"high\"\nclass = [\"mutex\", \"timer\"]\n\
             package = \"db\"\nservice = [\"shop*\"]\ngroup-wait = \"1m\"\nresolve-wait = 5\nper-hour = 6\n\
             title = \"{{service}}\"\ntext = \"{{cause}}\"\ntimeout = \"3s\"\nheaders = [\"X-Team: a\"]\n\
             [[alert]]\nname = \"slack\"\nkind = \"slack\"\nurl-env = \"SECRET\"\n\
             [[alert]]\nname = \"am\"\nkind = \"alertmanager\"\nurl = \"h:9093\"\nlabels = [\"team=a\"]\n"
        );
        let [first, slack, am] = &read(&text).expect("sound")[..] else { panic!("three") };
        assert_eq!(first.rule.classes, [CauseClass::Mutex, CauseClass::Timer]);
        assert_eq!(first.rule.group_wait, Duration::from_secs(60));
        assert_eq!(first.rule.resolve_wait, Duration::from_secs(5));
        assert_eq!((first.limits.per_hour, first.limits.timeout.as_secs()), (6, 3));
        assert_eq!((slack.resend, am.resend), (None, Some(RESEND)));
        assert!(!format!("{slack:?}").contains("hush"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_what_may_be_meant() {
        let more = |lines: &str| format!("{WEBHOOK}{lines}");
        for (text, said) in [
            (more("verdit = \"likely\""), "5: an alert of kind webhook has no verdit (verdict,"),
            (more("verdict = \"sure\""), "5: \"sure\": it is one of suspect, likely, proven"),
            (more("severity = 3"), "5: \"3\": it is one of low, medium, high, critical"),
            (more("class = [\"mutexes\"]"), "5: there is no class \"mutexes\" (mutex, if"),
            (more("class = [3]"), "5: class takes a list of texts"),
            (more("group-wait = \"soon\""), "5: a time is written like"),
            (more("per-hour = 0"), "5: it takes a whole number from 1"),
            (more("title = \"{sevice}\""), "5: there is no {sevice}; {service}, if"),
            (more("timeout = true"), "5: timeout takes a text"),
            (more("insecure = \"yes\""), "5: it is true or false"),
            (more("key = \"potato\""), "5: key is a secret, which does not stand in this file (key-file"),
            (more("key-env = \"NOWHERE\""), "5: the variable NOWHERE is not set"),
            (more("key-file = \"/nowhere\""), "5: cannot read it: "),
            (more("key-file = \"/nowhere\"\nkey-env = \"SECRET\""), "6: key is said more than once"),
            (more("url-env = \"SECRET\""), "5: url is said more than once"),
            (more("headers = [\"X\"]"), "5: it is written Name: value"),
            (more("resend = \"1m\""), "5: an alert of kind webhook has no resend"),
            (more("ca-file = \"/nowhere\""), "5: cannot use /nowhere"),
            (more("routing-key-env = \"SECRET\""), "5: an alert of kind webhook has no routing-key-env"),
            (more(WEBHOOK), "5: there is another alert called ops"),
            ("[[alert]]\nkind = \"slack\"".to_owned(), "1: an alert needs name"),
            ("[[alert]]\nname = \"a/b\"\nkind = \"slack\"".to_owned(), "2: a name has letters"),
            ("[[alert]]\nname = \"a\"\nkind = \"slak\"".to_owned(), "3: \"slak\": it is one of slack, webhook"),
            ("[[alert]]\nname = \"a\"\nkind = \"slack\"".to_owned(), "1: an alert needs url-file or url-env"),
            (
                "[[alert]]\nname = \"a\"\nkind = \"email\"\nserver = \"h\"\nfrom = \"potato\"\nto = \"a@b.c\"".to_owned(),
                "5: \"potato\" is no address such as",
            ),
            ("alert = [3]".to_owned(), "1: an alert is written as [[alert]]"),
            (
                "[[alert]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"ftp://h\"".to_owned(),
                "4: ftp is neither http nor https",
            ),
        ] {
            let fault = read(&text).expect_err(&text);
            assert!(fault.starts_with(said), "{text}\n{fault}");
        }
    }
}

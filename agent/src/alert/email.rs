//! Email by SMTP: a text and an HTML form of the same.

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
#[cfg(feature = "tls")]
use lettre::transport::smtp::client::Tls;
use lettre::transport::smtp::{Error, SmtpTransport};
use lettre::{Message, Transport as _};
use maud::{DOCTYPE, html};

use super::{Form, Given, Key, Kind, Receiver, SecretSource, SendError, Unfit, masked};
use crate::error_chain;
use crate::model::Timestamp;
use crate::report::schema::{AlertDoc, AlertEventKind};

pub(super) const KIND: Kind = Kind {
    name: "email",
    keys: &[
        Key::required("server", Form::Text),
        Key::required("from", Form::Text),
        Key::required("to", Form::Texts),
        Key::optional("encryption", Form::Text),
        Key::optional("user", Form::Text),
        Key::optional("password", Form::Secret),
    ],
    is_one_by_one: false,
    is_forgetful: false,
    make,
};

/// Characters of a subject: longer ones are cut by who shows them.
const MAX_SUBJECT: usize = 200;

/// How a connection is kept from being read, and at which port it is usual.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encryption {
    /// Asked for once connected; without it nothing is sent.
    StartTls,
    /// From the first byte on.
    Tls,
    /// Not at all.
    None,
}

struct Email {
    host: String,
    port: u16,
    #[cfg(feature = "tls")]
    tls: Tls,
    from: Mailbox,
    to: Vec<Mailbox>,
    login: Option<(String, SecretSource)>,
    timeout: std::time::Duration,
}

fn make(given: &Given) -> Result<Arc<dyn Receiver>, Unfit> {
    let unfit = |key, why: String| Unfit { key, why };
    let encryption = match given.text("encryption").unwrap_or("starttls") {
        "starttls" => Encryption::StartTls,
        "tls" => Encryption::Tls,
        "none" => Encryption::None,
        _ => return Err(unfit("encryption", "it is starttls, tls or none".to_owned())),
    };
    let server = given.text("server").unwrap_or_default();
    let (host, port) = address(server, encryption)
        .ok_or_else(|| unfit("server", "it is written host or host:port".to_owned()))?;
    let mailbox = |key, text: &str| {
        text.parse::<Mailbox>().map_err(|_| {
            unfit(key, format!("{text:?} is no address such as Ops <ops@example.org>"))
        })
    };
    let login = match (given.text("user"), given.secret("password")) {
        (Some(user), Some(password)) => Some((user.to_owned(), password.clone())),
        (None, None) => None,
        (Some(_), None) => {
            return Err(unfit("user", "it needs password-file or password-env".to_owned()));
        }
        (None, Some(_)) => return Err(unfit("password", "it needs a user".to_owned())),
    };
    if login.is_some() && encryption == Encryption::None && !is_local(&host) {
        let why = "a password is not sent without encryption: starttls or tls".to_owned();
        return Err(unfit("encryption", why));
    }
    #[cfg(not(feature = "tls"))]
    if encryption != Encryption::None {
        let why = "this leak-agent was built without TLS, and can send with none only".to_owned();
        return Err(unfit("encryption", why));
    }
    let to = given.texts("to").iter().map(|text| mailbox("to", text)).collect::<Result<_, _>>()?;
    Ok(Arc::new(Email {
        #[cfg(feature = "tls")]
        tls: tls(&host, encryption, given).map_err(|why| unfit("encryption", why))?,
        from: mailbox("from", given.text("from").unwrap_or_default())?,
        timeout: given.asking.timeout,
        host,
        port,
        to,
        login,
    }))
}

/// Host and port of `mail.example.org:2525`, `[::1]:25` or a host alone.
fn address(text: &str, encryption: Encryption) -> Option<(String, u16)> {
    let usual = match encryption {
        Encryption::StartTls => 587,
        Encryption::Tls => 465,
        Encryption::None => 25,
    };
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.starts_with('[') => {
            (host, port.parse().ok()?)
        }
        _ => (text, usual),
    };
    let host = host.trim_matches(['[', ']']);
    let is_sound = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '/');
    is_sound.then(|| (host.to_owned(), port))
}

fn is_local(host: &str) -> bool {
    let is_loopback =
        |host: &str| host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    host == "localhost" || is_loopback(host)
}

#[cfg(feature = "tls")]
fn tls(host: &str, encryption: Encryption, given: &Given) -> Result<Tls, String> {
    use lettre::transport::smtp::client::{Certificate, TlsParameters};
    if encryption == Encryption::None {
        return Ok(Tls::None);
    }
    let words = |error: Error| words(&error);
    let mut parameters = TlsParameters::builder(host.to_owned())
        .dangerous_accept_invalid_certs(given.asking.insecure);
    if let Some(pem) = &given.asking.authorities {
        parameters = parameters.add_root_certificate(Certificate::from_pem(pem).map_err(words)?);
    }
    let parameters = parameters.build_rustls().map_err(words)?;
    Ok(match encryption {
        Encryption::Tls => Tls::Wrapper(parameters),
        _ => Tls::Required(parameters),
    })
}

impl Receiver for Email {
    fn send(&self, alert: &AlertDoc, now: Timestamp) -> Result<String, SendError> {
        let mut transport = SmtpTransport::builder_dangerous(&self.host)
            .port(self.port)
            .timeout(Some(self.timeout));
        #[cfg(feature = "tls")]
        {
            transport = transport.tls(self.tls.clone());
        }
        let mut secrets = Vec::new();
        if let Some((user, source)) = &self.login {
            let password =
                source.read().map_err(|error| SendError::unreadable("password", &error))?;
            secrets.push(password.reveal().to_owned());
            transport =
                transport.credentials(Credentials::new(user.clone(), password.reveal().to_owned()));
        }
        let message =
            self.message(alert, now).map_err(|error| SendError::refused(&error.to_string()))?;
        // Without a pool each message has a connection of its own, which is closed behind it.
        match transport.build().send(&message) {
            Ok(said) => {
                let line = said.first_line().unwrap_or_default();
                Ok(masked(&format!("answered {} {line}", said.code()), &secrets))
            }
            Err(error) => Err(SendError {
                why: masked(&format!("{}:{}: {}", self.host, self.port, words(&error)), &secrets),
                is_refusal: is_refusal(&error),
                retry_after: None,
            }),
        }
    }
}

/// Whether a server does not want the message itself: all else that it says for good (a login that is wrong, a
/// mailbox that is not there) may be put right.
fn is_refusal(error: &Error) -> bool {
    // 552: too large; 554: the transaction has failed. RFC 5321, section 4.2.3.
    error.status().is_some_and(|code| matches!(u16::from(code), 552 | 554))
}

/// What went wrong, each cause once.
fn words(error: &Error) -> String {
    let what = if error.is_timeout() || has_waited(error) {
        "timed out".to_owned()
    } else if let Some(code) = error.status() {
        format!("answered {code}")
    } else if is_of_tls(error) {
        "no TLS connection".to_owned()
    } else {
        "no connection".to_owned()
    };
    match error.source() {
        Some(source) if !has_waited(error) => {
            format!("{what}: {}", error_chain::first_cause(source))
        }
        _ => what,
    }
}

#[cfg(feature = "tls")]
fn is_of_tls(error: &Error) -> bool {
    error.is_tls()
}

#[cfg(not(feature = "tls"))]
const fn is_of_tls(_: &Error) -> bool {
    false
}

/// Whether a socket gave up waiting, which the kernel tells as it does a socket that must not wait.
fn has_waited(error: &Error) -> bool {
    let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    io.is_some_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

impl Email {
    fn message(&self, alert: &AlertDoc, now: Timestamp) -> Result<Message, lettre::error::Error> {
        let subject = crate::report::format::cut(&alert.title, MAX_SUBJECT);
        let seconds = u64::try_from(now.unix_ns() / 1_000_000_000).unwrap_or(0);
        let date = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        // One that is sent again is known by its id.
        let id = format!("<{}@leak-agent>", alert.id);
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(subject)
            .date(date)
            .message_id(Some(id));
        for to in &self.to {
            message = message.to(to.clone());
        }
        message.multipart(MultiPart::alternative_plain_html(plain(alert), page(alert)))
    }
}

fn plain(alert: &AlertDoc) -> String {
    let mut text = format!("{}\n", alert.title);
    if alert.test {
        text.push_str("This is a test: nothing has happened.\n");
    }
    for event in &alert.events {
        text.push_str(&format!("\n{}\n", event.text));
        if let Some(fix) = event.fix.as_ref().filter(|_| event.event != AlertEventKind::Ended) {
            text.push_str(&format!("Fix: {fix}\n"));
        }
        text.push_str(&format!("Finding: {}\n", event.finding.id));
    }
    text.push('\n');
    for (name, value) in facts(alert) {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text
}

fn page(alert: &AlertDoc) -> String {
    let page = html! {
        (DOCTYPE)
        html {
            head { meta charset="utf-8"; title { (alert.title) } }
            body style="font-family: sans-serif; max-width: 50em" {
                h2 { (alert.title) }
                @if alert.test { p { "This is a test: nothing has happened." } }
                @for event in &alert.events {
                    div style=(style(event.event)) {
                        p style="white-space: pre-wrap; margin: 0" { (event.text) }
                        @if let Some(fix) = event.fix.as_ref().filter(|_| event.event != AlertEventKind::Ended) {
                            p { b { "Fix: " } (fix) }
                        }
                        p style="color: #666; margin: 0" { (event.finding.id) }
                    }
                }
                table {
                    @for (name, value) in facts(alert) { tr { td { (name) } td { (value) } } }
                }
            }
        }
    };
    page.into_string()
}

const fn style(event: AlertEventKind) -> &'static str {
    match event {
        AlertEventKind::Appeared => {
            "border-left: 4px solid #c62828; padding: 4px 12px; margin: 12px 0"
        }
        AlertEventKind::Worsened => {
            "border-left: 4px solid #6a1b9a; padding: 4px 12px; margin: 12px 0"
        }
        AlertEventKind::Ended => {
            "border-left: 4px solid #2e7d32; padding: 4px 12px; margin: 12px 0"
        }
    }
}

/// What is known of the program.
fn facts(alert: &AlertDoc) -> Vec<(String, String)> {
    let mut facts = vec![("program".to_owned(), alert.target.name.clone())];
    facts.extend(alert.target.pid.map(|pid| ("pid".to_owned(), pid.to_string())));
    let labels = alert.target.labels.iter().filter(|(name, _)| *name != "service_name");
    facts.extend(labels.map(|(name, value)| (name.clone(), value.clone())));
    facts.extend(alert.at.clone().map(|at| ("at".to_owned(), at)));
    facts
}

#[cfg(test)]
mod tests {
    use super::super::Setting;
    use super::super::tests::alert;
    use super::*;

    #[test]
    fn the_server_is_a_host_with_or_without_a_port() {
        let of = |text, encryption| address(text, encryption);
        assert_eq!(of("mail", Encryption::StartTls), Some(("mail".to_owned(), 587)));
        assert_eq!(of("mail:2525", Encryption::Tls), Some(("mail".to_owned(), 2525)));
        assert_eq!(of("[::1]:25", Encryption::None), Some(("::1".to_owned(), 25)));
        assert_eq!(of("::1", Encryption::None), Some(("::1".to_owned(), 25)));
        for text in ["", "mail:smtp", "smtp://mail", "a b:25"] {
            assert_eq!(of(text, Encryption::None), None, "{text}");
        }
    }

    #[test]
    fn what_the_target_says_is_no_markup_and_no_header() {
        let mut alert = alert(1);
        alert.title = "shop\r\nBcc: all@example.org".to_owned();
        alert.events[0].text = "<script>alert(1)</script>".to_owned();
        let email = Email {
            host: "localhost".to_owned(),
            port: 25,
            tls: Tls::None,
            from: "leak-agent <a@example.org>".parse().expect("an address"),
            to: vec!["b@example.org".parse().expect("an address")],
            login: None,
            timeout: std::time::Duration::from_secs(1),
        };
        let message = email.message(&alert, Timestamp::from_unix_ns(0)).expect("a message");
        let text = String::from_utf8(message.formatted()).expect("text");
        let (head, _) = text.split_once("\r\n\r\n").expect("headers and a body");
        assert!(!head.contains("\r\nBcc:"), "{head}");
        assert!(!page(&alert).contains("<script>") && plain(&alert).contains("<script>"));
    }

    #[test]
    fn a_password_goes_nowhere_without_encryption() {
        let source = SecretSource::Variable(crate::http::Secret::new("potato".to_owned()));
        let mut given = Given::default();
        let text = |text: &str| Setting::Text(text.to_owned());
        given.settings.extend([
            ("server", text("mail.example.org")),
            ("from", text("a@example.org")),
            ("to", Setting::Texts(vec!["b@example.org".to_owned()])),
            ("user", text("me")),
            ("password", Setting::Secret(source)),
            ("encryption", text("none")),
        ]);
        let unfit = make(&given).err().expect("it is refused");
        assert_eq!(unfit.key, "encryption");
        given.settings.insert("server", text("127.0.0.1"));
        assert!(make(&given).is_ok());
    }
}

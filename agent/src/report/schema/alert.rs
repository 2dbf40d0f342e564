//! What an alert says: the body that webhooks are sent, and what waits to be sent to any receiver.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::monitor::{NewsDoc, WasDoc};
use super::name::{Alert, SchemaName};

/// What has happened to findings of one program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Alert")]
pub struct AlertDoc {
    /// The name of the schema.
    pub schema: SchemaName<Alert>,
    /// The same each time this very message is sent again, and of no other.
    pub id: String,
    /// The name of the `[[alert]]` that it is sent for.
    pub alert: String,
    /// Whether it was made by `alert test`, and nothing has happened.
    pub test: bool,
    /// When it was made, as RFC 3339 in UTC.
    ///
    /// Null: the time is out of range.
    pub at: Option<String>,
    /// What has happened, in a line.
    pub title: String,
    /// The program.
    pub target: AlertTargetDoc,
    /// What has happened, worst first.
    pub events: Vec<AlertEventDoc>,
}

/// A program that findings are of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AlertTarget")]
pub struct AlertTargetDoc {
    /// What people call it: its executable's file name, or where it was seen.
    pub name: String,
    /// The process id, as the agent's pid namespace counts.
    ///
    /// Unit: process id. Null: the target is no process that the agent attached to.
    pub pid: Option<u32>,
    /// What tells it from other programs, whichever process it is: `service_name`, `host`, `library`,
    /// `container_id`, `pod_uid`, `instance`, as far as they are known.
    pub labels: BTreeMap<String, String>,
}

/// What has happened to a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertEventDoc {
    /// What.
    pub event: AlertEventKind,
    /// The finding of this program on whatever process, by 16 hexadecimal digits: the same after restarts of the
    /// program and of the agent.
    pub fingerprint: String,
    /// When the finding was first seen, as RFC 3339 in UTC.
    ///
    /// Null: the time is out of range.
    pub since: Option<String>,
    /// When it was over, as RFC 3339 in UTC.
    ///
    /// Null: it is not.
    pub until: Option<String>,
    /// The finding as it is now; as it was last, where it is over.
    pub finding: NewsDoc<'static>,
    /// What was told of it before.
    ///
    /// Null: nothing.
    pub was: Option<WasDoc>,
    /// What to do about it, in a sentence.
    ///
    /// Null: nothing is known that helps.
    pub fix: Option<String>,
    /// What has happened, in a text of one or more lines.
    pub text: String,
}

/// What has happened to a finding.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum AlertEventKind {
    /// It was not there before, or was not what the alert is for.
    Appeared,
    /// It is surer than was told, or as sure and more severe.
    Worsened,
    /// It is not there any more.
    Ended,
}

impl AlertEventKind {
    /// The name that people and programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

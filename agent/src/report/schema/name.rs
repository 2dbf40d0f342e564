//! The name of a schema, as a field.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A schema, by its name. Keys are only ever added within a version.
pub trait Schema {
    /// The name.
    const NAME: &'static str;
}

/// `leak-agent/report/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {}

/// `leak-agent/monitor/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monitor {}

/// `leak-agent/compare/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {}

/// `leak-agent/doctor/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doctor {}

/// `leak-agent/list/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {}

/// `leak-agent/fleet/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fleet {}

/// `leak-agent/memory/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {}

/// `leak-agent/alert/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alert {}

/// `leak-agent/daemon/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Daemon {}

impl Schema for Report {
    const NAME: &'static str = "leak-agent/report/v1";
}

impl Schema for Monitor {
    const NAME: &'static str = "leak-agent/monitor/v1";
}

impl Schema for Compare {
    const NAME: &'static str = "leak-agent/compare/v1";
}

impl Schema for Doctor {
    const NAME: &'static str = "leak-agent/doctor/v1";
}

impl Schema for List {
    const NAME: &'static str = "leak-agent/list/v1";
}

impl Schema for Fleet {
    const NAME: &'static str = "leak-agent/fleet/v1";
}

impl Schema for Memory {
    const NAME: &'static str = "leak-agent/memory/v1";
}

impl Schema for Alert {
    const NAME: &'static str = "leak-agent/alert/v1";
}

impl Schema for Daemon {
    const NAME: &'static str = "leak-agent/daemon/v1";
}

/// The name of a schema, which is all that this field can be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SchemaName<S>(PhantomData<S>);

impl<S> Default for SchemaName<S> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<S: Schema> fmt::Debug for SchemaName<S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(S::NAME)
    }
}

impl<S: Schema> Serialize for SchemaName<S> {
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        serializer.serialize_str(S::NAME)
    }
}

impl<'de, S: Schema> Deserialize<'de> for SchemaName<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'_, str>::deserialize(deserializer)?;
        if name == S::NAME {
            Ok(Self::default())
        } else {
            Err(D::Error::custom(format_args!("its schema is {name:?}")))
        }
    }
}

impl<S: Schema> JsonSchema for SchemaName<S> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        S::NAME.into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "const": S::NAME})
    }
}

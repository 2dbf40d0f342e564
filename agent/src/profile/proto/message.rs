//! The messages of a profile as they are written, by their field numbers.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(in crate::profile) struct Profile {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::profile) sample_type: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::profile) sample: Vec<Sample>,
    #[prost(message, repeated, tag = "3")]
    pub(in crate::profile) mapping: Vec<Mapping>,
    #[prost(message, repeated, tag = "4")]
    pub(in crate::profile) location: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    pub(in crate::profile) function: Vec<Function>,
    #[prost(string, repeated, tag = "6")]
    pub(in crate::profile) string_table: Vec<String>,
    #[prost(int64, tag = "9")]
    pub(in crate::profile) time_nanos: i64,
    #[prost(int64, tag = "10")]
    pub(in crate::profile) duration_nanos: i64,
    #[prost(message, optional, tag = "11")]
    pub(in crate::profile) period_type: Option<ValueType>,
    #[prost(int64, tag = "12")]
    pub(in crate::profile) period: i64,
    #[prost(int64, repeated, tag = "13")]
    pub(in crate::profile) comment: Vec<i64>,
    #[prost(int64, tag = "14")]
    pub(in crate::profile) default_sample_type: i64,
}

/// Numbers of strings.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(in crate::profile) struct ValueType {
    #[prost(int64, tag = "1")]
    pub(in crate::profile) r#type: i64,
    #[prost(int64, tag = "2")]
    pub(in crate::profile) unit: i64,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(in crate::profile) struct Sample {
    #[prost(uint64, repeated, tag = "1")]
    pub(in crate::profile) location_id: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    pub(in crate::profile) value: Vec<i64>,
    #[prost(message, repeated, tag = "3")]
    pub(in crate::profile) label: Vec<Label>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Message)]
pub(in crate::profile) struct Label {
    #[prost(int64, tag = "1")]
    pub(in crate::profile) key: i64,
    #[prost(int64, tag = "2")]
    pub(in crate::profile) str: i64,
    #[prost(int64, tag = "3")]
    pub(in crate::profile) num: i64,
    #[prost(int64, tag = "4")]
    pub(in crate::profile) num_unit: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(in crate::profile) struct Mapping {
    #[prost(uint64, tag = "1")]
    pub(in crate::profile) id: u64,
    #[prost(int64, tag = "5")]
    pub(in crate::profile) filename: i64,
    #[prost(int64, tag = "6")]
    pub(in crate::profile) build_id: i64,
    #[prost(bool, tag = "7")]
    pub(in crate::profile) has_functions: bool,
    #[prost(bool, tag = "8")]
    pub(in crate::profile) has_filenames: bool,
    #[prost(bool, tag = "9")]
    pub(in crate::profile) has_line_numbers: bool,
    #[prost(bool, tag = "10")]
    pub(in crate::profile) has_inline_frames: bool,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(in crate::profile) struct Location {
    #[prost(uint64, tag = "1")]
    pub(in crate::profile) id: u64,
    #[prost(uint64, tag = "2")]
    pub(in crate::profile) mapping_id: u64,
    #[prost(uint64, tag = "3")]
    pub(in crate::profile) address: u64,
    #[prost(message, repeated, tag = "4")]
    pub(in crate::profile) line: Vec<Line>,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(in crate::profile) struct Line {
    #[prost(uint64, tag = "1")]
    pub(in crate::profile) function_id: u64,
    #[prost(int64, tag = "2")]
    pub(in crate::profile) line: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(in crate::profile) struct Function {
    #[prost(uint64, tag = "1")]
    pub(in crate::profile) id: u64,
    #[prost(int64, tag = "2")]
    pub(in crate::profile) name: i64,
    #[prost(int64, tag = "3")]
    pub(in crate::profile) system_name: i64,
    #[prost(int64, tag = "4")]
    pub(in crate::profile) filename: i64,
}

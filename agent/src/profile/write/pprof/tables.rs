//! The tables that samples name: strings, functions, locations.

use super::strings::{Numbered, Strings};
use crate::model::{FrameId, Resolved, StackTable, Target};
use crate::profile::proto::MARK;
use crate::profile::proto::message::{
    Function, Label, Line, Location, Mapping, Profile, ValueType,
};

/// The one mapping: which file an address was in is not known.
const MAPPING: u64 = 1;

/// A profile of a target, without samples.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) profile: Profile,
    pub(super) strings: Strings,
    /// By name and file.
    functions: Numbered<(i64, i64)>,
    /// By the lines, or else the address.
    locations: Numbered<(Vec<(u64, u32)>, u64)>,
}

impl Tables {
    pub(super) fn of(target: &Target) -> Self {
        let mut this = Self::default();
        let version = env!("CARGO_PKG_VERSION");
        let go = target.go_version.as_deref().map_or_else(String::new, |go| format!(" ({go})"));
        this.comment(&format!("{MARK}{version}: {}{go}", target.id));
        // Not a path: pprof would open it, and take the addresses that it makes up itself for that file's.
        let binary = match (&target.exe, target.pid()) {
            (Some(exe), Some(pid)) => this.strings.number(&format!("{exe} (pid {pid})")),
            (Some(exe), None) => this.strings.number(&format!("[{exe}]")),
            (None, _) => 0,
        };
        this.profile.mapping = vec![Mapping {
            id: MAPPING,
            filename: binary,
            build_id: 0,
            has_functions: true,
            has_filenames: true,
            has_line_numbers: true,
            has_inline_frames: true,
        }];
        this
    }

    pub(super) fn value_type(&mut self, name: &str, unit: &str) -> ValueType {
        ValueType { r#type: self.strings.number(name), unit: self.strings.number(unit) }
    }

    pub(super) fn comment(&mut self, text: &str) {
        let number = self.strings.number(text);
        self.profile.comment.push(number);
    }

    pub(super) fn label(&mut self, key: &str, value: &str) -> Label {
        Label {
            key: self.strings.number(key),
            str: self.strings.number(value),
            num: 0,
            num_unit: 0,
        }
    }

    /// A location for each frame of the stack itself, with those that were inlined into it.
    pub(super) fn stack(&mut self, stacks: &StackTable, frames: &[FrameId]) -> Vec<u64> {
        let (mut locations, mut lines) = (Vec::new(), Vec::new());
        for &frame in frames {
            match stacks.lookup(frame) {
                // It begins every stack, and Go leaves it out too.
                Ok(Resolved { function: "runtime.goexit", .. }) => {}
                Ok(call) => {
                    lines.push((self.function(call.function, call.file), call.line));
                    if !call.inlined {
                        locations.push(self.location(std::mem::take(&mut lines), 0));
                    }
                }
                Err(pc) => locations.push(self.location(Vec::new(), pc)),
            }
        }
        if !lines.is_empty() {
            locations.push(self.location(lines, 0));
        }
        locations
    }

    fn function(&mut self, name: &str, file: &str) -> u64 {
        let (name, filename) = (self.strings.number(name), self.strings.number(file));
        let (id, is_new) = self.functions.number((name, filename));
        if is_new {
            self.profile.function.push(Function { id, name, system_name: name, filename });
        }
        id
    }

    fn location(&mut self, lines: Vec<(u64, u32)>, address: u64) -> u64 {
        let line = |&(function_id, line): &(u64, u32)| Line { function_id, line: i64::from(line) };
        let written: Vec<Line> = lines.iter().map(line).collect();
        let (id, is_new) = self.locations.number((lines, address));
        if is_new {
            let location = Location { id, mapping_id: MAPPING, address, line: written };
            self.profile.location.push(location);
        }
        id
    }

    pub(super) fn build(self) -> Profile {
        let Self { mut profile, strings, .. } = self;
        profile.string_table = strings.table();
        profile
    }
}

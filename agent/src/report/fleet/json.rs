//! A fleet as `leak-agent/fleet/v1`.

use std::io::{self, Write};

use crate::model::{Fleet, FleetGroup, FleetInstance, FleetLine};
use crate::report::json::time;
use crate::report::phrases;
use crate::report::schema::{
    FailedInstanceDoc, FleetCountDoc, FleetDoc, FleetGroupDoc, FleetIgnoredDoc, FleetInstanceDoc,
    OnlyWhereDoc, PlaceDoc, SchemaName,
};

/// Writes a fleet as one document.
///
/// # Errors
/// What the writer says.
pub fn write_json(fleet: &Fleet, out: &mut dyn Write) -> io::Result<()> {
    let document = FleetDoc {
        schema: SchemaName::default(),
        threshold: fleet.threshold,
        instances: fleet.instances.iter().map(instance).collect(),
        failed: (fleet.failed.iter())
            .map(|it| FailedInstanceDoc { name: (&it.name).into(), why: (&it.why).into() })
            .collect(),
        groups: fleet.groups.iter().map(|it| group(it, &fleet.instances)).collect(),
        below_threshold: fleet.below,
        ignored: (fleet.ignored.iter())
            .map(|(why, groups, goroutines)| FleetIgnoredDoc {
                reason: phrases::idle(why).to_owned(),
                groups: *groups,
                goroutines: *goroutines,
            })
            .collect(),
        dropped: fleet.dropped,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn instance(instance: &FleetInstance) -> FleetInstanceDoc<'_> {
    let labels = instance.labels.iter();
    FleetInstanceDoc {
        name: (&instance.name).into(),
        labels: labels.map(|(key, value)| (key.into(), value.into())).collect(),
        at: time(instance.at).map(Into::into),
        goroutines: instance.goroutines,
    }
}

fn group<'a>(group: &'a FleetGroup, instances: &'a [FleetInstance]) -> FleetGroupDoc<'a> {
    let count = |&(at, count): &(usize, u64)| {
        Some(FleetCountDoc { instance: (&instances.get(at)?.name).into(), count })
    };
    FleetGroupDoc {
        wait_class: group.wait,
        blocked_at: group.blocked_at.as_ref().map(line),
        created_by: group.created_by.as_ref().map(line),
        total: group.total,
        instances: group.instances,
        affected: group.affected,
        root_mean_square: group.root_mean_square,
        worst: group.worst.iter().filter_map(count).collect(),
        verdict: group.verdict,
        only_where: (group.only_where.iter())
            .map(|only| OnlyWhereDoc {
                label: (&only.label).into(),
                values: only.values.iter().map(Into::into).collect(),
                having: only.having,
                affected: only.affected,
            })
            .collect(),
    }
}

fn line(line: &FleetLine) -> PlaceDoc<'_> {
    PlaceDoc { function: (&line.function).into(), file: (&line.file).into(), line: line.line }
}

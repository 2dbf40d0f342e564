//! The file of what the daemon watches, beside the one that switches it off.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::cli::{output, time};
use crate::export::metrics::Own;
use crate::host::memory::resident_bytes;
use crate::report::json;
use crate::report::schema::{DaemonDoc, DaemonTargetDoc, SchemaName};

/// Its name.
const FILE: &str = "status.json";

/// Where it is.
pub(super) fn file(off_file: &Path) -> PathBuf {
    off_file.with_file_name(FILE)
}

/// Processor time and resident memory of this process.
pub(super) fn taken() -> (Duration, Option<u64>) {
    let cpu =
        clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from);
    (cpu, resident_bytes())
}

/// Whether a process is there.
pub(super) fn runs(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

/// Writes it, whole or not at all.
pub(super) fn write(
    off_file: &Path,
    own: &Own,
    targets: Vec<DaemonTargetDoc<'_>>,
) -> io::Result<()> {
    let file = file(off_file);
    let passed_over = |why| own.passed_over.get(why).copied().unwrap_or(0);
    let document = DaemonDoc {
        schema: SchemaName::default(),
        version: env!("CARGO_PKG_VERSION").into(),
        pid: process::id(),
        at: json::time(time::now()).map(Into::into),
        off: own.is_off,
        processes: own.processes,
        young: passed_over("young"),
        denied: passed_over("denied"),
        ignored: passed_over("ignored"),
        load: own.load,
        stretch: own.stretch,
        rss_bytes: own.rss_bytes,
        max_memory_bytes: own.max_memory_bytes,
        window_samples: own.window_samples,
        let_go: own.let_go,
        targets,
    };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let text = serde_json::to_vec(&document)?;
    output::write_file(&file, |out| out.write_all(&text))
}

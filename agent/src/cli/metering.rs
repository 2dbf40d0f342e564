//! The flags of metrics: who may fetch them, and where they are left.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::serve::ListenAddress;

/// Metrics for Prometheus.
#[derive(Debug, PartialEq, ClapArgs)]
#[command(next_help_heading = "Metrics")]
pub(super) struct Metering {
    /// Serve metrics for Prometheus at this address, as /metrics: 127.0.0.1:9477, or a port alone, of the loopback
    /// address.
    #[arg(long, value_name = "ADDRESS", env = "LEAK_AGENT_METRICS_LISTEN")]
    pub(super) metrics_listen: Option<ListenAddress>,

    /// Keep the metrics in this file, which is replaced as a whole after each sample: for the textfile collector of
    /// node_exporter (NAME.prom).
    #[arg(long, value_name = "FILE", env = "LEAK_AGENT_METRICS_FILE")]
    pub(super) metrics_file: Option<PathBuf>,
}

//! Real receivers of alerts for the tests: Prometheus' Alertmanager, and an SMTP server.

use crate::apt::{self, Need, Shows};
use crate::shell::say;

const NEEDS: [Need; 2] = [
    Need { package: "prometheus-alertmanager", shows: Shows::Program("prometheus-alertmanager") },
    // Debian's package is for Debian's own Python, whichever one is first on PATH.
    Need {
        package: "python3-aiosmtpd",
        shows: Shows::Runs(&["/usr/bin/python3", "-c", "import aiosmtpd"]),
    },
];

/// Brings them if they are missing. Where that cannot be, the tests that need one say that they are skipped.
pub fn ensure() {
    if let Err(error) = apt::ensure(&NEEDS, "to receive alerts (a few megabytes)") {
        say(format_args!("receivers: {error:#}; the tests that need one are skipped"));
    }
}

//! Real receivers of metrics and alerts for the tests: Prometheus and its Alertmanager, and an SMTP server.

use crate::apt::{self, Need, Shows};
use crate::shell::say;

const NEEDS: [Need; 3] = [
    Need { package: "prometheus", shows: Shows::Program("promtool") },
    Need { package: "prometheus-alertmanager", shows: Shows::Program("prometheus-alertmanager") },
    // Debian's package is for Debian's own Python, whichever one is first on PATH.
    Need {
        package: "python3-aiosmtpd",
        shows: Shows::Runs(&["/usr/bin/python3", "-c", "import aiosmtpd"]),
    },
];

/// Brings them if they are missing. Where that cannot be, the tests that need one say that they are skipped.
pub fn ensure() {
    if let Err(error) = apt::ensure(&NEEDS, "to receive metrics and alerts (250 MB installed)") {
        say(format_args!("receivers: {error:#}; the tests that need one are skipped"));
    }
}

//! A browser for the tests that look at the HTML report as its readers do.

use crate::apt::{self, Need, Shows};
use crate::shell::{self, say};

/// The smallest there is, without a window, and a typeface for it.
const NEEDS: [Need; 2] = [
    Need { package: "chromium-headless-shell", shows: Shows::Program("chromium-headless-shell") },
    Need {
        package: "fonts-dejavu-core",
        shows: Shows::File("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    },
];

/// Others that the tests can use as well.
const OTHERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// Brings a browser if there is none. Where that cannot be, the tests that need it say that they
/// are skipped.
pub fn ensure() {
    let given = std::env::var_os("LEAK_AGENT_BROWSER").is_some();
    if given || OTHERS.iter().any(|name| shell::which(name).is_some()) {
        return;
    }
    let why = "to look at the HTML report (230 MB installed, half a minute)";
    if let Err(error) = apt::ensure(&NEEDS, why) {
        say(format_args!("browser: {error:#}; the tests that need one are skipped"));
    }
}

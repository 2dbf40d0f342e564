//! What a process can be chosen by.

use strum::{EnumIter, IntoStaticStr};

/// What a process can be chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Property {
    /// The file name of its executable.
    Name,
    /// Its command line.
    Command,
    /// Its user, by name or number.
    User,
    /// The path of one of its control groups.
    Cgroup,
    /// Its container, by id or by the name that Kubernetes has for it.
    Container,
    /// The namespace of its Kubernetes pod.
    Namespace,
    /// Its Kubernetes pod, by name or UID.
    Pod,
    /// The service of systemd that it belongs to.
    Unit,
}

impl Property {
    /// Its name in a configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

//! What a process is called: by its executable, its user, its control groups.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::unistd::{Uid, User};

use super::property::Property;
use crate::host::container::Container;
use crate::host::pods::{PodContainer, Pods};
use crate::host::service::service;

/// Bytes of a command line that are read: what is longer is cut.
const MAX_COMMAND: usize = 4096;

/// What a process is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The file name of its executable.
    pub exe: String,
    /// Its command line, arguments separated by spaces.
    pub command: String,
    /// The number of its user; `None` where /proc does not say.
    pub uid: Option<u32>,
    /// The name of its user; `None` where this machine has none for the number.
    pub user: Option<String>,
    /// The paths of its control groups, without the same twice.
    pub cgroups: Vec<String>,
    /// Its container.
    pub container: Container,
    /// What Kubernetes calls its container.
    pub pod: Option<PodContainer>,
    /// The service of systemd that it belongs to: `shop.service`.
    pub unit: Option<String>,
}

impl Names {
    /// Those of a process that runs this executable.
    pub(super) fn of(pid: u32, exe: &str, pods: &mut Pods) -> Self {
        let folder = Path::new("/proc").join(pid.to_string());
        let command = fs::read(folder.join("cmdline")).unwrap_or_default();
        let command = &command[..command.len().min(MAX_COMMAND)];
        let uid = fs::metadata(&folder).ok().map(|it| it.uid());
        let user = uid.and_then(|uid| User::from_uid(Uid::from_raw(uid)).ok().flatten());
        let groups = fs::read_to_string(folder.join("cgroup")).unwrap_or_default();
        let mut cgroups: Vec<String> = groups
            .lines()
            .filter_map(|line| line.splitn(3, ':').nth(2))
            .map(str::to_owned)
            .collect();
        cgroups.sort();
        cgroups.dedup();
        let container = Container::of(pid);
        Self {
            exe: exe.to_owned(),
            command: String::from_utf8_lossy(command).replace('\0', " ").trim_end().to_owned(),
            uid,
            user: user.map(|user| user.name),
            cgroups,
            pod: container.id.as_deref().and_then(|id| pods.of(id)),
            container,
            unit: service(pid),
        }
    }

    /// All that it is called by a property: none where that is not known.
    pub(super) fn all(&self, property: Property) -> Vec<String> {
        let pod = self.pod.as_ref();
        match property {
            Property::Name => vec![self.exe.clone()],
            Property::Command => vec![self.command.clone()],
            Property::User => {
                self.user.iter().cloned().chain(self.uid.map(|uid| uid.to_string())).collect()
            }
            Property::Cgroup => self.cgroups.clone(),
            Property::Container => {
                let name = pod.map(|pod| pod.container.clone());
                self.container.id.iter().cloned().chain(name).collect()
            }
            Property::Namespace => pod.map(|pod| pod.namespace.clone()).into_iter().collect(),
            Property::Pod => {
                let name = pod.map(|pod| pod.pod.clone());
                self.container.pod.iter().cloned().chain(name).collect()
            }
            Property::Unit => self.unit.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_itself_has_names() {
        let names = Names::of(std::process::id(), "test", &mut Pods::default());
        assert!(!names.command.is_empty() && !names.command.contains('\0'), "{names:?}");
        assert!(names.uid.is_some() && !names.cgroups.is_empty(), "{names:?}");
        assert!(names.all(Property::User).contains(&names.uid.expect("a user").to_string()));
    }
}

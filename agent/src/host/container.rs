//! The container that a process is in, as the names of its control groups tell.

use std::fs;

/// Digits of a container's id, and of a part of a pod's.
const ID: usize = 64;
const POD: [usize; 5] = [8, 4, 4, 4, 12];

/// The container that a process is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its id, which Docker, containerd, CRI-O and Podman name its control group by; `None` outside of one,
    /// or where it cannot be told.
    pub id: Option<String>,
    /// The id (UID) of the Kubernetes pod that it is in.
    pub pod: Option<String>,
}

impl Container {
    /// That of a process; empty where /proc cannot be read, or shows the control groups as those inside the
    /// container do.
    #[must_use]
    pub fn of(pid: u32) -> Self {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default())
    }

    fn parse(groups: &str) -> Self {
        let paths = || groups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
        // The innermost: what runs containers may be one.
        let id = paths().find_map(|path| path.rsplit('/').find_map(container));
        let pod = paths().find_map(|path| path.rsplit('/').find_map(pod));
        Self { id, pod }
    }
}

/// `0123…` in `docker-0123….scope`, `cri-containerd-0123….scope`, `0123…`.
fn container(group: &str) -> Option<String> {
    let name = group.strip_suffix(".scope").unwrap_or(group);
    let id = name.rsplit(['-', ':']).next()?;
    (id.len() == ID && is_hex(id)).then(|| id.to_owned())
}

/// `0b9f2e7c-…` in `pod0b9f2e7c-…`, `kubepods-burstable-pod0b9f2e7c_….slice`.
fn pod(group: &str) -> Option<String> {
    let name = group.split_once(".slice").map_or(group, |(name, _)| name);
    let id = name.rsplit_once("pod")?.1.replace('_', "-");
    // Of static pods it is a hash, without any dash.
    let is_hash = id.len() == 32 && is_hex(&id);
    let is_id = id.split('-').map(str::len).eq(POD) && id.split('-').all(is_hex);
    (is_id || is_hash).then_some(id)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "1e60bb31b2ec4d3d3d1f2f1e0b1b4a2f8b9f1a2c3d4e5f60718293a4b5c6d7e8";
    const TWO: &str = "2e60bb31b2ec4d3d3d1f2f1e0b1b4a2f8b9f1a2c3d4e5f60718293a4b5c6d7e8";
    const UID: &str = "0b9f2e7c-4f0e-4a57-9d3c-1c2b3a4d5e6f";

    fn told(groups: &str) -> (Option<String>, Option<String>) {
        let Container { id, pod } = Container::parse(groups);
        (id, pod)
    }

    #[test]
    fn who_runs_it_names_the_group_by_its_id() {
        let own = UID.replace('-', "_");
        for (group, pod) in [
            (format!("0::/system.slice/docker-{ONE}.scope"), false),
            (format!("12:pids:/docker/{ONE}\n0::/"), false),
            (format!("0::/machine.slice/libpod-{ONE}.scope/container"), false),
            (format!("0::/docker/{TWO}/docker/{ONE}"), false),
            (format!("4:memory:/kubepods/burstable/pod{UID}/{ONE}"), true),
            (
                format!(
                    "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{own}.slice/\
                     cri-containerd-{ONE}.scope"
                ),
                true,
            ),
            (
                format!(
                    "1:cpu:/system.slice/containerd.service/kubepods-besteffort-pod{own}.slice:cri-containerd:{ONE}\n"
                ),
                true,
            ),
        ] {
            let expected = (Some(ONE.to_owned()), pod.then(|| UID.to_owned()));
            assert_eq!(told(&group), expected, "{group}");
        }
        let of_a_file = "0::/kubepods/pod0123456789abcdef0123456789abcdef/x";
        assert_eq!(told(of_a_file), (None, Some("0123456789abcdef0123456789abcdef".to_owned())));
    }

    #[test]
    fn outside_of_one_there_is_none() {
        for groups in [
            "",
            "0::/",
            "0::/user.slice/user-1000.slice/session-2.scope",
            "0::/../../podium",
            "potato\n0::/docker/12ab",
        ] {
            assert_eq!(told(groups), (None, None), "{groups}");
        }
    }
}

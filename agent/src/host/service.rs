//! The service of systemd that a process belongs to, as the names of its control groups tell.

use std::fs;

/// `shop.service`, or `shop@1.service`; `None` outside of one, or where /proc cannot be read.
#[must_use]
pub fn service(pid: u32) -> Option<String> {
    innermost(&fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?)
}

fn innermost(groups: &str) -> Option<String> {
    let paths = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let service = |path: &str| {
        let mut names = path.rsplit('/');
        names.find(|name| name.ends_with(".service")).map(str::to_owned)
    };
    paths.filter_map(service).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services() {
        for (groups, expected) in [
            ("0::/system.slice/shop.service\n", Some("shop.service")),
            ("0::/system.slice/shop@1.service/worker\n", Some("shop@1.service")),
            ("5:cpu:/\n1:name=systemd:/system.slice/shop.service\n", Some("shop.service")),
            ("0::/user.slice/user-1000.slice/session-3.scope\n", None),
            ("", None),
        ] {
            assert_eq!(innermost(groups).as_deref(), expected, "{groups}");
        }
    }
}

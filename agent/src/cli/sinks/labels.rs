//! Whose a profile or a finding is, as stores and receivers of alerts are told.

use std::collections::BTreeMap;
use std::fs;

use crate::export::Label;
use crate::host::container::Container;
use crate::host::pods::Pods;
use crate::host::service::service;
use crate::model::{Instance, Target};

/// What stores call the program by default.
const SERVICE: &str = "service_name";

/// The labels of a target. Those that the user named go first, and one without a value goes away.
pub(super) fn of(target: &Target, named: &[Label]) -> Vec<Label> {
    let mut labels = BTreeMap::from([(SERVICE, target.name().into_owned())]);
    match &target.id.instance {
        Instance::Process { pid, library } => {
            let Container { id, pod } = Container::of(*pid);
            let named = id.as_deref().and_then(|id| Pods::default().of(id));
            let known =
                [("host", host()), ("container_id", id), ("pod_uid", pod), ("unit", service(*pid))];
            labels.extend(known.into_iter().filter_map(|(name, value)| Some((name, value?))));
            if let Some(named) = named {
                labels.extend([
                    ("namespace", named.namespace),
                    ("pod", named.pod),
                    ("container", named.container),
                ]);
            }
            labels.insert("pid", pid.to_string());
            labels.extend(library.clone().map(|library| ("library", library)));
        }
        Instance::Endpoint { url } => {
            let address = url.split_once("://").map_or(url.as_str(), |(_, address)| address);
            let server = address.split('/').next().unwrap_or(address);
            labels.insert("instance", server.to_owned());
        }
        Instance::Files { path } => {
            labels.insert("instance", path.clone());
        }
        Instance::Stored(of) => {
            labels.insert("instance", of.labels.clone());
        }
    }
    let mut labels: BTreeMap<&str, Label> =
        labels.into_iter().map(|(name, value)| (name, Label::new(name, &value))).collect();
    labels.extend(named.iter().map(|label| (label.name.as_str(), label.clone())));
    labels.into_values().filter(|label| !label.value.is_empty()).collect()
}

/// The name of this machine, or of the container whose name the agent sees.
pub(super) fn host() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TargetId;

    fn told(instance: Instance, exe: Option<&str>, named: &[&str]) -> Vec<String> {
        let target = Target {
            exe: exe.map(str::to_owned),
            ..Target::of(TargetId { instance, started: None, generation: 0, recording: None })
        };
        let named: Vec<Label> =
            named.iter().map(|text| Label::parse(text).expect("a label")).collect();
        let text = |label: Label| format!("{}={}", label.name, label.value);
        of(&target, &named).into_iter().map(text).collect()
    }

    #[test]
    fn a_process_is_known_by_its_program_host_and_pid() {
        let own = Instance::Process { pid: std::process::id(), library: None };
        let labels = told(own, Some("server"), &["team=a", "pid=", "service_name=shop", "team=b"]);
        assert!(labels.iter().any(|label| label.starts_with("host=") && label.len() > 5));
        assert!(labels.contains(&"service_name=shop".to_owned()), "{labels:?}");
        assert!(labels.contains(&"team=b".to_owned()) && !labels.contains(&"team=a".to_owned()));
        assert!(!labels.iter().any(|label| label.starts_with("pid=")), "{labels:?}");
        assert!(!labels.iter().any(|label| label.starts_with("library=")), "{labels:?}");
        let library = Some("libmail.so".to_owned());
        let of_library = Instance::Process { pid: std::process::id(), library };
        assert!(told(of_library, None, &[]).contains(&"library=libmail.so".to_owned()));
    }

    #[test]
    fn others_are_known_by_where_they_were_seen() {
        let url = "http://shop:6060/debug/pprof/".to_owned();
        let endpoint = told(Instance::Endpoint { url }, Some("shopd"), &[]);
        assert_eq!(endpoint, ["instance=shop:6060", "service_name=shopd"]);
        let files = told(Instance::Files { path: "dumps".to_owned() }, None, &["team=a"]);
        assert_eq!(files[0], "instance=dumps");
        assert_eq!((files.len(), &*files[2]), (3, "team=a"));
    }
}

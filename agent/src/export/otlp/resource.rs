//! Whose figures and records are, by the semantic conventions of resources.

use super::super::Label;
use super::proto::{KeyValue, Resource};
use crate::model::{Instance, Target};

/// What the labels of a target are called; what is not here is the agent's own.
const NAMES: [(&str, &str); 8] = [
    ("service_name", "service.name"),
    ("host", "host.name"),
    ("instance", "service.instance.id"),
    ("container_id", "container.id"),
    ("pod_uid", "k8s.pod.uid"),
    ("namespace", "k8s.namespace.name"),
    ("pod", "k8s.pod.name"),
    ("container", "k8s.container.name"),
];

/// A program that is watched.
pub(super) fn of_target(target: &Target, labels: &[Label]) -> Resource {
    let known = |label: &Label| NAMES.iter().find(|(name, _)| *name == label.name);
    let attribute = |label: &Label| match known(label) {
        Some((_, name)) => Some(KeyValue::text(name, &label.value)),
        // As a number: below.
        None if label.name == "pid" => None,
        None => Some(KeyValue::text(&format!("leak_agent.{}", label.name), &label.value)),
    };
    let mut attributes: Vec<KeyValue> = labels.iter().filter_map(attribute).collect();
    if let Some(pid) = target.pid() {
        attributes.push(KeyValue::whole("process.pid", pid.into()));
        let host = labels.iter().find(|label| label.name == "host");
        let host = host.map_or("localhost", |host| &host.value);
        // Two processes of a service are not the same instance of it, nor are two runtimes of a process.
        let id = match &target.id.instance {
            Instance::Process { library: Some(library), .. } => format!("{host}:{pid}:{library}"),
            _ => format!("{host}:{pid}"),
        };
        attributes.push(KeyValue::text("service.instance.id", &id));
    }
    if let Some(exe) = &target.exe {
        attributes.push(KeyValue::text("process.executable.name", exe));
    }
    attributes.push(KeyValue::text("process.runtime.name", "go"));
    if let Some(version) = &target.go_version {
        attributes.push(KeyValue::text("process.runtime.version", version));
    }
    Resource { attributes }
}

/// The agent itself, by the labels of the machine.
pub(super) fn of_agent(pid: u32, host: Option<&str>) -> Resource {
    let mut attributes = vec![
        KeyValue::text("service.name", "leak-agent"),
        KeyValue::text("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::text("service.instance.id", &format!("{}:{pid}", host.unwrap_or("localhost"))),
        KeyValue::whole("process.pid", pid.into()),
    ];
    attributes.extend(host.map(|host| KeyValue::text("host.name", host)));
    Resource { attributes }
}

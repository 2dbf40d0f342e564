//! The names that Kubernetes has for containers, as kubelet writes them on each node: `/var/log/containers` has a link
//! `POD_NAMESPACE_CONTAINER-ID.log` for each of them (kubelet, `legacyLogSymlink`). No server is asked.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

/// Where kubelet puts the links.
const FOLDER: &str = "/var/log/containers";
/// Links that are read at most: a node has some hundreds.
const MAX_LINKS: usize = 10_000;
/// Digits of a container's id.
const ID: usize = 64;

/// A container of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodContainer {
    /// The pod's name.
    pub pod: String,
    /// The pod's namespace.
    pub namespace: String,
    /// The container's name within the pod.
    pub container: String,
}

/// The containers of a node's pods, by id.
#[derive(Debug)]
pub struct Pods {
    folder: PathBuf,
    known: HashMap<String, PodContainer>,
    /// Ids that were looked for and are of no pod: nothing is read again for them.
    unknown: Vec<String>,
}

/// Ids of no pod that are remembered.
const MAX_UNKNOWN: usize = 1_000;

impl Default for Pods {
    fn default() -> Self {
        Self { folder: FOLDER.into(), known: HashMap::new(), unknown: Vec::new() }
    }
}

impl Pods {
    /// The names of a container; `None` where it is of no pod, or the folder cannot be read.
    pub fn of(&mut self, id: &str) -> Option<PodContainer> {
        if !self.known.contains_key(id) && !self.unknown.iter().any(|known| known == id) {
            self.read();
            if !self.known.contains_key(id) {
                if self.unknown.len() >= MAX_UNKNOWN {
                    self.unknown.clear();
                }
                self.unknown.push(id.to_owned());
            }
        }
        self.known.get(id).cloned()
    }

    /// Those that are gone are forgotten.
    fn read(&mut self) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten().take(MAX_LINKS);
        self.known = entries.filter_map(|entry| parse(entry.file_name().to_str()?)).collect();
    }
}

/// `shop-7d9f_prod_server-0123….log`.
fn parse(name: &str) -> Option<(String, PodContainer)> {
    let (names, id) = name.strip_suffix(".log")?.rsplit_once('-')?;
    // None of the three holds an underscore: they are names as DNS has them.
    let mut parts = names.split('_');
    let (pod, namespace, container) = (parts.next()?, parts.next()?, parts.next()?);
    let is_id = id.len() == ID && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && parts.next().is_none()).then(|| {
        let container = PodContainer {
            pod: pod.to_owned(),
            namespace: namespace.to_owned(),
            container: container.to_owned(),
        };
        (id.to_owned(), container)
    })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const ID: &str = "1e60bb31b2ec4d3d3d1f2f1e0b1b4a2f8b9f1a2c3d4e5f60718293a4b5c6d7e8";

    #[test]
    fn kubelet_names_containers_by_their_pods() {
        let folder = TempDir::new().expect("a folder");
        let mut pods = Pods { folder: folder.path().to_owned(), ..Pods::default() };
        assert_eq!(pods.of("unknown"), None);
        let link = format!("shop-7d9f-x2_prod_web-server-{ID}.log");
        for name in [link.as_str(), "potato.log", "a_b-12.log", &format!("a_b_c_d-{ID}.log")] {
            fs::write(folder.path().join(name), "").expect("written");
        }
        let found = pods.of(ID).expect("it is there");
        let names = [&*found.pod, &found.namespace, &found.container];
        assert_eq!(names, ["shop-7d9f-x2", "prod", "web-server"]);
        // Nothing is read again for what is of no pod.
        assert_eq!((pods.of("unknown"), pods.known.len()), (None, 1));
    }
}

//! Where a file that a binary names may lie: at that path, under a source root, in a module cache, in a GOROOT, in the target's own file system.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::golang::task;

/// Where source files are searched for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// What the user names: `--source-root`.
    pub roots: Vec<PathBuf>,
    /// Module caches, such as `~/go/pkg/mod`.
    pub module_caches: Vec<PathBuf>,
    /// Go installations, such as `/usr/local/go`.
    pub go_roots: Vec<PathBuf>,
    /// The version of Go that built the program, such as `go1.26.6`.
    pub go_version: Option<String>,
    /// The target's own root directory, when it is another than ours.
    pub target_root: Option<PathBuf>,
}

/// One place where a file may lie.
pub(super) struct Place {
    /// The path to try.
    pub(super) path: PathBuf,
    /// It is a file of the standard library, of another version of Go.
    pub(super) other_version: bool,
}

impl Places {
    /// The usual places here, by the environment and by custom, without asking `go`.
    #[must_use]
    pub fn of_this_machine(
        roots: Vec<PathBuf>,
        pid: Option<u32>,
        go_version: Option<&str>,
    ) -> Self {
        let homes = homes();
        let module_caches = module_caches(&homes);
        let go_version = go_version.and_then(plain_version);
        let go_roots = go_roots(&homes, &module_caches, go_version.as_deref());
        let target_root = pid.filter(|&pid| lives_elsewhere(pid));
        let target_root = target_root.map(|pid| task::folder(pid).join("root"));
        Self { roots, module_caches, go_roots, go_version, target_root }
    }

    /// Every place where the file may lie, the most trustworthy first.
    pub(super) fn of(&self, recorded: &str) -> Vec<Place> {
        let Some(parts) = parts(recorded) else { return Vec::new() };
        let absolute = recorded.starts_with('/');
        let mut paths = Vec::new();
        // One common file name, such as main.go, is too little to tell files apart: it comes last.
        for len in (2..=parts.len()).rev() {
            self.under_roots(&parts[parts.len() - len..], &mut paths);
        }
        if absolute {
            // In a container the same path of the host may be another file.
            if let Some(root) = &self.target_root {
                paths.push(root.join(recorded.trim_start_matches('/')));
            }
            paths.push(PathBuf::from(recorded));
        }
        let in_cache = match recorded.split_once("/pkg/mod/") {
            Some((_, path)) => Some(path.to_owned()),
            None if !absolute => escaped_module_path(recorded),
            None => None,
        };
        if let Some(path) = &in_cache {
            paths.extend(self.module_caches.iter().map(|cache| cache.join(path)));
        }
        if in_cache.is_none()
            && let Some(path) = library_path(recorded)
        {
            let mut go_roots: Vec<_> = self.go_roots.iter().collect();
            go_roots.sort_by_key(|root| self.is_other_version(root));
            paths.extend(go_roots.into_iter().map(|root| root.join("src").join(path)));
        }
        self.under_roots(&parts[parts.len() - 1..], &mut paths);
        let place = |path: PathBuf| Place { other_version: self.is_library_of_other(&path), path };
        paths.into_iter().map(place).collect()
    }

    fn under_roots(&self, suffix: &[&str], paths: &mut Vec<PathBuf>) {
        let suffix: PathBuf = suffix.iter().collect();
        paths.extend(self.roots.iter().map(|root| root.join(&suffix)));
    }

    fn is_library_of_other(&self, path: &Path) -> bool {
        let text = path.to_string_lossy();
        text.match_indices("/src/").any(|(at, _)| self.is_other_version(Path::new(&text[..at])))
    }

    /// Whether a Go installation is of another version than the program; `false` where it does not
    /// say.
    fn is_other_version(&self, root: &Path) -> bool {
        let Some(wanted) = &self.go_version else { return false };
        let Ok(found) = fs::read_to_string(root.join("VERSION")) else { return false };
        found.lines().next().and_then(plain_version).is_some_and(|found| found != *wanted)
    }
}

/// The directories and the name, unless the path climbs or holds what no path holds.
fn parts(recorded: &str) -> Option<Vec<&str>> {
    /// Deeper than any source tree.
    const MAX_PARTS: usize = 64;
    if recorded.contains('\0') {
        return None;
    }
    let mut parts = Vec::new();
    for component in Path::new(recorded).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return None,
        }
    }
    (!parts.is_empty() && parts.len() <= MAX_PARTS).then_some(parts)
}

/// The path below `GOROOT/src`, for a path that may be the standard library's.
fn library_path(recorded: &str) -> Option<&str> {
    if let Some(relative) = recorded.strip_prefix('/') {
        return relative.rsplit_once("/src/").map(|(_, path)| path);
    }
    // Import paths of the standard library have no dot in their first element.
    let (first, _) = recorded.split_once('/')?;
    (!first.contains('.')).then_some(recorded)
}

/// `github.com/BurntSushi/toml@v1.2.3/lex.go` as the module cache spells it: capitals are written
/// as `!` and the small letter, in the module's path and version (golang.org/ref/mod).
fn escaped_module_path(recorded: &str) -> Option<String> {
    let (module, rest) = recorded.split_once('@')?;
    let (version, file) = rest.split_once('/')?;
    let mut path = String::with_capacity(recorded.len() + 8);
    for c in module.chars().chain(['@']).chain(version.chars()) {
        if c.is_ascii_uppercase() {
            path.push('!');
        }
        path.push(c.to_ascii_lowercase());
    }
    path.push('/');
    path.push_str(file);
    Some(path)
}

/// `go1.26.6` of `go1.26.6-X:nogreenteagc` or `go1.26.6 X:nogreenteagc`.
fn plain_version(version: &str) -> Option<String> {
    let plain = version.trim().split(['-', ' ']).next()?;
    plain.starts_with("go").then(|| plain.to_owned())
}

fn homes() -> Vec<PathBuf> {
    let mut homes: Vec<PathBuf> = env::var_os("HOME").map(PathBuf::from).into_iter().collect();
    // Under sudo the files are those of the user who called it.
    if let Ok(user) = env::var("SUDO_USER")
        && user != "root"
        && !user.contains('/')
        && !user.is_empty()
    {
        homes.push(Path::new("/home").join(user));
    }
    homes
}

fn module_caches(homes: &[PathBuf]) -> Vec<PathBuf> {
    let mut caches: Vec<PathBuf> = named("GOMODCACHE").map(PathBuf::from).into_iter().collect();
    if let Some(paths) = named("GOPATH") {
        caches.extend(env::split_paths(&paths).map(|path| path.join("pkg/mod")));
    }
    caches.extend(homes.iter().map(|home| home.join("go/pkg/mod")));
    // The official image's GOPATH.
    caches.push(PathBuf::from("/go/pkg/mod"));
    caches
}

fn go_roots(homes: &[PathBuf], caches: &[PathBuf], version: Option<&str>) -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = named("GOROOT").map(PathBuf::from).into_iter().collect();
    if let Some(version) = version.filter(|version| !version.contains('/')) {
        let arch = match env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let toolchain = format!("golang.org/toolchain@v0.0.1-{version}.linux-{arch}");
        roots.extend(caches.iter().map(|cache| cache.join(&toolchain)));
        roots.extend(homes.iter().map(|home| home.join("sdk").join(version)));
        let numbers = version.trim_start_matches("go");
        let mut minor = numbers.splitn(3, '.').take(2);
        if let (Some(major), Some(minor)) = (minor.next(), minor.next()) {
            roots.push(PathBuf::from(format!("/usr/lib/go-{major}.{minor}")));
        }
    }
    roots.extend(["/usr/local/go", "/usr/lib/go", "/usr/lib/golang"].map(PathBuf::from));
    roots
}

fn named(variable: &str) -> Option<OsString> {
    env::var_os(variable).filter(|value| !value.is_empty())
}

/// Whether a process sees another file system than we do.
fn lives_elsewhere(pid: u32) -> bool {
    let (them, us) = (task::folder(pid), Path::new("/proc/self"));
    let link = |folder: &Path, name: &str| fs::read_link(folder.join(name)).ok();
    let differ = |name| link(&them, name).zip(link(us, name)).is_some_and(|(them, us)| them != us);
    differ("ns/mnt") || differ("root")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_in_another_file_system_is_read_there_first() {
        let places =
            Places { target_root: Some(PathBuf::from("/proc/7/root")), ..Places::default() };
        let paths: Vec<_> = places.of("/app/main.go").into_iter().map(|place| place.path).collect();
        assert_eq!(paths, [PathBuf::from("/proc/7/root/app/main.go"), "/app/main.go".into()]);
    }

    #[test]
    fn a_toolchain_is_looked_for_by_its_version() {
        let homes = [PathBuf::from("/home/me")];
        let caches = [PathBuf::from("/home/me/go/pkg/mod")];
        let roots = go_roots(&homes, &caches, plain_version("go1.26.6-X:nogreenteagc").as_deref());
        assert!(roots.contains(&PathBuf::from("/home/me/sdk/go1.26.6")), "{roots:?}");
        assert!(roots.contains(&PathBuf::from("/usr/lib/go-1.26")), "{roots:?}");
        assert!(
            roots.iter().any(|root| {
                root.to_string_lossy()
                    .starts_with("/home/me/go/pkg/mod/golang.org/toolchain@v0.0.1-go1.26.6.linux-")
            }),
            "{roots:?}"
        );
    }

    #[test]
    fn our_own_process_lives_here() {
        assert!(!lives_elsewhere(std::process::id()));
    }
}

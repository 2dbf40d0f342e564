//! The source tree that the agent is run in: where reports for code review show lines.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::report::review::{Module, Project};

/// Of `go.mod` the module's path is wanted, which stands at the beginning.
const MAX_GO_MOD: u64 = 1 << 20;

/// The work tree of git that the working directory is in, or else the working directory; with the Go module that
/// the working directory is in, where it lies inside. What cannot be read is not there.
pub(super) fn here() -> Project {
    let here = env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    of(&here)
}

fn of(here: &Path) -> Project {
    let root = here.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(here);
    let inside = here.ancestors().take_while(|folder| folder.starts_with(root));
    let module = inside.filter_map(|folder| Some((folder, module_of(folder)?))).next();
    let module = module.and_then(|(folder, path)| {
        let folder = folder.strip_prefix(root).ok()?.to_str()?.to_owned();
        Some(Module { path, folder })
    });
    Project { root: root.to_owned(), module }
}

/// The path of the module whose `go.mod` is in a folder.
fn module_of(folder: &Path) -> Option<String> {
    let path = folder.join("go.mod");
    if fs::metadata(&path).ok()?.len() > MAX_GO_MOD {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    let named = text.lines().find_map(|line| line.trim().strip_prefix("module "))?;
    let path = named.split("//").next()?.trim().trim_matches(['"', '`']);
    (!path.is_empty()).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_gits_and_the_module_the_nearest() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("it is there");
        let here = root.join("services/shop/cmd");
        fs::create_dir_all(&here).expect("folders");
        assert_eq!(of(&here).root, here, "no work tree");
        fs::create_dir(root.join(".git")).expect("a folder");
        fs::write(root.join("go.mod"), "module example.com/all\n").expect("a file");
        fs::write(
            root.join("services/shop/go.mod"),
            "// shop\nmodule \"example.com/shop\" // it\n",
        )
        .expect("a file");
        let project = of(&here);
        let module = Module { path: "example.com/shop".into(), folder: "services/shop".into() };
        assert_eq!(project, Project { root, module: Some(module) });
    }
}

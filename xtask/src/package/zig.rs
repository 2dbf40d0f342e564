//! A C compiler for both architectures and musl: zig's, from PyPI.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::apt;
use crate::project::Project;
use crate::shell::{self, say};
use crate::vm::Arch;

const VERSION: &str = "0.13.0";

/// Where it is.
pub struct Zig {
    folder: PathBuf,
}

/// Brings it if it is missing.
pub fn ensure(project: &Project) -> Result<Zig> {
    let folder = project.tools().join(format!("ziglang-{VERSION}"));
    let zig = Zig { folder };
    if !zig.folder.join("ziglang/zig").is_file() {
        apt::ensure(&apt::PIP, "to bring zig, whose C compiler builds for musl")?;
        say(format_args!("installing zig {VERSION} from PyPI (80 MB)"));
        let mut install = shell::command("python3");
        install.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]);
        shell::run(install.arg(&zig.folder).arg(format!("ziglang=={VERSION}")))?;
    }
    for arch in [Arch::Amd64, Arch::Arm64] {
        for (tool, does) in [("cc", "cc"), ("ar", "ar")] {
            zig.wrap(arch, tool, does)?;
        }
    }
    Ok(zig)
}

impl Zig {
    /// A program that build scripts take for a C compiler, or its `ar`.
    pub fn tool(&self, arch: Arch, tool: &str) -> PathBuf {
        self.folder.join(format!("{tool}-{}", arch.name()))
    }

    fn wrap(&self, arch: Arch, tool: &str, does: &str) -> Result<()> {
        let path = self.tool(arch, tool);
        let target = match arch {
            Arch::Amd64 => "x86_64-linux-musl",
            Arch::Arm64 => "aarch64-linux-musl",
        };
        let zig = self.folder.join("ziglang/zig");
        let zig = zig.display();
        // Build scripts name the target in their own compilers' way, which zig does not know; and zig adds checks
        // that need a runtime of its own.
        let script = if tool == "cc" {
            format!(
                "#!/bin/sh\nn=$#\nwhile [ $n -gt 0 ]; do\n  case \"$1\" in --target=*) ;; *) set -- \"$@\" \"$1\" ;; esac\n  \
                 shift\n  n=$((n - 1))\ndone\nexec '{zig}' {does} -target {target} -fno-sanitize=undefined \"$@\"\n"
            )
        } else {
            format!("#!/bin/sh\nexec '{zig}' {does} \"$@\"\n")
        };
        std::fs::write(&path, script).with_context(|| format!("writing {}", path.display()))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        Ok(())
    }
}

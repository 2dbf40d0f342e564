//! Go function names taken apart: their package, whose code they are, and the form that stays the
//! same from build to build.

use std::borrow::Cow;

/// Whose code a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The Go runtime.
    Runtime,
    /// The standard library.
    Std,
    /// A module that the program uses.
    Dependency,
    /// The program itself.
    User,
}

impl Origin {
    /// Whether it is neither the runtime's nor the standard library's.
    #[must_use]
    pub const fn is_outside_go(self) -> bool {
        matches!(self, Self::Dependency | Self::User)
    }
}

/// The first elements of the standard library's import paths (Go 1.21 to 1.27).
const STD: &[&str] = &[
    "archive",
    "arena",
    "bufio",
    "bytes",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go",
    "hash",
    "html",
    "image",
    "index",
    "internal",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "plugin",
    "reflect",
    "regexp",
    "runtime",
    "simd",
    "slices",
    "sort",
    "strconv",
    "strings",
    "structs",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
    "unicode",
    "unique",
    "unsafe",
    "uuid",
    "vendor",
    "weak",
];

/// Whose code a function is, by its name and the file that holds it.
///
/// A name alone does not tell: a program's own module may be called `log` or `image`. So a name
/// that could be the standard library's needs a file that could be too: under a `src/` directory
/// (GOROOT), or relative (`sync/mutex.go`, as `-trimpath` records it).
#[must_use]
pub fn origin(function: &str, file: &str) -> Origin {
    let package = package(function);
    let first = package.split('/').next().unwrap_or_default();
    if STD.binary_search(&first).is_err() {
        return outside_go(package, file);
    }
    let source = std_directory(file);
    if source.is_none() && file.contains('/') {
        return outside_go(package, file);
    }
    let of_runtime = matches!(package, "runtime" | "runtime/cgo")
        || package.starts_with("runtime/internal/")
        || package.starts_with("internal/runtime/")
        // Functions that the runtime lends to other packages by linkname, such as `time.Sleep`
        // and `sync.runtime_Semacquire`.
        || source == Some("runtime");
    if of_runtime { Origin::Runtime } else { Origin::Std }
}

/// Whether a symbol is one of the standard library's packages, the runtime among them, by its name alone.
#[must_use]
pub fn is_standard(name: &str) -> bool {
    let first = package(name).split('/').next().unwrap_or_default();
    STD.binary_search(&first).is_ok()
}

/// Whether a symbol is the runtime's, by its name alone.
#[must_use]
pub fn is_of_runtime(name: &str) -> bool {
    let package = package(name);
    package == "runtime"
        || package.starts_with("runtime/")
        || package.starts_with("internal/runtime/")
}

/// Whether code outside of Go's own is the program's or that of a module that it uses. Modules are built
/// from the module cache (`.../pkg/mod/example.com/m@v1.2.3/a.go`, with `-trimpath`
/// `example.com/m@v1.2.3/a.go`), from a vendor directory, or by Bazel from `external/`.
fn outside_go(package: &str, file: &str) -> Origin {
    let is_versioned = file.match_indices("@v").any(|(at, mark)| {
        file[at + mark.len()..].starts_with(|c: char| c.is_ascii_digit())
            && file[at..].contains('/')
    });
    let is_elsewhere = is_versioned
        || ["/pkg/mod/", "/vendor/"].iter().any(|folder| file.contains(folder))
        || file.starts_with("vendor/")
        || file.starts_with("external/");
    if is_elsewhere && package != "main" { Origin::Dependency } else { Origin::User }
}

/// The directory of a standard library file, relative to `GOROOT/src`, or `None` when the path
/// is no such file's.
fn std_directory(file: &str) -> Option<&str> {
    let is_std = |path: &&str| {
        path.split_once('/').is_some_and(|(first, _)| STD.binary_search(&first).is_ok())
    };
    let relative = if file.starts_with('/') {
        file.match_indices("/src/").map(|(at, src)| &file[at + src.len()..]).find(is_std)
    } else {
        Some(file).filter(is_std)
    };
    relative?.rsplit_once('/').map(|(directory, _)| directory)
}

/// The import path of a function's package, as symbol names spell it.
#[must_use]
pub fn package(function: &str) -> &str {
    // Type arguments may hold slashes and dots of their own.
    let plain = function.split('[').next().unwrap_or_default();
    let base = plain.rfind('/').map_or(0, |slash| slash + 1);
    let dot = plain[base..].find('.').map_or(plain.len(), |dot| base + dot);
    &plain[..dot]
}

/// A function's name without the directories of its import path: `pkg.(*T).Method`.
#[must_use]
pub fn short(function: &str) -> &str {
    let package = package(function);
    let base = package.rfind('/').map_or(0, |slash| slash + 1);
    &function[base..]
}

/// Whether a function is a wrapper that the compiler made around the one it calls.
#[must_use]
pub fn is_wrapper(function: &str) -> bool {
    if function.ends_with("-fm") {
        return true;
    }
    let name = &function[package(function).len()..];
    // The enclosing function comes first, so a user's own `gowrap1` is told apart.
    name.rsplit_once('.').is_some_and(|(outer, last)| !outer.is_empty() && is_wrapper_part(last))
}

/// The name without what changes from build to build or from instance to instance: type
/// arguments, module versions, compiler wrappers.
#[must_use]
pub fn normalise(function: &str) -> Cow<'_, str> {
    let changes =
        function.contains(['[', '@']) || function.contains("wrap") || function.ends_with("-fm");
    if !changes {
        return Cow::Borrowed(function);
    }
    let plain = without_versions(&without_type_arguments(function));
    let plain = plain.strip_suffix("-fm").unwrap_or(&plain);
    let (package, name) = plain.split_at(package(plain).len());
    let mut normal = package.to_owned();
    for (index, part) in name.split('.').enumerate() {
        match index {
            0 => normal.push_str(part),
            2.. if is_wrapper_part(part) => {}
            _ => {
                normal.push('.');
                normal.push_str(part);
            }
        }
    }
    Cow::Owned(normal)
}

/// `gowrap1`, `deferwrap2`.
fn is_wrapper_part(part: &str) -> bool {
    part.strip_prefix("gowrap").or_else(|| part.strip_prefix("deferwrap")).is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn without_type_arguments(function: &str) -> String {
    let mut plain = String::with_capacity(function.len());
    let mut depth = 0_usize;
    for c in function.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}

/// Drops `@v1.2.3` from each directory of the import path.
fn without_versions(function: &str) -> String {
    let Some((directories, last)) = function.rsplit_once('/') else {
        return function.to_owned();
    };
    let mut plain = String::with_capacity(function.len());
    for element in directories.split('/') {
        let name = match element.split_once("@v") {
            Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => name,
            _ => element,
        };
        plain.push_str(name);
        plain.push('/');
    }
    plain + last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn std_list_is_sorted_for_the_search() {
        assert!(STD.is_sorted());
    }

    #[test]
    fn package_ends_at_the_first_dot_of_the_last_element() {
        for (function, expected) in [
            ("main.main", "main"),
            ("github.com/acme/db.(*Pool).get.func1", "github.com/acme/db"),
            ("gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml%2ev3"),
            ("main.Map[go.shape.*github.com/acme/db.Row]", "main"),
            ("net/http.(*conn).serve", "net/http"),
            ("nodots", "nodots"),
            ("", ""),
        ] {
            assert_eq!(package(function), expected, "{function}");
        }
    }

    #[test]
    fn short_names_keep_the_package_and_lose_its_directories() {
        assert_eq!(short("github.com/acme/db.(*Pool).get"), "db.(*Pool).get");
        assert_eq!(short("main.main"), "main.main");
        assert_eq!(short("main.Map[go.shape.*a/b.T]"), "main.Map[go.shape.*a/b.T]");
    }

    #[test]
    fn normal_form_drops_instances_versions_and_wrappers() {
        for (function, expected) in [
            ("main.work", "main.work"),
            ("main.Map[go.shape.int,go.shape.string]", "main.Map"),
            ("main.Map[...].func1", "main.Map.func1"),
            ("main.(*List[go.shape.[]uint8]).Push", "main.(*List).Push"),
            ("main.serve.gowrap2", "main.serve"),
            ("main.serve.func1.deferwrap1", "main.serve.func1"),
            ("main.serve.gowrap1.func3", "main.serve.func3"),
            ("main.(*T).run-fm", "main.(*T).run"),
            ("main.gowrap1", "main.gowrap1"),
            ("main.serve.gowrapper", "main.serve.gowrapper"),
            ("example.com/mod@v1.2.3/sub.F", "example.com/mod/sub.F"),
            ("main.init.0", "main.init.0"),
            ("main.]broken[", "main.broken"),
        ] {
            assert_eq!(normalise(function), expected, "{function}");
        }
    }

    #[test]
    fn wrappers_are_the_compilers_not_a_users_function_of_that_name() {
        assert!(is_wrapper("main.serve.gowrap2"));
        assert!(is_wrapper("main.(*T).run-fm"));
        assert!(!is_wrapper("main.gowrap2"));
        assert!(!is_wrapper("main.serve.func2"));
    }

    #[test]
    fn origin_by_name_and_file() {
        for (function, file, expected) in [
            ("runtime.gopark", "/usr/local/go/src/runtime/proc.go", Origin::Runtime),
            ("runtime.gopark", "runtime/proc.go", Origin::Runtime),
            ("time.Sleep", "/usr/local/go/src/runtime/time.go", Origin::Runtime),
            ("sync.runtime_Semacquire", "runtime/sema.go", Origin::Runtime),
            ("internal/runtime/syscall.Syscall6", "internal/runtime/syscall/a.s", Origin::Runtime),
            ("runtime/pprof.profileWriter", "/go/src/runtime/pprof/pprof.go", Origin::Std),
            ("sync.(*Mutex).Lock", "sync/mutex.go", Origin::Std),
            ("vendor/golang.org/x/net/http2.F", "/g/src/vendor/golang.org/x/a.go", Origin::Std),
            ("net._C2func_getaddrinfo", "_cgo_gotypes.go", Origin::Std),
            ("main.main", "/home/me/app/main.go", Origin::User),
            ("main.main", "example.com/app/main.go", Origin::User),
            ("log.Serve", "/home/me/log/serve.go", Origin::User),
            ("golang.org/x/sync/errgroup.F", "/go/pkg/mod/golang.org/x/a.go", Origin::Dependency),
            ("example.com/m.F", "example.com/m@v1.2.3/a.go", Origin::Dependency),
            ("example.com/m.F", "/src/app/vendor/example.com/m/a.go", Origin::Dependency),
            ("example.com/m.F", "/home/me@venice/m/a.go", Origin::User),
            ("main.main", "/go/pkg/mod/example.com/tool@v0.1.0/main.go", Origin::User),
            ("server/api.Handle", "server/api/handle.go", Origin::User),
        ] {
            assert_eq!(origin(function, file), expected, "{function} in {file}");
        }
    }
}

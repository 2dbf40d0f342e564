//! Whether this process may read another one's memory, exactly why not, and what would grant it.
//!
//! The rules are those of `__ptrace_may_access` (`kernel/ptrace.c`), of the capability module and
//! of Yama, in ptrace(2) under "Ptrace access mode checking".

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use super::capability::Capability;
use super::kernel::{Setting, ptrace_scope};
use super::namespace::Confinement;
use super::status::Status;
use super::{Answer, sys};

/// Whether a process may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its memory can be read.
    Granted {
        /// Whether its executable can be opened too, for symbols and DWARF.
        executable: Answer,
    },
    /// There is no process of this id, as far as this process can see.
    NoSuchProcess {
        /// What may be behind it.
        hint: Option<String>,
    },
    /// It has exited, and its parent has not asked for its exit code yet.
    Exited,
    /// It is a thread of the kernel: it has no memory of its own.
    KernelThread,
    /// The kernel refuses.
    Denied(Denial),
}

impl Access {
    /// Whether its memory can be read.
    #[must_use]
    pub const fn is_granted(&self) -> bool {
        matches!(self, Self::Granted { .. })
    }
}

/// Why the kernel refuses, and what would change that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Every obstacle that was found; each is enough to refuse. Never empty.
    pub obstacles: Vec<Obstacle>,
    /// What grants access, the mildest first. Empty when nothing does without a reboot.
    pub remedies: Vec<Remedy>,
}

/// One thing that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The process belongs to somebody else.
    OtherUser {
        /// Its effective user.
        target: u32,
        /// This process's real user.
        this: u32,
    },
    /// It belongs to this user, but to another group.
    OtherGroup {
        /// Its effective group.
        target: u32,
        /// This process's real group.
        this: u32,
    },
    /// It is marked as not dumpable: by itself, or because it gained rights when it was started.
    NotDumpable,
    /// It holds capabilities that this process lacks.
    MoreCapabilities,
    /// Its user namespace is not this process's, so capabilities do not reach it.
    UserNamespace,
    /// Yama's restriction (`kernel.yama.ptrace_scope`).
    PtraceScope(u8),
    /// A seccomp filter forbids this process to read any memory at all, its own too.
    Seccomp,
    /// By the rules that can be seen it should be allowed: a security module must have refused.
    SecurityModule,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherUser { target, this } => write!(
                f,
                "it runs as uid {target}, leak-agent as uid {this}, without CAP_SYS_PTRACE"
            ),
            Self::OtherGroup { target, this } => write!(
                f,
                "it runs as gid {target}, leak-agent as gid {this}, without CAP_SYS_PTRACE"
            ),
            Self::NotDumpable => f.write_str(
                "it is not dumpable (it gained rights at its start, or asked for it), and CAP_SYS_PTRACE is missing",
            ),
            Self::MoreCapabilities => {
                f.write_str("it holds capabilities that leak-agent lacks, and CAP_SYS_PTRACE is missing")
            }
            Self::UserNamespace => f.write_str(
                "it is in another user namespace, where leak-agent's capabilities do not count",
            ),
            Self::PtraceScope(1) => f.write_str(
                "kernel.yama.ptrace_scope is 1: without CAP_SYS_PTRACE only a parent may read a process",
            ),
            Self::PtraceScope(2) => {
                f.write_str("kernel.yama.ptrace_scope is 2: CAP_SYS_PTRACE is required, and missing")
            }
            Self::PtraceScope(scope) => write!(
                f,
                "kernel.yama.ptrace_scope is {scope}: nobody may read any process until the next boot"
            ),
            Self::Seccomp => f.write_str("a seccomp filter around leak-agent forbids process_vm_readv"),
            Self::SecurityModule => f.write_str(
                "user, capabilities and Yama would allow it: a security module (AppArmor, SELinux) refuses, and its log says why",
            ),
        }
    }
}

/// A command that grants what is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// The command, to be run as it stands.
    pub command: String,
    /// When to choose it.
    pub when: &'static str,
}

/// Finds out whether a process may be read. Does nothing to it.
#[must_use]
pub fn access_to(pid: u32) -> Access {
    let confinement = Confinement::detect();
    let Ok(mut target) = Status::of(pid) else {
        return Access::NoSuchProcess { hint: absence(pid, &confinement) };
    };
    // A process whose first thread has ended is read through another, if another lives.
    let mut thread = pid;
    if target.has_ended() {
        let Some(living) = living_thread(pid) else { return Access::Exited };
        (thread, target) = living;
    }
    if is_kernel_thread(pid) {
        return Access::KernelThread;
    }
    let refusal = match sys::try_read_memory(thread) {
        Ok(()) => return Access::Granted { executable: executable(thread) },
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return Access::Exited,
        Err(error) => error,
    };
    let obstacles = Status::of_self().map_or_else(
        |_| vec![Obstacle::SecurityModule],
        |this| Case::of(pid, this, target, &refusal).obstacles(),
    );
    let is_root = nix::unistd::geteuid().is_root();
    let remedies = remedies(pid, &obstacles, &confinement, is_root);
    Access::Denied(Denial { obstacles, remedies })
}

/// A thread of a process that has not ended.
fn living_thread(pid: u32) -> Option<(u32, Status)> {
    fs::read_dir(format!("/proc/{pid}/task")).ok()?.find_map(|entry| {
        let thread = entry.ok()?.file_name().to_str()?.parse().ok()?;
        Some((thread, Status::of(thread).ok().filter(|status| !status.has_ended())?))
    })
}

fn absence(pid: u32, confinement: &Confinement) -> Option<String> {
    if sys::exists(pid) {
        return Some("it exists, but /proc is mounted so that it hides other users' processes (hidepid): run leak-agent as root".to_owned());
    }
    matches!(confinement.host_pids, Answer::No(_)).then(|| {
        "leak-agent runs in a pid namespace of its own, with pids of its own: start its container with --pid=host to use the host's".to_owned()
    })
}

/// `PF_KTHREAD` among the flags, the seventh field behind the name in /proc/PID/stat.
fn is_kernel_thread(pid: u32) -> bool {
    const PF_KTHREAD: u64 = 0x0020_0000;
    let Ok(stat) = fs::read(format!("/proc/{pid}/stat")) else {
        return false;
    };
    // The name may hold parentheses and blanks itself.
    let Some(name_end) = stat.iter().rposition(|byte| *byte == b')') else {
        return false;
    };
    let fields = String::from_utf8_lossy(&stat[name_end + 1..]);
    let flags = fields.split_whitespace().nth(6).and_then(|flags| flags.parse::<u64>().ok());
    flags.is_some_and(|flags| flags & PF_KTHREAD != 0)
}

fn executable(pid: u32) -> Answer {
    match fs::File::open(format!("/proc/{pid}/exe")) {
        Ok(_) => Answer::Yes,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Answer::No("its file may not be read: CAP_DAC_READ_SEARCH is missing".to_owned())
        }
        Err(error) => Answer::CannotTell(format!("/proc/{pid}/exe: {error}")),
    }
}

/// Everything that the kernel's rules consider.
struct Case {
    this: Status,
    target: Status,
    /// `None` when it cannot be told: root's processes are the same either way.
    dumpable: Option<bool>,
    same_user_namespace: Option<bool>,
    ptrace_scope: Setting<u8>,
    /// Whether this process may not even read its own memory this way.
    reading_forbidden: bool,
    this_pid: u32,
}

impl Case {
    fn of(pid: u32, this: Status, target: Status, refusal: &io::Error) -> Self {
        let this_pid = std::process::id();
        let forbidden =
            refusal.raw_os_error() == Some(libc::ENOSYS) || sys::try_read_memory(this_pid).is_err();
        Self {
            dumpable: dumpable(pid, &target),
            same_user_namespace: same_user_namespace(pid),
            ptrace_scope: ptrace_scope(),
            reading_forbidden: forbidden,
            this_pid,
            this,
            target,
        }
    }

    /// Every rule that refuses.
    fn obstacles(&self) -> Vec<Obstacle> {
        let mut found = Vec::new();
        if self.reading_forbidden {
            found.push(Obstacle::Seccomp);
        }
        let scope = self.ptrace_scope.value().unwrap_or(0);
        if scope >= 3 {
            found.push(Obstacle::PtraceScope(scope));
        }
        let elsewhere = self.same_user_namespace == Some(false);
        let may_trace = self.this.effective.has(Capability::SysPtrace);
        if !may_trace || elsewhere {
            self.without_capability(scope, may_trace && elsewhere, &mut found);
        }
        if found.is_empty() {
            found.push(Obstacle::SecurityModule);
        }
        found
    }

    /// The rules for those whose CAP_SYS_PTRACE is missing, or does not count (`powerless`).
    fn without_capability(&self, scope: u8, powerless: bool, found: &mut Vec<Obstacle>) {
        let before = found.len();
        let (this, target) = (&self.this, &self.target);
        let all = |ids: super::status::Ids, id: u32| {
            ids.real == id && ids.effective == id && ids.saved == id
        };
        if !all(target.uid, this.uid.real) {
            found.push(Obstacle::OtherUser { target: target.uid.effective, this: this.uid.real });
        } else if !all(target.gid, this.gid.real) {
            found.push(Obstacle::OtherGroup { target: target.gid.effective, this: this.gid.real });
        } else if self.dumpable == Some(false) {
            found.push(Obstacle::NotDumpable);
        } else if !this.effective.holds_all_of(target.permitted) {
            found.push(Obstacle::MoreCapabilities);
        }
        // Yama lets parents read (scope 1); grandparents too, which is not worth a walk here.
        if scope == 2 || scope == 1 && target.parent != self.this_pid {
            found.push(Obstacle::PtraceScope(scope));
        }
        // Only what capabilities would have overruled makes their reach matter.
        if powerless || self.same_user_namespace == Some(false) && found.len() == before {
            found.push(Obstacle::UserNamespace);
        }
    }
}

/// The files in /proc/PID belong to the process's user when it is dumpable, else to root. (The
/// folder itself always is the user's.)
fn dumpable(pid: u32, target: &Status) -> Option<bool> {
    let owner = fs::metadata(format!("/proc/{pid}/status")).ok()?.uid();
    (target.uid.effective != 0).then_some(owner == target.uid.effective)
}

fn same_user_namespace(pid: u32) -> Option<bool> {
    // Naming another process's namespace takes the very right that may be missing; its id map may
    // be read by all, and a namespace of its own nearly always has another one.
    let inode =
        |who: &str| fs::metadata(format!("/proc/{who}/ns/user")).ok().map(|meta| meta.ino());
    let map = |who: &str| fs::read_to_string(format!("/proc/{who}/uid_map")).ok();
    let target = pid.to_string();
    match (inode("self"), inode(&target)) {
        (Some(this), Some(target)) => Some(this == target),
        _ => Some(map("self")? == map(&target)?),
    }
}

/// `is_root`: whether this process is root's already, so that sudo would change nothing.
fn remedies(
    pid: u32,
    obstacles: &[Obstacle],
    confinement: &Confinement,
    is_root: bool,
) -> Vec<Remedy> {
    let mut remedies = Vec::new();
    let mut add = |command: String, when| {
        let command = if is_root { command.replace("sudo ", "") } else { command };
        remedies.push(Remedy { command, when });
    };
    if obstacles.iter().any(|it| matches!(it, Obstacle::PtraceScope(3..))) {
        return remedies;
    }
    if obstacles.contains(&Obstacle::SecurityModule) {
        add(
            "sudo dmesg | grep -iE 'apparmor|avc|denied' | tail".to_owned(),
            "to see which rule refuses",
        );
        return remedies;
    }
    if confinement.is_container() || obstacles.contains(&Obstacle::Seccomp) {
        add(
            format!("docker run --cap-add SYS_PTRACE --pid=host IMAGE leak-agent --pid {pid}"),
            "in a container: start it like this (with the process's pid on the host)",
        );
        add(format!("sudo leak-agent --pid {pid}"), "on the host, with the process's pid there");
        return remedies;
    }
    if is_root {
        add(
            "grep ^Cap /proc/self/status".to_owned(),
            "to see what was taken from root here: start leak-agent where it has CAP_SYS_PTRACE \
             (systemd: CapabilityBoundingSet=)",
        );
        return remedies;
    }
    add(format!("sudo leak-agent --pid {pid}"), "once");
    if obstacles.contains(&Obstacle::UserNamespace) {
        // File capabilities would count in this namespace only, as those at hand do.
        return remedies;
    }
    add(
        "sudo setcap cap_sys_ptrace+ep \"$(command -v leak-agent)\"".to_owned(),
        "for good, for every user who may run it",
    );
    if let [Obstacle::PtraceScope(_)] = obstacles {
        add(
            "sudo sysctl kernel.yama.ptrace_scope=0".to_owned(),
            "as the last resort: every process may then read its user's other processes",
        );
    }
    remedies
}

#[cfg(test)]
mod tests {
    use super::super::capability::Capabilities;
    use super::super::status::{Ids, Status};
    use super::*;

    fn user(id: u32, capabilities: u64) -> Status {
        let ids = Ids { real: id, effective: id, saved: id };
        let set = Capabilities::from_mask(capabilities);
        Status {
            state: 'S',
            uid: ids,
            gid: ids,
            parent: 1,
            permitted: set,
            effective: set,
            seccomp: None,
            no_new_privileges: None,
            tracer: 0,
            has_shadow_stack: false,
            ns_pids: vec![],
        }
    }

    fn case(this: Status, target: Status) -> Case {
        Case {
            this,
            target,
            dumpable: Some(true),
            same_user_namespace: Some(true),
            ptrace_scope: Setting::Absent,
            reading_forbidden: false,
            this_pid: 4711,
        }
    }

    const SYS_PTRACE: u64 = 1 << 19;

    #[test]
    fn another_users_process_needs_the_capability() {
        let obstacles = case(user(1000, 0), user(0, 0)).obstacles();
        assert_eq!(obstacles, [Obstacle::OtherUser { target: 0, this: 1000 }]);
        let text = obstacles[0].to_string();
        assert!(text.contains("uid 0") && text.contains("CAP_SYS_PTRACE"), "{text}");
    }

    #[test]
    fn a_set_uid_target_is_another_users() {
        let mut target = user(1000, 0);
        target.uid.saved = 0;
        let obstacles = case(user(1000, 0), target).obstacles();
        assert!(matches!(obstacles[..], [Obstacle::OtherUser { .. }]));
    }

    #[test]
    fn the_own_process_can_still_be_refused() {
        let mut own = case(user(1000, 0), user(1000, 0));
        own.dumpable = Some(false);
        assert_eq!(own.obstacles(), [Obstacle::NotDumpable]);
        let stronger = case(user(1000, 0), user(1000, SYS_PTRACE));
        assert_eq!(stronger.obstacles(), [Obstacle::MoreCapabilities]);
        let mut elsewhere = case(user(1000, 0), user(1000, 0));
        elsewhere.same_user_namespace = Some(false);
        assert_eq!(elsewhere.obstacles(), [Obstacle::UserNamespace]);
    }

    #[test]
    fn yama_spares_the_parent_in_scope_1_and_nobody_in_scope_3() {
        let mut own = case(user(1000, 0), user(1000, 0));
        own.ptrace_scope = Setting::Is(1);
        assert_eq!(own.obstacles(), [Obstacle::PtraceScope(1)]);
        own.target.parent = own.this_pid;
        assert_eq!(own.obstacles(), [Obstacle::SecurityModule]);
        own.ptrace_scope = Setting::Is(2);
        assert_eq!(own.obstacles(), [Obstacle::PtraceScope(2)]);
        let mut root = case(user(0, SYS_PTRACE), user(1000, 0));
        root.ptrace_scope = Setting::Is(3);
        assert_eq!(root.obstacles(), [Obstacle::PtraceScope(3)]);
    }

    #[test]
    fn capabilities_of_another_namespace_do_not_count() {
        let mut root = case(user(0, SYS_PTRACE), user(1000, 0));
        root.same_user_namespace = Some(false);
        assert_eq!(
            root.obstacles(),
            [Obstacle::OtherUser { target: 1000, this: 0 }, Obstacle::UserNamespace]
        );
    }

    #[test]
    fn each_way_out_fits_its_obstacle() {
        let host = Confinement { host_pids: Answer::Yes, host_users: Answer::Yes, container: None };
        let commands = |obstacles: &[Obstacle]| -> Vec<String> {
            remedies(7, obstacles, &host, false).into_iter().map(|remedy| remedy.command).collect()
        };
        let other = commands(&[Obstacle::OtherUser { target: 0, this: 1 }]);
        assert_eq!(other[0], "sudo leak-agent --pid 7");
        assert!(other[1].contains("setcap cap_sys_ptrace+ep"));
        assert!(!other.iter().any(|command| command.contains("sysctl")));
        let scope = commands(&[Obstacle::PtraceScope(1)]);
        assert!(scope.last().is_some_and(|command| command.contains("ptrace_scope=0")));
        assert!(commands(&[Obstacle::PtraceScope(3)]).is_empty());
        let inside = Confinement { container: Some("docker".to_owned()), ..host.clone() };
        let other = [Obstacle::OtherUser { target: 0, this: 1 }];
        let inside = remedies(7, &other, &inside, false);
        assert!(inside[0].command.contains("--cap-add SYS_PTRACE --pid=host"));
        for obstacle in [other[0].clone(), Obstacle::SecurityModule] {
            let root = remedies(7, &[obstacle], &host, true);
            assert!(!root.is_empty() && root.iter().all(|it| !it.command.contains("sudo")));
        }
    }

    #[test]
    fn real_processes_are_judged() {
        assert!(access_to(std::process::id()).is_granted());
        assert!(matches!(access_to(u32::MAX), Access::NoSuchProcess { .. }));
        assert!(matches!(access_to(0), Access::NoSuchProcess { .. }));
    }
}

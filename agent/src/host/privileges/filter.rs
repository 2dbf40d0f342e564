//! The system calls that the agent gives up for good: those that change other processes, start
//! programs, change who it is, or change the machine.
//!
//! A list of what is refused, not of what is allowed. Which calls the agent makes is decided by
//! libraries that change with every release (the C library, Rust's, the terminal's): a list of
//! those would be wrong one night, and nobody would know before. This list names what the agent
//! promises not to do. What is refused fails with EPERM and kills nothing, for the same reason.
//! The price: a call that a later kernel brings is not refused until it is added here.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter_all_threads, sock_filter,
};

/// What is refused, by the harm that it could do.
pub const GROUPS: [Group; 5] = [
    Group {
        name: "changing other processes",
        calls: &[
            libc::SYS_ptrace,
            libc::SYS_process_vm_writev,
            libc::SYS_process_madvise,
            libc::SYS_pidfd_getfd,
            libc::SYS_pidfd_send_signal,
            libc::SYS_tkill,
            libc::SYS_rt_sigqueueinfo,
            libc::SYS_rt_tgsigqueueinfo,
            libc::SYS_migrate_pages,
            libc::SYS_move_pages,
            // process_mrelease, which not every C library has a name for.
            448,
        ],
    },
    Group { name: "starting programs", calls: &[libc::SYS_execve, libc::SYS_execveat] },
    Group {
        name: "changing users and namespaces",
        calls: &[
            libc::SYS_setuid,
            libc::SYS_setgid,
            libc::SYS_setreuid,
            libc::SYS_setregid,
            libc::SYS_setresuid,
            libc::SYS_setresgid,
            libc::SYS_setfsuid,
            libc::SYS_setfsgid,
            libc::SYS_setgroups,
            libc::SYS_capset,
            libc::SYS_setns,
            libc::SYS_unshare,
            libc::SYS_chroot,
            libc::SYS_pivot_root,
        ],
    },
    Group {
        name: "changing mounts",
        calls: &[
            libc::SYS_mount,
            libc::SYS_umount2,
            libc::SYS_open_tree,
            libc::SYS_move_mount,
            libc::SYS_fsopen,
            libc::SYS_fsconfig,
            libc::SYS_fsmount,
            libc::SYS_fspick,
            libc::SYS_mount_setattr,
            libc::SYS_mknodat,
            libc::SYS_open_by_handle_at,
            libc::SYS_quotactl,
            libc::SYS_swapon,
            libc::SYS_swapoff,
        ],
    },
    Group {
        name: "changing the kernel and the machine",
        calls: &[
            libc::SYS_init_module,
            libc::SYS_finit_module,
            libc::SYS_delete_module,
            libc::SYS_kexec_load,
            libc::SYS_reboot,
            libc::SYS_acct,
            libc::SYS_syslog,
            libc::SYS_settimeofday,
            libc::SYS_clock_settime,
            libc::SYS_clock_adjtime,
            libc::SYS_adjtimex,
            libc::SYS_sethostname,
            libc::SYS_setdomainname,
            libc::SYS_add_key,
            libc::SYS_request_key,
            libc::SYS_keyctl,
            libc::SYS_userfaultfd,
            // What goes through its rings passes no filter.
            libc::SYS_io_uring_setup,
        ],
    },
];

/// Those that only amd64 has, and kexec_file_load, which musl has no name for on arm64.
#[cfg(target_arch = "x86_64")]
const OF_THIS_MACHINE: &[c_long] = &[
    libc::SYS_kexec_file_load,
    libc::SYS_mknod,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
];
#[cfg(not(target_arch = "x86_64"))]
const OF_THIS_MACHINE: &[c_long] = &[294];

/// Calls that do one kind of harm.
pub struct Group {
    /// What they could do.
    pub name: &'static str,
    calls: &'static [c_long],
}

/// Refuses the calls to all threads of this process and to its children, from now on. One child may be signalled.
pub fn install(child: Option<u32>) -> Result<(), Error> {
    let refused = refused(child)?;
    // First the one that is not needed to keep a promise: were it last, it could be left out.
    apply_filter_all_threads(&unfiltered_ways())?;
    apply_filter_all_threads(&refused)
}

fn refused(child: Option<u32>) -> Result<BpfProgram, Error> {
    let always = Vec::new;
    let mut rules: BTreeMap<c_long, Vec<SeccompRule>> = GROUPS
        .iter()
        .flat_map(|group| group.calls)
        .chain(OF_THIS_MACHINE)
        .map(|&call| (call, always()))
        .collect();
    // The agent may signal itself: so does a program that aborts.
    let this = std::process::id();
    rules.insert(libc::SYS_tgkill, when(0, SeccompCmpOp::Ne, this.into())?);
    // All conditions of a rule must be met.
    let is_other = [Some(this), child]
        .into_iter()
        .flatten()
        .map(|pid| SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, pid.into()));
    let is_other = is_other.collect::<Result<_, _>>()?;
    rules.insert(libc::SYS_kill, vec![SeccompRule::new(is_other)?]);
    // The limits and the priority of this process are its own: 0 means itself.
    rules.insert(libc::SYS_prlimit64, when(0, SeccompCmpOp::Ne, 0)?);
    for call in [libc::SYS_setpriority, libc::SYS_ioprio_set] {
        rules.insert(call, when(1, SeccompCmpOp::Ne, 0)?);
    }
    for call in [
        libc::SYS_sched_setaffinity,
        libc::SYS_sched_setscheduler,
        libc::SYS_sched_setparam,
        libc::SYS_sched_setattr,
    ] {
        rules.insert(call, when(0, SeccompCmpOp::Ne, 0)?);
    }
    // Threads and children yes, but in this user namespace: in its own it would be root.
    let user = libc::CLONE_NEWUSER as u64;
    rules.insert(libc::SYS_clone, when(0, SeccompCmpOp::MaskedEq(user), user)?);

    let arch = if cfg!(target_arch = "x86_64") { TargetArch::x86_64 } else { TargetArch::aarch64 };
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?;
    Ok(BpfProgram::try_from(filter)?)
}

/// One rule: the call is refused when its argument compares so. Pids and flags are 32 bits wide.
fn when(argument: u8, is: SeccompCmpOp, value: u64) -> Result<Vec<SeccompRule>, Error> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, is, value)?;
    Ok(vec![SeccompRule::new(vec![condition])?])
}

/// Two ways around any filter are closed as if this kernel did not have them: `clone3`, whose flags
/// lie in memory, where a filter cannot read (the C libraries then use `clone`); and the x32 calls
/// of amd64, which are the same calls by other numbers.
fn unfiltered_ways() -> BpfProgram {
    const LOAD_NUMBER: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const IF_AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
    const ANSWER: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    const X32: u32 = 0x4000_0000;
    let instruction = |code, k, jt| sock_filter { code, jt, jf: 0, k };
    vec![
        instruction(LOAD_NUMBER, 0, 0),
        instruction(IF_EQUAL, libc::SYS_clone3 as u32, 2),
        instruction(IF_AT_LEAST, X32, 1),
        instruction(ANSWER, libc::SECCOMP_RET_ALLOW, 0),
        instruction(ANSWER, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32, 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_is_named_twice() {
        let mut calls: Vec<c_long> =
            GROUPS.iter().flat_map(|group| group.calls).chain(OF_THIS_MACHINE).copied().collect();
        let count = calls.len();
        calls.sort_unstable();
        calls.dedup();
        assert_eq!(calls.len(), count);
    }

    #[test]
    fn the_filter_compiles_for_this_machine() {
        assert!(refused(None).is_ok_and(|filter| filter.len() > OF_THIS_MACHINE.len()));
    }
}

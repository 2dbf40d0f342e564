//! `without_bpf ERRNO PROGRAM ARGS...`: runs a program where the kernel answers every `bpf` call with an error, as
//! one does that was built without BPF (ENOSYS) or is locked down, or as a container's own filter does (EPERM).

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1);
    let errno = args.next().and_then(|errno| errno.to_str()?.parse().ok());
    let errno: u32 = errno.context("usage: without_bpf ERRNO PROGRAM ARGS...")?;
    let program = args.next().context("which program?")?;
    let filter = SeccompFilter::new(
        BTreeMap::from([(libc::SYS_bpf, Vec::new())]),
        SeccompAction::Allow,
        SeccompAction::Errno(errno),
        std::env::consts::ARCH.try_into()?,
    )?;
    apply_filter(&BpfProgram::try_from(filter)?)?;
    Err(Command::new(program).args(args).exec().into())
}

//! Whether the agent judges a kernel right of which it is known what it can do: Debian's, as root.

use anyhow::{Context, Result, bail, ensure};
use leak_agent::host::{Answer, Capability, Host, Lockdown, Seccomp};

/// Debian's kernels have uprobes, BTF, Yama and lockdown, and uprobe_multi since 6.6.
pub fn is_judged_right() -> Result<()> {
    let host = Host::detect();
    let release = host.kernel.release.clone().context("no kernel release")?;
    let numbers: Vec<u32> = release.split('.').filter_map(|part| part.parse().ok()).collect();
    let &[major, minor, ..] = numbers.as_slice() else { bail!("release {release:?}") };

    let probes = &host.probes;
    ensure!(probes.uprobes == Answer::Yes, "uprobes: {:?}", probes.uprobes);
    ensure!(probes.may_use_uprobes == Answer::Yes, "may use: {:?}", probes.may_use_uprobes);
    ensure!(probes.may_load_bpf == Answer::Yes, "may load: {:?}", probes.may_load_bpf);
    let multi = match probes.uprobe_multi {
        Answer::Yes => true,
        Answer::No(_) => false,
        Answer::CannotTell(_) => bail!("uprobe_multi: {:?}", probes.uprobe_multi),
    };
    ensure!(multi == ((major, minor) >= (6, 6)), "uprobe_multi: {:?}", probes.uprobe_multi);

    let kernel = &host.kernel;
    ensure!(kernel.arch.as_deref() == Some(std::env::consts::ARCH), "arch: {:?}", kernel.arch);
    ensure!(kernel.btf == Answer::Yes, "BTF: {:?}", kernel.btf);
    ensure!(kernel.ptrace_scope.value().is_some(), "ptrace_scope: {:?}", kernel.ptrace_scope);
    ensure!(kernel.lockdown.value() == Some(Lockdown::None), "lockdown: {:?}", kernel.lockdown);
    ensure!(host.uid == Some(0), "uid: {:?}", host.uid);
    let all =
        |set: leak_agent::host::Capabilities| Capability::ALL.into_iter().all(|it| set.has(it));
    ensure!(host.capabilities.is_some_and(all), "capabilities: {:?}", host.capabilities);
    ensure!(host.seccomp == Some(Seccomp::Off), "seccomp: {:?}", host.seccomp);
    ensure!(!host.confinement.is_container(), "confinement: {:?}", host.confinement);
    Ok(())
}

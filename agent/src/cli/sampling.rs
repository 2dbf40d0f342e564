//! The flag of sampling allocations in programs that keep no memory profile.

use clap::Args as ClapArgs;

use crate::collect::attach::sampling::Rate;

/// Whether allocations are to be sampled, and how many.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(super) struct SampleAllocations {
    /// WRITES to the target: where it keeps no memory profile, set runtime.MemProfileRate to this size (512KiB unless
    /// given: one of so many bytes is sampled, rounded up to a power of two) while it is watched, and back to 0 behind,
    /// also when the agent is killed. Needed to know who allocated what is in use.
    #[arg(
        long,
        value_name = "RATE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "512KiB",
        env = "LEAK_AGENT_SAMPLE_ALLOCATIONS"
    )]
    pub(super) sample_allocations: Option<Rate>,
}

//! What a process holds of the kernel's at one observation: descriptors, threads, mappings, children.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::stack::{FrameId, StackId};

/// What a process holds. What the source cannot know is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Open descriptors, against the soft limit (`RLIMIT_NOFILE`).
    pub descriptors: Option<Usage>,
    /// Threads, against the control group's limit (`pids.max`).
    pub threads: Option<Usage>,
    /// Mappings of memory, against `vm.max_map_count`.
    pub mappings: Option<Usage>,
    /// Child processes, those included that have ended and were never waited for.
    pub children: Option<Usage>,
    /// What these are; `None` where nothing looked at them one by one at this observation.
    pub details: Option<ResourceDetails>,
    /// Where open descriptors were opened, as of the last details; of those alone that were seen to be
    /// opened.
    #[serde(default)]
    pub opened: Vec<Opened>,
}

/// Descriptors that were opened at one stack and are open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// What they are.
    pub key: ResourceKey,
    /// The stack that opened them.
    pub stack: StackId,
    /// The `go` statement that created the goroutine that did.
    pub created_by: Option<FrameId>,
    /// How many.
    pub count: u64,
}

/// How many there are, and how many there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// How many the process has.
    pub count: u64,
    /// The limit; `None` where there is none that is known.
    pub limit: Option<Bound>,
}

/// A limit, and what counts towards it: of a control group's, what other processes have too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// How many count towards it.
    pub used: u64,
    /// How many there may be.
    pub limit: u64,
}

impl Usage {
    /// Of a process's own limit.
    #[must_use]
    pub fn within(count: u64, limit: Option<u64>) -> Self {
        Self { count, limit: limit.map(|limit| Bound { used: count, limit }) }
    }
}

impl Bound {
    /// Which part of the limit is used: 0 of nothing, 1 of all of it.
    #[must_use]
    pub fn part(self) -> f64 {
        self.used as f64 / self.limit.max(1) as f64
    }
}

/// What a process holds, thing by thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceDetails {
    /// Groups of things of one kind and name, most first.
    pub groups: Vec<ResourceGroup>,
    /// One of so many descriptors was looked at, and counts stand for all of them; 1 where all were.
    pub one_in: u64,
}

/// Things of one kind and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceGroup {
    /// Which.
    pub key: ResourceKey,
    /// How many there are: 0 of those that have all gone since the details before.
    pub count: u64,
    /// States of TCP sockets, and how many are in each.
    #[serde(default)]
    pub states: BTreeMap<TcpState, u64>,
    /// How many came since the details before, and how many went; `None` in the first, and where the
    /// things cannot be told apart.
    #[serde(default)]
    pub churn: Option<(u64, u64)>,
}

/// What things have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceKey {
    /// Their kind.
    pub kind: ResourceKind,
    /// What they lead to; `None` where that has no name.
    pub name: Option<ResourceName>,
}

/// A kind of thing that a process holds.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ResourceKind {
    /// Descriptors of any kind.
    Descriptor,
    /// Descriptors of files.
    File,
    /// Descriptors of directories.
    Directory,
    /// Sockets of TCP.
    TcpSocket,
    /// Sockets of UDP.
    UdpSocket,
    /// Sockets of the Unix domain.
    UnixSocket,
    /// Sockets of another family, or that the network namespace does not list: not bound, not connected.
    OtherSocket,
    /// Ends of pipes.
    Pipe,
    /// Event counters (`eventfd`).
    Eventfd,
    /// Instances of epoll.
    Epoll,
    /// Instances of inotify, each with its watches.
    Inotify,
    /// Timers (`timerfd`).
    Timerfd,
    /// Descriptors that signals are read from (`signalfd`).
    Signalfd,
    /// References to processes (`pidfd`).
    Pidfd,
    /// Files in memory (`memfd`).
    Memfd,
    /// Devices, terminals among them.
    Device,
    /// Anonymous inodes of another kind.
    AnonInode,
    /// Descriptors that show nothing of what they lead to.
    OtherDescriptor,
    /// Mappings of memory.
    Mapping,
    /// Threads.
    Thread,
    /// Child processes that run.
    Child,
    /// Child processes that have ended and were never waited for.
    Zombie,
    /// One that only a later version of the agent knows.
    #[serde(other)]
    Unknown,
}

impl ResourceKind {
    /// The name that programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether such things are descriptors.
    #[must_use]
    pub const fn is_descriptor(self) -> bool {
        !matches!(self, Self::Mapping | Self::Thread | Self::Child | Self::Zombie | Self::Unknown)
    }

    /// Whether such things are sockets.
    #[must_use]
    pub const fn is_socket(self) -> bool {
        matches!(self, Self::TcpSocket | Self::UdpSocket | Self::UnixSocket | Self::OtherSocket)
    }
}

/// What things lead to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceName {
    /// A path in which numbers stand as `#`, or several in one directory: `/tmp/*`.
    Path(String),
    /// The address and port of the other end, to which the process connected.
    Peer(String),
    /// A local port on which the process accepted them.
    AcceptedOn(u16),
    /// A local port on which the process listens, or receives.
    ListensOn(u16),
    /// The kernel's name of an anonymous inode.
    Inode(String),
    /// The name of a child's program.
    Program(String),
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(text) | Self::Peer(text) | Self::Inode(text) | Self::Program(text) => {
                f.write_str(text)
            }
            Self::AcceptedOn(port) | Self::ListensOn(port) => write!(f, ":{port}"),
        }
    }
}

/// The state of a TCP socket (`include/net/tcp_states.h`).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum TcpState {
    /// Both ends are open.
    Established,
    /// Connecting.
    SynSent,
    /// Being connected to.
    SynReceived,
    /// The process has closed it and waits for the peer.
    FinWait1,
    /// The peer has confirmed that, and has not closed it yet.
    FinWait2,
    /// Closed by both, and kept for late packets.
    TimeWait,
    /// Closed.
    Close,
    /// The peer has closed it, and the process has not.
    CloseWait,
    /// Closed by the peer and then by the process, whose last packet is not confirmed.
    LastAck,
    /// Waits for connections.
    Listen,
    /// Closed by both at once.
    Closing,
    /// One that only a later version of the agent knows.
    #[serde(other)]
    Unknown,
}

impl TcpState {
    /// By the kernel's number.
    #[must_use]
    pub const fn of(number: u8) -> Self {
        match number {
            1 => Self::Established,
            2 => Self::SynSent,
            3 | 12 => Self::SynReceived,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            6 => Self::TimeWait,
            7 => Self::Close,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            10 => Self::Listen,
            11 => Self::Closing,
            _ => Self::Unknown,
        }
    }

    /// The name that people and programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A part of what a process holds, as it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResourcePart {
    /// Open descriptors, and what they lead to.
    Descriptors,
    /// Sockets of the process's network namespace.
    Sockets,
    /// Mappings of memory.
    Mappings,
    /// Child processes.
    Children,
}

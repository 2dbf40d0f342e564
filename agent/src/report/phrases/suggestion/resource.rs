//! What to do about what a process holds and does not give back.

use crate::model::{ResourceKey, ResourceKind, ResourceName};

/// How things are given back.
pub(super) const fn release(key: &ResourceKey, closed_by_peer: bool) -> &'static [&'static str] {
    if closed_by_peer {
        return &[
            "Close each connection when a read returns io.EOF or another error: defer conn.Close(), and for \
             HTTP read resp.Body to its end and close it. A connection that nobody reads does not learn that \
             the other end is gone: read it in a loop, or give it a deadline.",
        ];
    }
    match (key.kind, &key.name) {
        (ResourceKind::File | ResourceKind::Directory | ResourceKind::Memfd, _) => &[
            "defer file.Close() right after the error check of what opens them (os.Open, os.Create, \
             os.CreateTemp), on every path that returns early too; syscall.Close for what syscall.Open gives.",
        ],
        (ResourceKind::TcpSocket, Some(ResourceName::AcceptedOn(_))) => &[
            "Set http.Server.IdleTimeout and ReadHeaderTimeout (or a deadline on each connection), and close \
             connections when their handler returns. If the clients themselves hold them open, this is load.",
        ],
        (ResourceKind::UdpSocket, _) => &[
            "defer conn.Close() right after the error check of what opens them (net.ListenPacket, net.ListenUDP, \
             net.Dial), and keep one for all that is sent to the same address.",
        ],
        (ResourceKind::UnixSocket, _) => &[
            "Close what opens them: defer conn.Close() right after net.Dial or Accept; listener.Close(); and for \
             HTTP over a socket resp.Body.Close().",
        ],
        (ResourceKind::OtherSocket, _) => &[
            "Close what opens them: syscall.Close for what syscall.Socket gives, Close of libraries that speak to \
             the kernel (netlink, raw packets).",
        ],
        (ResourceKind::TcpSocket, _) => &[
            "Close what opens them: defer resp.Body.Close() (and read it to its end, so that the connection \
             is used again), rows.Close(), conn.Close().",
            "Share one http.Client, http.Transport or sql.DB: one made for each request keeps connections of \
             its own.",
        ],
        (ResourceKind::Pipe, _) => &[
            "Close both ends of os.Pipe, and call Wait for each exec.Cmd that was started: it closes the \
             pipes of StdoutPipe, StderrPipe and StdinPipe.",
        ],
        (ResourceKind::Inotify, _) => &[
            "Call Close on each fsnotify.Watcher, or use one for all paths (watcher.Add). The number of \
             inotify instances of a user is limited too (fs.inotify.max_user_instances).",
        ],
        (ResourceKind::Epoll | ResourceKind::Eventfd, _) => {
            &["Close what makes them: watchers, and libraries that poll by themselves."]
        }
        (ResourceKind::Zombie | ResourceKind::Pidfd, _) => &[
            "Call Wait for every exec.Cmd that was started (cmd.Run does), or Wait or Release for each \
             os.Process.",
        ],
        (ResourceKind::Child, _) => &[
            "End child processes with their work: exec.CommandContext with a context that is cancelled, and \
             cmd.Wait.",
        ],
        (ResourceKind::Thread, _) => {
            &["Look for calls into C or system calls that block, and for goroutines that called \
             runtime.LockOSThread: each holds a thread."]
        }
        (ResourceKind::Mapping, _) => &[
            "Unmap what is mapped: munmap for each mmap, Close of what maps files (databases, readers of \
             indexes, bpf maps).",
        ],
        _ => &["Close what opens them when its work is done."],
    }
}

/// How a limit is raised, where what counts towards it is meant to be there.
pub(super) const fn raise(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Thread => {
            "If so many threads are meant to be: raise pids.max (TasksMax= of systemd, --pids-limit of Docker)."
        }
        ResourceKind::Mapping => "If so many mappings are meant to be: raise vm.max_map_count.",
        _ => {
            "If so many descriptors are meant to be: raise RLIMIT_NOFILE (LimitNOFILE= of systemd, --ulimit \
             nofile of Docker)."
        }
    }
}

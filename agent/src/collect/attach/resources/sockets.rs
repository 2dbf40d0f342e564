//! The sockets of a process's network namespace, by inode (proc_pid_net(5)).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};

use super::pattern;
use crate::model::{CoverageNote, ResourceKey, ResourceKind, ResourceName, ResourcePart, TcpState};

/// What of each table is read: about 110,000 sockets of TCP.
const MAX_BYTES: u64 = 16 << 20;
/// `__SO_ACCEPTCON` (`include/uapi/linux/net.h`): the socket listens.
const LISTENS: u32 = 1 << 16;

/// What is known of sockets.
#[derive(Default)]
pub(super) struct Sockets {
    by_inode: FxHashMap<u64, Socket>,
    /// Local ports on which somebody in the namespace listens.
    listening: FxHashSet<u16>,
}

/// One socket.
enum Socket {
    Tcp { local: SocketAddr, peer: SocketAddr, state: TcpState },
    Udp { local: SocketAddr, peer: SocketAddr },
    Unix { path: Option<String> },
}

impl Sockets {
    /// Those with these inodes, in the namespace of the process with this folder in /proc; and what was
    /// not read of them.
    pub(super) fn read(folder: &Path, wanted: &FxHashSet<u64>) -> (Self, Vec<CoverageNote>) {
        let mut sockets = Self::default();
        let mut notes = Vec::new();
        if wanted.is_empty() {
            return (sockets, notes);
        }
        // The kernel goes through all of its buckets for each read of a table, however few sockets there
        // are: it ends with the last one that is wanted.
        for (file, parse) in [
            ("tcp", Self::tcp as fn(&mut Self, &[u8], &FxHashSet<u64>) -> Option<()>),
            ("tcp6", Self::tcp),
            ("udp", Self::udp),
            ("udp6", Self::udp),
            ("unix", Self::unix),
        ] {
            let path = folder.join("net").join(file);
            if sockets.by_inode.len() == wanted.len() {
                break;
            }
            let read = lines(&path, |line| {
                parse(&mut sockets, line, wanted);
                // Who listens stands before who is connected, so nothing is missed of those found.
                sockets.by_inode.len() < wanted.len()
            });
            match read {
                Ok(None) => {}
                Ok(Some(read)) => {
                    notes.push(CoverageNote::ResourcesCut { part: ResourcePart::Sockets, read });
                }
                // A kernel without IPv6 has no table of it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => notes.push(CoverageNote::ResourcesUnread {
                    part: ResourcePart::Sockets,
                    why: format!("{}: {error}", path.display()),
                }),
            }
        }
        (sockets, notes)
    }

    /// What a socket is called, and its state where it is one of TCP.
    pub(super) fn name(&self, inode: u64) -> (ResourceKey, Option<TcpState>) {
        let (kind, name, state) = match self.by_inode.get(&inode) {
            None => (ResourceKind::OtherSocket, None, None),
            Some(Socket::Tcp { local, peer, state }) => {
                let name = match state {
                    TcpState::Listen => ResourceName::ListensOn(local.port()),
                    _ if self.listening.contains(&local.port()) => {
                        ResourceName::AcceptedOn(local.port())
                    }
                    _ => ResourceName::Peer(peer.to_string()),
                };
                (ResourceKind::TcpSocket, Some(name), Some(*state))
            }
            Some(Socket::Udp { local, peer }) => {
                let name = if peer.port() == 0 {
                    ResourceName::ListensOn(local.port())
                } else {
                    ResourceName::Peer(peer.to_string())
                };
                (ResourceKind::UdpSocket, Some(name), None)
            }
            Some(Socket::Unix { path }) => {
                let name = path.as_deref().map(|path| ResourceName::Path(pattern::of_path(path)));
                (ResourceKind::UnixSocket, name, None)
            }
        };
        (ResourceKey { kind, name }, state)
    }

    fn tcp(&mut self, line: &[u8], wanted: &FxHashSet<u64>) -> Option<()> {
        let (local, peer, state, inode) = internet(line)?;
        if state == TcpState::Listen {
            self.listening.insert(local.port());
        }
        if wanted.contains(&inode) {
            self.by_inode.insert(inode, Socket::Tcp { local, peer, state });
        }
        Some(())
    }

    fn udp(&mut self, line: &[u8], wanted: &FxHashSet<u64>) -> Option<()> {
        let (local, peer, _, inode) = internet(line)?;
        if wanted.contains(&inode) {
            self.by_inode.insert(inode, Socket::Udp { local, peer });
        }
        Some(())
    }

    /// `Num RefCount Protocol Flags Type St Inode Path`.
    fn unix(&mut self, line: &[u8], wanted: &FxHashSet<u64>) -> Option<()> {
        let mut fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
        let flags = u32::from_str_radix(text(fields.nth(3)?)?, 16).ok()?;
        let inode = text(fields.nth(2)?)?.parse().ok()?;
        let path = fields.next().map(|path| String::from_utf8_lossy(path).into_owned());
        if wanted.contains(&inode) {
            // What listens and what it accepted have one path: those are told apart by their number.
            let path =
                path.map(|path| if flags & LISTENS == 0 { path } else { path + " (listens)" });
            self.by_inode.insert(inode, Socket::Unix { path });
        }
        Some(())
    }
}

fn text(field: &[u8]) -> Option<&str> {
    std::str::from_utf8(field).ok()
}

/// Local address, peer, state and inode of a line of `net/tcp`, `net/udp` or their like of IPv6.
fn internet(line: &[u8]) -> Option<(SocketAddr, SocketAddr, TcpState, u64)> {
    let mut fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
    let local = address(text(fields.nth(1)?)?)?;
    let peer = address(text(fields.next()?)?)?;
    let state = u8::from_str_radix(text(fields.next()?)?, 16).ok()?;
    let inode = text(fields.nth(5)?)?.parse().ok()?;
    Some((local, peer, TcpState::of(state), inode))
}

/// `0100007F:1F90`: words of the address in memory's order, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let digits = address.get(at * 8..at * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let ip = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut bytes = [0; 16];
            for (at, part) in bytes.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                *part = word(at)?;
            }
            // An IPv4 connection of a socket of both.
            Ipv6Addr::from(bytes).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// Hands out the lines of a table but its first, as far as it is read and while more are wanted. How many
/// that were where it is cut.
fn lines(path: &Path, mut each: impl FnMut(&[u8]) -> bool) -> io::Result<Option<u64>> {
    let mut table = BufReader::with_capacity(1 << 16, File::open(path)?.take(MAX_BYTES));
    let mut line = Vec::new();
    let mut read = 0_u64;
    loop {
        line.clear();
        if table.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if read > 0 && !each(&line) {
            return Ok(None);
        }
        read += 1;
    }
    Ok((table.get_ref().limit() == 0).then_some(read.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "   0: 0100007F:1F90 0200000A:D431 08 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 20 4 30 10 -1";

    #[test]
    fn a_line_of_tcp() {
        let (local, peer, state, inode) = internet(TCP.as_bytes()).expect("whole");
        assert_eq!(local.to_string(), "127.0.0.1:8080");
        assert_eq!(peer.to_string(), "10.0.0.2:54321");
        assert_eq!((state, inode), (TcpState::CloseWait, 4711));
        for cut in 0..TCP.len() {
            // No part of it does harm; few are whole.
            let _ = internet(&TCP.as_bytes()[..cut]);
        }
        assert_eq!(internet(b"  sl  local_address rem_address"), None);
    }

    #[test]
    fn addresses_of_both_families() {
        let of = |text| address(text).map(|address| address.to_string());
        let six = "B80D0120000000000000000001000000:01BB";
        assert_eq!(of(six).as_deref(), Some("[2001:db8::1]:443"));
        let mapped = "0000000000000000FFFF00000100007F:0050";
        assert_eq!(of(mapped).as_deref(), Some("127.0.0.1:80"));
        for bad in ["", ":", "0100007F", "0100007F:", "0100007F:10000", "é100007:0", "01:02"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn who_was_connected_to_and_who_connected() {
        let wanted: FxHashSet<u64> = [4711, 4712, 9].into_iter().collect();
        let mut sockets = Sockets::default();
        sockets.tcp(TCP.as_bytes(), &wanted);
        let name = |sockets: &Sockets, inode| sockets.name(inode).0.name;
        assert_eq!(name(&sockets, 4711), Some(ResourceName::Peer("10.0.0.2:54321".to_owned())));
        let listens = TCP.replace(" 08 ", " 0A ").replace("4711", "4712");
        sockets.tcp(listens.as_bytes(), &wanted);
        assert_eq!(name(&sockets, 4711), Some(ResourceName::AcceptedOn(8080)));
        assert_eq!(name(&sockets, 4712), Some(ResourceName::ListensOn(8080)));
        assert_eq!(sockets.name(5).0.kind, ResourceKind::OtherSocket);
        let unix = b"0000000000000000: 00000002 00000000 00010000 0001 01 9 /run/app-7.sock\n";
        sockets.unix(unix, &wanted);
        let path = ResourceName::Path("/run/app-#.sock (listens)".to_owned());
        assert_eq!(name(&sockets, 9), Some(path));
    }
}

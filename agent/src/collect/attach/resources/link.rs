//! What the link of a descriptor in /proc says that it leads to (proc_pid_fd(5)).

use super::pattern;
use crate::model::{ResourceKind, ResourceName};

/// What a descriptor leads to, as far as its link tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link<'a> {
    /// A socket, by its inode.
    Socket(u64),
    /// Something whose kind the link tells.
    Known(ResourceKind, Option<ResourceName>),
    /// A file, directory, named pipe or device, by its path.
    Path(&'a str),
}

/// What the kernel appends to the path of a file that was removed.
const DELETED: &str = " (deleted)";

impl<'a> Link<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        let known = |kind| Self::Known(kind, None);
        if let Some(name) = text.strip_prefix("anon_inode:") {
            return Self::anonymous(name.trim_start_matches('[').trim_end_matches(']'));
        }
        if let Some((class, inode)) = text.split_once(":[") {
            let inode = inode.trim_end_matches(']').parse();
            match (class, inode) {
                ("socket", Ok(inode)) => return Self::Socket(inode),
                ("pipe", Ok(_)) => return known(ResourceKind::Pipe),
                ("pidfd", Ok(_)) => return known(ResourceKind::Pidfd),
                (_, Ok(_)) if !class.contains('/') => {
                    let name = ResourceName::Inode(pattern::of_path(class));
                    return Self::Known(ResourceKind::OtherDescriptor, Some(name));
                }
                _ => {}
            }
        }
        let path = text.strip_suffix(DELETED).unwrap_or(text);
        if let Some(name) = path.strip_prefix("/memfd:") {
            let name = ResourceName::Path(pattern::of_path(name));
            return Self::Known(ResourceKind::Memfd, Some(name));
        }
        let is_device = path.starts_with("/dev/")
            && !path.starts_with("/dev/shm/")
            && !path.starts_with("/dev/mqueue/");
        if is_device {
            let name = ResourceName::Path(pattern::of_path(path));
            return Self::Known(ResourceKind::Device, Some(name));
        }
        if path.starts_with('/') { Self::Path(path) } else { known(ResourceKind::OtherDescriptor) }
    }

    fn anonymous(name: &str) -> Self {
        let kind = match name {
            "eventfd" => ResourceKind::Eventfd,
            "eventpoll" => ResourceKind::Epoll,
            "inotify" => ResourceKind::Inotify,
            "timerfd" => ResourceKind::Timerfd,
            "signalfd" => ResourceKind::Signalfd,
            "pidfd" => ResourceKind::Pidfd,
            _ => {
                let name = ResourceName::Inode(pattern::of_path(name));
                return Self::Known(ResourceKind::AnonInode, Some(name));
            }
        };
        Self::Known(kind, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_every_kind() {
        use ResourceKind as Kind;
        let plain = |kind| Link::Known(kind, None);
        let path = |text: &str| Some(ResourceName::Path(text.to_owned()));
        let inode = |text: &str| Some(ResourceName::Inode(text.to_owned()));
        for (text, link) in [
            ("socket:[123]", Link::Socket(123)),
            ("pipe:[5]", plain(Kind::Pipe)),
            ("pidfd:[5]", plain(Kind::Pidfd)),
            ("anon_inode:[pidfd]", plain(Kind::Pidfd)),
            ("anon_inode:[eventpoll]", plain(Kind::Epoll)),
            ("anon_inode:[eventfd]", plain(Kind::Eventfd)),
            ("anon_inode:inotify", plain(Kind::Inotify)),
            ("anon_inode:[timerfd]", plain(Kind::Timerfd)),
            ("anon_inode:bpf-map", Link::Known(Kind::AnonInode, inode("bpf-map"))),
            ("net:[4026531840]", Link::Known(Kind::OtherDescriptor, inode("net"))),
            ("/memfd:cache7 (deleted)", Link::Known(Kind::Memfd, path("cache#"))),
            ("/dev/pts/3", Link::Known(Kind::Device, path("/dev/pts/#"))),
            ("/dev/shm/x", Link::Path("/dev/shm/x")),
            ("/tmp/x (deleted)", Link::Path("/tmp/x")),
            ("/a/socket:[1]", Link::Path("/a/socket:[1]")),
            ("", plain(Kind::OtherDescriptor)),
            ("socket:[", plain(Kind::OtherDescriptor)),
        ] {
            assert_eq!(Link::parse(text), link, "{text}");
        }
    }
}

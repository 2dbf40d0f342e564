use std::fs::File;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::*;
use crate::model::{ResourceKey, ResourceKind, ResourceName, TcpState};

/// What this process holds, so many seconds after the start.
fn read(holdings: &mut Holdings, seconds: u64) -> (Resources, Coverage) {
    let ours = Process::find(std::process::id()).expect("we run");
    let mut coverage = Coverage::default();
    let seen = holdings.read(&ours, Duration::from_secs(seconds), |_| None, &mut coverage);
    (seen, coverage)
}

fn of<'a>(
    seen: &'a Resources,
    kind: ResourceKind,
    name: &ResourceName,
) -> Option<&'a crate::model::ResourceGroup> {
    let key = ResourceKey { kind, name: Some(name.clone()) };
    seen.details.as_ref()?.groups.iter().find(|group| group.key == key)
}

#[test]
fn files_that_are_opened_come_and_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let pattern = |name: &str| {
        ResourceName::Path(pattern::of_path(&format!("{}/{name}", folder.path().display())))
    };
    let (mut holdings, mut open) = (Holdings::default(), Vec::new());
    for number in 0..20 {
        open.push(File::create(folder.path().join(format!("part-{number}"))).expect("created"));
    }
    open.push(File::open(folder.path()).expect("a directory"));
    let (seen, coverage) = read(&mut holdings, 0);
    let files = of(&seen, ResourceKind::File, &pattern("part-0")).expect("they are open");
    assert_eq!((files.count, files.churn), (20, None));
    let folder_name = ResourceName::Path(pattern::of_path(&folder.path().display().to_string()));
    assert!(of(&seen, ResourceKind::Directory, &folder_name).is_some(), "{seen:?}");
    let descriptors = seen.descriptors.expect("counted");
    assert!(descriptors.count >= 21 && descriptors.limit.is_some_and(|it| it.limit > 21));
    assert!(seen.mappings.is_some_and(|it| it.count > 3 && it.limit.is_some()));
    assert!(seen.threads.is_some_and(|it| it.count > 0));
    assert_eq!(coverage.notes, []);
    open.truncate(15);
    open.push(File::create(folder.path().join("part-99")).expect("created"));
    let (seen, _) = read(&mut holdings, 100);
    let files = of(&seen, ResourceKind::File, &pattern("part-0")).expect("they are open");
    assert_eq!((files.count, files.churn), (16, Some((1, 5))));
}

#[test]
fn a_peer_that_closes_first_is_seen() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = listener.local_addr().expect("an address");
    let client = TcpStream::connect(address).expect("connected");
    let (mut server, _) = listener.accept().expect("accepted");
    let (seen, _) = read(&mut Holdings::default(), 0);
    let peer = ResourceName::Peer(address.to_string());
    let ours = of(&seen, ResourceKind::TcpSocket, &peer).expect("the client");
    assert_eq!(ours.states.get(&TcpState::Established), Some(&1));
    let listens = ResourceName::ListensOn(address.port());
    assert!(of(&seen, ResourceKind::TcpSocket, &listens).is_some());
    drop(client);
    assert_eq!(server.read(&mut [0]).expect("the end"), 0);
    let (seen, _) = read(&mut Holdings::default(), 0);
    let accepted = ResourceName::AcceptedOn(address.port());
    let accepted = of(&seen, ResourceKind::TcpSocket, &accepted).expect("the server's");
    assert_eq!(accepted.states.get(&TcpState::CloseWait), Some(&1));
}

#[test]
fn details_rest_and_counts_do_not() {
    let mut holdings = Holdings::default();
    let (first, _) = read(&mut holdings, 0);
    assert!(first.details.is_some());
    let ours = Process::find(std::process::id()).expect("we run");
    holdings.next = Duration::from_secs(10);
    let (second, _) = read(&mut holdings, 5);
    assert!(second.details.is_none() && second.descriptors.is_some() && second.threads.is_some());
    assert!(ours.is_alive());
    let (third, _) = read(&mut holdings, 10);
    assert!(third.details.is_some());
}

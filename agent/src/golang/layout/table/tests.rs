#![allow(clippy::unwrap_used)]

use super::*;

fn look_up(version: &str) -> TableHit {
    Layout::for_version(&version.parse().unwrap(), Arch::Amd64).unwrap()
}

fn nearest(version: &str) -> String {
    match look_up(version).exactness {
        Exactness::Nearest { known } => known.to_string(),
        Exactness::Exact => "exact".to_owned(),
    }
}

#[test]
fn the_embedded_table_parses_whole() {
    let blocks = parse(TABLE).unwrap();
    for arch in [Arch::Amd64, Arch::Arm64] {
        for minor in OLDEST_MINOR..=27 {
            assert!(
                blocks.iter().any(|it| it.minor == minor && it.arches.contains(&arch)),
                "1.{minor} on {arch:?}"
            );
        }
    }
    let overlap = |a: &Block, b: &Block| {
        a.minor == b.minor
            && a.first <= b.last
            && b.first <= a.last
            && a.arches.iter().any(|it| b.arches.contains(it))
    };
    for (index, block) in blocks.iter().enumerate() {
        assert!(!blocks[..index].iter().any(|other| overlap(block, other)), "{block:?}");
    }
}

#[test]
fn what_is_rendered_parses_again() {
    for block in parse(TABLE).unwrap() {
        assert_eq!(parse(&render(&block)).unwrap(), [block]);
    }
}

#[test]
fn known_releases_are_exact() {
    for version in ["go1.21", "go1.21.13", "go1.24.11", "go1.26.6-X:nogreenteagc", "go1.27.3"] {
        assert_eq!(nearest(version), "exact", "{version}");
    }
    // Go 1.25 dropped `ret` from gobuf, which lies in front of goid.
    assert_eq!(look_up("go1.24.11").layout.g.goid, look_up("go1.25.5").layout.g.goid + 8);
}

#[test]
fn others_take_the_nearest() {
    let newest = look_up("go1.27.3").layout;
    for version in ["go1.28.0", "go1.31.2", "devel go1.29-abc", "go1.27.99"] {
        let hit = look_up(version);
        assert_eq!(hit.layout, newest, "{version}");
        assert!(matches!(hit.exactness, Exactness::Nearest { known } if known.minor == 27));
    }
    assert_eq!(nearest("go1.27rc1"), "go1.27.0");
    assert_eq!(nearest("devel go1.22-abcdef"), "go1.22.0");
    assert_eq!(nearest("go1.22.9 (Red Hat 1.22.9-1)"), "go1.22.9");
    assert_eq!(nearest("go1.21.5-bigcorp"), "go1.21.5");
}

#[test]
fn too_old_is_an_error() {
    let version: GoVersion = "go1.20.14".parse().unwrap();
    let error = Layout::for_version(&version, Arch::Amd64).unwrap_err();
    assert!(error.to_string().starts_with("go1.20.14 is too old"), "{error}");
    assert_eq!(error, TableError::TooOld { version });
}

#[test]
fn a_malformed_table_names_the_line() {
    let block = render(&parse(TABLE).unwrap()[0]);
    for (from, to, line) in [
        ("go 1.", "go 2.", 1),
        ("..1.21", "..1.22", 1),
        (" amd64", " riscv64", 1),
        ("\n  m ", "\n  mm ", 3),
        ("procid=", "prokid=", 14),
        ("goid=", "goid=x", 2),
        ("goid=", "goid=4", 14),
        ("procid=", "procid=0 procid=", 14),
    ] {
        let spoiled = block.replacen(from, to, 1);
        assert_ne!(spoiled, block);
        assert_eq!(parse(&spoiled), Err(TableError::Malformed { line }), "{from} {to}");
    }
    let cut: String = block.lines().take(3).map(|line| format!("{line}\n")).collect();
    assert_eq!(parse(&cut), Err(TableError::Malformed { line: 3 }));
}

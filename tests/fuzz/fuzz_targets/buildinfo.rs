//! Reads build information, and the version in it, out of any bytes.
//!
//! It needs no seeds. The first byte says what the others are: what stands behind a true mark, or everything.
#![no_main]

use leak_agent::golang::buildinfo::BuildInfo;
use leak_agent::golang::version::GoVersion;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((flags, rest)) = data.split_first() else { return };
    let mut bytes = Vec::new();
    if flags & 1 == 0 {
        bytes.extend(b"\xff Go buildinf:\x08\x02");
        bytes.extend([0; 16]);
        if flags & 2 == 0 {
            // A version whose length is right, and then settings.
            let (version, settings) = rest.split_at(rest.len().min(usize::from(flags >> 2)));
            bytes.push(version.len() as u8);
            bytes.extend(version);
            bytes.extend([settings.len() as u8 & 0x7f | 0x80, (settings.len() >> 7) as u8 & 0x7f]);
            bytes.extend(settings);
        }
    }
    bytes.extend(rest);
    let Some(info) = BuildInfo::find(&bytes) else { return };
    assert!(!info.version.is_empty() && info.version.len() <= bytes.len());
    let settings: usize = info.settings.iter().map(|(key, value)| key.len() + value.len()).sum();
    assert!(settings <= bytes.len());
    if let Ok(version) = info.version.parse::<GoVersion>()
        && version.is_official()
        && version.experiments.is_empty()
    {
        // What is shown can be read again; what vendors and hostile files add may not.
        assert_eq!(version.to_string().parse(), Ok(version));
    }
});

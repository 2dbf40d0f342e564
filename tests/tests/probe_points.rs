//! Every probe point is the instruction that it claims to be, in every Go version, build mode and
//! architecture. Nothing here needs root, nor is a probe put anywhere.
#![allow(clippy::expect_used)]

use std::collections::HashMap;
use std::fs;

use iced_x86::{Decoder, DecoderOptions};
use leak_agent::golang::Program;
use leak_agent::golang::arch::{Arch, Handling, Register};
use leak_agent::golang::binary::Binary;
use leak_agent::golang::module::Module;
use leak_agent::golang::probe_points::{
    Event, Holds, NotFound, ProbePoint, ProbePoints, Why, find,
};
use leak_agent::golang::program::wanted_functions;
use leak_agent::golang::survey::Survey;
use leak_agent_tests::loaded::Loaded;
use leak_agent_tests::{Target, each_version, target};
use object::{Object, ObjectSymbol, SymbolKind};

each_version!(are_what_they_claim);
each_version!(stripped_equals_unstripped);
each_version!(of_a_process_are_those_of_its_file);

const AMD64: [&str; 9] = [
    "exe",
    "stripped",
    "pie",
    "pie-stripped",
    "static-pie",
    "cgo-internal",
    "cgo-external",
    "race",
    "trimpath",
];
const ARM64: [&str; 1] = ["arm64"];

fn bytes(version: &str, mode: &str) -> Vec<u8> {
    fs::read(target::path(version, mode, "states").expect("target")).expect("it can be read")
}

fn points(file: &[u8]) -> (Binary, u64, ProbePoints) {
    let binary = Binary::read("states", file).expect("a Go executable");
    let text = text(&binary, file);
    let points = find(&binary, &Survey::of(&binary.pclntab, wanted_functions()), text, file);
    (binary, text, points)
}

/// Where Go's text is linked.
fn text(binary: &Binary, file: &[u8]) -> u64 {
    let image = Loaded::load(file).expect("it can be loaded");
    let module = Module::find(
        &image,
        &binary.layout.layout.moduledata,
        &binary.initialised,
        binary.pclntab_address,
        binary.pclntab.name_table_offset(),
    );
    module.expect("it can be read").expect("there is module data").text
}

fn are_what_they_claim(version: &str) {
    for mode in AMD64.into_iter().chain(ARM64) {
        let file = bytes(version, mode);
        let (binary, _, points) = points(&file);
        let symbols = functions(&file);
        for event in Event::ALL {
            let point =
                points.get(event).unwrap_or_else(|error| panic!("{version} {mode}: {error}"));
            let what = format!("{version} {mode} {event} {point:x?}");
            println!(
                "{version:8} {mode:13} {event:20} {}+{:#x} file {:#x} {:?}",
                point.function(),
                point.offset(),
                point.file_offset(),
                point.handling()
            );
            assert_eq!(point.event(), event, "{what}");
            assert_eq!(point.function(), function(event, version), "{what}");
            if let Some((name, size)) = symbols.get(&point.entry()) {
                assert_eq!(name, point.function(), "{what}");
                assert!(u64::from(point.offset()) < *size, "{what}");
            } else {
                assert!(binary.stripped, "{what}");
            }
            check_instruction(&binary, &file, point, &symbols, &what);
            check_registers(binary.arch, point, &what);
            let every = event == Event::CreateEvery;
            assert_eq!(point.goid_is_set(), !every || version >= "1.24", "{what}");
        }
        for point in points.all() {
            let what = format!("{version} {mode} {point:x?}");
            assert!(point.offset() > 0 && point.address() > point.entry(), "{what}");
            check_boundary(&binary, &file, point, &what);
        }
        for event in Event::ALL {
            let Some(nop) = points.at_nop(event) else { continue };
            let point = points.get(event).expect("it is beside the NOP");
            let what = format!("{version} {mode} {nop:x?}");
            assert_eq!(nop.handling(), Handling::Nop5, "{what}");
            assert_eq!(code_at(&file, nop)[..5], [0x0f, 0x1f, 0x44, 0x00, 0x00], "{what}");
            assert_eq!(nop.file_offset() + 5, point.file_offset(), "{what}");
            assert!(nop.registers().eq(point.registers()), "{what}");
        }
        // Known of these releases: since 1.23 the compiler pads the call.
        let padded = binary.arch == Arch::Amd64 && version >= "1.23";
        assert_eq!(points.at_nop(Event::Create).is_some(), padded, "{version} {mode}");
    }
}

/// By address: name and size, of those that the symbol table has.
fn functions(file: &[u8]) -> HashMap<u64, (String, u64)> {
    let parsed = object::File::parse(file).expect("an ELF file");
    parsed
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text)
        .filter_map(|symbol| {
            Some((symbol.address(), (symbol.name().ok()?.to_owned(), symbol.size())))
        })
        .collect()
}

fn function(event: Event, version: &str) -> &'static str {
    match event {
        Event::Create => "runtime.newproc.func1",
        Event::CreateEvery => "runtime.newproc1",
        Event::Park => "runtime.gopark",
        Event::Exit if version >= "1.22" => "runtime.gdestroy",
        Event::Exit => "runtime.goexit0",
        Event::Open => "internal/poll.(*FD).Init",
        Event::Allocate => "runtime.(*mcache).allocLarge",
    }
}

fn code_at<'a>(file: &'a [u8], point: &ProbePoint) -> &'a [u8] {
    &file[usize::try_from(point.file_offset()).expect("an offset")..]
}

/// By its bytes, and by the symbol that a call leads to.
fn check_instruction(
    binary: &Binary,
    file: &[u8],
    point: &ProbePoint,
    symbols: &HashMap<u64, (String, u64)>,
    what: &str,
) {
    let code = code_at(file, point);
    let word = *code.first_chunk::<4>().expect("code");
    let callee = match point.event() {
        Event::Create => Some("runtime.runqput"),
        Event::CreateEvery => Some("runtime.casgstatus"),
        Event::Allocate => Some("runtime.(*spanSet).push"),
        Event::Park | Event::Exit | Event::Open => None,
    };
    let target = match (binary.arch, callee) {
        (Arch::Amd64, None) => {
            assert_eq!(point.handling(), Handling::EmulatedPush, "{what}");
            assert_eq!(code[..4], [0x55, 0x48, 0x89, 0xe5], "push rbp; mov rbp, rsp: {what}");
            return;
        }
        (Arch::Arm64, None) => {
            assert_eq!(point.handling(), Handling::Stepped, "{what}");
            let word = u32::from_le_bytes(word) & !0x001f_f000;
            assert_eq!(word, 0xf800_0ffe, "str x30, [sp, #n]!: {what}");
            return;
        }
        (Arch::Amd64, Some(_)) => {
            assert_eq!(word[0], 0xe8, "call: {what}");
            let relative = i32::from_le_bytes(*code[1..].first_chunk().expect("code"));
            point.address().wrapping_add(5).wrapping_add_signed(i64::from(relative))
        }
        (Arch::Arm64, Some(_)) => {
            let word = u32::from_le_bytes(word);
            assert_eq!(word >> 26, 0b100101, "bl: {what}");
            let words = (word << 6).cast_signed() >> 6;
            point.address().wrapping_add_signed(i64::from(words) * 4)
        }
    };
    assert_eq!(point.handling(), Handling::EmulatedCall, "{what}");
    if !binary.stripped {
        assert_eq!(symbols.get(&target).map(|(name, _)| name.as_str()), callee, "{what}");
    }
}

/// Whoever decodes from the function's first byte meets the point as an instruction's first.
fn check_boundary(binary: &Binary, file: &[u8], point: &ProbePoint, what: &str) {
    if binary.arch == Arch::Arm64 {
        assert!(point.address().is_multiple_of(4), "{what}");
        return;
    }
    let at = usize::try_from(point.file_offset()).expect("an offset");
    let code = &file[at - point.offset() as usize..];
    let boundary = Decoder::with_ip(64, code, point.entry(), DecoderOptions::NONE)
        .into_iter()
        .take_while(|instruction| instruction.ip() <= point.address())
        .inspect(|instruction| assert!(!instruction.is_invalid(), "{what}"))
        .last();
    assert_eq!(boundary.map(|instruction| instruction.ip()), Some(point.address()), "{what}");
}

fn check_registers(arch: Arch, point: &ProbePoint, what: &str) {
    let number = |holds| point.register(holds).map(|Register(number)| number);
    // As instructions encode them: AX 0, CX 1, BX 3.
    let (first, second, third, g) = match arch {
        Arch::Amd64 => (0, 3, 1, 14),
        Arch::Arm64 => (0, 1, 2, 28),
    };
    let held =
        [Holds::G, Holds::NewG, Holds::Lock, Holds::Reason, Holds::Fd, Holds::Span].map(number);
    let expected = match point.event() {
        Event::Create => [None, Some(second), None, None, None, None],
        Event::CreateEvery => [None, Some(first), None, None, None, None],
        Event::Park => [Some(g), None, Some(second), Some(third), None, None],
        Event::Exit => [Some(first), None, None, None, None, None],
        Event::Open => [Some(g), None, None, None, Some(first), None],
        Event::Allocate => [Some(g), None, None, None, None, Some(second)],
    };
    assert_eq!(held, expected, "{what}");
}

fn stripped_equals_unstripped(version: &str) {
    for (whole, stripped) in [("exe", "stripped"), ("pie", "pie-stripped")] {
        let [whole, stripped] = [whole, stripped].map(|mode| {
            let file = bytes(version, mode);
            let (binary, text, points) = points(&file);
            let seen: Vec<_> = points
                .all()
                .map(|point| {
                    let code = code_at(&file, point)[..4].to_vec();
                    let from_text = point.address() - text;
                    (point.event(), point.function(), point.offset(), from_text, code)
                })
                .collect();
            (binary.stripped, seen)
        });
        assert!(!whole.0 && stripped.0);
        assert_eq!(whole.1, stripped.1, "{version}");
        assert!(whole.1.len() >= Event::ALL.len(), "{version}");
    }
}

fn of_a_process_are_those_of_its_file(version: &str) {
    for mode in ["stripped", "pie-stripped", "cgo-external"] {
        let target = Target::start(version, mode, "states").expect("target");
        let program = Program::attach(target.pid()).expect("attach");
        let probing = program.probing().expect("it runs");
        assert_eq!(probing.points, points(&bytes(version, mode)).2, "{version} {mode}");
    }
}

/// Overwrites code in the file at a point's function.
fn damage(file: &[u8], point: &ProbePoint, code: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let at = usize::try_from(point.file_offset()).expect("an offset") - point.offset() as usize;
    file[at..at + code.len()].copy_from_slice(code);
    file
}

#[test]
fn what_was_changed_is_not_found_and_the_rest_is() {
    let file = bytes("1.27.3", "stripped");
    let (_, _, whole) = points(&file);
    let point = |event| whole.get(event).expect("it is there");

    // A function without a stack check starts with its push, which must not be probed.
    let changed = damage(&file, point(Event::Park), &[0x55, 0x48, 0x89, 0xe5]);
    let (_, _, points_now) = points(&changed);
    let why = Why::NoStackCheck { function: "runtime.gopark" };
    assert_eq!(points_now.get(Event::Park), Err(&NotFound { event: Event::Park, why }));
    for event in [Event::Create, Event::CreateEvery, Event::Exit] {
        assert_eq!(points_now.get(event), whole.get(event));
    }

    // 0x06 is no instruction in 64-bit mode.
    let (_, _, points_now) = points(&damage(&file, point(Event::Create), &[0x06]));
    let error = points_now.get(Event::Create).expect_err("it does not decode");
    assert!(matches!(error.why, Why::Undecodable { .. }), "{error}");
    assert_eq!(points_now.at_nop(Event::Create), None);

    // Without its calls.
    let event = Event::CreateEvery;
    let nops = vec![0x90; point(event).offset() as usize + 5];
    let (_, _, points_now) = points(&damage(&file, point(event), &nops));
    let error = points_now.get(event).expect_err("nothing is called");
    assert!(matches!(error.why, Why::Calls { count: 0, .. }), "{error}");
    assert_eq!(
        error.why.to_string(),
        "runtime.newproc1 calls runtime.casgstatus 0 times, where 2 is known; this Go release may be newer than leak-agent knows"
    );
}

#[test]
fn code_that_is_not_in_the_file_is_not_found() {
    let file = bytes("1.27.3", "exe");
    let binary = Binary::read("states", &*file).expect("a Go executable");
    let survey = Survey::of(&binary.pclntab, wanted_functions());
    // Text that is linked elsewhere, and a file that ends before it.
    let elsewhere = find(&binary, &survey, 1 << 60, &*file);
    let cut = find(&binary, &survey, text(&binary, &file), &file[..64]);
    for event in Event::ALL {
        for points in [&elsewhere, &cut] {
            let error = points.get(event).expect_err("there is no code");
            assert!(matches!(error.why, Why::NoCode { .. }), "{error}");
        }
    }
}

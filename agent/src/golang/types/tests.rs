#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::*;

const START: u64 = 0x10_0000;
const END: u64 = 0x20_0000;

/// Words that were written; all others between [`START`] and [`END`] are 0, and there are no more.
#[derive(Default)]
struct Written(BTreeMap<u64, u8>);

impl Memory for Written {
    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        for (at, byte) in (addr..).zip(buf.iter_mut()) {
            if !(START..END).contains(&at) {
                return Err(ReadError::Unmapped { addr: at, len: 1 });
            }
            *byte = self.0.get(&at).copied().unwrap_or(0);
        }
        Ok(())
    }
}

impl Written {
    fn bytes(&mut self, at: u64, bytes: &[u8]) {
        self.0.extend((at..).zip(bytes.iter().copied()));
    }

    fn words(&mut self, at: u64, words: &[u64]) {
        for (at, word) in (at..).step_by(8).zip(words) {
            self.bytes(at, &word.to_le_bytes());
        }
    }

    /// A type with a name behind it, and what belongs to its kind.
    fn a_type(
        &mut self,
        at: u64,
        name: &str,
        (size, pointers): (u64, u64),
        kind: u8,
        more: &[u64],
    ) {
        self.words(at, &[size, pointers]);
        self.bytes(at + 23, &[kind]);
        self.bytes(at + 40, &((at + 0x100 - START) as u32).to_le_bytes());
        self.words(at + 48, more);
        self.name(at + 0x100, name);
    }

    fn name(&mut self, at: u64, name: &str) {
        self.bytes(at, &[0, name.len() as u8]);
        self.bytes(at + 2, name.as_bytes());
    }
}

fn types() -> Types {
    Types::new(Form::of(&GoVersion::release(27, 0)), vec![(START, END)])
}

const INT: u64 = START;
const TEXT: u64 = START + 0x1000;
const BYTES: u64 = START + 0x2000;
const NODE: u64 = START + 0x3000;
const POINTER: u64 = START + 0x4000;
const PAIR: u64 = START + 0x5000;
const ANY: u64 = START + 0x6000;
const MAP: u64 = START + 0x7000;
const FIELDS: u64 = START + 0x8000;
const NAMES: u64 = START + 0x9000;

/// `type node struct { id int; pair [2]struct { name string; data []uint8 }; next *node; any interface {} }`.
fn written() -> Written {
    let mut memory = Written::default();
    memory.a_type(INT, "int", (8, 0), 2, &[]);
    memory.a_type(TEXT, "string", (16, 8), 24, &[]);
    memory.a_type(BYTES, "[]uint8", (24, 8), 23, &[INT]);
    memory.a_type(NODE, "*main.node", (112, 112), 25, &[0, FIELDS, 4]);
    memory.bytes(NODE + 20, &[1 << 1]);
    memory.a_type(POINTER, "*main.node", (8, 8), 22, &[NODE]);
    memory.bytes(POINTER + 20, &[1 << 5]);
    let array = PAIR + 0x200;
    memory.a_type(PAIR, "struct", (40, 24), 25, &[0, FIELDS + 0x200, 2]);
    memory.a_type(array, "array", (80, 64), 17, &[PAIR, 0, 2]);
    memory.a_type(ANY, "interface {}", (16, 16), 20, &[]);
    memory.a_type(MAP, "map[string]int", (8, 8), 21, &[TEXT, INT, PAIR]);
    for (number, name) in ["id", "pair", "next", "any", "name", "data"].iter().enumerate() {
        memory.name(NAMES + number as u64 * 16, name);
    }
    let name = |number: u64| NAMES + number * 16;
    memory.words(FIELDS, &[name(0), INT, 0, name(1), array, 8, name(2), POINTER, 88]);
    memory.words(FIELDS + 72, &[name(3), ANY, 96]);
    memory.words(FIELDS + 0x200, &[name(4), TEXT, 0, name(5), BYTES, 16]);
    memory
}

#[test]
fn fields_say_where_pointers_lead() {
    let (memory, mut types) = (written(), types());
    let node = types.get(&memory, NODE).unwrap().unwrap();
    let layout = types.layout(&memory, node).unwrap();
    let int = types.get(&memory, INT).unwrap().unwrap();
    let found: Vec<_> = layout
        .slots()
        .iter()
        .map(|slot| (slot.offset, types.text(slot.via).unwrap(), slot.leads))
        .collect();
    let expected = [
        (8, "pair.name", Leads::Text),
        (24, "pair.data", Leads::Slice(int)),
        (48, "pair.name", Leads::Text),
        (64, "pair.data", Leads::Slice(int)),
        (88, "next", Leads::Pointer(node)),
        (104, "any", Leads::Interface),
    ];
    assert_eq!(found, expected);
    assert_eq!(layout.at(88), layout.at(112 + 88));
    assert_eq!(layout.at(0), None);
    assert_eq!(types.name(&memory, node).unwrap().as_deref(), Some("main.node"));
    let map = types.get(&memory, MAP).unwrap().unwrap();
    assert_eq!(types.cells(&memory, map).unwrap(), types.get(&memory, PAIR).unwrap());
    assert_eq!(Types::map_of_cells("noalg.map.group[int]bool").as_deref(), Some("map[int]bool"));
    assert_eq!(Types::map_of_cells("map[int]bool"), None);
}

#[test]
fn an_interface_has_a_type_or_a_table_before_it() {
    let (mut memory, mut types) = (written(), types());
    let table = START + 0xa000;
    memory.words(table, &[ANY, POINTER]);
    let pointer = types.of_interface(&memory, table).unwrap().unwrap();
    assert_eq!(types.of_interface(&memory, POINTER).unwrap(), Some(pointer));
    assert!(types.is_direct(pointer));
    for nothing in [0, 1, table + 8, START + 0xb000, END, u64::MAX - 7] {
        assert_eq!(types.of_interface(&memory, nothing).unwrap(), None, "{nothing:#x}");
    }
}

#[test]
fn types_that_cannot_be_are_none() {
    type Spoil = fn(&mut Written);
    let spoils: [Spoil; 6] = [
        |it| it.words(NODE, &[1 << 63, 112]),
        |it| it.words(NODE, &[112, 120]),
        |it| it.bytes(NODE + 23, &[0]),
        |it| it.bytes(NODE + 23, &[27]),
        // A string of 112 bytes, a pointer of 112.
        |it| it.bytes(NODE + 23, &[24]),
        |it| it.bytes(NODE + 23, &[22]),
    ];
    for (number, spoil) in spoils.into_iter().enumerate() {
        let mut memory = written();
        spoil(&mut memory);
        assert_eq!(types().get(&memory, NODE).unwrap(), None, "{number}");
    }
    for nowhere in [0, START - 8, START + 4, END, u64::MAX] {
        assert_eq!(types().get(&written(), nowhere).unwrap(), None, "{nowhere:#x}");
    }
}

/// Whatever types say, what is read and kept of them has an end.
#[test]
fn hostile_types_have_an_end() {
    type Spoil = fn(&mut Written);
    let array = PAIR + 0x200;
    let spoils: [Spoil; 6] = [
        // More fields than there can be, somewhere else, and fields that are the struct itself.
        |it| it.words(NODE + 56, &[FIELDS, u64::MAX]),
        |it| it.words(NODE + 56, &[u64::MAX - 8, 3]),
        |it| it.words(FIELDS + 24, &[NAMES, NODE, 0, NAMES, NODE, 0]),
        // An array of itself, and of too many elements.
        |it| it.words(PAIR + 0x200 + 48, &[PAIR + 0x200, 0, 1]),
        |it| it.words(PAIR + 0x200 + 48, &[PAIR, 0, u64::MAX]),
        // A name without an end.
        |it| it.bytes(NAMES + 17, &[0xff, 0xff, 0xff]),
    ];
    for (number, spoil) in spoils.into_iter().enumerate() {
        let (mut memory, mut types) = (written(), types());
        spoil(&mut memory);
        let node = types.get(&memory, NODE).unwrap().unwrap();
        let layout = types.layout(&memory, node).unwrap();
        assert!(layout.slots().len() <= 4096, "{number}");
        assert!(layout.slots().iter().all(|slot| slot.offset < 112), "{number}");
        assert!(types.labels.iter().all(|label| label.len() <= MAX_LABEL), "{number}");
    }
    // An array of a million pointers is one again and again; in a struct the first of them are told apart.
    let (mut memory, mut types) = (written(), types());
    memory.a_type(array, "array", (8 << 20, 8 << 20), 17, &[POINTER, 0, 1 << 20]);
    memory.words(NODE, &[9 << 20, 9 << 20]);
    let id = types.get(&memory, array).unwrap().unwrap();
    let layout = types.layout(&memory, id).unwrap();
    assert_eq!((layout.slots().len(), layout.at(8 * 99_999)), (1, layout.at(0)));
    let id = types.get(&memory, NODE).unwrap().unwrap();
    assert_eq!(types.layout(&memory, id).unwrap().slots().len(), 4096);
}

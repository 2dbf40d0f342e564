//! Writes the function table (pclntab) of the synthetic program, and the inline trees beside it.

use std::collections::HashMap;

/// Every function takes this much text.
pub const FUNCTION_LEN: u32 = 0x80;
/// The offset behind the call that a function waits in. The call is on the function's line + 1.
pub const CALL: u32 = 0x20;
/// The offset behind a call in code that was inlined, where a function has such.
pub const INLINED: u32 = 0x30;
/// Lines and inlining change at multiples of this.
const PIECE: u32 = 0x10;

/// A function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its full name.
    pub name: &'static str,
    /// Its file.
    pub file: &'static str,
    /// Its first line; the next 16 bytes are of the next line, and so on.
    pub line: u32,
    /// The size of its frame as the table has it.
    pub frame: u32,
    /// The linker's kind.
    pub id: u8,
    /// The linker's flags: 1 is the outermost frame.
    pub flags: u8,
    /// The function that is inlined at [`INLINED`], called from line + 3: its name and its line,
    /// in the same file.
    pub inlined: Option<(&'static str, u32)>,
}

/// The table and the inline trees.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The pclntab.
    pub pclntab: Vec<u8>,
    /// What `moduledata.gofunc` points to.
    pub trees: Vec<u8>,
}

/// Writes the table of functions that stand one behind the other.
#[must_use]
pub fn write(functions: &[Function], quantum: u8) -> Table {
    let (mut names, mut units, mut files) = (vec![0], Vec::new(), Vec::new());
    let mut known = HashMap::new();
    // Offset 0 stands for no table.
    let mut values = vec![0];
    let mut trees = Vec::new();
    let mut records: Vec<u8> = Vec::new();
    let mut index = Vec::new();
    let index_len = 8 * (functions.len() as u32 + 1);
    for (place, function) in (0..).zip(functions) {
        index.extend(half_words(&[place * FUNCTION_LEN, index_len + records.len() as u32]));
        let file = *known.entry(function.file).or_insert_with(|| {
            units.extend((files.len() as u32).to_le_bytes());
            files.extend(function.file.bytes().chain([0]));
            units.len() as u32 / 4 - 1
        });
        let mut name = |text: &str| {
            let at = names.len() as u32;
            names.extend(text.bytes().chain([0]));
            at
        };
        let (mut lines, mut depths) = (Vec::new(), Vec::new());
        for piece in 0..FUNCTION_LEN / PIECE {
            let inlined = function.inlined.filter(|_| piece == (INLINED - 1) / PIECE);
            lines.push(inlined.map_or(function.line + piece, |(_, line)| line) as i32);
            depths.push(if inlined.is_some() { 0 } else { -1 });
        }
        let mut table = |pieces: &[i32]| {
            let at = values.len() as u32;
            put_values(&mut values, pieces, u32::from(quantum));
            at
        };
        let whole = [function.frame as i32; (FUNCTION_LEN / PIECE) as usize];
        let (sizes, files) = (table(&whole), table(&whole.map(|_| file as i32)));
        let (lines, depths) = (table(&lines), table(&depths));
        let tree = function.inlined.map(|(inner, line)| {
            let at = trees.len() as u32;
            trees.extend(half_words(&[0, name(inner), INLINED, line]));
            at
        });
        let own = name(function.name);
        records.extend(half_words(&[place * FUNCTION_LEN, own, 0, 0, sizes, files, lines, 3, 0]));
        records.extend(function.line.to_le_bytes());
        records.extend([function.id, function.flags, 0, 4]);
        records.extend(half_words(&[0, 0, depths]));
        let none = u32::MAX;
        records.extend(half_words(&[none, none, none, tree.unwrap_or(none)]));
    }
    index.extend(half_words(&[functions.len() as u32 * FUNCTION_LEN, 0]));
    index.extend(records);

    let mut pclntab = vec![0xf1, 0xff, 0xff, 0xff, 0, 0, quantum, 8];
    let mut body = Vec::new();
    let mut header = vec![functions.len() as u64, known.len() as u64, 0];
    for part in [names, units, files, values, index] {
        body.resize(body.len().next_multiple_of(8), 0);
        header.push((72 + body.len()) as u64);
        body.extend(part);
    }
    pclntab.extend(header.iter().flat_map(|word| word.to_le_bytes()));
    pclntab.extend(body);
    Table { pclntab, trees }
}

/// Pairs of deltas: of the value, and of the program counter up to which it holds.
fn put_values(to: &mut Vec<u8>, pieces: &[i32], quantum: u32) {
    let mut value = -1;
    for same in pieces.chunk_by(|a, b| a == b) {
        let delta = same[0].wrapping_sub(value);
        value = same[0];
        put_varint(to, ((delta << 1) ^ (delta >> 31)) as u32);
        put_varint(to, same.len() as u32 * PIECE / quantum);
    }
    to.push(0);
}

fn put_varint(to: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn half_words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

//! The names of a program's variables, by its symbol table.

use std::ops::Range;

use object::{Object, ObjectSymbol};

use super::globals::data_ranges;
use super::heap::roots::Variable;

/// More symbols than this are not read. (A program of 100 MB has some 50,000 variables.)
const MAX_SYMBOLS: usize = 1 << 20;
/// A longer name is cut.
const MAX_NAME: usize = 512;
/// What the compiler makes for `&T{...}` has this in its name, or no symbol at all; the variable that points to it
/// is what is meant.
const MADE: &str = "..stmp_";
/// Such a thing may point to another.
const MAX_STEPS: usize = 8;

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Symbol {
    start: u64,
    end: u64,
    name: Box<str>,
}

/// The variables of one file, by address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VariableNames {
    symbols: Vec<Symbol>,
    /// Where the file has variables, with names or without.
    data: Vec<Range<u64>>,
    /// How far from these addresses the file was loaded.
    bias: u64,
}

/// How a word is part of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain<'n> {
    /// The variable's name.
    pub name: &'n str,
    /// Where it begins in memory.
    pub start: u64,
    /// From a word of the variable, by what it points to, to the word in question, which comes last.
    pub words: Vec<Variable>,
}

impl VariableNames {
    /// From a file's symbol table; without any if it has none.
    #[must_use]
    pub fn of<'data>(file: &impl Object<'data>, bias: u64) -> Self {
        let data = data_ranges(file);
        let mut symbols: Vec<Symbol> = file
            .symbols()
            .filter(|symbol| {
                symbol.is_definition() && data.iter().any(|it| it.contains(&symbol.address()))
            })
            .take(MAX_SYMBOLS)
            .filter_map(|symbol| {
                let name = symbol.name().ok().filter(|name| !name.is_empty())?;
                let name: Box<str> = match name.char_indices().nth(MAX_NAME) {
                    Some((end, _)) => name[..end].into(),
                    None => name.into(),
                };
                let start = symbol.address();
                Some(Symbol { start, end: start.saturating_add(symbol.size()), name })
            })
            .collect();
        // Of those that begin at one address the longest last: marks of sections have no size.
        symbols.sort_by_key(|symbol| (symbol.start, symbol.end));
        Self { symbols, data, bias }
    }

    /// Whether there is any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    /// Whether there are variables at an address, which may have no names.
    #[must_use]
    pub fn has_variables_at(&self, address: u64) -> bool {
        let at = address.wrapping_sub(self.bias);
        self.data.iter().any(|range| range.contains(&at))
    }

    /// The variable that a word is part of. `among` are the words of variables that point to variables, in the order
    /// of what they point to: where the compiler made the variable up, they tell for which.
    #[must_use]
    pub fn find(&self, word: Variable, among: &[Variable]) -> Option<Chain<'_>> {
        let mut words = vec![word];
        let mut made: Option<(&Symbol, Vec<Variable>)> = None;
        let found = loop {
            let last = words.last()?;
            let at = last.at.wrapping_sub(self.bias);
            // What has no symbol may begin behind the symbol before it.
            let behind = self.symbols.partition_point(|symbol| symbol.start <= at);
            let before = self.symbols[..behind].last();
            let start = match before {
                Some(symbol) if at < symbol.end && !symbol.name.contains(MADE) => {
                    break Some((symbol, words));
                }
                Some(symbol) if at < symbol.end => {
                    made = made.or_else(|| Some((symbol, words.clone())));
                    symbol.start
                }
                Some(symbol) => symbol.end,
                None => break made,
            };
            let value = |it: &Variable| it.value.wrapping_sub(self.bias);
            let holder = among[..among.partition_point(|it| value(it) <= at)].last();
            let Some(holder) = holder.filter(|it| value(it) >= start) else { break made };
            if words.len() == MAX_STEPS {
                break made;
            }
            words.push(*holder);
        };
        let (symbol, mut words) = found?;
        words.reverse();
        Some(Chain { name: &symbol.name, start: symbol.start.wrapping_add(self.bias), words })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> VariableNames {
        let symbol = |start, end, name: &str| Symbol { start, end, name: name.into() };
        let symbols = vec![
            symbol(0x100, 0x100, "runtime.data"),
            symbol(0x100, 0x118, "main.store"),
            symbol(0x120, 0x128, "main.cache"),
            symbol(0x180, 0x190, "net/http.table"),
            symbol(0x200, 0x240, "main..stmp_1"),
            symbol(0x240, 0x280, "main..stmp_2"),
        ];
        VariableNames { symbols, data: std::iter::once(0x100..0x280).collect(), bias: 0x1000 }
    }

    fn name<'n>(names: &'n VariableNames, at: u64, among: &[Variable]) -> Option<&'n str> {
        names.find(Variable { at, value: 0 }, among).map(|chain| chain.name)
    }

    #[test]
    fn a_word_is_part_of_a_variable() {
        let names = names();
        assert_eq!(name(&names, 0x1100, &[]), Some("main.store"));
        assert_eq!(name(&names, 0x1110, &[]), Some("main.store"));
        assert!(names.has_variables_at(0x1190) && !names.has_variables_at(0x190));
        for nothing in [0x1118, 0x10ff, 0x1280, 0x1198, 0, 0x100, u64::MAX] {
            assert_eq!(name(&names, nothing, &[]), None, "{nothing:#x}");
        }
    }

    #[test]
    fn what_the_compiler_made_has_the_name_of_what_it_was_made_for() {
        let names = names();
        let among =
            [Variable { at: 0x1120, value: 0x1208 }, Variable { at: 0x1218, value: 0x1240 }];
        assert_eq!(name(&names, 0x1230, &among), Some("main.cache"));
        assert_eq!(name(&names, 0x1250, &among), Some("main.cache"));
        assert_eq!(name(&names, 0x1250, &[]), Some("main..stmp_2"));
        let word = Variable { at: 0x1250, value: 0xc0_0000_1000 };
        let chain = names.find(word, &among).expect("it has a name");
        assert_eq!((chain.start, chain.words), (0x1120, vec![among[0], among[1], word]));
        // Without a symbol of its own, between two others.
        let among =
            [Variable { at: 0x1120, value: 0x1140 }, Variable { at: 0x1100, value: 0x11b0 }];
        assert_eq!(name(&names, 0x1140, &among), Some("main.cache"));
        assert_eq!(name(&names, 0x1170, &among), Some("main.cache"));
        assert_eq!(name(&names, 0x1138, &among), None);
        assert_eq!(name(&names, 0x11b8, &among), Some("main.store"));
        assert_eq!(name(&names, 0x1198, &among), None);
        // Two that point to each other.
        let around =
            [Variable { at: 0x1210, value: 0x1250 }, Variable { at: 0x1250, value: 0x1210 }];
        assert!(name(&names, 0x1250, &around).is_some());
    }
}

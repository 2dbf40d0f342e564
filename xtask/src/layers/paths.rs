//! The paths that a source file names: in `use` trees, and inline.

use std::iter::Peekable;

use anyhow::{Result, anyhow};
use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path as a file names it, made absolute where it is the crate's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its segments: `crate` first for the crate's own, else the outer crate's name.
    pub segments: Vec<String>,
    /// Where it stands, from 1.
    pub line: usize,
    /// Whether a `use` brings it in, so that code behind may shorten it.
    pub imported: bool,
}

/// What a file holds, as far as layers go.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The paths that it names outside tests.
    pub paths: Vec<Named>,
    /// Modules in files of their own that are only there for tests.
    pub test_modules: Vec<String>,
}

/// Reads a file that is the module `module` (empty for a crate's root). Items under `#[cfg(test)]`
/// are left out: a test may reach for anything.
pub fn read(source: &str, module: &[String]) -> Result<Contents> {
    let tokens: TokenStream =
        source.parse().map_err(|error| anyhow!("this is no Rust: {error}"))?;
    let mut reader = Reader { module: module.to_vec(), found: Contents::default() };
    reader.items(tokens, false);
    Ok(reader.found)
}

struct Reader {
    module: Vec<String>,
    found: Contents,
}

type Tokens = Peekable<IntoIter>;

impl Reader {
    /// Reads tokens of any kind. `imported`: they stand in a `use`.
    fn items(&mut self, tokens: TokenStream, mut imported: bool) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(word) if word == "use" => imported = true,
                TokenTree::Ident(word) if word == "mod" => self.module(&mut tokens),
                TokenTree::Ident(word) if word == "as" && imported => {
                    tokens.next();
                }
                TokenTree::Ident(word) => {
                    let line = word.span().start().line;
                    self.path(&mut tokens, vec![name(&word)], line, imported);
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => imported = false,
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    if next_group(&mut tokens).is_some_and(|group| is_test_only(&group)) {
                        self.skip_item(&mut tokens);
                    }
                }
                TokenTree::Group(group) => self.items(group.stream(), imported),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    /// Reads on from a path's first segments, through a `use` tree's branches.
    fn path(
        &mut self,
        tokens: &mut Tokens,
        mut segments: Vec<String>,
        line: usize,
        imported: bool,
    ) {
        while skip_colons(tokens) {
            match tokens.peek() {
                Some(TokenTree::Ident(word)) => segments.push(name(word)),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    let group = group.stream();
                    tokens.next();
                    return self.branches(group, &segments);
                }
                _ => break,
            }
            tokens.next();
        }
        // A lone word outside a `use` is a variable, a field or a keyword.
        if imported || segments.len() > 1 {
            let segments = self.absolute(segments);
            self.found.paths.push(Named { segments, line, imported });
        }
    }

    /// Reads the branches of a `use` tree.
    fn branches(&mut self, tokens: TokenStream, stem: &[String]) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let line = token.span().start().line;
            let mut segments = stem.to_vec();
            match token {
                TokenTree::Ident(word) if word == "as" => {
                    tokens.next();
                    continue;
                }
                TokenTree::Ident(word) if word == "self" => {}
                TokenTree::Ident(word) => segments.push(name(&word)),
                TokenTree::Punct(punct) if punct.as_char() == '*' => {}
                TokenTree::Punct(_) | TokenTree::Group(_) | TokenTree::Literal(_) => continue,
            }
            self.path(&mut tokens, segments, line, true);
        }
    }

    /// Reads on behind `mod`.
    fn module(&mut self, tokens: &mut Tokens) {
        let Some(TokenTree::Ident(word)) = tokens.next() else { return };
        if let Some(TokenTree::Group(group)) = tokens.peek() {
            let body = group.stream();
            tokens.next();
            self.module.push(name(&word));
            self.items(body, false);
            self.module.pop();
        }
    }

    /// Passes over one item and its further attributes, noting a module's name.
    fn skip_item(&mut self, tokens: &mut Tokens) {
        let mut after_mod = false;
        for token in tokens {
            match token {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return,
                TokenTree::Punct(punct) if punct.as_char() == ';' => return,
                TokenTree::Ident(word) if after_mod => {
                    self.found.test_modules.push(name(&word));
                    after_mod = false;
                }
                TokenTree::Ident(word) => after_mod = word == "mod",
                TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    /// Resolves `self`, `super`, and the other names of the crate and the standard library.
    fn absolute(&self, segments: Vec<String>) -> Vec<String> {
        let mut base = self.module.clone();
        let mut rest = segments.as_slice();
        let mut relative = false;
        while let Some((first, behind)) = rest.split_first() {
            match first.as_str() {
                "self" if !relative => {}
                "super" => drop(base.pop()),
                _ => break,
            }
            relative = true;
            rest = behind;
        }
        if relative {
            let own = std::iter::once("crate".to_owned()).chain(base);
            return own.chain(rest.iter().cloned()).collect();
        }
        let mut segments = segments;
        if let Some(first) = segments.first_mut() {
            match first.as_str() {
                "leak_agent" => "crate".clone_into(first),
                "core" | "alloc" => "std".clone_into(first),
                _ => {}
            }
        }
        segments
    }
}

/// An identifier without the mark of a raw one.
fn name(word: &proc_macro2::Ident) -> String {
    let word = word.to_string();
    word.strip_prefix("r#").map_or(word.clone(), str::to_owned)
}

/// Passes over `::`, and says whether it was there.
fn skip_colons(tokens: &mut Tokens) -> bool {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ':');
    // One colon belongs to a type annotation; the lexer joins the two of a path.
    let joined = matches!(tokens.peek(), Some(TokenTree::Punct(p))
        if p.as_char() == ':' && p.spacing() == proc_macro2::Spacing::Joint);
    joined && tokens.next_if(is_colon).is_some() && tokens.next_if(is_colon).is_some()
}

/// The group of an attribute, `!` of an inner one skipped.
fn next_group(tokens: &mut Tokens) -> Option<Group> {
    tokens.next_if(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == '!'));
    match tokens.next_if(|token| matches!(token, TokenTree::Group(_))) {
        Some(TokenTree::Group(group)) => Some(group),
        _ => None,
    }
}

fn is_test_only(attribute: &Group) -> bool {
    attribute.stream().to_string().replace(' ', "") == "cfg(test)"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn paths(source: &str) -> Vec<String> {
        let module = ["collect".to_owned(), "attach".to_owned()];
        let found = read(source, &module).unwrap();
        found
            .paths
            .iter()
            .map(|path| format!("{}:{}", path.line, path.segments.join("::")))
            .collect()
    }

    #[test]
    fn use_trees_are_spelled_out() {
        let source =
            "use crate::{model::{self, Group as G, *}, golang::memory::Memory};\nuse libc;";
        assert_eq!(
            paths(source),
            [
                "1:crate::model",
                "1:crate::model::Group",
                "1:crate::model",
                "1:crate::golang::memory::Memory",
                "2:libc",
            ]
        );
        assert_eq!(paths("use {std::fs, core::net as n};"), ["1:std::fs", "1:std::net"]);
    }

    #[test]
    fn inline_paths_are_found_and_words_are_not() {
        let source =
            "fn f(a: u8) -> crate::report::R {\n    let x = ::std::fs::read(a);\n    a.b\n}";
        assert_eq!(paths(source), ["1:crate::report::R", "2:std::fs::read"]);
        assert!(
            paths("// crate::report\nconst S: &str = \"crate::report\"; /// std::fs\nfn g() {}")
                .is_empty()
        );
    }

    #[test]
    fn relative_paths_are_resolved_through_inline_modules_too() {
        assert_eq!(paths("use super::pprof::P;"), ["1:crate::collect::pprof::P"]);
        assert_eq!(paths("use super::super::report::R;"), ["1:crate::report::R"]);
        assert_eq!(paths("use self::a::B;"), ["1:crate::collect::attach::a::B"]);
        assert_eq!(
            paths("mod inner { use super::super::pprof::P; }"),
            ["1:crate::collect::pprof::P"]
        );
        assert_eq!(paths("use leak_agent::cli::run;"), ["1:crate::cli::run"]);
    }

    #[test]
    fn what_is_only_for_tests_is_left_out() {
        let source = "#[cfg(test)]\n#[path = \"x.rs\"]\nmod tests;\n\
                      #[cfg(test)]\nmod more { use crate::report::R; }\n\
                      #[cfg(unix)]\nuse crate::model::A;";
        assert_eq!(paths(source), ["7:crate::model::A"]);
        assert_eq!(read(source, &[]).unwrap().test_modules, ["tests", "more"]);
    }

    #[test]
    fn what_is_no_rust_is_refused() {
        assert!(read("fn f( {", &[]).is_err());
    }
}

//! `[[watch]]` and `[[ignore]]` in the configuration file: which programs the daemon watches.

use strum::IntoEnumIterator as _;
use wildmatch::WildMatch;

use super::config::{self, Fault, File};
use super::failure::Failure;
use super::section::{Section, fault, near, sections};
use crate::discover::{Property, Rule, Rules};

/// What a file says of it.
pub(super) fn read(file: Option<&File>) -> Result<Rules, Failure> {
    let Some(file) = file else { return Ok(Rules::default()) };
    parse(&file.text).map_err(|fault| file.failure(fault))
}

/// A rule for programs of this name.
pub(super) fn named(pattern: &str) -> Rule {
    Rule([(Property::Name, vec![WildMatch::new(pattern)])].into())
}

fn parse(text: &str) -> Result<Rules, Fault> {
    let rules = |key| -> Result<Vec<Rule>, Fault> {
        sections(text, key, "it")?.map(|it| rule(key, it?)).collect()
    };
    Ok(Rules { watch: rules(config::WATCH)?, ignore: rules(config::IGNORE)? })
}

fn rule(key: &str, mut section: Section<'_>) -> Result<Rule, Fault> {
    let mut rule = Rule::default();
    for property in Property::iter() {
        let patterns = section.texts(property.name())?;
        if !patterns.is_empty() {
            rule.0.insert(property, patterns.iter().map(|text| WildMatch::new(text)).collect());
        }
    }
    if let Some((name, at)) = section.unknown(&[]) {
        let advice = near(name, Property::iter().map(Property::name));
        return Err(Fault { at, why: format!("[[{key}]] has no {name}"), advice });
    }
    if rule.0.is_empty() {
        let names: Vec<&str> = Property::iter().map(Property::name).collect();
        let why = format!("[[{key}]] needs one of {}", names.join(", "));
        return Err(fault(section.at, why));
    }
    Ok(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Rules, String> {
        parse(text).map_err(|fault| {
            let line = text[..fault.at].matches('\n').count() + 1;
            let advice = fault.advice.map_or_else(String::new, |it| format!(" ({it})"));
            format!("{line}: {}{advice}", fault.why)
        })
    }

    #[test]
    fn rules_are_tables_of_patterns() {
        let text = "interval = \"2s\"\n[[watch]]\nname = [\"shop\", \"till-*\"]\nnamespace = \"prod\"\n[[watch]]\n\
                    user = \"1000\"\n[[ignore]]\nunit = \"ssh*\"\n";
        let rules = read(text).expect("sound");
        let mut both = named("shop");
        both.0.entry(Property::Name).or_default().push(WildMatch::new("till-*"));
        both.0.insert(Property::Namespace, vec![WildMatch::new("prod")]);
        assert_eq!((rules.watch.len(), rules.ignore.len()), (2, 1));
        assert_eq!(rules.watch[0], both);
        assert_eq!(read("interval = \"2s\""), Ok(Rules::default()));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_what_may_be_meant() {
        for (text, said) in [
            ("[[watch]]\nnam = \"x\"", "2: [[watch]] has no nam (name, if"),
            ("[[ignore]]\nname = 3", "2: name takes a list of texts"),
            ("[[watch]]", "1: [[watch]] needs one of name, command, user"),
            ("ignore = [3]", "1: it is written as [[ignore]], with its settings below"),
        ] {
            let fault = read(text).expect_err(text);
            assert!(fault.starts_with(said), "{text}: {fault}");
        }
    }
}

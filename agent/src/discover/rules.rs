//! Which programs are meant.

use std::collections::BTreeMap;

use wildmatch::WildMatch;

use super::names::Names;
use super::property::Property;

/// Patterns for some properties. A process fits if one pattern of each property does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule(pub BTreeMap<Property, Vec<WildMatch>>);

impl Rule {
    fn fits(&self, names: &Names) -> bool {
        self.0.iter().all(|(property, patterns)| {
            let all = names.all(*property);
            patterns.iter().any(|pattern| all.iter().any(|name| pattern.matches(name)))
        })
    }
}

/// Which programs are meant: those that fit any rule of `watch`, or all where there is none, but not those that fit one
/// of `ignore`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// Those that are meant.
    pub watch: Vec<Rule>,
    /// Those that are not, whatever else is said.
    pub ignore: Vec<Rule>,
}

impl Rules {
    /// Whether a process is meant.
    #[must_use]
    pub fn admit(&self, names: &Names) -> bool {
        let any = |rules: &[Rule]| rules.iter().any(|rule| rule.fits(names));
        (self.watch.is_empty() || any(&self.watch)) && !any(&self.ignore)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::pods::PodContainer;

    fn rule(of: &[(Property, &str)]) -> Rule {
        let mut rule = Rule::default();
        for (property, pattern) in of {
            rule.0.entry(*property).or_default().push(WildMatch::new(pattern));
        }
        rule
    }

    #[test]
    fn all_properties_must_fit_of_each_any_pattern_and_what_is_ignored_is_not_meant() {
        let shop = Names {
            exe: "shop".to_owned(),
            command: "/usr/bin/shop -x".to_owned(),
            uid: Some(1000),
            user: Some("me".to_owned()),
            cgroups: vec!["/kubepods/x".to_owned()],
            pod: Some(PodContainer {
                pod: "shop-1".to_owned(),
                namespace: "prod".to_owned(),
                container: "web".to_owned(),
            }),
            unit: Some("shop.service".to_owned()),
            ..Names::default()
        };
        use Property::{Cgroup, Command, Container, Name, Namespace, Pod, Unit, User};
        for (of, fits) in [
            (vec![(Name, "shop")], true),
            (vec![(Name, "sho")], false),
            (vec![(Name, "other"), (Name, "s*")], true),
            (vec![(Name, "s*"), (Namespace, "test")], false),
            (vec![(Name, "s*"), (Namespace, "prod"), (Pod, "shop-*"), (Container, "web")], true),
            (vec![(User, "1000"), (Unit, "shop.service"), (Command, "* -x")], true),
            (vec![(User, "me"), (Cgroup, "/kubepods/*")], true),
            (vec![(User, "root")], false),
            // What a process has not fits nothing.
            (vec![(Pod, "0b9f*")], false),
        ] {
            let rules = Rules { watch: vec![rule(&of)], ignore: Vec::new() };
            assert_eq!(rules.admit(&shop), fits, "{of:?}");
            let rules = Rules { watch: Vec::new(), ignore: vec![rule(&of)] };
            assert_eq!(rules.admit(&shop), !fits, "{of:?}");
        }
        assert!(Rules::default().admit(&shop));
    }
}

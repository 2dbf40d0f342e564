//! What to ask a program for: the cheapest that tells enough.
//!
//! A dump (`debug=2`) tells goroutines apart, and says what each waits for and for how long; but Go stops the
//! program for as long as it writes it, 10 to 25 µs a goroutine, and again for each time that its buffer was
//! too small. Counts are collected while the program runs.

use std::time::Duration;

use super::index::Index;

/// The longest time between two questions for leaked goroutines, and the shortest.
const MAX_LEAKS_APART: Duration = Duration::from_secs(600);
const MIN_LEAKS_APART: Duration = Duration::from_secs(30);

/// A form in which a program tells of its goroutines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A dump, for which the runtime searches for leaked goroutines first, by a collection of garbage.
    Leaks,
    /// A dump.
    Dump,
    /// Counts as protobuf, which name every function.
    Proto,
    /// Counts as text, which leave out the runtime's own functions.
    Counts,
}

impl Form {
    /// The form that tells most comes first.
    const ALL: [Self; 4] = [Self::Leaks, Self::Dump, Self::Proto, Self::Counts];

    /// What to ask for, below the folder of profiles.
    pub(super) const fn page(self) -> &'static str {
        match self {
            Self::Leaks => "goroutineleak?debug=2",
            Self::Dump => "goroutine?debug=2",
            Self::Proto => "goroutine",
            Self::Counts => "goroutine?debug=1",
        }
    }
}

/// What has been asked for, and what was refused.
#[derive(Debug)]
pub(super) struct Plan {
    max_dumped: u64,
    /// Whether leaked goroutines are asked for at all.
    searches: bool,
    refused: Vec<Form>,
    leaks_due: Duration,
    leaks_apart: Duration,
    /// How often leaked goroutines were asked for.
    collections: u64,
}

impl Plan {
    /// A plan in which no dump of more goroutines is asked for.
    pub(super) const fn new(max_dumped: u64) -> Self {
        Self {
            max_dumped,
            searches: true,
            refused: Vec::new(),
            leaks_due: Duration::ZERO,
            leaks_apart: MIN_LEAKS_APART,
            collections: 0,
        }
    }

    /// Leaked goroutines are not asked for: that has the program collect garbage.
    pub(super) const fn without_search(mut self) -> Self {
        self.searches = false;
        self
    }

    /// What to ask for of a program that has so many goroutines, the best first.
    pub(super) fn forms(
        &self,
        goroutines: Option<u64>,
        index: Option<&Index>,
        elapsed: Duration,
    ) -> impl Iterator<Item = Form> + use<> {
        // Where nobody says how many there are, counts will.
        let may_dump = goroutines.is_some_and(|count| count <= self.max_dumped);
        let has_leaks = self.searches && index.is_some_and(|index| index.has("goroutineleak"));
        let is_due = has_leaks && elapsed >= self.leaks_due;
        let refused = self.refused.clone();
        Form::ALL.into_iter().filter(move |form| {
            let fits = match form {
                Form::Leaks => may_dump && is_due,
                Form::Dump => may_dump,
                Form::Proto | Form::Counts => true,
            };
            fits && !refused.contains(form)
        })
    }

    /// That a form was given.
    pub(super) fn given(&mut self, form: Form, elapsed: Duration) {
        if form == Form::Leaks {
            self.leaks_due = elapsed.saturating_add(self.leaks_apart);
            self.leaks_apart = self.leaks_apart.saturating_mul(2).min(MAX_LEAKS_APART);
            self.collections += 1;
        }
    }

    /// That a form is not to be had.
    pub(super) fn refused(&mut self, form: Form) {
        self.refused.push(form);
    }

    /// The most goroutines that a dump is asked for of.
    pub(super) const fn max_dumped(&self) -> u64 {
        self.max_dumped
    }

    /// How often leaked goroutines were asked for, each time with a collection.
    pub(super) const fn collections(&self) -> u64 {
        self.collections
    }

    /// Another program may be served another way.
    pub(super) fn begin_anew(&mut self) {
        let Self { max_dumped, searches, collections, .. } = *self;
        *self = Self { searches, collections, ..Self::new(max_dumped) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(plan: &Plan, goroutines: Option<u64>, index: &str, second: u64) -> Vec<Form> {
        let row = |name: &str| format!("<tr><td>9</td><td><a href='x'>{name}</a></td></tr>");
        let page: String = index.split(' ').map(row).collect();
        let index = Index::read(&page);
        plan.forms(goroutines, index.as_ref(), Duration::from_secs(second)).collect()
    }

    #[test]
    fn a_dump_of_few_and_counts_of_many() {
        let mut plan = Plan::new(2_000);
        let counts = [Form::Proto, Form::Counts];
        for unknown in [None, Some(2_001)] {
            assert_eq!(forms(&plan, unknown, "goroutine goroutineleak", 0), counts);
        }
        assert_eq!(
            forms(&plan, Some(2_000), "goroutine", 0),
            [&[Form::Dump], &counts[..]].concat()
        );
        plan.refused(Form::Dump);
        plan.refused(Form::Proto);
        assert_eq!(forms(&plan, Some(9), "goroutine", 0), [Form::Counts]);
        plan.begin_anew();
        assert_eq!(forms(&plan, Some(9), "goroutine", 0).len(), 3);
    }

    #[test]
    fn leaks_are_not_asked_for_where_that_was_not_wanted() {
        let mut plan = Plan::new(2_000).without_search();
        for _ in 0..2 {
            assert_eq!(forms(&plan, Some(9), "goroutine goroutineleak", 0)[0], Form::Dump);
            plan.begin_anew();
        }
    }

    #[test]
    fn leaks_are_asked_for_ever_more_seldom() {
        let mut plan = Plan::new(2_000);
        let mut asked = Vec::new();
        for second in (0..3600).step_by(5) {
            let form = forms(&plan, Some(9), "goroutine goroutineleak", second)[0];
            plan.given(form, Duration::from_secs(second));
            if form == Form::Leaks {
                asked.push(second);
            }
        }
        assert_eq!(asked, [0, 30, 90, 210, 450, 930, 1530, 2130, 2730, 3330]);
        assert_eq!(plan.collections, 10);
    }
}

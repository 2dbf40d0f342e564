//! How the number of goroutines rises, and what makes it rise.

use std::collections::BTreeMap;

use super::{account, idle};
use crate::model::{Assessment, Judgement, NoLeak, RiseVerdict};
use crate::report::format;

/// How the number of goroutines rises, and what makes it rise, in the fewest groups that are nearly
/// all of it, `most` at most: `from 9 to 45, +18.0/s: +33 in finding 1; +3 at main.g (a.go:3): ignored
/// as idle, worker pool`. `None` where it does not rise.
#[must_use]
pub fn rise(assessment: &Assessment, judgement: &Judgement, most: usize) -> Option<String> {
    let rise = judgement.rise.as_ref()?;
    // The groups of one finding are one.
    let mut all: Vec<(u64, String)> = Vec::new();
    let mut of_finding: BTreeMap<&str, usize> = BTreeMap::new();
    for rising in &rise.groups {
        let text = match &rising.verdict {
            RiseVerdict::Finding(id) => {
                if let Some(&place) = of_finding.get(&**id) {
                    all[place].0 = all[place].0.saturating_add(rising.more);
                    continue;
                }
                of_finding.insert(id, all.len());
                match judgement.findings.iter().position(|finding| finding.id == *id) {
                    Some(place) => format!("in finding {}", place + 1),
                    None => format!("in finding {id}"),
                }
            }
            verdict @ RiseVerdict::Ignored(..) => format!(
                "{}: ignored as idle, {}",
                at_group(assessment, rising.group),
                rise_reason(verdict).unwrap_or_default()
            ),
            verdict => format!(
                "{}: no finding, {}",
                at_group(assessment, rising.group),
                rise_reason(verdict).unwrap_or_default()
            ),
        };
        all.push((rising.more, text));
    }
    all.sort_by_key(|&(more, _)| std::cmp::Reverse(more));
    let whole = all.iter().fold(0_u64, |sum, (more, _)| sum.saturating_add(*more));
    let mut said = Vec::new();
    let mut told = 0_u64;
    for (more, text) in all.iter().take(most) {
        // Nineteen parts of twenty are what it is made of.
        if told as f64 >= 0.95 * whole as f64 {
            break;
        }
        told = told.saturating_add(*more);
        said.push(format!("+{} {text}", format::count(*more)));
    }
    let rest = all.len() - said.len();
    if rest > 0 {
        let beside = if rest == 1 { "another group" } else { "other groups" };
        said.push(format!("+{} in {beside}", format::count(whole.saturating_sub(told))));
    }
    let [from, to] = [rise.from, rise.to].map(format::count);
    let how = format!("from {from} to {to}, {}", format::growth(rise.per_second));
    Some(if said.is_empty() { how } else { format!("{how}: {}", said.join("; ")) })
}

/// `at main.f (a.go:3)`.
fn at_group(assessment: &Assessment, group: usize) -> String {
    let group = assessment.groups.get(group);
    let at = group.and_then(|group| group.blocked_at.or(group.created_by));
    at.map_or_else(
        || "in the runtime".to_owned(),
        |frame| format!("at {}", format::frame(&assessment.stacks, frame).brief()),
    )
}

/// Why groups that rise are no finding; `None` where they are one.
#[must_use]
pub fn rise_reason(verdict: &RiseVerdict) -> Option<String> {
    match verdict {
        RiseVerdict::Finding(_) => None,
        RiseVerdict::Ignored(ignored, why) => {
            Some(format!("{}; {}", idle::ignored(ignored), no_leak(*why)))
        }
        RiseVerdict::NotAnalysed(why) => Some(account::unanalysed(*why).to_owned()),
        RiseVerdict::NoLeak(why) => Some(no_leak(*why).to_owned()),
    }
}

/// Why growth is none of a leak's.
const fn no_leak(why: NoLeak) -> &'static str {
    match why {
        NoLeak::Unremarkable => "nothing speaks of a leak",
        NoLeak::UnknownLives => "its births and deaths are not known",
        NoLeak::TooShort => "the window is too short to tell",
        NoLeak::Few => "too few of those that came are still here",
        NoLeak::ComeAndGo => "its goroutines end as others come",
        NoLeak::OneBurst => "they came in one burst",
        NoLeak::ShortLived => "those that came first have ended",
        NoLeak::Stopped => "it has stopped growing",
        NoLeak::LateBurst => "it stood still until a burst at the end, which may yet go",
    }
}

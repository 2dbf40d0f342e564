//! The document of one target: whom, when, how much was seen, and the lists.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde::ser::Serializer;

use super::frame::frame;
use super::group::{self, interval};
use super::{
    contention, coverage, finding, forced, history, locks, memory, resources, seconds, site, time,
    trend,
};
use crate::model::{
    Assessment, Group, HitCost, Judgement, Overhead, RateBasis, Rise, RiseVerdict, Rising,
    StackTable, Timestamp, Totals, WindowSpan,
};
use crate::report::phrases;
use crate::report::schema::{
    AgentDoc, Document, HitCostDoc, HotPathDoc, LineageDoc, NotEnoughDoc, OverheadDoc, RiseDoc,
    RisingDoc, SchemaName, Streamed, SubjectDoc, TotalsDoc, WindowDoc,
};

/// An assessment, and when the report of it is made; becomes a document when it is written.
pub(super) struct Written<'a>(pub(super) Timestamp, pub(super) &'a Assessment);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let &Self(generated_at, assessment) = self;
        let Assessment { groups, stacks, sites, .. } = assessment;
        let judged = assessment.judgement.as_ref();
        let findings = judged.map_or(&[][..], |judged| &judged.findings);
        let of_group: HashMap<usize, &str> = findings
            .iter()
            .rev()
            .flat_map(|finding| finding.groups().iter().map(|&group| (group, &*finding.id)))
            .collect();
        let groups = Streamed(|| {
            groups.iter().enumerate().map(|(index, it)| {
                let births = assessment.births(it);
                group::group(it, (of_group.get(&index).copied(), births), stacks)
            })
        });
        let sites = Streamed(|| sites.iter().map(|it| site::site(it, stacks)));
        document(generated_at, assessment, groups, sites).serialize(serializer)
    }
}

fn document<Groups, Sites>(
    generated_at: Timestamp,
    assessment: &Assessment,
    groups: Groups,
    sites: Sites,
) -> Document<'_, Groups, Sites> {
    let Assessment { groups: all, stacks, .. } = assessment;
    let judged = assessment.judgement.as_ref();
    // What there is to say of goroutines, if they were looked at.
    let counted = judged.filter(|_| assessment.subjects().goroutines);
    let mut notes = phrases::notes(assessment);
    notes.extend(phrases::memory_unseen(assessment));
    let rise = judged.and_then(|judged| judged.rise.as_ref());
    let findings = judged.map_or(&[][..], |judged| &judged.findings);
    Document {
        schema: SchemaName::default(),
        generated_at: time(generated_at).map(Into::into),
        agent: AgentDoc { version: env!("CARGO_PKG_VERSION").into() },
        target: coverage::target(&assessment.target),
        subjects: SubjectDoc::of(assessment.known()),
        window: window(&assessment.window),
        held: assessment.held.as_ref().map(coverage::held),
        coverage: coverage::coverage(&assessment.coverage, notes),
        totals: assessment.subjects().goroutines.then(|| totals(&assessment.totals)),
        overhead: overhead(&assessment.overhead),
        health: assessment.health(),
        level: assessment.level(),
        raised_thresholds: judged.and_then(|judged| judged.raised),
        not_enough: judged.map(not_enough),
        idle: counted.map(|judged| by_reason(phrases::ignored_by_reason(judged))),
        not_analysed: counted.map(|judged| by_reason(phrases::not_analysed_by_reason(judged))),
        history: counted.map(|judged| history(&judged.history)),
        rise: rise.map(|it| self::rise(it, all)),
        trends: judged.map(|judged| {
            judged.trends.iter().map(|it| trend::trend(it, &assessment.window)).collect()
        }),
        usual: judged.map(|judged| judged.usual.iter().map(trend::usual).collect()),
        relations: judged.map(|judged| judged.relations.iter().map(trend::relation).collect()),
        hot_paths: counted.map(|judged| hot_paths(judged, stacks)),
        lineage: counted.map(|judged| lineage(judged, all)),
        lock_graph: counted.map(|judged| locks::graph(&judged.lock_graph, stacks)),
        memory: assessment.memory.as_ref().map(memory::memory),
        resources: assessment
            .resources
            .as_ref()
            .map(|account| resources::resources(account, &assessment.stacks)),
        contention: contention::contention(&assessment.contention, stacks),
        forced_collections: forced::forced(assessment),
        findings: findings.iter().map(|it| finding::finding(it, all, stacks)).collect(),
        findings_unlisted: judged.map(|judged| judged.unlisted),
        groups,
        sites,
    }
}

fn window(window: &WindowSpan) -> WindowDoc<'static> {
    WindowDoc {
        observations: window.observations,
        first: time(window.first).map(Into::into),
        last: time(window.last).map(Into::into),
        seconds: window.duration.as_secs_f64(),
    }
}

fn totals(totals: &Totals) -> TotalsDoc {
    let rates = totals.rates;
    TotalsDoc {
        goroutines: totals.goroutines,
        by_wait: totals.by_wait.clone(),
        created_per_second: rates.map(|rates| rates.created_per_second),
        exited_per_second: rates.map(|rates| rates.exited_per_second),
        rates_exact: rates.map(|rates| rates.basis == RateBasis::Exact),
        rates_basis: rates.map(|rates| rates.basis),
        created_per_second_interval: rates.and_then(|rates| interval(rates.created_interval)),
        exited_per_second_interval: rates.and_then(|rates| interval(rates.exited_interval)),
    }
}

fn overhead(overhead: &Overhead) -> OverheadDoc<'_> {
    OverheadDoc {
        agent_cpu_percent: overhead.agent_cpu_percent,
        target_cpu_percent_estimate: overhead.target_cpu_percent_estimate,
        agent_rss_bytes: overhead.agent_rss_bytes,
        pauses_ms: overhead.pauses_ms.clone(),
        snapshot_seconds: seconds(overhead.snapshot),
        hit_cost: overhead.hit.as_ref().map(hit_cost),
    }
}

fn hit_cost(hit: &HitCost) -> HitCostDoc<'_> {
    HitCostDoc {
        seconds: hit.taken.as_secs_f64(),
        loop_seconds: seconds(hit.in_a_loop),
        factor: hit.factor,
        note: phrases::hit_note(hit),
    }
}

fn not_enough(judged: &Judgement) -> Vec<NotEnoughDoc<'_>> {
    let lacking = judged.not_enough.iter().map(|it| NotEnoughDoc {
        detector: it.detector.name().into(),
        reason: phrases::lack(it.lack).into(),
    });
    lacking.collect()
}

fn by_reason(counts: BTreeMap<String, u64>) -> BTreeMap<Cow<'static, str>, u64> {
    counts.into_iter().map(|(reason, count)| (reason.into(), count)).collect()
}

fn rise<'a>(rise: &'a Rise, groups: &'a [Group]) -> RiseDoc<'a> {
    let rising = |rising: &'a Rising| {
        let finding = match &rising.verdict {
            RiseVerdict::Finding(id) => Some(id),
            RiseVerdict::Ignored(..) | RiseVerdict::NotAnalysed(_) | RiseVerdict::NoLeak(_) => None,
        };
        RisingDoc {
            signature: groups.get(rising.group).map(|group| (&group.signature).into()),
            more: rising.more,
            finding: finding.map(Into::into),
            reason: phrases::rise_reason(&rising.verdict).map(Into::into),
        }
    };
    RiseDoc {
        from: rise.from,
        to: rise.to,
        per_second: rise.per_second,
        explained: rise.explained,
        unexplained: rise.unexplained,
        groups: rise.groups.iter().map(rising).collect(),
    }
}

fn hot_paths<'a>(judged: &Judgement, stacks: &'a StackTable) -> Vec<HotPathDoc<'a>> {
    let paths = judged
        .hot_paths
        .iter()
        .map(|hot| HotPathDoc { frame: frame(stacks, hot.frame), goroutines: hot.goroutines });
    paths.collect()
}

fn lineage<'a>(judged: &Judgement, groups: &'a [Group]) -> Vec<LineageDoc<'a>> {
    let signature = |group: usize| groups.get(group).map(|group| Cow::from(&group.signature));
    let lines = judged.lineage.iter().filter_map(|line| {
        Some(LineageDoc {
            signature: signature(line.group)?,
            created_by: line.parent.and_then(signature),
        })
    });
    lines.collect()
}

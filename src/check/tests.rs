//! Tests of each rule, and a property test of all of them against a naive implementation.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::forest::folded;

/// Creates a segment from id, name, external id and parent; an empty external id or parent means none.
fn segment(id: &str, name: &str, external_id: &str, parent: &str) -> Arc<Segment> {
    Arc::new(Segment {
        id: SegmentId::new(id).unwrap(),
        name: name.into(),
        external_id: (!external_id.is_empty()).then(|| external_id.into()),
        parent: SegmentId::new(parent),
    })
}

/// The default rules, with those that are off as warnings.
fn all_rules() -> Rules {
    Rules::default().only(&Rule::ALL)
}

/// Returns the findings, one per line: rule, segment, sentence.
fn lines(segments: &[Arc<Segment>], rules: &Rules) -> Vec<String> {
    let line = |finding: &Finding| format!("{} {}: {finding}", finding.rule, finding.segment.id);
    check(segments, rules).iter().map(line).collect()
}

#[test]
fn a_sound_tree_has_no_findings() {
    let segments = [
        segment("a", "Wholesale", "W", ""),
        segment("b", "Łódź – Bałuty", "W-1", "a"),
        segment("c", "Łódź 10 µm, 日本のお店 カフェ", "W-2", "a"),
        segment("d", "Ελλάδα / Россия", "W-3", "b"),
    ];
    assert_eq!(lines(&segments, &all_rules()), Vec::<String>::new());
}

#[test]
fn orphans_cycles_and_self_parents_are_found() {
    let segments = [
        segment("a", "A", "", "gone"),
        segment("b", "B", "", "b"),
        segment("z", "Z", "", "y"),
        segment("y", "Y", "", "x"),
        segment("x", "X", "", "z"),
        segment("below", "Below the loop", "", "z"),
    ];
    assert_eq!(
        lines(&segments, &Rules::default()),
        [
            "orphan a: parent gone doesn't exist",
            "cycle x: its ancestors form a loop of 3 segments",
            "cycle y: its ancestors form a loop of 3 segments",
            "cycle z: its ancestors form a loop of 3 segments",
            "self-parent b: it is its own parent",
        ]
    );
}

#[test]
fn blank_padded_invisible_and_mixed_names_are_found() {
    let segments = [
        segment("1", " \u{a0}", "a", ""),
        segment("2", "Retail ", "b", ""),
        segment("3", "VIP\u{200b}", "c", ""),
        segment("4", "Retail PL", "d\u{202e}", ""),
        segment("5", "VІP klient", "e", ""),
        segment("6", "👩\u{200d}🌾", "f", ""),
    ];
    assert_eq!(
        lines(&segments, &Rules::default()),
        [
            "blank-name 1: no name",
            "padded-name 2: the name begins or ends with a space",
            "invisible-characters 4: invisible character U+202E in the external ID",
            "invisible-characters 3: invisible character U+200B in the name",
            "mixed-scripts 5: “VІP” mixes Cyrillic and Latin letters",
        ]
    );
}

#[test]
fn duplicate_ids_and_sibling_names_are_found() {
    let segments = [
        segment("1", "VIP", "X", ""),
        segment("2", "Łódź", "X", "1"),
        segment("3", "lodz ", "X", "1"),
        segment("4", "Lodz", "x", ""),
    ];
    assert_eq!(
        lines(&segments, &Rules::default().only(&[Rule::DuplicateExternalId, Rule::SameNameSiblings])),
        [
            "duplicate-external-id 1: external ID X is used by 3 segments",
            "duplicate-external-id 2: external ID X is used by 3 segments",
            "duplicate-external-id 3: external ID X is used by 3 segments",
            "same-name-siblings 2: same name as 1 sibling",
            "same-name-siblings 3: same name as 1 sibling",
        ]
    );
}

#[test]
fn rules_that_are_off_find_nothing() {
    let chain: Vec<_> = (1..=12).map(|at| segment(&at.to_string(), &format!("L{at}"), "", &parent_of(at))).collect();
    assert_eq!(lines(&chain, &Rules::default()), Vec::<String>::new());
    let deep = lines(&chain, &Rules::default().only(&[Rule::TooDeep]));
    assert_eq!(deep, ["too-deep 11: on level 11, deeper than 10", "too-deep 12: on level 12, deeper than 10"]);
    assert_eq!(lines(&chain, &Rules::default().only(&[Rule::MissingExternalId])).len(), 12);
}

fn parent_of(at: u32) -> String {
    if at == 1 { String::new() } else { (at - 1).to_string() }
}

#[test]
fn an_unknown_rule_or_level_is_refused_with_the_valid_names() {
    for rule in Rule::ALL {
        assert_eq!(rule.name().parse(), Ok(rule));
    }
    for level in Level::ALL {
        assert_eq!(level.name().parse(), Ok(level));
    }
    assert_eq!("fatal".parse::<Level>().unwrap_err().to_string(), "`fatal` is not a level; use off, warning, error");
    assert!(
        "orfan"
            .parse::<Rule>()
            .unwrap_err()
            .to_string()
            .starts_with("there is no rule `orfan`; the rules are orphan, ")
    );
}

#[test]
fn a_name_is_mended_unless_nothing_would_be_left() {
    assert_eq!(mended_name(" VIP\u{200b} ").as_deref(), Some("VIP"));
    assert_eq!(mended_name("VIP"), None);
    assert_eq!(mended_name(" \u{200b} "), None);
}

#[test]
fn a_cycle_of_100_000_segments_is_found_from_its_smallest_id() {
    let mut chain: Vec<_> = (1..=100_000).map(|at| segment(&at.to_string(), "L", "", &parent_of(at))).collect();
    chain[0] = segment("1", "L", "", "100000");
    chain.reverse();
    let findings = check(&chain, &Rules::default().only(&[Rule::Cycle, Rule::TooDeep]));
    assert_eq!(findings.len(), 100_000);
    assert_eq!(findings[0].segment.id.text(), "1", "the loop is told from its smallest id on");
}

/// Generates segments of which many share values and break rules.
fn any_segments() -> impl Strategy<Value = Vec<Arc<Segment>>> {
    let names =
        prop_oneof![Just("VIP"), Just("vip "), Just("Łódź"), Just("lodz"), Just(""), Just("V\u{200b}IP"), Just("VІP")];
    let one = (names, 0..6_u8, 0..14_u8);
    proptest::collection::vec(one, 0..12).prop_map(|raw| {
        let id = |at: usize| at.to_string();
        let parent = |parent: u8| if parent == 13 { String::new() } else { id(usize::from(parent)) };
        let external_id = |external_id: u8| if external_id == 0 { String::new() } else { format!("E{external_id}") };
        let one = |(at, (name, external, above)): (usize, (&str, u8, u8))| {
            segment(&id(at), name, &external_id(external), &parent(above))
        };
        raw.into_iter().enumerate().map(one).collect()
    })
}

/// A naive implementation of the rules.
fn plainly(segments: &[Arc<Segment>]) -> BTreeSet<(Rule, String)> {
    let by_id: BTreeMap<_, _> = segments.iter().map(|segment| (segment.id.clone(), segment)).collect();
    let above = |segment: &Segment| segment.parent.as_ref().and_then(|parent| by_id.get(parent).copied());
    let mut broken = BTreeSet::new();
    for segment in segments {
        let mut add = |rule: Rule| broken.insert((rule, segment.id.to_string()));
        let mut seen = vec![&segment.id];
        let mut at = above(segment);
        while let Some(here) = at.filter(|here| !seen.contains(&&here.id)) {
            seen.push(&here.id);
            at = above(here);
        }
        let returns = at.is_some_and(|here| here.id == segment.id);
        match &segment.parent {
            Some(parent) if *parent == segment.id => drop(add(Rule::SelfParent)),
            Some(parent) if !by_id.contains_key(parent) => drop(add(Rule::Orphan)),
            _ if returns => drop(add(Rule::Cycle)),
            _ => {}
        }
        if at.is_none() && seen.len() > 3 {
            add(Rule::TooDeep);
        }
        let shares = |other: &&Arc<Segment>| {
            other.id != segment.id && other.external_id.is_some() && other.external_id == segment.external_id
        };
        if segments.iter().any(|other| shares(&other)) {
            add(Rule::DuplicateExternalId);
        }
        let plain = |segment: &Segment| -> String {
            folded(&segment.name.replace('\u{200b}', "")).collect::<String>().trim().into()
        };
        let alike = |other: &&Arc<Segment>| {
            other.id != segment.id && other.parent == segment.parent && plain(other) == plain(segment)
        };
        if !segment.has_blank_name() && segments.iter().any(|other| alike(&other)) {
            add(Rule::SameNameSiblings);
        }
        for (rule, broken) in [
            (Rule::BlankName, segment.name.is_empty()),
            (Rule::PaddedName, segment.name.ends_with(' ')),
            (Rule::InvisibleCharacters, segment.name.contains('\u{200b}')),
            (Rule::MixedScripts, segment.name.contains('І')),
            (Rule::MissingExternalId, segment.external_id.is_none()),
        ] {
            if broken {
                add(rule);
            }
        }
    }
    broken
}

proptest! {
    #[test]
    fn findings_match_a_naive_check_in_any_order(
        (segments, shuffled) in any_segments().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let mut rules = all_rules();
        rules.max_depth = 3;
        let findings = check(&segments, &rules);
        let broken: BTreeSet<_> = findings.iter().map(|finding| (finding.rule, finding.segment.id.to_string())).collect();
        prop_assert_eq!(findings.len(), broken.len(), "nothing is said twice");
        prop_assert_eq!(broken, plainly(&segments));
        prop_assert_eq!(check(&shuffled, &rules), findings);
    }
}

//! Outlines: unedited text yields an empty plan, edits yield the edited tree, and faults are reported with their line.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::changes::Operation;
use crate::formats::outline::{Problem, with_faults};

fn id(text: &str) -> SegmentId {
    SegmentId::new(text).unwrap()
}

fn segment(id: &str, name: &str, external_id: Option<&str>, parent: Option<&str>) -> Arc<Segment> {
    Arc::new(Segment {
        id: SegmentId::new(id).unwrap(),
        name: name.into(),
        external_id: external_id.map(Into::into),
        parent: parent.and_then(SegmentId::new),
    })
}

fn provisional(place: usize) -> SegmentId {
    id(&format!("new:{place}"))
}

const HURT: &str = "ab9e32db-0000-4000-8000-000000000001";
const PODHURT: &str = "fcc98538-0000-4000-8000-000000000002";
const SPOZ: &str = "fcc98538-0000-4000-8000-0000000000ff";

fn wholesale() -> Vec<Arc<Segment>> {
    vec![
        segment(HURT, "Hurtownie", Some("Hurt"), None),
        segment(PODHURT, "Podhurt", Some("1"), Some(HURT)),
        segment("vip", "VIP [x]", None, Some(PODHURT)),
        segment("other", "Other", None, None),
    ]
}

fn outline_of(segments: &[Arc<Segment>], roots: &[&str]) -> Outline {
    let forest: Forest = segments.iter().cloned().collect();
    let roots: Vec<Arc<Segment>> = roots.iter().map(|root| Arc::clone(forest.get(&id(root)).unwrap())).collect();
    Outline::of(&forest, &roots).unwrap()
}

/// The text without its comments.
fn body(outline: &Outline) -> String {
    outline.text().split_inclusive('\n').filter(|line| !line.starts_with('#')).collect()
}

fn described(outline: &Outline, text: &str) -> Vec<String> {
    match outline.plan(text, provisional) {
        Err(faults) => faults.iter().map(|Fault { line, problem }| format!("{line}: {problem}")).collect(),
        Ok((plan, reasons)) => {
            assert_eq!(plan.operations.len(), reasons.len());
            plan.operations.iter().map(tell).collect()
        }
    }
}

fn tell(operation: &Operation) -> String {
    let wanted = |draft: &crate::segment::Draft| {
        let external_id = draft.external_id.as_ref().map_or("", |external_id| external_id.as_str());
        let parent = draft.parent.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        format!("{} [{external_id}] under {parent}", draft.name.as_str())
    };
    match operation {
        Operation::Create { draft } => format!("create {}", wanted(draft)),
        Operation::Update { base, draft } => format!("{} to {}", base.name, wanted(draft)),
        Operation::Delete { base, .. } => format!("delete {}", base.name),
    }
}

#[test]
fn a_subtree_is_written_with_one_line_per_segment() {
    let outline = outline_of(&wholesale(), &[HURT]);
    assert_eq!(body(&outline), "Hurtownie  [Hurt]  {ab9e32db}\n  Podhurt  [1]  {fcc98538}\n    VIP \\[x\\]  {vip}\n");
    assert!(outline.text().starts_with("# "));
}

#[test]
fn an_id_is_written_as_its_shortest_unique_prefix() {
    let mut segments = wholesale();
    segments.push(segment(SPOZ, "Spożywczy", None, None));
    let outline = outline_of(&segments, &[]);
    assert!(body(&outline).contains(&format!("{{{}}}", &PODHURT[..35])), "{}", body(&outline));
    segments.push(segment("ab9e32db", "No UUID", None, None));
    let outline = outline_of(&segments, &[]);
    assert!(body(&outline).contains("{ab9e32db-}") && body(&outline).contains("{ab9e32db}"), "{}", body(&outline));
    assert_eq!(described(&outline, &outline.text()), Vec::<String>::new());
}

#[test]
fn a_longer_id_prefix_is_accepted_a_shorter_one_is_not() {
    let mut segments = wholesale();
    segments.push(segment(SPOZ, "Spożywczy", None, None));
    let outline = outline_of(&segments, &[]);
    let whole = outline.text().replace("{ab9e32db}", &format!("{{{HURT}}}"));
    assert_eq!(described(&outline, &whole), Vec::<String>::new());
    for (less, fault) in [("{ab9e32d}", "unknown ID {ab9e32d}"), ("{fcc98538}", "{fcc98538} matches several IDs")] {
        let described = described(&outline, &format!("A {less}\n"));
        assert!(described[0].starts_with(&format!("1: {fault}")), "{described:?}");
    }
}

#[test]
fn a_selected_descendant_is_written_only_once() {
    let outline = outline_of(&wholesale(), &["vip", HURT, "other"]);
    assert_eq!(body(&outline).lines().count(), 4);
}

#[test]
fn edits_become_a_plan_in_an_executable_order() {
    let outline = outline_of(&wholesale(), &[]);
    let text = "\
Nowe  [N]
  Niżej
    VIP \\[x\\]  {vip}
Hurt  [2]  {ab9e32db}
";
    assert_eq!(
        described(&outline, text),
        [
            "create Nowe [N] under nothing".to_owned(),
            "create Niżej [] under new:0".to_owned(),
            "VIP [x] to VIP [x] [] under new:1".to_owned(),
            "Hurtownie to Hurt [2] under nothing".to_owned(),
            "delete Other".to_owned(),
            "delete Podhurt".to_owned(),
        ]
    );
}

#[test]
fn swapping_parent_and_child_closes_no_cycle() {
    let outline = outline_of(&wholesale(), &[HURT]);
    let text = "Podhurt [1] {fcc98538}\n  Hurtownie [Hurt] {ab9e32db}\n  VIP \\[x\\] {vip}\n";
    let first = "Podhurt to Podhurt [1] under nothing".to_owned();
    assert_eq!(described(&outline, text), [first, format!("Hurtownie to Hurtownie [Hurt] under {PODHURT}")]);
}

#[test]
fn a_new_top_line_becomes_a_sibling_of_the_subtree_root() {
    let outline = outline_of(&wholesale(), &[PODHURT]);
    assert_eq!(described(&outline, &(body(&outline) + "Beside\n")), [format!("create Beside [] under {HURT}")]);
    let outline = outline_of(&wholesale(), &[PODHURT, "other"]);
    let described = described(&outline, &(body(&outline) + "Where\n"));
    assert!(described[0].starts_with("4: top level, but these segments have different parents"), "{described:?}");
}

#[test]
fn every_fault_has_its_line_and_what_was_expected() {
    let outline = outline_of(&wholesale(), &[]);
    let faults = |text: &str| described(&outline, text).join("\n");
    for (text, fault) in [
        ("Hurtownie\t{ab9e32db}", "1: tab; use two spaces"),
        ("A\n\n   B", "3: indented 3 spaces; use two per level, so 2 or 4"),
        ("# x\nA\n    B", "3: indented 4 spaces; at most 2 allowed"),
        ("  A", "1: indented 2 spaces; at most 0 allowed"),
        ("  [x] {vip}", "1: indented 2 spaces"),
        ("[x] {vip}", "1: no name; write one"),
        ("\\ ", "1: no name; write one"),
        ("A\\nB", "1: Line breaks and control characters"),
        ("A [x", "1: missing ]"),
        ("A {vip", "1: missing }"),
        ("A [x] {vip} y", "1: unexpected “y”"),
        ("A ] b", "1: unexpected “] b”"),
        ("A {vip} [x]", "1: unexpected “[x]”"),
        ("C:\\dir", "1: \\ before a character that needs none"),
        ("A {nobody}", "1: unknown ID {nobody}"),
        ("A {}", "1: unknown ID {}"),
        ("A {vip}\nB {vip}", "2: {vip} appears twice"),
        (" \n", "1: the file is empty"),
    ] {
        assert!(faults(text).contains(fault), "{text:?}: {}", faults(text));
    }
    assert_eq!(described(&outline, "A {x}\nB {y}").len(), 2, "all of them at once");
}

#[test]
fn a_byte_order_mark_and_crlf_are_ignored() {
    let outline = outline_of(&wholesale(), &[]);
    let text = format!("\u{feff}{}", outline.text().replace('\n', "\r\n"));
    assert_eq!(described(&outline, &text), Vec::<String>::new());
}

#[test]
fn a_cycle_can_be_kept_or_broken_but_not_extended() {
    let circle =
        [segment("a", "A", None, Some("b")), segment("b", "B", None, Some("a")), segment("c", "C", None, None)];
    let outline = outline_of(&circle, &[]);
    assert_eq!(described(&outline, &outline.text()), Vec::<String>::new());
    let longer = "A {a}\n  C {c}\n    B {b}\n";
    assert!(
        described(&outline, longer)[0].contains("3: a segment can't be inside itself"),
        "{:?}",
        described(&outline, longer)
    );
    assert_eq!(described(&outline, "C {c}\nA {a}\n"), ["A to A [] under nothing", "delete B"]);
}

#[test]
fn faults_are_listed_once_at_the_top_with_shifted_lines() {
    let outline = outline_of(&wholesale(), &[]);
    let faults = outline.plan("A\n   B\nC {x}\n", provisional).unwrap_err();
    let text = with_faults("A\n   B\nC {x}\n", &faults);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("# ERROR line 4: indented 3"), "{text}");
    assert!(lines[1].starts_with("# ERROR line 5: unknown ID {x}"), "{text}");
    assert_eq!(lines[3], "   B");
    let again = outline.plan(&text, provisional).unwrap_err();
    assert_eq!(with_faults(&text, &again), text);
    assert_eq!(with_faults(&text, &again[1..]).lines().next().map(|line| &line[..15]), Some("# ERROR line 4:"));
}

#[test]
fn an_outline_with_too_many_segments_is_refused() {
    let many = |index: usize| segment(&format!("s{index}"), "x", None, None);
    let forest: Forest = (0..=MAX_LINES).map(many).collect();
    assert_eq!(Outline::of(&forest, &[]), Err(TooLarge));
}

fn any_text() -> impl Strategy<Value = String> {
    "[ a#\\[\\]{}\\\\\t\n\r\u{a0}\u{3000}ł\u{85}n]{0,6}"
}

fn any_id(at: usize) -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0_u8..3).prop_map(move |one| format!("ab9e32d{one}-0000-4000-8000-{at:012x}")),
        1 => any_text().prop_map(move |text| format!("{text}{at}")),
    ]
}

/// Segments whose parent is an earlier one, none, or one that does not exist.
fn any_tree() -> impl Strategy<Value = Vec<Arc<Segment>>> {
    let one = |at: usize| (any_id(at), any_text(), proptest::option::of(any_text()), 0..at + 2);
    (0_usize..12).prop_flat_map(move |count| (0..count).map(one).collect::<Vec<_>>()).prop_map(|drawn| {
        let ids: Vec<String> = drawn.iter().map(|(id, ..)| id.clone()).collect();
        let of = |(id, name, external_id, parent): (String, String, Option<String>, usize)| {
            let parent = match parent.checked_sub(2) {
                Some(at) => ids.get(at).cloned(),
                None => (parent == 1).then(|| "nobody".to_owned()),
            };
            segment(&id, &name, external_id.as_deref(), parent.as_deref())
        };
        drawn.into_iter().map(of).collect()
    })
}

/// An edit by the user, in terms of the tree.
#[derive(Debug, Clone)]
enum Edit {
    Rename(usize, String),
    SetExternalId(usize, Option<String>),
    Move(usize, Option<usize>),
    DeleteSubtree(usize),
    DeleteAlone(usize),
    Create(Option<usize>),
    Raise(usize),
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let place = 0_usize..16;
    prop_oneof![
        (place.clone(), "[a\\[#{}\\\\ł]{1,5}").prop_map(|(at, name)| Edit::Rename(at, name)),
        (place.clone(), proptest::option::of("[a\\]#]{1,3}")).prop_map(|(at, to)| Edit::SetExternalId(at, to)),
        (place.clone(), proptest::option::of(place.clone())).prop_map(|(at, to)| Edit::Move(at, to)),
        place.clone().prop_map(Edit::DeleteSubtree),
        place.clone().prop_map(Edit::DeleteAlone),
        proptest::option::of(place.clone()).prop_map(Edit::Create),
        place.prop_map(Edit::Raise),
    ]
}

/// The tree that the user wants; new segments have no id yet.
#[derive(Debug, Clone)]
struct Model {
    nodes: Vec<Node>,
    created: usize,
}

#[derive(Debug, Clone)]
struct Node {
    tag: Option<String>,
    /// The original segment and its level, `None` for a new one.
    base: Option<(Arc<Segment>, usize)>,
    name: String,
    external_id: Option<String>,
    up: Option<usize>,
    gone: bool,
}

impl Model {
    fn of(outline: &Outline) -> Self {
        let mut path: Vec<usize> = Vec::new();
        let mut nodes = Vec::new();
        for line in &outline.lines {
            path.truncate(line.level);
            let up = path.last().copied();
            path.push(nodes.len());
            let Segment { name, external_id, .. } = &*line.segment;
            nodes.push(Node {
                tag: Some(line.tag.clone()),
                base: Some((Arc::clone(&line.segment), line.level)),
                name: name.to_string(),
                external_id: external_id.as_ref().map(ToString::to_string),
                up,
                gone: false,
            });
        }
        Self { nodes, created: 0 }
    }

    fn pick(&self, number: usize) -> Option<usize> {
        let there: Vec<usize> = (0..self.nodes.len()).filter(|at| !self.nodes[*at].gone).collect();
        (!there.is_empty()).then(|| there[number % there.len()])
    }

    fn is_within(&self, at: usize, top: usize) -> bool {
        std::iter::successors(Some(at), |at| self.nodes[*at].up).any(|above| above == top)
    }

    fn edit(&mut self, edit: Edit) {
        match edit {
            Edit::Create(up) => {
                let up = up.and_then(|up| self.pick(up));
                let name = format!("new {}", self.created);
                self.created += 1;
                // Written before its siblings: their order is ignored.
                self.nodes.push(Node { tag: None, base: None, name, external_id: None, up, gone: false });
            }
            Edit::Rename(at, name) => self.with(at, |_, node| node.name.clone_from(&name)),
            Edit::SetExternalId(at, to) => self.with(at, |_, node| node.external_id.clone_from(&to)),
            Edit::Move(at, to) => {
                let to = to.and_then(|to| self.pick(to));
                if let Some(at) = self.pick(at).filter(|at| to.is_none_or(|to| !self.is_within(to, *at))) {
                    self.nodes[at].up = to;
                }
            }
            Edit::DeleteSubtree(at) => {
                let Some(top) = self.pick(at) else { return };
                for at in 0..self.nodes.len() {
                    self.nodes[at].gone |= self.is_within(at, top);
                }
            }
            Edit::DeleteAlone(at) => {
                let Some(at) = self.pick(at) else { return };
                let up = self.nodes[at].up;
                self.nodes[at].gone = true;
                self.nodes.iter_mut().filter(|node| node.up == Some(at)).for_each(|node| node.up = up);
            }
            Edit::Raise(at) => {
                let Some(at) = self.pick(at) else { return };
                self.nodes[at].up = self.nodes[at].up.and_then(|up| self.nodes[up].up);
            }
        }
    }

    fn with(&mut self, at: usize, change: impl Fn(usize, &mut Node)) {
        if let Some(at) = self.pick(at) {
            change(at, &mut self.nodes[at]);
        }
    }

    fn text(&self) -> String {
        let mut text = String::from("# edited\n");
        let mut waiting: Vec<(usize, usize)> = Vec::new();
        let below = |up: Option<usize>| (0..self.nodes.len()).filter(move |at| self.nodes[*at].up == up);
        waiting.extend(below(None).map(|at| (at, 0)));
        while let Some((at, level)) = waiting.pop() {
            let node = &self.nodes[at];
            if !node.gone {
                text += &written(level, &node.name, node.external_id.as_deref(), node.tag.as_deref());
                waiting.extend(below(Some(at)).map(|below| (below, level + 1)));
            }
        }
        text
    }

    /// The wanted fields of every segment, by id, or by name for a new one.
    fn wanted(&self) -> BTreeMap<String, (String, String, Option<String>)> {
        let key = |node: &Node| node.base.as_ref().map_or_else(|| node.name.clone(), |(base, _)| base.id.to_string());
        let there = self.nodes.iter().filter(|node| !node.gone);
        let wanted = there.map(|node| {
            let parent = match (node.up, &node.base) {
                (Some(up), _) => Some(key(&self.nodes[up])),
                (None, Some((base, 0))) => base.parent.as_ref().map(ToString::to_string),
                (None, _) => None,
            };
            (key(node), (node.name.clone(), node.external_id.clone().unwrap_or_default(), parent))
        });
        wanted.collect()
    }
}

/// Executes a plan in order on a model server, and panics if an operation is not possible.
fn carried_out(base: &[Arc<Segment>], plan: &Plan) -> BTreeMap<SegmentId, Segment> {
    let mut there: BTreeMap<SegmentId, Segment> =
        base.iter().map(|segment| (segment.id.clone(), (**segment).clone())).collect();
    for (place, operation) in plan.operations.iter().enumerate() {
        if let Some(parent) = operation.destination() {
            let known = base.iter().any(|segment| segment.parent.as_ref() == Some(parent));
            assert!(there.contains_key(parent) || known, "{operation:?} before its parent is there");
        }
        match operation {
            Operation::Create { draft } => {
                let id = provisional(place);
                there.insert(id.clone(), draft.clone().into_segment(id));
            }
            Operation::Update { base, draft } => {
                assert_eq!(there.get(&base.id), Some(&**base), "not as it was seen");
                let above = |id: &SegmentId| there.get(id).and_then(|segment| segment.parent.clone());
                let mut path = std::iter::successors(draft.parent.clone(), above).take(100);
                assert!(path.all(|above| above != base.id), "{operation:?} closes a circle");
                there.insert(base.id.clone(), draft.clone().into_segment(base.id.clone()));
            }
            Operation::Delete { base, .. } => {
                assert!(there.values().all(|other| other.parent.as_ref() != Some(&base.id)), "{operation:?} too early");
                assert_eq!(there.remove(&base.id).as_ref(), Some(&**base));
            }
        }
    }
    there
}

#[test]
fn every_operation_has_its_reason_in_the_text() {
    let outline = outline_of(&wholesale(), &[]);
    let text = outline.text();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len() - 1;
    let edited: Vec<String> = lines
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != last)
        .map(|(_, line)| (*line).to_owned())
        .chain(["New one".to_owned()])
        .collect();
    let (plan, reasons) = outline.plan(&edited.join("\n"), provisional).unwrap();
    let described: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    assert!(matches!(plan.operations[0], Operation::Create { .. }));
    assert_eq!(described, [format!("line {}: new", last + 1), "line removed".to_owned()]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn unedited_text_yields_an_empty_plan(segments in any_tree(), cut in 0_usize..16, circle in any::<bool>()) {
        let mut segments = segments;
        if circle && let [first, .., last] = segments.as_mut_slice() {
            Arc::make_mut(first).parent = Some(last.id.clone());
        }
        let everything = outline_of(&segments, &[]);
        prop_assert_eq!(everything.plan(&everything.text(), provisional), Ok((Plan::default(), Vec::new())));
        if let Some(root) = segments.get(cut) {
            let part = outline_of(&segments, &[&root.id.text()]);
            prop_assert_eq!(part.plan(&part.text(), provisional), Ok((Plan::default(), Vec::new())));
        }
    }

    #[test]
    fn edited_text_yields_a_plan_for_the_edited_tree(segments in any_tree(), edits in vec(any_edit(), 0..8)) {
        let outline = outline_of(&segments, &[]);
        let mut model = Model::of(&outline);
        for edit in edits {
            model.edit(edit);
        }
        let text = model.text();
        let plan = outline.plan(&text, provisional);
        prop_assert!(plan.is_ok(), "{:?} of\n{}", plan, text);
        let came = carried_out(&segments, &plan.unwrap().0);
        // A new segment is identified by its name.
        let key = |id: &SegmentId| {
            let is_new = id.text().starts_with("new:");
            if is_new { came[id].name.to_string() } else { id.to_string() }
        };
        let came: BTreeMap<_, _> = came
            .values()
            .map(|segment| {
                let external_id = segment.external_id.as_deref().unwrap_or_default().to_owned();
                (key(&segment.id), (segment.name.to_string(), external_id, segment.parent.as_ref().map(key)))
            })
            .collect();
        prop_assert_eq!(came, model.wanted(), "{}", text);
    }

    #[test]
    fn arbitrary_text_never_panics(text in "[ a\\[\\]{}\\\\\n\tb#]{0,40}") {
        let outline = outline_of(&wholesale(), &[]);
        if let Err(faults) = outline.plan(&text, provisional) {
            prop_assert!(!faults.is_empty());
            let again = outline.plan(&with_faults(&text, &faults), provisional);
            prop_assert!(again.is_err() || faults.iter().any(|fault| fault.problem == Problem::Empty));
        }
    }
}

//! How responses are read and requests are written.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::segment::Name;

fn id_of(text: &str) -> SegmentId {
    SegmentId::new(text).unwrap()
}

fn ids(page: &Page) -> Vec<String> {
    page.segments.iter().map(|segment| segment.id.to_string()).collect()
}

fn next(body: &str) -> Option<i64> {
    changes(body.as_bytes()).unwrap().next.map(|step| step.0)
}

#[test]
fn the_documented_list_is_read() {
    let body = r#"[
        {"id": "eb11f451-1c82-4b61-89fd-cf3a5e8801ea", "name": "VIP Client", "externalId": "VIP", "parentSegmentId": "segment"},
        {"id": "segment", "name": "segment", "externalId": null, "parentSegmentId": null}
    ]"#;
    let page = page(body.as_bytes()).unwrap();
    assert_eq!(page.total, None);
    assert_eq!(page.unreadable, 0);
    assert_eq!(page.segments, serde_json::from_str::<Vec<Segment>>(body).unwrap());
}

#[test]
fn an_envelope_is_read_like_a_bare_list() {
    for body in [
        r#"{"listElement": [{"id": "a"}], "totalElement": 104}"#,
        r#"{"items": [{"id": "a"}], "totalElement": "104"}"#,
        r#"{"listElement": [], "totalElement": 104, "items": [{"id": "a"}]}"#,
        r#"{"listElement": [{"id": "a"}], "totalElement": 104, "items": [{"id": "a"}]}"#,
    ] {
        let page = page(body.as_bytes()).unwrap();
        assert_eq!(ids(&page), ["a"], "{body}");
        assert_eq!(page.total, Some(104), "{body}");
    }
    assert_eq!(page(br#"{"listElement": null, "totalElement": 0}"#).unwrap().total, Some(0));
}

#[test]
fn a_response_without_a_list_is_not_an_empty_page() {
    for body in ["{}", r#"{"error": "busy"}"#, r#"{"items": 7}"#, "7", "<html>login</html>", "[", "\u{1b}[2J"] {
        let fault = page(body.as_bytes()).unwrap_err();
        assert!(matches!(fault, Fault::InvalidResponse { .. }), "{body}");
        assert!(!fault.to_string().contains('\u{1b}'));
    }
    for body in ["", " \n", "null"] {
        assert!(page(body.as_bytes()).is_err(), "nothing at all is not the end of the list: {body:?}");
    }
    assert_eq!(page(b"[]"), Ok(Page::default()));
}

#[test]
fn unusual_field_types_become_text_and_lose_no_segment() {
    let body = r#"[
        {"id": 7, "name": 12, "externalId": 9007199254740993, "parentSegmentId": "", "colour": {"deep": []}},
        {"id": "b"},
        {"id": "c", "name": null, "externalId": "", "parentSegmentId": 7},
        {"id": "c", "name": true, "name": "twice"}
    ]"#;
    let page = page(body.as_bytes()).unwrap();
    let seen: Vec<_> = page
        .segments
        .iter()
        .map(|s| (s.id.to_string(), s.name.to_string(), s.external_id.clone(), s.parent.clone()))
        .collect();
    let expected = [
        ("7".into(), "12".into(), Some("9007199254740993".into()), None),
        ("b".into(), String::new(), None, None),
        ("c".into(), String::new(), None, Some(id_of("7"))),
        ("c".into(), "twice".into(), None, None),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn entries_without_an_id_are_counted() {
    let page =
        page(br#"[{"id": "a"}, {"id": ""}, {"id": null, "name": "x"}, {"name": "y"}, null, 5, "s", []]"#).unwrap();
    assert_eq!(ids(&page), ["a"]);
    assert_eq!(page.unreadable, 7);
}

#[test]
fn an_empty_body_does_not_mean_a_deleted_segment() {
    assert!(one(b"").is_err());
    assert!(one(b"null").is_err());
    assert_eq!(one(br#"{"id": "a", "name": "A"}"#).unwrap().name, "A");
    assert!(one(br#"{"name": "A"}"#).is_err());
    assert!(one(b"[]").is_err());
}

#[test]
fn an_unusable_next_id_is_ignored() {
    assert_eq!(next(r#"{"nextId": 10, "events": []}"#), Some(10));
    assert_eq!(next(r#"{"nextId": "10", "events": null}"#), Some(10));
    assert_eq!(next(r#"{"nextId": 9223372036854775807}"#), Some(i64::MAX));
    for body in
        [r#"{"nextId": null}"#, r#"{"nextId": 0}"#, r#"{"nextId": -1}"#, r#"{"nextId": ""}"#, r#"{"events": []}"#]
    {
        assert_eq!(next(body), None, "{body}");
    }
    assert_eq!(changes(b""), Ok(Changes::default()));
}

#[test]
fn a_response_without_a_feed_is_not_an_empty_feed() {
    for body in ["{}", "[]", r#"{"message": "busy"}"#, r#"{"events": "none"}"#] {
        assert!(changes(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn an_event_type_has_any_case_and_an_unknown_one_is_an_update() {
    let body = r#"{"nextId": 9, "events": [
        {"segmentId": "a", "type": "CREATE"}, {"segmentId": "b", "eventType": "Delete"}, {"segmentId": "c", "type": "update"},
        {"segmentId": 4, "type": "MERGED"}, {"segmentId": "e"}, {"type": "DELETE"}, {"segmentId": "f", "type": "DELETED"}
    ]}"#;
    let seen: Vec<_> =
        changes(body.as_bytes()).unwrap().events.into_iter().map(|event| (event.id.to_string(), event.kind)).collect();
    let expected = [
        ("a", FeedEventKind::Created),
        ("b", FeedEventKind::Deleted),
        ("c", FeedEventKind::Updated),
        ("4", FeedEventKind::Updated),
        ("e", FeedEventKind::Updated),
        ("f", FeedEventKind::Deleted),
    ];
    assert_eq!(seen, expected.map(|(id, kind)| (id.to_owned(), kind)));
}

#[test]
fn a_new_segments_id_is_a_string_or_number_and_required() {
    assert_eq!(created(br#"{"id": "a"}"#), Ok(id_of("a")));
    assert_eq!(created(br#"{"id": 17, "name": "x"}"#), Ok(id_of("17")));
    for body in ["", "{}", r#"{"id": null}"#, "[]"] {
        let fault = created(body.as_bytes()).unwrap_err();
        assert!(fault.may_have_taken_effect(), "{body}");
    }
}

#[test]
fn a_write_always_has_all_three_fields() {
    let text_of = |draft: &Draft| String::from_utf8(body(draft)).unwrap();
    let draft = Draft { name: Name::parse("VIP").unwrap(), external_id: None, parent: None };
    assert_eq!(text_of(&draft), r#"{"externalId":null,"name":"VIP","parentSegmentId":null}"#);

    let draft = Draft {
        name: Name::parse("VIP \"ó\"").unwrap(),
        external_id: ExternalId::parse("V").unwrap(),
        parent: SegmentId::new("segment"),
    };
    assert_eq!(text_of(&draft), r#"{"externalId":"V","name":"VIP \"ó\"","parentSegmentId":"segment"}"#);
}

/// Any value that a field may have, as JSON.
fn any_value() -> impl Strategy<Value = String> {
    let text = r#""[a-zł ]{0,4}""#;
    prop_oneof![
        6 => text,
        1 => Just("null".to_owned()),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<bool>().prop_map(|truth| truth.to_string()),
        1 => Just("1.50".to_owned()),
        1 => Just(r#"[1, {"a": "\u0142"}]"#.to_owned()),
        1 => Just(r#"{"b": [null, 1e3]}"#.to_owned()),
    ]
}

proptest! {
    #[test]
    fn the_fast_and_the_slow_path_read_the_same_list(
        entries in vec(vec(("id|name|externalId|parentSegmentId|colour", any_value()), 0..6), 0..4),
        envelope in prop::option::of("listElement|items"),
    ) {
        let entry = |fields: &Vec<(String, String)>| {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
            format!("{{{}}}", fields.join(", "))
        };
        let list = format!("[{}]", entries.iter().map(entry).collect::<Vec<_>>().join(", "));
        let body = envelope.map_or(list.clone(), |name| format!(r#"{{"{name}": {list}, "totalElement": 7}}"#));
        if let Some(page) = list::page(body.as_bytes()) {
            prop_assert_eq!(Ok(page), parse_unusual_page(body.as_bytes()));
        } else {
            prop_assert!(list == "[]", "read in the slow way: {}", body);
        }
    }

    #[test]
    fn random_bytes_are_read_or_refused_with_a_message(body in vec(any::<u8>(), 0..300)) {
        read_all(&body);
    }

    #[test]
    fn a_corrupted_response_is_read_or_refused_with_a_message(
        op in 0_usize..SENSIBLE.len(),
        at in any::<prop::sample::Index>(),
        put in vec(any::<u8>(), 0..4),
        taken in 0_usize..8,
    ) {
        let mut body = SENSIBLE[op].as_bytes().to_vec();
        let at = at.index(body.len());
        let end = (at + taken).min(body.len());
        body.splice(at..end, put);
        read_all(&body);
    }
}

const SENSIBLE: [&str; 5] = [
    r#"[{"id": "a", "name": "Łódź \ud83d\ude00", "externalId": null, "parentSegmentId": "b"}, {"id": 7}]"#,
    r#"{"listElement": [], "totalElement": 104, "items": [{"id": "a", "name": "A"}]}"#,
    r#"{"id": "a", "name": "A", "externalId": "E", "parentSegmentId": null}"#,
    r#"{"nextId": 10, "events": [{"segmentId": "a", "type": "CREATE"}, {"segmentId": 4}]}"#,
    r#"{"id": "new"}"#,
];

/// Parses bytes as every kind of response: nothing panics, and a refusal is one short sentence.
fn read_all(body: &[u8]) {
    let refusals = [page(body).err(), one(body).err(), changes(body).err(), created(body).err()];
    for fault in refusals.into_iter().flatten() {
        let words = fault.to_string();
        assert!(words.len() < 600 && !words.contains(|c: char| c.is_control()), "{words}");
    }
}

#[test]
fn almost_valid_json_is_read() {
    let odd = br#"[{"id": "a", "name": "half \ud800 of it"}, {"id": "b", "name": "B"}]"#;
    assert_eq!(page(odd).unwrap().segments[0].name, "half \u{fffd} of it");
    assert_eq!(ids(&page(b"\xef\xbb\xbf[{\"id\": \"a\"}]").unwrap()), ["a"]);
    assert_eq!(ids(&page(b"[{\"id\": \"a\", \"name\": \"\xa3\xf3d\"}]").unwrap()), ["a"]);
    assert_eq!(one(b"\xef\xbb\xbf{\"id\": \"a\"}").unwrap().id, id_of("a"));
    assert!(changes(b"\xef\xbb\xbf{\"nextId\": 3}").is_ok());
}

#[test]
fn an_overlong_text_hides_only_its_own_segment() {
    let long = "x".repeat(MAX_NAME_LEN + 1);
    let marks = "\u{301}".repeat(1_000_000);
    for entry in [
        format!(r#"{{"id": "long", "name": "{long}"}}"#),
        format!(r#"{{"id": "long", "name": "a{marks}"}}"#),
        format!(r#"{{"id": "{long}"}}"#),
        format!(r#"{{"id": "long", "externalId": "{long}"}}"#),
        format!(r#"{{"id": "long", "parentSegmentId": "{long}"}}"#),
    ] {
        let page = page(format!(r#"[{{"id": "a"}}, {entry}]"#).as_bytes()).unwrap();
        assert_eq!((ids(&page), page.unreadable), (vec!["a".to_owned()], 1));
    }
}

#[test]
fn too_many_tiny_objects_are_refused_before_parsing() {
    let many = vec![r#"{"":0}"#; 200_000].join(",");
    let said = |fault: Fault| fault.to_string();
    let refused = [
        page(format!("[{many}]").as_bytes()).map_err(said).map(drop),
        page(format!(r#"[{{"id":"a","name":[{many}]}}]"#).as_bytes()).map_err(said).map(drop),
        page(format!(r#"{{"items":[{{"id":"a","name":"A"}}],"totalElement":[{many}]}}"#).as_bytes())
            .map_err(said)
            .map(drop),
        changes(format!(r#"{{"nextId":2,"events":[{many}]}}"#).as_bytes()).map_err(said).map(drop),
    ];
    for said in refused {
        let said = said.expect_err("it is refused");
        assert!(said.contains("objects and lists, more than a response can have"), "{said}");
    }
}

#[test]
fn a_page_with_too_many_entries_or_levels_is_refused() {
    let many = format!("[{}{{}}]", "{},".repeat(400_000));
    assert!(matches!(page(many.as_bytes()), Err(Fault::InvalidResponse { .. })));
    assert!(matches!(page("[".repeat(5_000_000).as_bytes()), Err(Fault::InvalidResponse { .. })));
    assert!(matches!(page("[".repeat(100_000).as_bytes()), Err(Fault::InvalidResponse { .. })));
}

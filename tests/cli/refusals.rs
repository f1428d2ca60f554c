//! What `find`, `get`, `tree` and `export` refuse, verbatim: what is wrong, and what to do.

use crate::desk::Fixture;

#[test]
fn a_reference_that_names_none_or_several_is_refused() {
    let transcript = Fixture::new().transcript(&[
        &["get", "TWIN"],
        &["get", "ext=TWIN", "-o", "json"],
        &["get", "/A//B; \"VIP\", <new>/Twin"],
        &["get", "nowhere"],
        &["get", "PL", "nowhere", "TWIN", "/No/Such"],
        &["get", "Łódzkie"],
        &["get", "/polska/lodzkie"],
        &["get", "/Polska/Łódź"],
        &["get", "id=PL"],
        &["get", "ext:pl-10", "-o", "json"],
        &["get", "gone"],
        &["tree", "TWIN"],
        &["tree", "nowhere"],
        &["export", "--root", "TWIN"],
        &["export", "--root", "/Nowhere"],
    ]);
    insta::assert_snapshot!(transcript);
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let transcript = Fixture::new().transcript(&[
        &["get"],
        &["get", ""],
        &["get", "id="],
        &["get", "ext:"],
        &["get", "/"],
        &["get", "PL", "-o", "tree"],
        &["get", "PL", "-o", "json", "--beneath"],
        &["find"],
        &["find", ""],
        &["find", "ext:"],
        &["find", "is:lea"],
        &["find", "is:marked"],
        &["find", "\"two"],
        &["find", "is:lea", "-o", "json"],
        &["find", "x", "-o", "xml"],
        &["tree", "--depth", "0"],
        &["tree", "PL", "TWIN"],
        &["export", "--format", "xml"],
        &["export", "--excel", "--format", "html"],
        &["export", "--root", "PL", "--match", "vip"],
        &["export", "--match", "is:"],
        &["tree", "-q", "-v"],
        &["tree", "--timeout", "0"],
        &["tree", "--color", "sometimes"],
    ]);
    insta::assert_snapshot!(transcript);
}

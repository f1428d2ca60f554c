//! An export that is applied to an empty tenant and exported again is the same up to IDs, however odd the names are.

use std::fs;

use crate::desk::{Fixture, TIMEOUT, output_of, tenant_of};

/// Everything that could trip up a table, a spreadsheet or a shell.
const UNUSUAL_SEGMENTS: [[&str; 4]; 14] = [
    ["i1", "Polska", "PL", ""],
    ["i2", "Łódź, \"miasto\"; a/b", "007", "i1"],
    ["i3", "two\nlines", "1E5", "i2"],
    ["i4", "👩‍🌾 emoji 🙂", "SEPT2", "i2"],
    ["i5", "=1+1", "=cmd|' /C calc'!A0", "i1"],
    ["i6", "'quoted", "'0042", "i1"],
    ["i7", "+48 22", "+48", "i5"],
    ["i8", "-", "-", "i5"],
    ["i9", "tabs are refused", "0", "i7"],
    ["i10", "\u{feff}mark inside", "00", "i7"],
    ["i11", "https://one.example/?a=b;c", "1.10", ""],
    ["i12", "TRUE", "true", "i11"],
    ["i13", "2026-11-26", "26.11.2026", "i11"],
    ["i14", "semi;colon", "a;b,c\"d", "i13"],
];

/// A table without the columns that differ between tenants: the IDs.
fn without_ids(table: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table.as_bytes());
    let mut rows: Vec<Vec<String>> = reader
        .records()
        .map(|record| {
            let cells: Vec<String> = record.unwrap().iter().map(str::to_owned).collect();
            [1, 2, 4, 5].map(|column: usize| cells[column].clone()).into()
        })
        .collect();
    rows.sort();
    rows
}

fn export(fixture: &Fixture, flags: &[&str]) -> String {
    let (code, stdout, stderr) = fixture.run(&[&["export"], flags].concat());
    assert_eq!((code, stderr.as_str()), (0, ""));
    stdout
}

#[test]
fn an_applied_export_recreates_the_tenant_in_every_form() {
    let first = Fixture::with(tenant_of(&UNUSUAL_SEGMENTS));
    let table = export(&first, &["--format", "csv"]);
    for (flags, name) in [
        (&["--format", "csv"][..], "a.csv"),
        (&["--excel"], "excel.csv"),
        (&["--format", "ndjson"], "a.ndjson"),
        (&["--format", "json"], "a.json"),
    ] {
        let second = Fixture::with(tenant_of(&[]));
        let path = second.workspace.home.path().join(name);
        fs::write(&path, export(&first, flags)).unwrap();
        let run = || output_of(second.segtui(&["apply", "--yes"]).arg(&path).timeout(TIMEOUT));
        let (code, stdout, stderr) = run();
        assert_eq!(code, 0, "{name}: {stdout}{stderr}");
        assert_eq!(without_ids(&export(&second, &["--format", "csv"])), without_ids(&table), "{name}");
        let before = second.server.history().len();
        let (code, stdout, _) = run();
        assert_eq!((code, second.server.history().len()), (0, before), "{name}: again does nothing: {stdout}");
    }
}

#[test]
fn a_windows_1250_table_is_read_with_the_suggested_flag() {
    let fixture = Fixture::with(tenant_of(&[]));
    let path = fixture.workspace.home.path().join("grupy.csv");
    // "NAZWA;KOD;NADRZEDNY", then Łódź and Żółć in Windows-1250.
    fs::write(&path, b"NAZWA;KOD;NADRZEDNY\r\n\xa3\xf3d\x9f;007;\r\n\xaf\xf3\xb3\xe6;008;007\r\n").unwrap();
    let columns = "name=NAZWA,ext=KOD,parent-ext=NADRZEDNY";
    let run = |more: &[&str]| {
        let mut command = fixture.segtui(&["apply", "--yes", "--columns", columns]);
        output_of(command.args(more).arg(&path).timeout(TIMEOUT))
    };
    let (code, _, stderr) = run(&[]);
    assert_eq!(code, 2);
    assert!(stderr.contains("as windows-1250: Łódź;007;"), "{stderr}");
    let flag = stderr.split_once("pass ").unwrap().1.split(" or ").next().unwrap();
    let flag: Vec<&str> = flag.split(' ').collect();
    let (code, stdout, stderr) = run(&flag);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let mut names: Vec<String> =
        fixture.server.segments().iter().map(|segment| format!("{} {:?}", segment.name, segment.external_id)).collect();
    names.sort();
    assert_eq!(names, ["Łódź Some(\"007\")", "Żółć Some(\"008\")"]);
}

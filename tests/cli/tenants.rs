//! Two tenants: their differences, and applying one to the other.

use std::fs;

use segtui::demo::Options;
use segtui::segment::Segment;

use crate::desk::{Workspace, output_of, start_server_with};

fn segments(all: &[[&str; 4]]) -> Vec<Segment> {
    let segment = |[id, name, external_id, parent]: &[&str; 4]| {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let fields = serde_json::json!({
            "id": id, "name": name, "externalId": some(external_id), "parentSegmentId": some(parent),
        });
        serde_json::from_value(fields).unwrap()
    };
    all.iter().map(segment).collect()
}

/// Two tenants as profiles of one configuration: `preprod` with planned changes, and `prod`, which is protected.
struct Tenants {
    workspace: Workspace,
    servers: [(tokio::runtime::Runtime, segtui::demo::Server); 2],
    hosts: [String; 2],
}

impl Tenants {
    fn new() -> Self {
        let preprod = segments(&[
            ["p1", "Polska", "PL", ""],
            ["p2", "Łódzkie", "PL-10", "p1"],
            ["p3", "Łódź Miasto", "PL-10-1", "p2"],
            ["p4", "Opole", "PL-16", "p1"],
        ]);
        let prod = segments(&[
            ["a", "Polska", "PL", ""],
            ["b", "Łódzkie", "PL-10", "a"],
            ["c", "Łódź", "PL-10-1", "a"],
            ["d", "VIP", "VIP", ""],
        ]);
        Self::of([preprod, prod])
    }

    fn of(tenants: [Vec<Segment>; 2]) -> Self {
        let servers = tenants.map(|load| start_server_with(Options { load: Some(load), ..Options::default() }));
        let workspace = Workspace::new();
        let profile = |name: &str, at: usize, more: &str| {
            let (server, tenant) = (&servers[at].1, servers[at].1.tenant());
            let (url, key) = (server.base_url(), server.api_key());
            format!("[profiles.{name}]\nbase_url = \"{url}\"\ntenant = \"{tenant}\"\napi_key = \"{key}\"\n{more}\n")
        };
        let config = profile("preprod", 0, "") + &profile("prod", 1, "protected = true");
        workspace.configure(&config);
        let hosts = [0, 1].map(|at: usize| servers[at].1.base_url().trim_start_matches("http://").to_owned());
        Self { workspace, servers, hosts }
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = self.workspace.segtui(arguments);
        let (code, stdout, stderr) = output_of(command.current_dir(self.workspace.home.path()));
        let home = self.workspace.home.path().display().to_string();
        let named = |text: String| {
            text.replace(&home, "HOME").replace(&self.hosts[0], "HOST-1").replace(&self.hosts[1], "HOST-2")
        };
        (code, named(stdout), named(stderr))
    }

    fn transcript(&self, commands: &[&[&str]]) -> String {
        let mut transcript = String::new();
        for arguments in commands {
            let (code, stdout, stderr) = self.run(arguments);
            transcript.extend(["$ segtui ", &arguments.join(" "), "\n", &stdout]);
            transcript.extend(stderr.lines().flat_map(|line| ["stderr: ", line, "\n"]));
            transcript.extend(["exit: ", &code.to_string(), "\n\n"]);
        }
        transcript
    }
}

#[test]
fn diff_compares_tenants_files_and_what_was_last_seen() {
    let tenants = Tenants::new();
    let (_, export, _) = tenants.run(&["export", "--format", "csv", "--profile", "prod"]);
    fs::write(tenants.workspace.home.path().join("prod.csv"), export).unwrap();
    fs::write(
        tenants.workspace.home.path().join("codes.csv"),
        "name,externalId,parentExternalId\nPolska,PL,\nVIP,VIP,PL\n",
    )
    .unwrap();
    let transcript = tenants.transcript(&[
        &["diff", "profile:prod", "profile:preprod"],
        &["diff", "profile:prod", "profile:preprod", "-o", "json", "--exit-code"],
        &["diff", "prod.csv", "profile:prod", "--exit-code"],
        &["diff", "profile:prod", "codes.csv", "--exit-code"],
        &["diff", "codes.csv", "prod.csv"],
        &["diff", "store:prod", "profile:prod"],
        &["diff", "profile:nowhere", "profile:prod"],
        &["diff", "profile:", "profile:prod"],
        &["diff", "-", "-"],
        &["diff", "gone.csv", "prod.csv"],
    ]);
    insta::assert_snapshot!(transcript);
}

#[test]
fn flags_that_name_a_second_tenant_are_refused() {
    let tenants = Tenants::new();
    fs::write(tenants.workspace.home.path().join("new.csv"), "externalId,name\nN,New\n").unwrap();
    let others: [&[&str]; 5] = [
        &["--demo"],
        &["--profile", "prod"],
        &["--base-url", "http://127.0.0.1:1"],
        &["--tenant", "t5"],
        &["--api-key", "wrong"],
    ];
    for other in others {
        let to = ["apply", "new.csv", "--to", "preprod", "--yes"];
        let diff = ["diff", "profile:preprod", "profile:prod"];
        for (arguments, why) in [
            ([&to[..], other].concat(), format!("segtui: --to preprod and {} both name the tenant", other[0])),
            ([other, &to].concat(), format!("segtui: --to preprod and {} both name the tenant", other[0])),
            ([&diff[..], other].concat(), format!("segtui: {} has no effect on diff", other[0])),
            ([other, &diff].concat(), format!("segtui: {} has no effect on diff", other[0])),
        ] {
            let (code, stdout, stderr) = tenants.run(&arguments);
            assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
            assert!(stderr.starts_with(&why) && stderr.contains("\nhint: leave out "), "{arguments:?}: {stderr}");
        }
    }
    let (code, stdout, stderr) = tenants.run(&["--tenant", "t5", "tree", "--demo"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.starts_with("segtui: --demo and --tenant name different tenants\n"), "{stderr}");
    assert!(tenants.servers.iter().all(|(_, server)| server.requests().is_empty()), "nobody was asked anything");
    // Flags that name no tenant are accepted, and variables that name another one are ignored.
    let mut command = tenants.workspace.segtui(&["plan", "new.csv", "--to", "preprod", "--page-size", "50"]);
    let (code, stdout, stderr) = output_of(
        command.current_dir(tenants.workspace.home.path()).env("SEGTUI_TENANT", "t5").env("SEGTUI_API_KEY", "wrong"),
    );
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
}

#[test]
fn unknown_ids_in_a_diffed_file_are_creates_not_faults() {
    let tenants = Tenants::new();
    let write = |name: &str, text: &str| fs::write(tenants.workspace.home.path().join(name), text).unwrap();
    write("old.csv", "id,name,externalId,parentId\n1,A,EA,\n2,B,EB,1\n");
    write("new.csv", "id,name,externalId,parentId\n1,A,EA,\n2,B2,EB,1\n3,C,EC,1\n");
    let (code, stdout, stderr) = tenants.run(&["diff", "old.csv", "new.csv", "--exit-code"]);
    assert_eq!((code, stderr.as_str()), (3, ""));
    assert!(stdout.contains("+ create  /A/C") && stdout.contains("1 created, 1 updated, matched by ID"), "{stdout}");
}

#[test]
fn a_scoped_plan_speaks_for_its_scope_only() {
    let tenants = Tenants::new();
    let (code, stdout, stderr) =
        tenants.run(&["plan", "profile:preprod", "--to", "prod", "--root", "PL-10", "--prune"]);
    assert_eq!(
        (code, stderr.as_str()),
        (
            2,
            "segtui: profile:preprod has 1 fault\n  line 3: it is outside the scope of --root or --match\nhint: correct the file and run it again\n"
        ),
        "{stdout}"
    );
    let (code, stdout, stderr) = tenants.run(&["plan", "profile:preprod", "--to", "prod", "--root", "PL", "--prune"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(!stdout.contains("VIP") && stdout.ends_with("1 to create, 1 to move\n"), "{stdout}");
    let (code, _, stderr) = tenants.run(&["plan", "profile:preprod", "--to", "prod", "--root", "ext=VIP"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("profile:preprod has not exactly one segment ext=VIP"), "{stderr}");
}

#[test]
fn a_file_with_only_unknown_ids_is_refused() {
    let tenants = Tenants::new();
    fs::write(tenants.workspace.home.path().join("gone.csv"), "id,name\ngone,Gone\n").unwrap();
    let (code, stdout, stderr) = tenants.run(&["plan", "gone.csv", "--to", "prod"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("none of its IDs exists here"), "{stderr}");
}

#[test]
fn a_broken_tenant_is_compared_and_its_faults_left_alone() {
    let wrong = segments(&[
        ["p1", "Polska", "PL", ""],
        ["p2", "Łódzkie", "PL-10", "p1"],
        ["d1", "VIP", "VIP", ""],
        ["d2", "VIP too", "VIP", ""],
        ["o", "Orphan", "O", "gone"],
        ["b", " ", "B", ""],
        ["new", "New", "N", "p1"],
    ]);
    let sound = segments(&[
        ["a", "Polska", "PL", ""],
        ["v", "VIP", "VIP", ""],
        ["o2", "Orphan", "O", "a"],
        ["b2", "Blank", "B", ""],
        ["x", "Gone", "X", ""],
    ]);
    let tenants = Tenants::of([wrong, sound]);
    insta::assert_snapshot!(tenants.transcript(&[
        &["diff", "profile:prod", "profile:preprod"],
        &["diff", "profile:preprod", "profile:prod"],
        &["plan", "profile:preprod", "--to", "prod", "--all", "--prune"],
    ]));
    let tenant = tenants.servers[1].1.tenant();
    let apply = ["apply", "profile:preprod", "--to", "prod", "--all", "--prune", "--yes", "--approve", tenant];
    let (code, stdout, stderr) = tenants.run(&apply);
    assert_eq!(code, 5, "{stdout}{stderr}");
    let mut left: Vec<String> = tenants.servers[1].1.segments().iter().map(|segment| segment.id.to_string()).collect();
    left.retain(|id| id.len() < 3);
    left.sort();
    assert_eq!(left, ["a", "b2", "o2", "v"], "only what is nowhere in the source has gone");
}

#[test]
fn promotion_matches_by_external_id_and_is_confirmed() {
    let tenants = Tenants::new();
    let transcript = tenants.transcript(&[
        &["plan", "profile:preprod"],
        &["plan", "profile:prod", "--to", "prod"],
        &["plan", "profile:preprod", "--to", "prod", "--profile", "prod"],
        &["plan", "profile:preprod", "--to", "prod", "--exit-code"],
        &["plan", "profile:preprod", "--to", "prod", "--prune", "--all"],
        &["apply", "profile:preprod", "--to", "prod"],
        &["apply", "profile:preprod", "--to", "prod", "--yes"],
        &["apply", "profile:preprod", "--to", "prod", "--yes", "--approve", "somebody"],
    ]);
    insta::assert_snapshot!(transcript);
    let tenant = tenants.servers[1].1.tenant();
    let (code, stdout, stderr) =
        tenants.run(&["apply", "profile:preprod", "--to", "prod", "--yes", "--approve", tenant]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let (_, stdout, _) = tenants.run(&["diff", "profile:prod", "profile:preprod"]);
    assert_eq!(stdout.lines().filter(|line| !line.starts_with("- ")).count(), 1, "only VIP is left: {stdout}");
    let (code, stdout, _) = tenants.run(&["plan", "profile:preprod", "--to", "prod", "--exit-code"]);
    assert_eq!(code, 0, "{stdout}");
}

#[test]
fn an_unconfirmed_cache_can_be_compared_but_not_planned() {
    use segtui::store::{Completeness, Segments, StoreUpdate, open};

    let tenants = Tenants::new();
    let (_, doctor, _) = tenants.workspace.run(&["doctor", "--json", "--profile", "prod"]);
    let message = stored(&doctor)["message"].as_str().unwrap().to_owned();
    let mut store = open(message.strip_suffix(" doesn't exist yet").unwrap().as_ref()).unwrap().store.unwrap();
    let mut write = |completeness| {
        let segments = tenants.servers[1].1.segments().into_iter().map(std::sync::Arc::new).collect();
        let at = jiff::Timestamp::now();
        let record =
            StoreUpdate { segments: Segments::All(segments), position: None, landmarks: Vec::new(), at, completeness };
        store.write(&record).unwrap();
    };
    let run = |arguments: &[&str]| tenants.run(arguments);
    let doctor = || stored(&run(&["doctor", "--json", "--profile", "prod"]).1);
    write(Completeness::Unconfirmed);
    let (code, _, stderr) = run(&["diff", "store:prod", "profile:prod", "--exit-code"]);
    assert_eq!(code, 0, "{stderr}");
    let why = "was loaded shortly before segtui was closed, or a segment couldn't be fetched: the latest changes may be missing\n";
    assert!(stderr.contains(why), "{stderr}");
    let (code, stdout, stderr) = run(&["plan", "store:prod", "--to", "preprod"]);
    assert_eq!((code, stdout.as_str()), (8, ""), "{stderr}");
    assert!(stderr.contains(why) && stderr.contains("\nhint: open it for a minute or two with "), "{stderr}");
    assert_eq!(doctor()["details"]["completeness"], "unconfirmed");
    assert!(doctor()["message"].as_str().unwrap().contains(", not yet confirmed to be all"));
    write(Completeness::Incomplete);
    let (code, _, stderr) = run(&["diff", "store:prod", "profile:prod"]);
    assert_eq!(code, 8);
    assert!(
        stderr.contains("is incomplete: segtui was closed before a list of it was found to be whole\n"),
        "{stderr}"
    );
    assert_eq!(doctor()["details"]["completeness"], "incomplete");
    write(Completeness::Complete);
    let (code, _, stderr) = run(&["plan", "store:prod", "--to", "preprod"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(doctor()["details"]["completeness"], "complete");
}

/// The `store` check in a report of `doctor`.
fn stored(report: &str) -> serde_json::Value {
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "store").unwrap().clone()
}

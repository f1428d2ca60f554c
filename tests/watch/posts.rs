//! `watch --post`: signed, in order, at least once, despite failures of the receiver, the connection and the program.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use ring::hmac;
use serde_json::json;

use crate::demo::{Demo, step, wait_until};
use crate::receiver::{Receiver, ResponsePlan};

/// The arguments to post to a receiver, with a state file and a secret.
fn posting(demo: &Demo, receiver: &Receiver, more: &[&str]) -> Vec<String> {
    let state = demo.path("state");
    let secret = demo.path("secret");
    fs::write(&secret, "hunter2\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let own =
        ["--state", state.to_str().unwrap(), "--post", &receiver.url(), "--post-secret-file", secret.to_str().unwrap()];
    own.into_iter().chain(more.iter().copied()).map(str::to_owned).collect()
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

#[test]
fn each_change_is_posted_in_order_and_signed_without_the_key() {
    let (demo, receiver) = (Demo::start(), Receiver::start());
    let arguments = posting(&demo, &receiver, &["--format", "ndjson"]);
    let mut watch = demo.watching(&words(&arguments));
    demo.rename("Podhurt", "Podhurt 2");
    demo.create("Nowy");
    demo.rename("Nowy", "Starszy");
    // A change made before the previous one was read is merged with it.
    receiver.wait_for(2);
    wait_until("the last one is posted", || receiver.accepted().last().is_some_and(|name| name == "Starszy"));
    let posts = receiver.posts();
    assert_eq!(posts[0].name(), "Podhurt 2");
    let mut ids = Vec::new();
    for post in &posts {
        let signature = &post.headers["segtui-signature"];
        let (time, tag) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        let tag: Vec<u8> =
            (0..tag.len() / 2).map(|at| u8::from_str_radix(&tag[2 * at..2 * at + 2], 16).unwrap()).collect();
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"hunter2");
        hmac::verify(&key, format!("{time}.{}", post.body).as_bytes(), &tag).unwrap();
        assert_eq!(post.headers["content-type"], "application/json");
        assert_eq!(post.json()["tenant"], "demo-wholesale");
        assert!(post.json()["host"].as_str().unwrap().starts_with("127.0.0.1:"), "{post:?}");
        ids.push(post.headers["segtui-delivery"].clone());
        let all = format!("{post:?}");
        assert!(!all.contains(demo.server.api_key()) && !all.contains("hunter2") && !all.contains("apiauth"), "{all}");
    }
    assert_eq!(posts[0].json(), watch.json(), "what is posted is the line");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), posts.len());
    watch.signal("INT");
    let (code, stderr) = watch.ended();
    assert_eq!((code, stderr.as_str()), (0, "segtui: stopped; run it again with the same --state to resume\n"));
}

#[test]
fn a_post_is_retried_until_taken_before_the_next_change() {
    let (demo, receiver) = (Demo::start(), Receiver::start());
    receiver.plan([
        ResponsePlan::TaskResult(500, "x-a: b"),
        ResponsePlan::Dropped,
        ResponsePlan::Late(Duration::from_secs(3)),
        ResponsePlan::TaskResult(302, "location: http://127.0.0.1:1/elsewhere"),
        ResponsePlan::TaskResult(401, "x-a: b"),
    ]);
    let arguments = posting(&demo, &receiver, &["--hook-timeout", "0.5"]);
    let mut watch = demo.watching(&words(&arguments));
    demo.create("A");
    receiver.wait_for_posts(1);
    demo.create("B");
    let accepted = receiver.wait_for(2);
    assert_eq!(accepted, ["A", "B"]);
    let posts = receiver.posts();
    let names: Vec<String> = posts.iter().map(crate::receiver::Post::name).collect();
    assert_eq!(names, ["A", "A", "A", "A", "A", "A", "B"]);
    assert!(posts[..6].iter().all(|post| post.headers["segtui-delivery"] == posts[0].headers["segtui-delivery"]));
    assert!(posts[..6].iter().all(|post| post.body == posts[0].body));
    for words in
        ["answered 500", "; retrying in ", "didn't answer in time", "answered 302", "answered 401", "works again"]
    {
        let stderr = watch.stderr_line_with(words);
        assert!(!stderr.contains("hunter"), "what may be secret in the address is not shown: {stderr}");
    }
}

#[test]
fn the_receivers_retry_after_is_honoured() {
    let (demo, receiver) = (Demo::start(), Receiver::start());
    receiver.plan([ResponsePlan::TaskResult(503, "retry-after: 2")]);
    let arguments = posting(&demo, &receiver, &[]);
    let mut watch = demo.watching(&words(&arguments));
    let before = Instant::now();
    demo.create("A");
    assert!(watch.stderr_line().contains("answered 503 Service Unavailable; retrying in 2.0 s"));
    receiver.wait_for(1);
    assert!(before.elapsed() >= Duration::from_secs(2));
}

#[test]
fn an_undelivered_change_is_posted_again_after_a_kill() {
    let (demo, receiver) = (Demo::start(), Receiver::start());
    let arguments = posting(&demo, &receiver, &[]);
    let state = demo.path("state");
    let watch = demo.watching(&words(&arguments));
    wait_until("a new state begins now", || step(&state).is_some());
    demo.create("A");
    receiver.wait_for(1);
    receiver.plan(std::iter::repeat_n(ResponsePlan::TaskResult(500, "x-a: b"), 1_000));
    demo.create("B");
    receiver.wait_for_posts(3);
    watch.killed();
    demo.create("C");
    receiver.clear_plans();
    let _watch = demo.watch(&words(&arguments));
    wait_until("the last one is posted", || receiver.accepted().contains(&"C".to_owned()));
    let accepted = receiver.accepted();
    let mut firsts = Vec::new();
    for name in accepted {
        if !firsts.contains(&name) {
            firsts.push(name);
        }
    }
    assert_eq!(firsts, ["A", "B", "C"], "none is left out, and their order is kept");
}

#[test]
fn repeated_kills_lose_no_change() {
    const CHANGES: usize = 40;
    let seed = 7;
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (demo, receiver) = (Demo::start(), Receiver::start());
    let arguments = posting(&demo, &receiver, &["--hook-timeout", "0.5"]);
    let mut watch = Some(demo.watching(&words(&arguments)));
    wait_until("a new state begins now", || step(&demo.path("state")).is_some());
    for number in 0..CHANGES {
        if random.u8(..) < 60 {
            receiver.plan(
                [ResponsePlan::Dropped, ResponsePlan::TaskResult(500, "x-a: b")].into_iter().take(random.usize(1..=2)),
            );
        }
        let before = receiver.posts().len();
        demo.create(&format!("S{number:02}"));
        if random.u8(..) < 60 {
            // Some are killed during a post, some before it begins.
            if random.bool() {
                receiver.wait_for_posts(before + 1);
            }
            watch.take().unwrap().killed();
            watch = Some(demo.watch(&words(&arguments)));
        }
    }
    receiver.clear_plans();
    let all: Vec<String> = (0..CHANGES).map(|number| format!("S{number:02}")).collect();
    wait_until("all are posted", || {
        let accepted = receiver.accepted();
        all.iter().all(|name| accepted.contains(name))
    });
    let accepted = receiver.accepted();
    let first = |name: &String| accepted.iter().position(|other| other == name).unwrap();
    assert!(all.is_sorted_by_key(first), "{accepted:?}");
}

#[test]
fn a_state_belongs_to_one_tenant_and_one_program() {
    let (demo, receiver) = (Demo::start(), Receiver::start());
    let arguments = posting(&demo, &receiver, &[]);
    let watch = demo.watching(&words(&arguments));
    let (code, stderr) = demo.watch(&words(&arguments)).ended();
    assert_eq!(code, 1);
    assert!(stderr.contains("another segtui is using the state") && stderr.contains("hint: stop it first"), "{stderr}");
    wait_until("a new state begins now", || step(&demo.path("state")).is_some());
    drop(watch);
    let (code, stderr) = demo.watch(&[&words(&arguments)[..], &["--tenant", "other"]].concat()).ended();
    assert_eq!(code, 2);
    assert!(stderr.contains("it is that of demo-wholesale at 127.0.0.1:"), "{stderr}");
    fs::write(demo.path("state"), "nonsense").unwrap();
    let (code, stderr) = demo.watch(&words(&arguments)).ended();
    assert_eq!(code, 2);
    assert!(stderr.contains("couldn't use the state"), "{stderr}");
    assert_eq!(fs::read_to_string(demo.path("state")).unwrap(), "nonsense");
}

#[test]
fn an_unwritable_state_is_an_error() {
    let demo = Demo::start();
    let (code, stderr) = demo.watch(&["--state", "/nonexistent/state"]).ended();
    assert_eq!(code, 1);
    assert!(
        stderr.contains("couldn't lock the state /nonexistent/state") && stderr.contains("hint: name a file"),
        "{stderr}"
    );
}

#[test]
fn the_url_and_secret_are_checked_before_watching_starts() {
    let demo = Demo::start();
    let (code, stderr) = demo.watch(&["--post", "http://one.example/hook?token=hunter4"]).ended();
    assert_eq!(code, 2);
    assert!(stderr.contains("--insecure-http") && !stderr.contains("hunter4"), "{stderr}");
    let secret = demo.path("open-secret");
    fs::write(&secret, "hunter2").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let path = secret.to_str().unwrap();
    let (code, stderr) = demo.watch(&["--post", "https://one.example", "--post-secret-file", path]).ended();
    assert_eq!(code, 2);
    assert!(stderr.contains("couldn't read the secret from ") && stderr.contains("chmod 600"), "{stderr}");
    assert!(!stderr.contains("hunter2"));
    for arguments in [
        &["--on-error", "stop"][..],
        &["--exec", "true", "--post", "https://x.example"],
        &["--since", "5", "--state", "x"],
    ] {
        assert_eq!(demo.watch(arguments).ended().0, 2, "{arguments:?}");
    }
    let receiver = Receiver::start();
    let mut watch = demo.watch(&["--post", &receiver.url()]);
    assert!(watch.stderr_line().contains("posts are not signed; set SEGTUI_POST_SECRET"));
    watch.stderr_line_with("watching demo-wholesale from step");
    demo.create("A");
    receiver.wait_for(1);
    assert!(!receiver.posts()[0].headers.contains_key("segtui-signature"));
    assert_eq!(receiver.posts()[0].json()["kind"], json!("create"));
}

#[test]
fn a_signal_ends_the_wait_before_a_retry() {
    let (demo, receiver) = (Demo::start(), Receiver::start());
    receiver.plan([ResponsePlan::TaskResult(503, "retry-after: 3000")]);
    let arguments = posting(&demo, &receiver, &[]);
    let mut watch = demo.watching(&words(&arguments));
    demo.create("A");
    watch.stderr_line_with("retrying in 3000.0 s");
    let before = step(&demo.path("state"));
    watch.signal("TERM");
    let (code, stderr) = watch.ended();
    assert_eq!(code, 143);
    assert!(stderr.contains("for this change: {") && stderr.contains("with the same --state to resume"), "{stderr}");
    assert_eq!(step(&demo.path("state")), before);
}

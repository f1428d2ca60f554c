//! An HTTP server that accepts posts, with faults on demand.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::demo::wait_until;

/// What happens to a request.
#[derive(Debug, Clone)]
pub enum ResponsePlan {
    /// Responds with this status and this header line.
    TaskResult(u16, &'static str),
    /// Closes the connection without a response.
    Dropped,
    /// Responds with 200 after this delay.
    Late(Duration),
}

/// A received request.
#[derive(Debug, Clone)]
pub struct Post {
    pub headers: HashMap<String, String>,
    pub body: String,
    /// Whether the response was 2xx and not late.
    pub accepted: bool,
}

impl Post {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn name(&self) -> String {
        self.json()["segment"]["name"].as_str().unwrap_or("(deleted)").to_owned()
    }
}

pub struct Receiver {
    address: SocketAddr,
    plans: Arc<Mutex<VecDeque<ResponsePlan>>>,
    posts: Arc<Mutex<Vec<Post>>>,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self { address: listener.local_addr().unwrap(), plans: Arc::default(), posts: Arc::default() };
        let (plans, posts) = (Arc::clone(&receiver.plans), Arc::clone(&receiver.posts));
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (plans, posts) = (Arc::clone(&plans), Arc::clone(&posts));
                // The client may be gone before the response is sent.
                thread::spawn(move || serve(connection.ok()?, &plans, &posts));
            }
        });
        receiver
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook/hunter3?token=hunter4", self.address)
    }

    /// Sets what happens to the next requests; those after them get 204.
    pub fn plan(&self, plans: impl IntoIterator<Item = ResponsePlan>) {
        self.plans.lock().unwrap().extend(plans);
    }

    pub fn clear_plans(&self) {
        self.plans.lock().unwrap().clear();
    }

    pub fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }

    pub fn accepted(&self) -> Vec<String> {
        self.posts().iter().filter(|post| post.accepted).map(Post::name).collect()
    }

    /// Waits until `count` posts were taken.
    pub fn wait_for(&self, count: usize) -> Vec<String> {
        wait_until("posts are taken", || self.accepted().len() >= count);
        self.accepted()
    }

    /// Waits until `count` posts have arrived, whatever their fate.
    pub fn wait_for_posts(&self, count: usize) -> Vec<Post> {
        wait_until("posts come", || self.posts().len() >= count);
        self.posts()
    }
}

fn serve(connection: TcpStream, plans: &Mutex<VecDeque<ResponsePlan>>, posts: &Mutex<Vec<Post>>) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    assert!(line.starts_with("POST /hook/hunter3?token=hunter4 "), "{line}");
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    let plan = plans.lock().unwrap().pop_front().unwrap_or(ResponsePlan::TaskResult(204, "x-fine: yes"));
    let accepted = matches!(plan, ResponsePlan::TaskResult(200..300, _));
    posts.lock().unwrap().push(Post { headers, body: String::from_utf8(body).unwrap(), accepted });
    let (status, header) = match plan {
        ResponsePlan::Dropped => return None,
        ResponsePlan::TaskResult(status, header) => (status, header),
        ResponsePlan::Late(by) => {
            thread::sleep(by);
            (200, "x-late: yes")
        }
    };
    let answer = format!("HTTP/1.1 {status} Word\r\n{header}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.get_mut().write_all(answer.as_bytes()).ok()
}

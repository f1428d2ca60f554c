//! A demo server with nobody but the test working on it, and how the program is told of it: for every test that runs the program.

use segtui::demo::{Options, Server};
use tokio::runtime::{Builder, Runtime};

/// A server, for as long as this is kept.
pub struct Site {
    pub runtime: Runtime,
    pub server: Server,
}

impl Site {
    pub fn with(options: Options) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let server = runtime.block_on(Server::start(options)).unwrap();
        Self { runtime, server }
    }

    /// How to reach the server.
    pub fn variables(&self) -> [(&'static str, String); 3] {
        [
            ("SEGTUI_BASE_URL", self.server.base_url()),
            ("SEGTUI_TENANT", self.server.tenant().to_owned()),
            ("SEGTUI_API_KEY", self.server.api_key().to_owned()),
        ]
    }
}

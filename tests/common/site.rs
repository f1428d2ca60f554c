//! A demo server that only the test changes, and the environment variables that lead the program to it.

use segtui::demo::{Options, Server};
use tokio::runtime::{Builder, Runtime};

/// A demo server that runs until this is dropped.
pub struct ServerRuntime {
    pub runtime: Runtime,
    pub server: Server,
}

impl ServerRuntime {
    pub fn with(options: Options) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let server = runtime.block_on(Server::start(options)).unwrap();
        Self { runtime, server }
    }

    /// The environment variables that tell the program how to reach the server.
    pub fn variables(&self) -> [(&'static str, String); 3] {
        [
            ("SEGTUI_BASE_URL", self.server.base_url()),
            ("SEGTUI_TENANT", self.server.tenant().to_owned()),
            ("SEGTUI_API_KEY", self.server.api_key().to_owned()),
        ]
    }
}

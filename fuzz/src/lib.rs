//! A server for the fuzz targets, which answers without a connection.

use axum::body::Body;
use gatehand::server::model::Permissions;
use gatehand::server::{Config, Server, store};
use hyper::Request;
use tokio::runtime::{Builder, Runtime};

/// A server with one organizer `o` and a token that may do everything.
pub struct Fixture {
    runtime: Runtime,
    server: Server,
    authorization: String,
    _folder: tempfile::TempDir,
}

impl Fixture {
    /// Makes a server in a fresh folder.
    pub fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("fuzz.db").into();
        let config = Config::new(([127, 0, 0, 1], 0).into());
        let (server, authorization) = runtime.block_on(async {
            let installation = store::open(&database, None).unwrap();
            let server = Server::listen(installation, config).await.unwrap();
            let store = &server.installation().store;
            let organizer = store.create_organizer(&"o".parse().unwrap(), "O").await.unwrap().id;
            store
                .create_team(organizer, "t", Permissions::All)
                .await
                .unwrap();
            let token = store.create_team_token(organizer, "t", "t").await.unwrap().token;
            (server, format!("Token {}", token.expose()))
        });
        Self {
            runtime,
            server,
            authorization,
            _folder: folder,
        }
    }

    /// The value of an `Authorization` header that may do everything.
    pub fn authorization(&self) -> &str {
        &self.authorization
    }

    /// Answers a request if it is one by the rules of HTTP; fails if the answer is 500 or above.
    pub fn answer(&self, method: &str, target: &str, headers: &[(&str, &[u8])], body: &[u8]) {
        let mut request = Request::builder().method(method).uri(target);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Ok(request) = request.body(Body::from(body.to_vec())) {
            let answer = self.runtime.block_on(self.server.answer(request));
            assert!(answer.status().as_u16() < 500, "{}", answer.status());
        }
    }
}

impl Default for Fixture {
    fn default() -> Self {
        Self::new()
    }
}

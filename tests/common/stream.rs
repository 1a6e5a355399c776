//! Server-sent events as a page of the fleet takes them.

use std::time::Duration;

use reqwest::Response;

/// How long something may take to come that surely comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A stream of events that a page has open.
pub struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    pub fn new(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self {
            response,
            text: String::new(),
        }
    }

    /// What has come up to these words, and no more of it is looked at again.
    pub async fn until(&mut self, words: &str) -> String {
        loop {
            if let Some(place) = self.text.find(words) {
                let rest = self.text.split_off(place + words.len());
                return std::mem::replace(&mut self.text, rest);
            }
            let told = self.more().await;
            assert!(told, "{words} did not come before the end: {}", self.text);
        }
    }

    /// Waits for the end, and tells all that has come before.
    pub async fn end(mut self) -> String {
        while self.more().await {}
        self.text
    }

    /// The number of the last event that has come.
    pub async fn last_event_id(&mut self) -> String {
        self.until("\nid: ").await;
        self.until("\n").await.trim().to_owned()
    }

    /// Takes what comes next; false at the end.
    async fn more(&mut self) -> bool {
        let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
        let chunk = chunk.unwrap_or_else(|_| panic!("nothing comes after {}", self.text));
        match chunk.unwrap() {
            Some(bytes) => {
                self.text += std::str::from_utf8(&bytes).unwrap();
                true
            }
            None => false,
        }
    }
}

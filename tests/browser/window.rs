//! A window of a browser with a profile of its own, and somebody before it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::task;

use crate::chrome_command::ChromeCommand;
use crate::common::server::TestServer;
use crate::driver::Driver;

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Window {
    pub driver: Client,
    /// The server that it looks at, without a slash at the end.
    site: String,
    /// Where what is downloaded goes.
    downloads: TempDir,
}

/// Light or dark, as the visitor's system says.
#[derive(Clone, Copy, Debug)]
pub enum Scheme {
    Light,
    Dark,
}

impl Scheme {
    pub const BOTH: [Self; 2] = [Self::Light, Self::Dark];

    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Window {
    /// Somebody who reads English. `None` if there is no browser on this machine.
    pub async fn at(site: &str) -> Option<Self> {
        Self::of(site, "en").await
    }

    /// Somebody who reads this language.
    pub async fn of(site: &str, language: &str) -> Option<Self> {
        let driver = Driver::shared()?;
        let downloads = tempfile::tempdir().unwrap();
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-proxy-server",
            "--force-device-scale-factor=1",
        ];
        let preferences = json!({
            "intl.accept_languages": language,
            "download.default_directory": downloads.path(),
        });
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments, "prefs": preferences},
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"script": PATIENCE.as_millis(), "pageLoad": PATIENCE.as_millis()},
            // Whatever opens a dialog fails the test: nothing here does.
            "unhandledPromptBehavior": "ignore",
        });
        let mut browser = ClientBuilder::new(HttpConnector::new());
        browser.capabilities(wanted.as_object().unwrap().clone());
        let window = Self {
            driver: browser.connect(&driver.url).await.unwrap(),
            site: site.to_owned(),
            downloads,
        };
        window.resize(1000, 800).await;
        Some(window)
    }

    /// Somebody who is signed in as the team that may do everything.
    pub async fn signed_in(server: &TestServer) -> Option<Self> {
        let window = Self::at(&server.url).await?;
        window.sign_in(&server.admin).await;
        Some(window)
    }

    /// Signs in by a token, at the page that asks for it.
    pub async fn sign_in(&self, token: &str) {
        self.open("/sign-in").await;
        self.fill("#token", token).await;
        self.click("main button").await;
        self.is_at("/devices").await;
    }

    pub async fn open(&self, path: &str) {
        self.driver
            .goto(&format!("{}{path}", self.site))
            .await
            .unwrap();
    }

    /// Waits until there is something; what the page shows where there is not.
    pub async fn wait<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            if begun.elapsed() > PATIENCE {
                let shown = self
                    .run("return document.body.innerText.slice(0, 2000)")
                    .await;
                let at = self.driver.current_url().await.unwrap();
                panic!("no {what} at {at}, which shows {shown}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the address is this path, with what is asked for.
    pub async fn is_at(&self, path: &str) {
        let wanted = format!("{}{path}", self.site);
        self.wait(path, async || {
            let at = self.driver.current_url().await.ok()?;
            (at.as_str() == wanted).then_some(())
        })
        .await;
    }

    /// Waits until this is shown.
    pub async fn see(&self, css: &str) -> Element {
        self.wait(css, async || {
            let element = self.driver.find(Locator::Css(css)).await.ok()?;
            let is_shown = element.is_displayed().await.ok()?;
            is_shown.then_some(element)
        })
        .await
    }

    /// Whether there is such an element, shown or not.
    pub async fn has(&self, css: &str) -> bool {
        !self.all(css).await.is_empty()
    }

    /// All such elements that there are now.
    pub async fn all(&self, css: &str) -> Vec<Element> {
        self.driver.find_all(Locator::Css(css)).await.unwrap()
    }

    /// Waits until this is shown and holds these words.
    pub async fn reads(&self, css: &str, words: &str) {
        self.wait(&format!("{words:?} in {css}"), async || {
            let element = self.driver.find(Locator::Css(css)).await.ok()?;
            let text = element.text().await.ok()?;
            text.contains(words).then_some(())
        })
        .await;
    }

    /// What this reads, once it is shown.
    pub async fn text(&self, css: &str) -> String {
        self.see(css).await.text().await.unwrap()
    }

    pub async fn click(&self, css: &str) {
        self.see(css).await.click().await.unwrap();
    }

    pub async fn double_click(&self, css: &str) {
        let move_there = PointerAction::MoveToElement {
            element: self.see(css).await,
            duration: None,
            x: 0.0,
            y: 0.0,
        };
        let down = PointerAction::Down {
            button: MOUSE_BUTTON_LEFT,
        };
        let up = PointerAction::Up {
            button: MOUSE_BUTTON_LEFT,
        };
        let mut mouse = MouseActions::new("mouse".to_owned());
        for action in [move_there, down.clone(), up.clone(), down, up] {
            mouse = mouse.then(action);
        }
        self.driver.perform_actions(mouse).await.unwrap();
    }

    /// Types this in place of what a field holds.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.see(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Chooses what has this value in a list.
    pub async fn choose(&self, css: &str, value: &str) {
        self.click(&format!("{css} option[value=\"{value}\"]"))
            .await;
    }

    /// Presses a key wherever the focus is.
    pub async fn press(&self, key: Key) {
        let focused = self.driver.active_element().await.unwrap();
        focused.send_keys(&key).await.unwrap();
    }

    /// Types wherever the focus is.
    pub async fn types(&self, text: &str) {
        let focused = self.driver.active_element().await.unwrap();
        focused.send_keys(text).await.unwrap();
    }

    /// What a script says, which the page's policy does not bind.
    pub async fn run(&self, script: &str) -> Value {
        self.driver.execute(script, Vec::new()).await.unwrap()
    }

    /// The window's size, in pixels of the page.
    pub async fn resize(&self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.tell("Emulation.setDeviceMetricsOverride", size).await;
    }

    pub async fn prefer(&self, scheme: Scheme) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme.name()});
        self.tell("Emulation.setEmulatedMedia", json!({"features": [feature]}))
            .await;
    }

    async fn tell(&self, command: &str, parameters: Value) {
        let told = ChromeCommand::devtools(command, parameters);
        self.driver.issue_cmd(told).await.unwrap();
    }

    /// What is seen, as PNG.
    pub async fn picture(&self) -> Vec<u8> {
        self.driver.screenshot().await.unwrap()
    }

    /// The file that was downloaded under this name, once all of it is there.
    pub async fn downloaded(&self, name: &str) -> PathBuf {
        let file = self.downloads.path().join(name);
        self.wait(name, async || file.exists().then_some(())).await;
        file
    }

    /// What the browser complained about since it was asked last.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.driver.issue_cmd(ChromeCommand::log()).await.unwrap();
        let entries = log.as_array().unwrap().iter();
        let serious = entries.filter(|entry| entry["level"] != "INFO" && entry["level"] != "DEBUG");
        let message = |entry: &Value| entry["message"].as_str().unwrap().to_owned();
        serious.map(message).collect()
    }

    /// Asserts that the browser complained about nothing but what has one of these words.
    pub async fn complains_only_of(&self, words: &[&str]) {
        let complaints = self.complaints().await;
        let is_other = |said: &&String| !words.iter().any(|word| said.contains(word));
        assert_eq!(complaints.iter().find(is_other), None);
    }

    /// Closes it. Asserts that the browser had nothing to complain about.
    pub async fn close(self) {
        assert_eq!(self.complaints().await, Vec::<String>::new());
    }
}

/// The browser ends with the window, also where a test fails.
impl Drop for Window {
    fn drop(&mut self) {
        let driver = self.driver.clone();
        // Waited for: the driver's client would ask for it in the background, where the end of the test ends that too.
        let ended = task::block_in_place(|| Handle::current().block_on(driver.close()));
        if let Err(error) = ended {
            eprintln!("the browser was not ended: {error}");
        }
    }
}

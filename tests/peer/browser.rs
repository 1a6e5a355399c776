//! Somebody who administers pretix by its web pages.

use reqwest::RequestBuilder;

use crate::common::server::{Answer, ask, form};
use crate::pretix::Pretix;

pub struct Browser {
    url: String,
    /// Of somebody who is signed in.
    cookies: String,
}

impl Browser {
    pub fn sign_in(pretix: &Pretix) -> Self {
        let user = &pretix.fixture["users"]["admin"];
        let mut browser = Self {
            url: pretix.url.clone(),
            cookies: String::new(),
        };
        let page = browser.get("/control/login");
        browser.cookies = cookies(&page);
        let credentials = ["email", "password"].map(|field| (field, user[field].as_str().unwrap()));
        let welcome = browser.post("/control/login", &page, &credentials);
        browser.cookies = cookies(&welcome);
        browser
    }

    /// What a page shows.
    pub fn read(&self, path: &str) -> String {
        self.get(path).text
    }

    /// Fills a page's form in and sends it.
    pub fn submit(&self, path: &str, fields: &[(&str, &str)]) {
        self.post(path, &self.get(path), fields);
    }

    fn get(&self, path: &str) -> Answer {
        let answer = self.send(path, |client, url| client.get(url));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer
    }

    /// Sends the form of `page`. A page that does not like it is shown again, and leads nowhere else.
    fn post(&self, path: &str, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        const CSRF: &str = "csrfmiddlewaretoken";
        let token = between(&page.text, &format!(r#"name="{CSRF}" value=""#), "\"");
        let fields = [&[(CSRF, token)], fields].concat();
        let answer = self.send(path, |client, url| form(client.post(url), &fields));
        assert_eq!(answer.status, 302, "{path}: {}", answer.text);
        answer
    }

    fn send(
        &self,
        path: &str,
        request: impl FnOnce(reqwest::Client, String) -> RequestBuilder,
    ) -> Answer {
        let url = format!("{}{path}", self.url);
        ask(|client| request(client, url).header("Cookie", &self.cookies))
    }
}

/// The cookies that an answer sets, as they are sent back.
fn cookies(answer: &Answer) -> String {
    let set = answer.headers.get_all("set-cookie").iter();
    let pairs = set.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap());
    pairs.collect::<Vec<_>>().join("; ")
}

/// What stands between two texts on a page.
pub fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = page
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {page}"));
    rest.split_once(after).unwrap().0
}

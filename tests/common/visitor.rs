//! A browser at the fleet page, as far as it shows without scripts: cookies, forms, no redirect followed.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::{Method, RequestBuilder};

use super::server::{Answer, TestServer, ask, form, send};
use super::stream::Stream;

/// Someone who looks at the page of a server.
pub struct Visitor<'s> {
    server: &'s TestServer,
    /// Sent with each request.
    headers: Vec<(&'static str, String)>,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl<'s> Visitor<'s> {
    pub fn at(server: &'s TestServer) -> Self {
        Self {
            server,
            headers: vec![("Sec-Fetch-Site", "same-origin".to_owned())],
            cookies: Mutex::default(),
        }
    }

    /// With a header in place of one of the same name.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Without a header that browsers send.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self
    }

    /// Someone who is signed in as the team that may do everything.
    pub async fn signed_in(server: &'s TestServer) -> Self {
        let visitor = Self::at(server);
        let answer = visitor.sign_in(&server.admin).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        visitor
    }

    pub async fn sign_in(&self, token: &str) -> Answer {
        self.post("/sign-in", &[("token", token)]).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// Sends a form, and nothing else.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, path, Some(fields)).await
    }

    /// Sends a form of a page that this visitor has open.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf().await;
        let fields = [fields, &[("csrf", csrf.as_str())]].concat();
        self.post(path, &fields).await
    }

    /// What the forms of its pages hold.
    pub async fn csrf(&self) -> String {
        hidden(&self.get("/devices").await.text, "csrf")
    }

    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.cookies.lock().unwrap().clone()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().unwrap();
        cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Sends a form with a file, of a page that this visitor has open.
    pub async fn submit_file(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        (name, content): (&str, &[u8]),
    ) -> Answer {
        const BOUNDARY: &str = "----boundary";
        let csrf = self.csrf().await;
        let mut body = Vec::new();
        for (name, value) in fields.iter().chain(&[("csrf", csrf.as_str())]) {
            let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"");
            body.extend(format!("{head}\r\n\r\n{value}\r\n").into_bytes());
        }
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"");
        body.extend(format!("{head}; filename=\"list.csv\"\r\n\r\n").into_bytes());
        body.extend(content);
        body.extend(format!("\r\n--{BOUNDARY}--\r\n").into_bytes());
        let request = self.request(Method::POST, path);
        let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
        send(request.header("Content-Type", media_type).body(body)).await
    }

    /// Opens a stream of events, where the one with this number was the last.
    pub async fn follow(&self, path: &str, last_event_id: Option<&str>) -> Stream {
        let mut request = self.request(Method::GET, path);
        if let Some(id) = last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        Stream::new(request.send().await.unwrap())
    }

    /// A request with all that its browser sends.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.server.request(method, path);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let cookies = self.cookies();
        if !cookies.is_empty() {
            let cookies = cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            request = request.header("Cookie", cookies.collect::<Vec<_>>().join("; "));
        }
        request
    }

    async fn send(&self, method: Method, path: &str, fields: Option<&[(&str, &str)]>) -> Answer {
        let mut request = self.request(method, path);
        if let Some(fields) = fields {
            request = form(request, fields);
        }
        let answer = send(request).await;
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().unwrap();
            let (pair, rest) = set.split_once(';').unwrap_or((set, ""));
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            match rest.contains("Max-Age=0") {
                true => drop(cookies.remove(name)),
                false => drop(cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        answer
    }
}

/// The value of the first hidden field of this name.
pub fn hidden(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let (_, rest) = page
        .split_once(&mark)
        .unwrap_or_else(|| panic!("a field {name} in {page}"));
    let (value, _) = rest.split_once('"').unwrap();
    value.to_owned()
}

/// Signs in by a link, for a test that has no runtime of its own; the cookie.
pub fn sign_in_by(link: &str) -> String {
    let answer = ask(|client| client.post(link));
    assert_eq!(answer.status, 303, "{}", answer.text);
    let (cookie, _) = answer.header("set-cookie").split_once(';').unwrap();
    cookie.to_owned()
}

/// Whether the page of a server shows devices to who has this cookie.
pub fn is_signed_in(server: &str, cookie: &str) -> bool {
    let url = format!("{server}/devices");
    match ask(|client| client.get(url).header("Cookie", cookie)).status {
        200 => true,
        303 => false,
        status => panic!("{status}"),
    }
}

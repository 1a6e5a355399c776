//! `gatehand request`: an authenticated call.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level;
use tokio::signal::unix::{SignalKind, signal};

use super::connection_arguments::ConnectionArguments;
use super::error::CliError;
use super::runtime;
use super::{device, input, output, progress};
use crate::agent::{AgentError, ApiRequest, ApiResponse};
use crate::secret::Secret;
use crate::shown;

/// Longest body that is read, in bytes.
const BODY_LIMIT: u64 = 32 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  gatehand request GET /api/v1/device/info
  gatehand request GET /api/v1/organizers/bigevents/events/   (at a pretix)
  gatehand request GET /api/v1/device/info --header 'Accept-Language: de'
  gatehand request POST /api/v1/organizers/bigevents/checkinrpc/redeem/ \\
      --idempotency-key cf83e1357eefb8bdf154 --body redeem.json
  make-body | gatehand request POST \\
      /api/v1/organizers/bigevents/checkinrpc/redeem/ \\
      --idempotency-key cf83e1357eefb8bdf154 --body -

redeem.json, with a nonce, which is a new random text for each scan:
  {\"secret\": \"…the ticket's code…\", \"lists\": [3], \"nonce\": \"4b0cUYtPzQmA8hWn\"}

The path is one below the server's address; a list's next address is taken too. What the server
answers is printed as it is, and a web page in its place is told on standard error; an answer of 400 and above ends with exit code 19. A call whose answer was
lost is repeated with the idempotency key that the error names, and the same body: a new key would make
it another call, and a new nonce another scan.";

/// Make an authenticated call to the server's API; the key is added here.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Request {
    /// GET, HEAD, OPTIONS, POST, PUT, PATCH or DELETE.
    method: String,
    /// The path, as in /api/v1/device/info.
    path: String,
    /// Send this file (- for standard input).
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// What the body is.
    #[arg(long, value_name = "TYPE", default_value = "application/json")]
    content_type: String,
    /// Send this header too; may be given several times.
    #[arg(long, short = 'H', value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(String, String)>,
    /// Under this key the server repeats its answer; without it one is made, which is named if the
    /// answer is lost.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Send it again only if it surely never arrived. Without it a call is repeated as long as that
    /// can help, which changes something twice at a server that knows no idempotency keys.
    #[arg(long)]
    once: bool,
    /// Print status and headers too.
    #[arg(long, short, conflicts_with = "json")]
    include: bool,
    /// Print status, headers and body as JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
}

#[derive(Serialize)]
struct AnswerDocument<'a> {
    status: u16,
    /// Names and values, in their order.
    headers: &'a [(String, String)],
    /// The body as it came if it is JSON, else as text.
    body: Body<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Json(&'a RawValue),
    Text(&'a str),
}

impl Request {
    pub(super) fn run(self) -> Result<(), CliError> {
        let body = match &self.body {
            Some(path) => input::read_file(path, BODY_LIMIT)?.to_vec(),
            None => Vec::new(),
        };
        let agent = device::agent(&self.connection)?;
        let mut request = ApiRequest {
            method: self.method.clone(),
            path: self.path.clone(),
            body,
            content_type: Some(self.content_type.clone()),
            headers: self.header.clone(),
            idempotency_key: self.idempotency_key.clone().map(Secret::new),
            once: self.once,
            time_limit: None,
            read_timeout: None,
        };
        // Made here, to be able to name it.
        let key = match request.may_change_something() {
            true => Some(match &request.idempotency_key {
                Some(key) => key.clone(),
                None => ApiRequest::new_idempotency_key()?,
            }),
            false => None,
        };
        request.idempotency_key.clone_from(&key);
        let what = format!("asking {}", device::server_name(&agent));
        let ask = progress::shown(&what, agent.request(request));
        let response = runtime::for_calls()?
            .block_on(telling_of_its_key(ask, key.as_ref()))
            .map_err(|error| lost(error, key.as_ref()))?;
        if self.json {
            print_json(&response)?;
        } else {
            self.print(&response)?;
        }
        if (300..400).contains(&response.status)
            && let Some((_, to)) = response.headers.iter().find(|(name, _)| name == "location")
        {
            output::say(&format!(
                "The server redirects to {to}, which is not followed. If that is a login page, log in to this network first, in a browser."
            ));
        }
        if (200..300).contains(&response.status) && self.path.contains("api/") && is_page(&response)
        {
            output::say(
                "The answer is a web page and no JSON, as a network's login page: if it is not what you asked for, log in to this network first, in a browser.",
            );
        }
        if response.status >= 400 {
            return Err(CliError::Status {
                status: response.status,
                idempotency_key: key
                    .filter(|_| is_of_no_use(response.status))
                    .map(|key| key.expose().to_owned()),
            });
        }
        Ok(())
    }

    /// As it came: what is asked for by hand is mostly read by another program.
    fn print(&self, response: &ApiResponse) -> Result<(), CliError> {
        let mut out = std::io::stdout().lock();
        if self.include {
            writeln!(out, "{}", response.status)?;
            for (name, value) in &response.headers {
                writeln!(out, "{name}: {}", output::printable(value))?;
            }
            writeln!(out)?;
        }
        if std::io::IsTerminal::is_terminal(&out) {
            let text = String::from_utf8_lossy(&response.body);
            drop(out);
            return output::print_text(&text);
        }
        out.write_all(&response.body)?;
        Ok(out.flush()?)
    }
}

/// Does the work of a call. A signal that ends it ends the process, after its idempotency key is told.
async fn telling_of_its_key<T>(work: impl Future<Output = T>, key: Option<&Secret>) -> T {
    let Some(key) = key else {
        return work.await;
    };
    let (Ok(mut hangup), Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::hangup()),
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return work.await;
    };
    let by = tokio::select! {
        done = work => return done,
        _ = hangup.recv() => SIGHUP,
        _ = interrupt.recv() => SIGINT,
        _ = terminate.recv() => SIGTERM,
    };
    tracing::warn!(
        "ended by a signal; the call may have been done: to hear what became of it, repeat it with the same body and --idempotency-key {}",
        shown::line(key.expose())
    );
    // It does not come back.
    let _ = low_level::emulate_default_handler(by);
    low_level::exit(128 + by)
}

/// Whether an answer says that it is a web page.
fn is_page(response: &ApiResponse) -> bool {
    let mut headers = response.headers.iter();
    let content = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    content.is_some_and(|(_, kind)| kind.trim().to_lowercase().starts_with("text/html"))
}

/// Whether an answer leaves open what became of the call: the server, or a gateway before it, failed, or
/// is still at the first try.
fn is_of_no_use(status: u16) -> bool {
    status == 409 || status >= 500
}

/// The error of a call that may have been done, with the key under which the server repeats its answer.
fn lost(error: AgentError, key: Option<&Secret>) -> CliError {
    match (error, key) {
        (error @ AgentError::Unanswered { pending: true, .. }, Some(key)) => CliError::Lost {
            source: Box::new(error),
            idempotency_key: key.expose().to_owned(),
        },
        (error, _) => error.into(),
    }
}

/// A header as curl takes it.
fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text
        .split_once(':')
        .ok_or("write it as in 'Accept-Language: de'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn print_json(response: &ApiResponse) -> Result<(), CliError> {
    let text = String::from_utf8_lossy(&response.body);
    // Numbers are not to lose digits on the way.
    let body = match serde_json::from_str(&text) {
        Ok(json) => Body::Json(json),
        Err(_) => Body::Text(&text),
    };
    output::print_json(&AnswerDocument {
        status: response.status,
        headers: &response.headers,
        body,
    })
}

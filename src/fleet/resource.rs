//! The calls of the devices resource: those that every compatible server answers, and those that only some do.

use std::collections::HashSet;

use jiff::Timestamp;
use reqwest::header::{ACCEPT_LANGUAGE, AUTHORIZATION, ETAG, HeaderValue, IF_MATCH};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::change::Change;
use super::device::FleetDevice;
use super::error::FleetError;
use super::filter::Filter;
use super::offered::Offer;
use crate::agent::{
    AgentError, Answer, Client, Repeat, Reply, idempotency_header, new_idempotency_key,
    read_answer, team_authorization,
};
use crate::enrolment::ServerUrl;
use crate::roster::NewDevice;
use crate::secret::Secret;
use crate::wire::{IDEMPOTENCY_HEADER, Problem, timestamp};

/// Largest answer that is read, in bytes: a page of 50 devices with all that they tell.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;
/// Devices on a page, the most that servers give.
const PAGE_SIZE: u64 = 50;
/// Letters of a device's serial.
const SERIAL: usize = 16;
/// Pages that are read at most, of 50 devices each.
const PAGES: u64 = 4000;
/// What is asked for besides the plain resource.
const EXPAND: &str = "expand=gate,last_seen,code,has_key";
/// Devices that one call makes or changes at most, at servers that take several.
pub(super) const BATCH: usize = 1000;

/// What people call the fields of which a server has words.
const FIELDS: [(&str, &str); 7] = [
    ("set", ""),
    ("filter", ""),
    ("devices", ""),
    ("non_field_errors", ""),
    ("limit_events", "events"),
    ("all_events", "events"),
    ("security_profile", "security profile"),
];

/// A team's token, and the one server that it is for.
pub(crate) struct Origin {
    pub(crate) server: ServerUrl,
    pub(crate) token: Secret,
}

/// The devices of an organizer. Its token goes to its server alone: no redirect is followed, and pages are asked for
/// by their number, wherever a list says that its next page is.
pub(crate) struct Resource {
    client: Client,
    origin: Origin,
    authorization: HeaderValue,
    organizer: String,
}

/// Something that was done to a device.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct LogEntry {
    #[serde(with = "timestamp")]
    pub(crate) created: Timestamp,
    pub(crate) action: String,
    /// What kind of caller did it.
    pub(crate) actor: String,
    /// Name of the team.
    #[serde(default)]
    pub(crate) team: Option<String>,
    /// Name of the team's token.
    #[serde(default)]
    pub(crate) token: Option<String>,
    /// What was set.
    #[serde(default)]
    pub(crate) data: Value,
}

impl Resource {
    pub(crate) fn new(
        client: Client,
        origin: Origin,
        organizer: String,
    ) -> Result<Self, FleetError> {
        let is_of_slug = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_slug = organizer.chars().all(is_of_slug)
            && organizer.contains(|c: char| c.is_ascii_alphanumeric());
        if !is_slug {
            return Err(FleetError::Organizer(organizer));
        }
        Ok(Self {
            client,
            authorization: team_authorization(&origin.token).map_err(|_| FleetError::Token)?,
            origin,
            organizer,
        })
    }

    /// The server, for a person.
    pub(crate) fn server(&self) -> &ServerUrl {
        &self.origin.server
    }

    /// The organizer, by its slug.
    pub(crate) fn organizer(&self) -> &str {
        &self.organizer
    }

    /// All devices that are meant, in the order of their numbers.
    pub(crate) async fn devices(&self, filter: &Filter) -> Result<Vec<FleetDevice>, FleetError> {
        let query = filter.query();
        let list = self.pages(&format!("?{EXPAND}&{query}")).await?;
        if let Some(search) = filter.search.as_ref().filter(|_| list.is_cut) {
            return Err(FleetError::TooMany {
                server: self.server().to_string(),
                search: search.clone(),
            });
        }
        let mut devices = list.entries;
        let mut seen = HashSet::new();
        // One that was made meanwhile may have moved another to the next page.
        devices.retain(|device: &FleetDevice| seen.insert(device.device.device_id));
        let mut meant = Vec::with_capacity(devices.len());
        for device in devices {
            if filter.takes(&device).map_err(|offer| self.lacks(offer))? {
                meant.push(device);
            }
        }
        meant.sort_by_key(|device| device.device.device_id);
        Ok(meant)
    }

    /// The devices whose name or serial this is, found by the server; `None` where it does not search.
    pub(super) async fn called(&self, word: &str) -> Result<Option<Vec<FleetDevice>>, FleetError> {
        let filter = Filter {
            search: Some(word.to_owned()),
            ..Filter::default()
        };
        // The name itself comes before all that only begin so. One that is found by its serial may stand anywhere.
        let may_be_serial = word.len() == SERIAL && word.bytes().all(|b| b.is_ascii_alphanumeric());
        let is_behind = |name: &str| {
            let begin = name.get(..word.len());
            !may_be_serial
                && name.len() > word.len()
                && begin.is_some_and(|begin| begin.eq_ignore_ascii_case(word))
        };
        let rest = format!("?{EXPAND}&{}&ordering=name", filter.query());
        let mut found: Vec<FleetDevice> = Vec::new();
        for number in 1..=PAGES {
            let page = self.page::<FleetDevice>(&rest, number).await?;
            if page.count_is_minimum.is_none() {
                return Ok(None);
            }
            let is_last = page.is_last();
            let last = page.results.last();
            let has_passed = last.is_some_and(|last| is_behind(&last.device.name));
            let meant = page.results.into_iter();
            found.extend(meant.filter(|device| device.goes_by(word)));
            if is_last || has_passed {
                return Ok(Some(found));
            }
        }
        Err(self.endless())
    }

    /// The device of this number, if there is one.
    pub(crate) async fn device(&self, number: u64) -> Result<Option<FleetDevice>, FleetError> {
        let seen = self.look_at(number).await?;
        Ok(seen.map(|seen| seen.device))
    }

    /// The same with its version.
    pub(super) async fn look_at(&self, number: u64) -> Result<Option<Seen>, FleetError> {
        let path = format!("{number}/?{EXPAND}");
        let answer = self.ask(Method::GET, &path, None, None).await?;
        let device = self.optional(&answer)?;
        let version = version(&answer);
        Ok(device.map(|device| Seen { device, version }))
    }

    /// A device that was changed, as it is now.
    pub(super) async fn again(&self, number: u64) -> Result<FleetDevice, FleetError> {
        let found = self.device(number).await;
        let found = found.map_err(|error| FleetError::NotReadBack(Box::new(error)))?;
        found.ok_or_else(|| FleetError::NoDevice(number.to_string()))
    }

    /// Makes a device.
    pub(super) async fn create(&self, new: &NewDevice) -> Result<FleetDevice, FleetError> {
        let body = Value::Object(Change::from(new).fields());
        self.read(&self.ask(Method::POST, "", Some(&body), None).await?)
    }

    /// Makes several devices, all or none; `None` where the server can't.
    pub(super) async fn create_all(
        &self,
        new: &[NewDevice],
    ) -> Result<Option<Vec<FleetDevice>>, FleetError> {
        let devices: Vec<_> = new.iter().map(|new| Change::from(new).fields()).collect();
        let body = json!({ "devices": devices });
        let answer = self.ask(Method::POST, "batch/", Some(&body), None).await?;
        if let Some(entries) = self.refused_entries(&answer, new) {
            let server = self.server().to_string();
            return Err(FleetError::Entries { server, entries });
        }
        let made: Option<Made> = self.optional(&answer)?;
        Ok(made.map(|made| made.results))
    }

    /// Sets these fields of a device, if it still has this version.
    pub(super) async fn change(
        &self,
        number: u64,
        fields: Map<String, Value>,
        version: Option<HeaderValue>,
    ) -> Result<(), FleetError> {
        let (path, body) = (format!("{number}/"), Value::Object(fields));
        let answer = self.ask(Method::PATCH, &path, Some(&body), version).await?;
        expect_version(&answer, &[number])?;
        self.read::<FleetDevice>(&answer).map(drop)
    }

    /// Sets these fields of several devices, all or none, as they are when this begins; `false` where the server can't.
    pub(super) async fn change_all(
        &self,
        numbers: &[u64],
        fields: &Map<String, Value>,
    ) -> Result<bool, FleetError> {
        let order =
            |dry_run: bool| json!({ "devices": numbers, "set": fields, "dry_run": dry_run });
        let path = "batch/";
        let plan = self
            .ask(Method::PATCH, path, Some(&order(true)), None)
            .await?;
        if self.optional::<Value>(&plan)?.is_none() {
            return Ok(false);
        }
        let answer = self
            .ask(Method::PATCH, path, Some(&order(false)), version(&plan))
            .await?;
        expect_version(&answer, &[])?;
        self.read::<Value>(&answer)?;
        Ok(true)
    }

    /// Ends the access of a device, if it still has this version; `false` where the server has no call for it.
    pub(super) async fn revoke(
        &self,
        number: u64,
        version: Option<HeaderValue>,
    ) -> Result<bool, FleetError> {
        let path = format!("{number}/revoke/");
        let answer = self
            .ask(Method::POST, &path, Some(&json!({})), version)
            .await?;
        expect_version(&answer, &[number])?;
        let done: Option<Value> = self.optional(&answer)?;
        Ok(done.is_some())
    }

    /// Gives a device a new code, if it still has this version; at once, or once that is used. `None` where the server
    /// can't.
    pub(super) async fn reconnect(
        &self,
        number: u64,
        now: bool,
        version: Option<HeaderValue>,
    ) -> Result<Option<FleetDevice>, FleetError> {
        let (path, body) = (format!("{number}/reconnect/"), json!({ "now": now }));
        let answer = self.ask(Method::POST, &path, Some(&body), version).await?;
        expect_version(&answer, &[number])?;
        self.optional(&answer)
    }

    /// What was done to a device, the first thing first.
    pub(crate) async fn log(&self, number: u64) -> Result<Vec<LogEntry>, FleetError> {
        let path = format!("{number}/log/");
        let first = self.ask(Method::GET, &path, None, None).await?;
        if self.optional::<Value>(&first)?.is_none() {
            return Err(self.lacks(Offer::Log));
        }
        Ok(self.pages(&format!("{path}?")).await?.entries)
    }

    /// That the server lacks something.
    pub(super) fn lacks(&self, offer: Offer) -> FleetError {
        FleetError::NotOffered {
            server: self.server().to_string(),
            offer,
        }
    }

    /// That the server left something as it was.
    pub(super) fn ignored(&self, what: &'static str) -> FleetError {
        FleetError::Ignored {
            server: self.server().to_string(),
            what,
        }
    }

    fn endless(&self) -> FleetError {
        FleetError::Endless {
            server: self.server().to_string(),
        }
    }

    /// All entries of a list, whose address up to the number of its page this is.
    async fn pages<T: DeserializeOwned>(&self, rest: &str) -> Result<List<T>, FleetError> {
        let mut entries = Vec::new();
        for number in 1..=PAGES {
            let page = self.page(rest, number).await?;
            let is_last = page.is_last();
            entries.extend(page.results);
            if is_last {
                return Ok(List {
                    entries,
                    is_cut: page.count_is_minimum == Some(true),
                });
            }
        }
        Err(self.endless())
    }

    async fn page<T: DeserializeOwned>(
        &self,
        rest: &str,
        number: u64,
    ) -> Result<Page<T>, FleetError> {
        let rest = format!("{rest}&page_size={PAGE_SIZE}&page={number}");
        let answer = self.ask(Method::GET, &rest, None, None).await?;
        self.read(&answer)
    }

    /// The devices that were not taken, in words, and what the server says of each.
    fn refused_entries(
        &self,
        answer: &Answer,
        new: &[NewDevice],
    ) -> Option<Vec<(String, Problem)>> {
        if answer.status != StatusCode::BAD_REQUEST {
            return None;
        }
        let refused: RefusedEntries = serde_json::from_slice(&answer.body).ok()?;
        let entries = refused.devices.iter().zip(new);
        let entries = entries.filter_map(|(entry, new)| {
            let problem = Problem::read(entry)?.without(&[self.origin.token.expose()]);
            let problem = problem.in_words_of(&FIELDS);
            Some((new.in_words(), problem))
        });
        let entries: Vec<_> = entries.collect();
        (!entries.is_empty()).then_some(entries)
    }

    /// An answer with what was asked for.
    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, FleetError> {
        let server = || self.server().to_string();
        let read = read_answer(answer, &[&self.origin.token]);
        Err(match read {
            Ok(Reply::Done(done)) => return Ok(done),
            Ok(Reply::Refused(status, problem)) => AgentError::Refused {
                problem: problem.in_words_of(&FIELDS),
                operation: None,
                pending: false,
                server: server(),
                status,
                about_token: false,
            },
            Err(source) => AgentError::Foreign {
                operation: None,
                server: server(),
                proxy: None,
                source,
            },
        }
        .into())
    }

    /// The same where there may be nothing at this address, or nothing that takes this method.
    fn optional<T: DeserializeOwned>(&self, answer: &Answer) -> Result<Option<T>, FleetError> {
        match answer.status {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok(None),
            _ => self.read(answer).map(Some),
        }
    }

    /// A call below the devices of the organizer. One that changes something has a key, under which the server repeats
    /// its answer, so that what was lost on the way is not done twice.
    async fn ask(
        &self,
        method: Method,
        rest: &str,
        body: Option<&Value>,
        version: Option<HeaderValue>,
    ) -> Result<Answer, FleetError> {
        let path = format!("api/v1/organizers/{}/devices/{rest}", self.organizer);
        let is_reading = method == Method::GET;
        let mut request = self
            .client
            .request(method, self.server().endpoint(&path))
            .header(ACCEPT_LANGUAGE, "en")
            .header(AUTHORIZATION, self.authorization.clone());
        if !is_reading {
            let key = new_idempotency_key().map_err(AgentError::Random)?;
            let key = idempotency_header(&key).map_err(|_| FleetError::Token)?;
            request = request.header(IDEMPOTENCY_HEADER, key);
        }
        if let Some(version) = version {
            request = request.header(IF_MATCH, version);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let ended = self.client.send(request, ANSWER_LIMIT, Repeat::Safe).await;
        let unanswered = |source| AgentError::Unanswered {
            operation: None,
            server: self.server().to_string(),
            pending: false,
            source,
        };
        Ok(ended.result.map_err(unanswered)?)
    }
}

/// A device as it is now, and what tells that from what it may become, where the server has that.
pub(super) struct Seen {
    pub(super) device: FleetDevice,
    pub(super) version: Option<HeaderValue>,
}

/// A page of a list.
#[derive(Deserialize)]
struct Page<T> {
    next: Option<String>,
    results: Vec<T>,
    /// Told by a server that has looked for what was asked for alone: whether there is more than it has counted.
    count_is_minimum: Option<bool>,
}

impl<T> Page<T> {
    fn is_last(&self) -> bool {
        self.next.is_none() || self.results.is_empty()
    }
}

/// All pages together.
struct List<T> {
    entries: Vec<T>,
    /// Whether the server counted no further.
    is_cut: bool,
}

/// What tells what was answered from what it may become. What compresses an answer on its way calls its tag weak,
/// which no server takes.
fn version(answer: &Answer) -> Option<HeaderValue> {
    let tag = answer.headers.get(ETAG)?;
    let strong = tag.as_bytes().strip_prefix(b"W/");
    HeaderValue::from_bytes(strong.unwrap_or(tag.as_bytes())).ok()
}

/// Refuses the answer that devices have another version now; their numbers are told where they are known.
fn expect_version(answer: &Answer, numbers: &[u64]) -> Result<(), FleetError> {
    match answer.status == StatusCode::PRECONDITION_FAILED {
        true => Err(FleetError::Overtaken {
            numbers: numbers.to_vec(),
        }),
        false => Ok(()),
    }
}

/// Devices that were made together.
#[derive(Deserialize)]
struct Made {
    results: Vec<FleetDevice>,
}

/// What is wrong with each of several devices, nothing for most.
#[derive(Deserialize)]
struct RefusedEntries {
    devices: Vec<Value>,
}

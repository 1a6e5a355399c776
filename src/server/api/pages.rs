//! Pages of a list, and the links between them.

use url::form_urlencoded;

use super::parameters::Parameter;
use super::problem::Problem;
use super::python;
use super::request::Request;
use super::state::Api;
use crate::server::reception;

/// Entries on a page, unless fewer are asked for.
const PAGE_SIZE: u64 = 50;

/// What asks for a page.
pub(super) static PARAMETERS: [Parameter; 2] = [
    Parameter::number(
        "page",
        "Number of the page; `last` for the last one of a counted list.",
    ),
    Parameter::number("page_size", "Entries on a page, at most 50."),
];

/// Which page of a list is asked for.
pub(super) struct Wanted {
    page: Option<String>,
    pub(super) size: u64,
}

/// How many entries a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Exactly(u64),
    /// More were not counted.
    AtLeast(u64),
}

/// A page that there is.
pub(super) struct Found {
    number: u64,
    has_next: bool,
    /// Entries before it.
    pub(super) skip: u64,
}

impl Wanted {
    /// Reads `page` and `page_size`. A size that is none is the usual one.
    pub(super) fn read(request: &Request) -> Self {
        let size = request.query("page_size");
        let size = size.and_then(|size| python::integer(&size));
        let size = size.and_then(|size| u64::try_from(size).ok());
        Self {
            page: request.query("page").filter(|page| !page.is_empty()),
            size: size
                .filter(|size| *size > 0)
                .map_or(PAGE_SIZE, |size| size.min(PAGE_SIZE)),
        }
    }

    /// The page in a list of this length. In one that was not counted to its end, whether a page is there
    /// shows when it is read, and which is the last is not known.
    pub(super) fn find(&self, length: Length) -> Result<Found, Problem> {
        let last = match length {
            Length::Exactly(count) => Some(count.div_ceil(self.size).max(1)),
            Length::AtLeast(_) => None,
        };
        let number = match self.page.as_deref() {
            None => Some(1),
            Some("last") => last,
            Some(page) => python::integer(page).and_then(|number| u64::try_from(number).ok()),
        };
        match number {
            Some(number) if (1..=last.unwrap_or(u64::MAX)).contains(&number) => Ok(Found {
                number,
                has_next: last.is_some_and(|last| number < last),
                skip: (number - 1).saturating_mul(self.size),
            }),
            _ => Err(NO_PAGE),
        }
    }
}

const NO_PAGE: Problem = Problem::NotFound("Invalid page.");

impl Found {
    /// So many entries came of a page of this size and the first of the next one.
    pub(super) fn has_read(&mut self, entries: u64, size: u64) -> Result<(), Problem> {
        self.has_next = entries > size;
        match entries {
            0 if self.number > 1 => Err(NO_PAGE),
            _ => Ok(()),
        }
    }

    /// The address of the page after this.
    pub(super) fn next(&self, api: &Api, request: &Request) -> Option<String> {
        self.has_next.then(|| link(api, request, self.number + 1))
    }

    /// The address of the page before this.
    pub(super) fn previous(&self, api: &Api, request: &Request) -> Option<String> {
        (self.number > 1).then(|| link(api, request, self.number - 1))
    }
}

/// The address of a page: the parameters by name, without the number of the first page.
fn link(api: &Api, request: &Request, page: u64) -> String {
    let query = form_urlencoded::parse(request.query_string().as_bytes()).into_owned();
    let mut query: Vec<(String, String)> = query.filter(|(name, _)| name != "page").collect();
    if page > 1 {
        query.push(("page".to_owned(), page.to_string()));
    }
    // Values of one name keep their order.
    query.sort_by(|(one, _), (other, _)| one.cmp(other));
    let base = reception::base(
        api.public_url.as_ref(),
        request.uri(),
        request.headers(),
        &request.client,
    );
    let mut link = format!("{base}{}", request.path());
    if !query.is_empty() {
        let encoded = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        link.push('?');
        link.push_str(&encoded.replace('*', "%2A").replace("%7E", "~"));
    }
    link
}

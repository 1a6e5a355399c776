//! Pages of a list, and the links between them.

use url::form_urlencoded;

use super::hosts;
use super::problem::Problem;
use super::python;
use super::request::Request;
use super::state::Api;

/// Entries on a page, unless fewer are asked for.
const PAGE_SIZE: u64 = 50;

/// Which page of a list is asked for.
pub(super) struct Wanted {
    page: Option<String>,
    pub(super) size: u64,
}

/// A page that there is.
pub(super) struct Found {
    number: u64,
    last: u64,
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

    /// The page in a list of `count` entries.
    pub(super) fn find(&self, count: u64) -> Result<Found, Problem> {
        let last = count.div_ceil(self.size).max(1);
        let number = match self.page.as_deref() {
            None => Some(1),
            Some("last") => Some(last),
            Some(page) => python::integer(page).and_then(|number| u64::try_from(number).ok()),
        };
        match number {
            Some(number) if (1..=last).contains(&number) => Ok(Found {
                number,
                last,
                skip: (number - 1) * self.size,
            }),
            _ => Err(Problem::NotFound("Invalid page.")),
        }
    }
}

impl Found {
    /// The address of the page after this.
    pub(super) fn next(&self, api: &Api, request: &Request) -> Option<String> {
        (self.number < self.last).then(|| link(api, request, self.number + 1))
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
    let mut link = format!("{}{}", base(api, request), request.path());
    if !query.is_empty() {
        let encoded = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        link.push('?');
        link.push_str(&encoded.replace('*', "%2A").replace("%7E", "~"));
    }
    link
}

/// The address under which callers reach this server: as it was configured, else as they wrote it, which was
/// let in as one of ours.
fn base(api: &Api, request: &Request) -> String {
    if let Some(url) = &api.public_url {
        return url.to_string();
    }
    let (headers, client) = (request.headers(), &request.client);
    match hosts::named(request.uri(), headers, client) {
        Ok(Some(host)) => format!("{}://{host}", client.scheme(headers)),
        _ => String::new(),
    }
}

//! The table of devices.

use askama::Template;
use axum::response::Response;
use jiff::Timestamp;

use super::choice::{self, Choice};
use super::choice_names::ChoiceNames;
use super::fault::Fault;
use super::frame::Frame;
use super::html;
use super::row::Row;
use super::texts;
use super::view::{ANY_STATE, NO_GATE, PAGE_SIZE, View};
use super::visit::Visit;
use crate::server::model::{Count, OrderBy};
use crate::server::store::Choices;

/// The table with what it is looked through by.
#[derive(Template)]
#[template(path = "devices.html")]
struct Devices<'v> {
    frame: &'v Frame,
    view: &'v View,
    filters: Filters,
    rows: &'v [Row],
    found: &'v str,
    /// The queries of the pages beside.
    previous: Option<String>,
    next: Option<String>,
    /// How many were changed just now.
    changed: Option<String>,
}

/// What of it changes by itself.
#[derive(Template)]
#[template(path = "device_rows.html")]
struct Rows<'v> {
    frame: &'v Frame,
    view: &'v View,
    rows: &'v [Row],
}

/// What can be chosen from.
struct Filters {
    states: Vec<Choice>,
    gates: Vec<Choice>,
    events: Vec<Choice>,
    software: Vec<Choice>,
}

/// States, with the names of their texts.
const STATES: [(&str, &str); 5] = [
    ("active", "filter:active"),
    ("waiting", "filter:waiting"),
    ("silent", "filter:silent"),
    ("revoked", "filter:revoked"),
    (ANY_STATE, "filter:any_state"),
];

/// `GET /devices`.
pub(super) async fn show(visit: Visit) -> Result<Response, Fault> {
    let (organizer, now) = (visit.organizer()?, Timestamp::now());
    let view = View::read(&visit)?;
    let (store, frame) = (&visit.state.store, &visit.frame);
    // One more tells whether there is another page.
    let found = store.filtered_devices(
        organizer,
        &view.filter,
        view.order,
        view.skip(),
        PAGE_SIZE + 1,
    );
    let mut found = found.await?;
    let has_next = found.len() as u64 > PAGE_SIZE;
    found.truncate(PAGE_SIZE as usize);
    let choices = store.choices(organizer).await?;
    let names = ChoiceNames::of(frame, &choices);
    let rows = found.iter();
    let rows = rows.map(|device| Row::of(frame, &names, device, now));
    let rows: Vec<Row> = rows.collect();
    if frame.is_part {
        return Ok(html::ok(&Rows {
            frame,
            view: &view,
            rows: &rows,
        })?);
    }
    let count = match view.page {
        // All there are stand here.
        1 if !has_next => Count {
            count: rows.len() as u64,
            is_minimum: false,
        },
        _ => {
            let counted = store.count_filtered(organizer, &view.filter, view.order.by);
            counted.await?
        }
    };
    Ok(html::ok(&Devices {
        frame,
        view: &view,
        filters: filters(frame, &choices, &view),
        rows: &rows,
        found: &told(frame, &view, rows.len() as u64, count),
        previous: (view.page > 1).then(|| view.query_of_page(view.page - 1)),
        next: has_next.then(|| view.query_of_page(view.page.saturating_add(1))),
        changed: visit
            .query("changed")
            .and_then(|count| count.parse().ok())
            .map(|count| texts::count(frame.language, "many:one_done", "many:many_done", count)),
    })?)
}

fn filters(frame: &Frame, choices: &Choices, view: &View) -> Filters {
    let states = STATES
        .into_iter()
        .map(|(value, text)| Choice::new(value, frame.say(text), view.value("state") == value));
    let mut gates = vec![Choice::new(
        NO_GATE,
        frame.say("filter:no_gate"),
        view.value("gate") == NO_GATE,
    )];
    let gate = Some(view.value("gate")).filter(|gate| *gate != NO_GATE);
    gates.extend(choice::gates(choices, gate));
    Filters {
        states: states.collect(),
        gates,
        events: choice::events(
            choices,
            frame.language.code(),
            &[view.value("event").to_owned()],
        ),
        software: choice::software(choices, Some(view.value("software_brand"))),
    }
}

/// Which of how many devices are shown.
fn told(frame: &Frame, view: &View, shown: u64, count: Count) -> String {
    let language = frame.language;
    let all = match count.is_minimum {
        true => frame.fill(
            "devices:more_than",
            "count",
            texts::number(language, count.count),
        ),
        false => texts::count(language, "devices:one", "devices:many", count.count),
    };
    match shown < count.count && shown > 0 {
        false => all,
        true => {
            let range = format!(
                "{}–{}",
                texts::number(language, view.skip() + 1),
                texts::number(language, view.skip() + shown)
            );
            frame
                .fill("devices:range", "range", range)
                .replace("{all}", &all)
        }
    }
}

impl Devices<'_> {
    /// Whether devices that never made a call are left out.
    fn leaves_out_unseen(&self) -> bool {
        self.view.order.by == OrderBy::LastSeen
    }

    /// How a column is ordered, for who can't see it.
    fn sorted(&self, column: &str) -> &'static str {
        match self.view.is_ordered(column) {
            Some(false) => "ascending",
            Some(true) => "descending",
            None => "none",
        }
    }
}

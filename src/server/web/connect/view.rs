//! The page with a device's code, which turns as soon as a scanner has redeemed it.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;

use crate::enrolment::ServerUrl;
use crate::server::web::code::Code;
use crate::server::web::device_numbers::DeviceNumbers;
use crate::server::web::fault::Fault;
use crate::server::web::feed::{self, DeviceEvent, View};
use crate::server::web::frame::Frame;
use crate::server::web::handover::{self, Handover};
use crate::server::web::html;
use crate::server::web::state::State;
use crate::server::web::texts::named;
use crate::server::web::unshown::Unshown;
use crate::server::web::visit::Visit;

/// A device on its page.
struct Shown {
    number: u64,
    name: String,
    handover: Handed,
}

/// What is shown of a device's way to a scanner.
enum Handed {
    /// Its code.
    Open(Code),
    /// What it is now.
    Connected(String),
    Revoked,
    /// Another code took the place of the one that was shown.
    Replaced,
    Ended,
}

/// The page.
#[derive(Template)]
#[template(path = "connect.html")]
struct Page<'f> {
    frame: &'f Frame,
    shown: Shown,
}

/// What turns.
#[derive(Template)]
#[template(path = "handover_part.html")]
struct Turned<'f> {
    frame: &'f Frame,
    shown: Shown,
}

/// The device that one page follows.
struct Followed {
    state: Arc<State>,
    frame: Frame,
    server: ServerUrl,
    organizer: i64,
    number: u64,
    /// What the page shows already, as far as that is known.
    shown: Option<String>,
}

/// `GET /devices/{number}/connect`.
pub(in crate::server::web) async fn show(visit: Visit) -> Result<Response, Fault> {
    let followed = Followed::of(&visit)?;
    let page = Page {
        frame: &visit.frame,
        shown: followed.now().await?.ok_or(Fault::NotFound)?,
    };
    Ok(html::with_secret(&page)?)
}

/// `GET /devices/{number}/connect/stream`.
pub(in crate::server::web) async fn follow(visit: Visit) -> Result<Response, Fault> {
    let followed = Followed::of(&visit)?;
    if followed.now().await?.is_none() {
        return Err(Fault::NotFound);
    }
    Ok(feed::stream(visit.watch()?, followed))
}

impl Followed {
    fn of(visit: &Visit) -> Result<Self, Fault> {
        Ok(Self {
            state: Arc::clone(&visit.state),
            frame: visit.frame.clone(),
            server: visit.server_url()?,
            organizer: visit.organizer()?,
            number: visit.param(0).parse().map_err(|_| Fault::NotFound)?,
            shown: visit.shown(),
        })
    }

    /// How the device is now, if there is one.
    async fn now(&self) -> Result<Option<Shown>, Unshown> {
        let numbers = DeviceNumbers::from_iter([self.number]);
        let found = handover::find(&*self.state.store, self.organizer, &numbers).await?;
        let Some((device, handover)) = found.into_iter().next() else {
            return Ok(None);
        };
        let handover = match handover {
            Handover::Waiting => match &device.device.initialization_token {
                Some(token) => Handed::Open(Code::new(&self.server, token, &self.state.keys)?),
                None => Handed::Ended,
            },
            Handover::Connected(machine) => Handed::Connected(named(&machine.in_words())),
            Handover::Revoked => Handed::Revoked,
            Handover::Void => Handed::Ended,
        };
        Ok(Some(Shown {
            number: self.number,
            name: device.device.name,
            handover,
        }))
    }

    /// The part of the page that shows this, which it shows from now on.
    fn part(&mut self, shown: Shown) -> Result<String, Unshown> {
        self.shown = Some(shown.mark());
        let turned = Turned {
            frame: &self.frame,
            shown,
        };
        Ok(turned.render()?)
    }
}

impl View for Followed {
    type Error = Unshown;

    async fn afresh(&mut self) -> Result<Option<String>, Unshown> {
        let Some(now) = self.now().await? else {
            return Ok(None);
        };
        match self.shown.as_ref() == Some(&now.mark()) {
            true => Ok(None),
            false => self.part(now).map(Some),
        }
    }

    /// Reads the device anew: what is told of it may be older than the page, as that its code was made.
    async fn turned(&mut self, event: &DeviceEvent) -> Result<Option<String>, Unshown> {
        let is_of_ours = (event.organizer, event.device_id) == (self.organizer, self.number);
        if !is_of_ours || Handover::after(event).is_none() {
            return Ok(None);
        }
        let Some(mut now) = self.now().await? else {
            return Ok(None);
        };
        if self.shown.as_ref() == Some(&now.mark()) {
            return Ok(None);
        }
        if let Handed::Open(_) = now.handover {
            now.handover = Handed::Replaced;
        }
        self.part(now).map(Some)
    }
}

impl Shown {
    fn named(&self) -> String {
        named(&self.name)
    }

    fn path(&self) -> String {
        path(self.number)
    }

    fn stream_path(&self) -> String {
        format!("{}/stream?shown={}", self.path(), self.mark())
    }

    /// Tells what is shown from what is shown later. That of a code follows from the server's own secret, too.
    fn mark(&self) -> String {
        match &self.handover {
            Handed::Open(code) => code.mark.clone(),
            Handed::Connected(_) => "connected".to_owned(),
            Handed::Revoked => "revoked".to_owned(),
            Handed::Replaced => "replaced".to_owned(),
            Handed::Ended => "ended".to_owned(),
        }
    }

    fn device_path(&self) -> String {
        format!("/devices/{}", self.number)
    }

    /// Whether it can have another code.
    fn may_renew(&self) -> bool {
        !matches!(self.handover, Handed::Revoked)
    }
}

fn path(number: u64) -> String {
    format!("/devices/{number}/connect")
}

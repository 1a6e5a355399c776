//! `gatehand fleet move` and `gatehand fleet edit`.

use clap::{ArgGroup, Args};

use super::chosen::Chosen;
use super::told;
use crate::cli::error::CliError;
use crate::cli::name::text;
use crate::cli::progress;
use crate::fleet::{Change, FleetDevice, Outcome, Resource, edit, expect_free_name};
use crate::roster::Events;
use crate::wire::SECURITY_PROFILES;

/// Put devices at a gate.
#[derive(Args)]
#[command(
    group(ArgGroup::new("where").required(true)),
    after_help = "Examples:\n  gatehand fleet move 7 8 'Lane 09' --gate north\n  gatehand fleet move 7 --no-gate\n  gatehand fleet move --all-matching gate=south --gate north"
)]
pub(super) struct Move {
    #[command(flatten)]
    chosen: Chosen,
    /// The gate's identifier.
    #[arg(long, value_name = "IDENTIFIER", group = "where")]
    gate: Option<String>,
    /// To no gate.
    #[arg(long, group = "where")]
    no_gate: bool,
}

/// Change devices: their name, their events, their security profile.
#[derive(Args)]
#[command(
    group(ArgGroup::new("what").required(true).multiple(true)),
    group(ArgGroup::new("access")),
    after_help = "Examples:\n  gatehand fleet edit 7 --name 'Lane 7, left'\n  gatehand fleet edit 7 8 --event museum --event fair\n  gatehand fleet edit --all-matching initialized=no \\\n      --security-profile pretixscan"
)]
pub(super) struct Edit {
    #[command(flatten)]
    chosen: Chosen,
    /// How people are to call it; of one device. A name that another device has is taken with --yes only.
    #[arg(long, value_parser = text, group = "what", conflicts_with = "all_matching")]
    name: Option<String>,
    /// Give access to all events.
    #[arg(long, groups = ["what", "access"])]
    all_events: bool,
    /// Give access to this event only; may be repeated.
    #[arg(long = "event", value_name = "SLUG", groups = ["what", "access"])]
    events: Vec<String>,
    /// Which part of the API they may use.
    #[arg(long, value_parser = SECURITY_PROFILES, group = "what")]
    security_profile: Option<String>,
}

impl Move {
    pub(super) async fn run(self, resource: &Resource, json: bool) -> Result<(), CliError> {
        let change = Change {
            gate: Some(self.gate.clone()),
            ..Change::default()
        };
        let verb = match &self.gate {
            Some(gate) => format!("Move to the gate {gate}"),
            None => "Move to no gate".to_owned(),
        };
        let devices = asked_for(resource, &self.chosen).await?;
        apply(resource, &self.chosen, devices, &verb, &change, json).await
    }
}

impl Edit {
    pub(super) async fn run(self, resource: &Resource, json: bool) -> Result<(), CliError> {
        if self.name.is_some() && !self.chosen.is_one() {
            return Err(CliError::OneName);
        }
        let devices = asked_for(resource, &self.chosen).await?;
        if let Some(name) = self.name.as_deref().filter(|_| !self.chosen.is_sure()) {
            expect_free_name(resource, name, &devices).await?;
        }
        let events = match self.events.is_empty() {
            true => self.all_events.then_some(Events::All),
            false => Some(Events::Only(self.events)),
        };
        let change = Change {
            name: self.name,
            events,
            security_profile: self.security_profile,
            gate: None,
        };
        apply(resource, &self.chosen, devices, "Change", &change, json).await
    }
}

async fn asked_for(resource: &Resource, chosen: &Chosen) -> Result<Vec<FleetDevice>, CliError> {
    let what = format!("asking {}", resource.server());
    progress::shown(&what, chosen.devices(resource)).await
}

async fn apply(
    resource: &Resource,
    chosen: &Chosen,
    devices: Vec<FleetDevice>,
    verb: &str,
    change: &Change,
    json: bool,
) -> Result<(), CliError> {
    let would = |device: &FleetDevice| change.differs(device).is_some();
    let tell = |outcomes: &[Outcome]| told::outcomes(outcomes, json);
    if !chosen.confirm(verb, &devices, would, false, tell)? {
        return Ok(());
    }
    let what = format!("telling {}", resource.server());
    let outcomes = progress::shown(&what, edit(resource, devices, change)).await?;
    told::ended(outcomes, json)
}

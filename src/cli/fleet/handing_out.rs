//! Devices' codes: as pictures, on a sheet to print, or on the terminal.

use std::fs::DirBuilder;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{columns, told};
use crate::causes;
use crate::cli::code_file::{self, CodeFile};
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::program_name::ProgramName;
use crate::cli::table::{self, whole, words};
use crate::enrolment::draw::QrCode;
use crate::enrolment::{Enrolment, ServerUrl};
use crate::fleet::{Effect, FleetDevice, Outcome, Resource, Standing};
use crate::private_file::PRIVATE_FOLDER;
use crate::secret::{self, Secret};
use crate::server::PublicUrl;
use crate::sheet::{Label, Paper, Sheet};

/// Flattened into commands that have codes to hand out.
#[derive(Args)]
pub(super) struct HandingOut {
    /// The server's address as scanners reach it, which their codes hold; without it, the one that is asked here.
    #[arg(long, value_name = "URL", env = "GATEHAND_PUBLIC_URL")]
    public_url: Option<PublicUrl>,
    /// Write each code as a PNG into this folder, which is made if it is missing.
    #[arg(long, value_name = "FOLDER")]
    qr_dir: Option<PathBuf>,
    /// Write all codes as a PDF to print: with each its name in large letters, its number, gate and organizer.
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
    /// What the sheet is printed on: a4 or letter with ten labels a page, or labels of this width and height in
    /// millimetres, as 62x29, one a page.
    #[arg(long, value_name = "SIZE", default_value = "a4", requires = "sheet")]
    paper: Paper,
}

/// What can be written, before anything is done.
pub(super) struct Prepared {
    server: ServerUrl,
    organizer: String,
    qr_dir: Option<PathBuf>,
    sheet: Option<(Sheet, CodeFile)>,
}

/// A device with its code.
struct Coded<'o> {
    device: &'o FleetDevice,
    enrolment: Enrolment,
}

impl HandingOut {
    /// Opens what codes are to be written to. All else that it takes can't fail: the code of any address has room.
    pub(super) fn prepare(&self, resource: &Resource) -> Result<Prepared, CliError> {
        let asked = resource.server();
        let public = self.public_url.as_ref();
        if let Some(warning) = public.and_then(PublicUrl::warning) {
            tracing::warn!("{warning}");
        }
        let server = public.map_or(asked, PublicUrl::server_url).clone();
        if server.is_loopback() && (self.qr_dir.is_some() || self.sheet.is_some()) {
            tracing::warn!(
                "the codes hold {server}, which no other machine reaches: --public-url says another address"
            );
        }
        if let Some(folder) = &self.qr_dir {
            make(folder).map_err(|source| CliError::Write {
                name: folder.display().to_string(),
                source,
            })?;
        }
        let sheet = self.sheet.as_deref().map(CodeFile::open).transpose()?;
        Ok(Prepared {
            server,
            organizer: resource.organizer().to_owned(),
            qr_dir: self.qr_dir.clone(),
            sheet: sheet.map(|file| (Sheet::new(self.paper), file)),
        })
    }
}

/// A folder that can be written to.
fn make(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(PRIVATE_FOLDER).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made?,
    }
    tempfile::tempfile_in(folder).map(drop)
}

impl Prepared {
    /// Tells what became of each device, and hands out the codes of those that were made, or wait still.
    pub(super) fn hand_out(mut self, outcomes: Vec<Outcome>, json: bool) -> Result<(), CliError> {
        let coded = outcomes.iter().filter(|outcome| code(outcome).is_some());
        let coded = coded.count();
        let words = format!(
            "there are codes for {}, which {} fleet show shows again",
            output::counted(coded, "device"),
            ProgramName::of_this_process().typed()
        );
        let is_one = outcomes.len() == 1;
        let has_files = self.qr_dir.is_some() || self.sheet.is_some();
        let sheet = self.sheet.take();
        let is_refused =
            |outcome: &Outcome| matches!(outcome.effect, Effect::Failed(_) | Effect::NotTried);
        // Where nothing came of it, that alone is to be told.
        let written = match coded == 0 && outcomes.iter().any(is_refused) {
            true => Ok(()),
            false => self.write(&outcomes, sheet),
        };
        let told = tell(&outcomes, &self.server, json).and_then(|()| match is_one {
            true if !has_files && !json => self.print(&outcomes),
            _ => Ok(()),
        });
        output::has_told(told, &words)?;
        let refused = told::failed(outcomes);
        if let (Err(error), Err(_)) = (&written, &refused) {
            let causes = causes::of(error);
            tracing::warn!(?causes, "the codes were not written: {error}; {words}");
            return refused;
        }
        output::has_told(written, &words)?;
        if !json && !is_one && !has_files {
            output::say("For their codes add --qr-dir or --sheet, here or to fleet show.");
        }
        refused
    }

    /// The codes of devices that are shown.
    pub(super) fn show(mut self, outcomes: Vec<Outcome>, json: bool) -> Result<(), CliError> {
        let has_files = self.qr_dir.is_some() || self.sheet.is_some();
        let sheet = self.sheet.take();
        self.write(&outcomes, sheet)?;
        match json {
            true => documents(&outcomes, &self.server),
            false if has_files => Ok(()),
            false => self.print(&outcomes),
        }
    }

    /// Writes pictures and the sheet.
    fn write(
        &self,
        outcomes: &[Outcome],
        sheet: Option<(Sheet, CodeFile)>,
    ) -> Result<(), CliError> {
        let coded = self.coded(outcomes)?;
        if let Some(folder) = &self.qr_dir {
            for one in &coded {
                code_file::draw_in(folder, &file_name(one.device), &one.enrolment)?;
            }
        }
        let Some((sheet, file)) = sheet else {
            return Ok(());
        };
        let labels = coded.iter().map(|one| {
            Ok(Label {
                code: QrCode::new(&one.enrolment)?,
                number: one.device.device.device_id,
                name: one.device.device.name.clone(),
                gate: columns::gate(one.device),
                organizer: self.organizer.clone(),
            })
        });
        let labels = labels.collect::<Result<Vec<_>, CliError>>()?;
        let drawn = sheet.draw(&labels)?;
        for missing in &drawn.unwritable {
            tracing::warn!(
                "no font on this machine has the characters of {missing:?}: with one installed, as fonts-noto-cjk for Chinese, fleet show --sheet draws it again"
            );
        }
        file.write(&drawn.pdf)
    }

    /// Shows codes on the terminal.
    fn print(&self, outcomes: &[Outcome]) -> Result<(), CliError> {
        let coded = self.coded(outcomes)?;
        if let [one] = coded.as_slice() {
            if let Some(token) = &one.device.device.initialization_token {
                output::print_line(&format!("Initialization token: {}", token.expose()))?;
            }
            // Wholly, however long the address is.
            output::print_text(&format!("Link: {}", one.enrolment.to_link().expose()))?;
            return output::print_qr(&one.enrolment);
        }
        if coded.is_empty() {
            return Ok(());
        }
        let rows = coded.iter().map(|one| {
            let token = one.device.device.initialization_token.as_ref();
            let token = token.map_or("", Secret::expose).to_owned();
            let number = one.device.device.device_id.to_string();
            vec![number, one.device.device.name.clone(), token]
        });
        let rows: Vec<Vec<String>> = rows.collect();
        let header = [whole("ID"), words("NAME"), whole("INITIALIZATION TOKEN")];
        table::print(&header, &rows)
    }

    fn coded<'o>(&self, outcomes: &'o [Outcome]) -> Result<Vec<Coded<'o>>, CliError> {
        let mut coded = Vec::new();
        for outcome in outcomes {
            if let (Some(device), Some(token)) = (&outcome.device, code(outcome)) {
                let enrolment = Enrolment::new(self.server.clone(), token.clone())?;
                coded.push(Coded { device, enrolment });
            }
        }
        Ok(coded)
    }
}

/// Tells what became, or would become, of each device.
pub(super) fn tell(outcomes: &[Outcome], server: &ServerUrl, json: bool) -> Result<(), CliError> {
    match json {
        true => documents(outcomes, server),
        false => told::in_columns(outcomes),
    }
}

/// The token of a device that a scanner can be enrolled as.
fn code(outcome: &Outcome) -> Option<&Secret> {
    let device = outcome.device.as_ref()?;
    match outcome.effect {
        // Of a device that was given a new code, not every server tells that it may be used.
        Effect::Done if device.standing() == Standing::Initialized => {
            device.device.initialization_token.as_ref()
        }
        Effect::Done | Effect::Left => device.open_code(),
        Effect::Would | Effect::Failed(_) | Effect::NotTried => None,
    }
}

/// As `0007-Lane-7.png`: in the order of the numbers, and of characters that every disk takes.
fn file_name(device: &FleetDevice) -> String {
    let name: String = device
        .device
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(60)
        .collect();
    format!(
        "{:04}-{}.png",
        device.device.device_id,
        name.trim_matches('-')
    )
}

/// One device in the document.
#[derive(Serialize)]
struct Document<'o> {
    name: &'o str,
    result: &'static str,
    error: Option<String>,
    note: Option<&'o str>,
    device: Option<FleetDevice>,
    #[serde(serialize_with = "secret::expose_option")]
    initialization_token: Option<Secret>,
    #[serde(serialize_with = "secret::expose_option")]
    link: Option<Secret>,
    #[serde(serialize_with = "secret::expose_option")]
    payload: Option<Secret>,
}

fn documents(outcomes: &[Outcome], server: &ServerUrl) -> Result<(), CliError> {
    let mut documents = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        let token = code(outcome).cloned();
        let enrolment = match &token {
            Some(token) => Some(Enrolment::new(server.clone(), token.clone())?),
            None => None,
        };
        documents.push(Document {
            name: &outcome.name,
            result: outcome.effect.word(),
            error: told::why(&outcome.effect),
            note: outcome.note.as_deref(),
            device: outcome.device.clone().map(FleetDevice::without_token),
            link: enrolment.as_ref().map(Enrolment::to_link),
            payload: enrolment.as_ref().map(Enrolment::to_payload),
            initialization_token: token,
        });
    }
    output::print_json(&documents)
}

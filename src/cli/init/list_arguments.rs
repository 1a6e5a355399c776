//! The options of an enrolment list: this machine's line of it, and what is done with it once the key is safe.

use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use crate::cli::allowed_arguments::AllowedArguments;
use crate::cli::device::FromList;
use crate::cli::enrolment_list::{self, EnrolmentListError, Listed};
use crate::cli::error::CliError;
use crate::cli::host_name;

#[derive(Args)]
pub(super) struct ListArguments {
    /// Take this machine's line of a table with the columns serial, server and token, and perhaps
    /// host_name and gate; once the key is safe, the list is removed. It takes --allowed-server and
    /// --allowed-organizer.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["qr_image", "payload", "url", "token"])]
    enrolment_list: Option<PathBuf>,
    /// The serial that stands in the list for this machine, instead of its hardware's.
    #[arg(long, value_name = "SERIAL", requires = "enrolment_list")]
    hardware_serial: Option<String>,
    /// Give the machine the host name of its line.
    #[arg(long, requires = "enrolment_list")]
    set_host_name: bool,
    /// Leave the list where it is, for whoever may remove it: the same command without this.
    #[arg(long, requires = "enrolment_list", conflicts_with = "set_host_name")]
    keep_list: bool,
    /// Print the list's head and this machine's line, and do nothing else: so that who enrols need not have
    /// the others' tokens.
    #[arg(long, requires = "enrolment_list", conflicts_with_all = ["set_host_name", "keep_list"])]
    own_line: bool,
}

impl ListArguments {
    pub(super) fn are_given(&self) -> bool {
        self.enrolment_list.is_some()
    }

    /// This machine's line of the list, if one is given.
    pub(super) fn listed(&self, allowed: &AllowedArguments) -> Result<Option<Listed>, CliError> {
        let Some(path) = &self.enrolment_list else {
            return Ok(None);
        };
        if !allowed.are_both_given() {
            return Err(CliError::ListAlone);
        }
        let listed = enrolment_list::read(path, self.hardware_serial.as_deref());
        listed.map(Some).map_err(|source| unusable(path, source))
    }

    /// What is to be printed, where that is all.
    pub(super) fn own_line(&self) -> Result<Option<Zeroizing<String>>, CliError> {
        let Some(path) = self.enrolment_list.as_deref().filter(|_| self.own_line) else {
            return Ok(None);
        };
        let line = enrolment_list::own_line(path, self.hardware_serial.as_deref());
        line.map(Some).map_err(|source| unusable(path, source))
    }

    /// What is to follow once the key is safe. What fails is done by the same command again: the list
    /// goes last.
    pub(super) fn end(&self, listed: &Listed) -> Result<Option<FromList>, CliError> {
        let Some(path) = &self.enrolment_list else {
            return Ok(None);
        };
        let from_list = FromList {
            host_name: listed.host_name.clone(),
            gate: listed.gate.clone(),
            is_kept: self.keep_list,
        };
        if self.keep_list {
            return Ok(Some(from_list));
        }
        let name = from_list.host_name.as_deref();
        let done = self.name_machine(name).and_then(|()| {
            enrolment_list::remove(path, listed).map_err(|source| CliError::Remove {
                name: path.display().to_string(),
                source,
            })
        });
        done.map_err(|source| CliError::Done {
            words: "this device is enrolled".to_owned(),
            source: Box::new(source),
        })?;
        Ok(Some(from_list))
    }

    fn name_machine(&self, name: Option<&str>) -> Result<(), CliError> {
        let Some(name) = name.filter(|_| self.set_host_name) else {
            return Ok(());
        };
        host_name::set(Path::new("/"), name).map_err(|source| CliError::HostName {
            name: name.to_owned(),
            source,
        })
    }
}

fn unusable(path: &Path, source: EnrolmentListError) -> CliError {
    CliError::EnrolmentList {
        name: path.display().to_string(),
        source,
    }
}

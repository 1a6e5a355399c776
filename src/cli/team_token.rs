//! A team's token, and the one server that it is for: in a file, or in the environment.

use std::env;
use std::io;
use std::path::Path;

use super::settings::{LineError, variables};
use crate::enrolment::{ServerUrl, ServerUrlError};
use crate::private_file;
use crate::regular_file;
use crate::secret::Secret;

/// The server that a token is for.
const URL: &str = "GATEHAND_FLEET_URL";
/// The token.
const TOKEN: &str = "GATEHAND_FLEET_TOKEN";
/// Whose devices they are.
const ORGANIZER: &str = "GATEHAND_FLEET_ORGANIZER";

/// Longest file with a token, in bytes.
const FILE_LIMIT: u64 = 16 * 1024;

/// Why nobody can be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum TeamTokenError {
    #[error("there is no token to ask with")]
    NoToken,
    #[error("{TOKEN} is set, and {URL} is not, so that nothing says which server it is for")]
    NoUrl,
    #[error("nothing says whose devices they are")]
    NoOrganizer,
    #[error("can't read the token in {name}")]
    File {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("others on this machine can read {name}, whose token is as good as a password")]
    Open { name: String },
    #[error("{name} is no text")]
    Encoding { name: String },
    #[error("line {line} of {name} {what}")]
    Line {
        name: String,
        line: usize,
        what: LineError,
    },
    #[error("line {line} of {name} says {variable}, which is none of {URL}, {TOKEN}, {ORGANIZER}")]
    Variable {
        name: String,
        line: usize,
        variable: String,
    },
    #[error("{name} does not say {variable}")]
    Lacks {
        name: String,
        variable: &'static str,
    },
    #[error("the address that the token is for can't be used")]
    Url(#[source] ServerUrlError),
    #[error("{0} is not encrypted, so that anyone on the network could read the token")]
    PlainHttp(String),
}

/// A team's token, and the one server that it is for.
pub(super) struct TeamToken {
    pub(super) server: ServerUrl,
    pub(super) token: Secret,
    /// Whose devices they are, if that is said too.
    pub(super) organizer: Option<String>,
}

impl TeamToken {
    /// That of the file, or else of the environment.
    pub(super) fn read(file: Option<&Path>, allow_http: bool) -> Result<Self, TeamTokenError> {
        let Said {
            url,
            token,
            organizer,
        } = match file {
            Some(path) => of_file(path)?,
            None => of_environment()?,
        };
        let server: ServerUrl = url.parse().map_err(TeamTokenError::Url)?;
        match server.check_transport(allow_http) {
            Ok(()) => Ok(Self {
                server,
                token,
                organizer,
            }),
            Err(_) => Err(TeamTokenError::PlainHttp(server.origin())),
        }
    }
}

struct Said {
    url: String,
    token: Secret,
    organizer: Option<String>,
}

fn of_environment() -> Result<Said, TeamTokenError> {
    let told = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
    let token = told(TOKEN).ok_or(TeamTokenError::NoToken)?;
    let token = Secret::new(token.trim().to_owned());
    let url = told(URL).ok_or(TeamTokenError::NoUrl)?;
    Ok(Said {
        url,
        token,
        organizer: None,
    })
}

fn of_file(path: &Path) -> Result<Said, TeamTokenError> {
    let name = path.display().to_string();
    let unreadable = |source| TeamTokenError::File {
        name: path.display().to_string(),
        source,
    };
    let file = regular_file::open(path).map_err(unreadable)?;
    if private_file::is_open_to_others(&file).map_err(unreadable)? {
        return Err(TeamTokenError::Open { name });
    }
    let bytes = regular_file::read_open(file, FILE_LIMIT).map_err(unreadable)?;
    let Ok(text) = str::from_utf8(&bytes) else {
        return Err(TeamTokenError::Encoding { name });
    };
    let said = match variables(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        Ok(said) => said,
        Err((line, what)) => return Err(TeamTokenError::Line { name, line, what }),
    };
    let [mut url, mut token, mut organizer] = [None, None, None];
    for (variable, value, line) in said {
        let place = match variable {
            URL => &mut url,
            TOKEN => &mut token,
            ORGANIZER => &mut organizer,
            other => {
                let variable = other.to_owned();
                return Err(TeamTokenError::Variable {
                    name,
                    line,
                    variable,
                });
            }
        };
        *place = Some(value.trim());
    }
    let (Some(url), Some(token)) = (url, token) else {
        let variable = if url.is_none() { URL } else { TOKEN };
        return Err(TeamTokenError::Lacks { name, variable });
    };
    Ok(Said {
        url: url.to_owned(),
        token: Secret::new(token.to_owned()),
        organizer: organizer.map(str::to_owned),
    })
}

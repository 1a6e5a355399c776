//! Who is signed in at the page, and the links that sign somebody in once. Both stand for a team's token.

use jiff::Timestamp;

use super::callers::organizer;
use super::found::unknown;
use super::teams::permissions;
use crate::server::model::TeamCaller;
use crate::server::store::error::StoreError;
use crate::server::store::fleet_page::{
    LOGIN_LINK, LinkRefusal, SESSION_LONGEST, SESSION_UNUSED, SessionCaller,
};
use crate::server::store::session::{Session, values};

pub(in crate::server::store) fn caller(
    session: &mut dyn Session,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<SessionCaller>, StoreError> {
    session.row(
        "SELECT team_token.id, team_token.active AND team.active,
            organizer.id, organizer.slug, organizer.active, team.permissions,
            organizer.name, team.name, web_session.created, web_session.expires
         FROM web_session
         JOIN team_token ON team_token.id = web_session.token
         JOIN team ON team.id = team_token.team
         JOIN organizer ON organizer.id = team.organizer
         WHERE web_session.hash = ?1 AND web_session.expires > ?2",
        values![hash, now],
        |columns| {
            Ok(SessionCaller {
                caller: TeamCaller {
                    token: columns.next()?,
                    active: columns.next()?,
                    organizer: organizer(columns)?,
                    permissions: permissions(columns.next()?),
                },
                organizer_name: columns.next()?,
                team_name: columns.next()?,
                created: columns.next()?,
                expires: columns.next()?,
            })
        },
    )
}

pub(in crate::server::store) fn begin(
    session: &mut dyn Session,
    token: i64,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<(), StoreError> {
    session.execute(
        "INSERT INTO web_session (hash, token, created, expires) VALUES (?1, ?2, ?3, ?4)",
        values![hash, token, now, after(now, SESSION_UNUSED)],
    )?;
    Ok(())
}

/// Has a session last until then, or as long as any lasts.
pub(in crate::server::store) fn extend(
    session: &mut dyn Session,
    hash: &[u8; 32],
    expires: Timestamp,
) -> Result<(), StoreError> {
    let longest = i64::try_from(SESSION_LONGEST.as_micros()).unwrap_or(i64::MAX);
    session.execute(
        "UPDATE web_session SET expires = CASE WHEN created + ?3 < ?2 THEN created + ?3 ELSE ?2 END
         WHERE hash = ?1",
        values![hash, expires, longest],
    )?;
    Ok(())
}

pub(in crate::server::store) fn end(
    session: &mut dyn Session,
    hash: &[u8; 32],
) -> Result<(), StoreError> {
    session.execute("DELETE FROM web_session WHERE hash = ?1", values![hash])?;
    Ok(())
}

/// Ends all that a token lets in by.
pub(in crate::server::store) fn end_all(
    session: &mut dyn Session,
    token: i64,
) -> Result<(), StoreError> {
    session.execute("DELETE FROM web_session WHERE token = ?1", values![token])?;
    session.execute("DELETE FROM login_link WHERE token = ?1", values![token])?;
    Ok(())
}

/// Ends all that anybody is let in by.
pub(super) fn end_everywhere(session: &mut dyn Session) -> Result<(), StoreError> {
    session.execute("DELETE FROM web_session", values![])?;
    session.execute("DELETE FROM login_link", values![])?;
    Ok(())
}

/// Drops what ended before `before`.
pub(in crate::server::store) fn sweep(
    session: &mut dyn Session,
    before: Timestamp,
) -> Result<(), StoreError> {
    session.execute(
        "DELETE FROM web_session WHERE expires < ?1",
        values![before],
    )?;
    session.execute("DELETE FROM login_link WHERE expires < ?1", values![before])?;
    Ok(())
}

pub(in crate::server::store) fn create_link(
    session: &mut dyn Session,
    organizer: i64,
    team: &str,
    token: i64,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<(), StoreError> {
    let made = session.execute(
        "INSERT INTO login_link (hash, token, expires)
         SELECT ?4, team_token.id, ?5 FROM team_token JOIN team ON team.id = team_token.team
         WHERE team.organizer = ?1 AND team.name = ?2 AND team_token.id = ?3 AND team_token.active AND team.active",
        values![organizer, team, token, hash, after(now, LOGIN_LINK)],
    )?;
    match made {
        0 => Err(unknown("token in use", &token.to_string())),
        _ => Ok(()),
    }
}

/// The token that a link stands for, if it would sign somebody in.
pub(in crate::server::store) fn link(
    session: &mut dyn Session,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Result<i64, LinkRefusal>, StoreError> {
    let found = session.row(
        "SELECT team_token.id, team_token.active AND team.active AND organizer.active,
            login_link.expires, login_link.used IS NOT NULL
         FROM login_link
         JOIN team_token ON team_token.id = login_link.token
         JOIN team ON team.id = team_token.team
         JOIN organizer ON organizer.id = team.organizer
         WHERE login_link.hash = ?1",
        values![hash],
        |columns| {
            Ok((
                columns.next::<i64>()?,
                columns.next::<bool>()?,
                columns.next::<Timestamp>()?,
                columns.next::<bool>()?,
            ))
        },
    )?;
    Ok(match found {
        None => Err(LinkRefusal::Unknown),
        Some((_, _, _, true)) => Err(LinkRefusal::Used),
        Some((_, _, expires, _)) if expires <= now => Err(LinkRefusal::Expired),
        Some((_, false, _, _)) => Err(LinkRefusal::Inactive),
        Some((token, true, _, false)) => Ok(token),
    })
}

pub(in crate::server::store) fn redeem(
    session: &mut dyn Session,
    hash: &[u8; 32],
    web_session: &[u8; 32],
    now: Timestamp,
) -> Result<Result<(), LinkRefusal>, StoreError> {
    let token = match link(session, hash, now)? {
        Ok(token) => token,
        Err(refusal) => return Ok(Err(refusal)),
    };
    // Another may have redeemed it since it was read.
    let redeemed = session.execute(
        "UPDATE login_link SET used = ?2 WHERE hash = ?1 AND used IS NULL",
        values![hash, now],
    )?;
    if redeemed == 0 {
        return Ok(Err(LinkRefusal::Used));
    }
    begin(session, token, web_session, now)?;
    Ok(Ok(()))
}

fn after(now: Timestamp, time: jiff::SignedDuration) -> Timestamp {
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}

//! What a restored backup is before it is served: its codes are ended and its numbers go on behind those that may
//! have been given since, and it waits until somebody has looked through what may have been undone.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Context, initialization_tokens, kept_answers, numbers, web_sessions};
use crate::server::store::administration::{
    Restoration, RestoredDevice, RestoredOrganizer, RestoredToken,
};
use crate::server::store::error::StoreError;
use crate::server::store::open_error::OpenFailure;
use crate::server::store::session::{Session, values};
use crate::server::store::terms::oldest_kept;

/// Devices looked at at once.
const PIECE: i64 = 1000;

/// Numbers that are skipped at least, where nobody says how many.
const SKIPPED_AT_LEAST: u64 = 1000;

/// The last numbers of devices that are known, by the organizers' slugs.
pub(in crate::server::store) type LastNumbers = HashMap<String, u64>;

/// What of a backup the database says.
struct Mark {
    taken: Timestamp,
    restored: Option<Timestamp>,
    confirmed: Option<Timestamp>,
}

fn mark(session: &mut dyn Session) -> Result<Option<Mark>, StoreError> {
    session.row(
        "SELECT taken, restored, confirmed FROM backup WHERE id = 1",
        values![],
        |columns| {
            Ok(Mark {
                taken: columns.next()?,
                restored: columns.next()?,
                confirmed: columns.next()?,
            })
        },
    )
}

fn set_mark(session: &mut dyn Session, mark: &Mark) -> Result<(), StoreError> {
    session.execute("DELETE FROM backup", values![])?;
    session.execute(
        "INSERT INTO backup (id, taken, restored, confirmed) VALUES (1, ?1, ?2, ?3)",
        values![mark.taken, mark.restored, mark.confirmed],
    )?;
    Ok(())
}

/// Marks a copy of the database as a backup that was taken now.
pub(in crate::server::store) fn mark_taken(
    session: &mut dyn Session,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mark = Mark {
        taken: now,
        restored: None,
        confirmed: None,
    };
    set_mark(session, &mark)
}

/// When a backup was taken, if it is marked as one.
pub(in crate::server::store) fn marked_taken(
    session: &mut dyn Session,
) -> Result<Option<Timestamp>, StoreError> {
    let mark = mark(session)?.filter(|mark| mark.restored.is_none());
    Ok(mark.map(|mark| mark.taken))
}

/// When a backup was taken; of one that does not say, the last time that something was done in it.
pub(in crate::server::store) fn taken(session: &mut dyn Session) -> Result<Timestamp, StoreError> {
    if let Some(Mark {
        taken,
        restored: None,
        ..
    }) = mark(session)?
    {
        return Ok(taken);
    }
    let last: Option<Option<Timestamp>> = session.one(
        "SELECT max(created) FROM (
            SELECT max(created) AS created FROM device
            UNION ALL SELECT max(created) FROM log_entry
            UNION ALL SELECT max(created) FROM kept_answer
            UNION ALL SELECT max(created) FROM team_token) AS found",
        values![],
    )?;
    Ok(last.flatten().unwrap_or(Timestamp::UNIX_EPOCH))
}

/// Refuses a database that is not to be served yet.
pub(in crate::server::store) fn expect_served(
    session: &mut dyn Session,
) -> Result<(), OpenFailure> {
    match mark(session).map_err(|error| OpenFailure::Store(error.into()))? {
        Some(Mark {
            taken,
            restored: None,
            ..
        }) => Err(OpenFailure::Backup { taken }),
        Some(Mark {
            taken,
            confirmed: None,
            ..
        }) => Err(OpenFailure::Unconfirmed { taken }),
        _ => Ok(()),
    }
}

/// Whether nothing waits until somebody has looked through it.
pub(in crate::server::store) fn is_confirmed(
    session: &mut dyn Session,
) -> Result<bool, StoreError> {
    let waiting: Option<i64> =
        session.one("SELECT id FROM backup WHERE confirmed IS NULL", values![])?;
    Ok(waiting.is_none())
}

/// The last number of each organizer.
pub(in crate::server::store) fn last_numbers(
    session: &mut dyn Session,
) -> Result<LastNumbers, StoreError> {
    let all = session.rows(
        "SELECT slug, device_count FROM organizer",
        values![],
        |columns| Ok((columns.next()?, columns.next()?)),
    )?;
    Ok(all.into_iter().collect())
}

/// How many numbers of devices are skipped.
#[derive(Clone, Debug, Default)]
pub(in crate::server::store) struct Skip {
    /// The last that are known to have been given.
    pub(in crate::server::store) known: LastNumbers,
    /// Else as many as the organizer has devices, and no less than 1000.
    pub(in crate::server::store) numbers: Option<u64>,
}

/// Makes the tables of a backup what a server may go on with, once that is confirmed.
pub(in crate::server::store) fn begin(
    session: &mut dyn Session,
    context: &Context<'_>,
    taken: Timestamp,
    skip: &Skip,
) -> Result<(), StoreError> {
    end_tokens(session, context)?;
    web_sessions::end_everywhere(session)?;
    let organizers = session.rows("SELECT id, slug FROM organizer", values![], |columns| {
        Ok((columns.next::<i64>()?, columns.next::<String>()?))
    })?;
    for (row, slug) in organizers {
        let last = numbers::last(session, row)?;
        let known = skip.known.get(&slug).copied().unwrap_or_default();
        let some = skip.numbers;
        let some = some.unwrap_or_else(|| last.max(known).max(SKIPPED_AT_LEAST));
        skip_numbers(session, row, known, some)?;
    }
    // The others are answers to what the backup has done, and are repeated as before.
    while kept_answers::sweep_some(session, oldest_kept(context.now))? {}
    let mark = Mark {
        taken,
        restored: Some(context.now),
        confirmed: None,
    };
    set_mark(session, &mark)
}

/// Ends all tokens that a scanner may have redeemed since, or that somebody else may have seen.
fn end_tokens(session: &mut dyn Session, context: &Context<'_>) -> Result<(), StoreError> {
    let mut after = 0;
    loop {
        let open = session.rows(
            "SELECT id FROM device WHERE id > ?1 AND (initialized IS NULL OR reconnecting) ORDER BY id LIMIT ?2",
            values![after, PIECE],
            |columns| columns.next::<i64>(),
        )?;
        let Some(last) = open.last() else {
            return Ok(());
        };
        after = *last;
        for row in open {
            initialization_tokens::end(session, context, row)?;
        }
    }
}

/// Has the next number come so many behind this one, or behind the last that was given if that is later.
fn skip_numbers(
    session: &mut dyn Session,
    organizer: i64,
    known: u64,
    numbers: u64,
) -> Result<(), StoreError> {
    let behind = numbers::last(session, organizer)?;
    let numbers = known.saturating_sub(behind).saturating_add(numbers);
    if numbers == 0 {
        return Ok(());
    }
    session.execute(
        "INSERT INTO skipped_numbers (organizer, behind, numbers) VALUES (?1, ?2, ?3)",
        values![organizer, behind, numbers],
    )?;
    session.execute(
        "UPDATE organizer SET device_count = device_count + ?2 WHERE id = ?1",
        values![organizer, numbers],
    )?;
    Ok(())
}

/// Lets it be served; whether it waited for that.
pub(in crate::server::store) fn confirm(
    session: &mut dyn Session,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let confirmed = session.execute(
        "UPDATE backup SET confirmed = ?1 WHERE restored IS NOT NULL AND confirmed IS NULL",
        values![now],
    )?;
    Ok(confirmed > 0)
}

/// What was restored, with what may have been undone by that.
pub(in crate::server::store) fn found(
    session: &mut dyn Session,
) -> Result<Option<Restoration>, StoreError> {
    let Some(Mark {
        taken,
        restored: Some(restored),
        confirmed,
    }) = mark(session)?
    else {
        return Ok(None);
    };
    let all = session.rows(
        "SELECT id, slug, device_count FROM organizer ORDER BY slug",
        values![],
        |columns| {
            Ok((
                columns.next::<i64>()?,
                columns.next::<String>()?,
                columns.next::<u64>()?,
            ))
        },
    )?;
    let mut organizers = Vec::with_capacity(all.len());
    for (row, organizer, last) in all {
        organizers.push(RestoredOrganizer {
            organizer,
            next_device: last.saturating_add(1),
            devices: open_devices(session, row, taken)?,
            tokens: open_tokens(session, row, taken)?,
        });
    }
    Ok(Some(Restoration {
        taken,
        restored,
        confirmed,
        organizers,
    }))
}

/// The devices of the backup that have access, or would have had it by their code.
fn open_devices(
    session: &mut dyn Session,
    organizer: i64,
    taken: Timestamp,
) -> Result<Vec<RestoredDevice>, StoreError> {
    session.rows(
        "SELECT device_id, name, unique_serial, initialized, last FROM (
            SELECT device_id, name, unique_serial, initialized IS NOT NULL AS initialized,
                (SELECT max(log_entry.created) FROM log_entry
                    WHERE log_entry.device = device.id AND log_entry.created <= ?2) AS last
            FROM device WHERE organizer = ?1 AND NOT revoked AND created <= ?2) AS found
         ORDER BY initialized DESC, coalesce(last, 0) DESC, device_id",
        values![organizer, taken],
        |columns| {
            Ok(RestoredDevice {
                device_id: columns.next()?,
                name: columns.next()?,
                unique_serial: columns.next()?,
                initialized: columns.next()?,
                last_logged: columns.next()?,
            })
        },
    )
}

fn open_tokens(
    session: &mut dyn Session,
    organizer: i64,
    taken: Timestamp,
) -> Result<Vec<RestoredToken>, StoreError> {
    session.rows(
        "SELECT team.name, team_token.id, team_token.name, team_token.created
         FROM team_token JOIN team ON team.id = team_token.team
         WHERE team.organizer = ?1 AND team.active AND team_token.active AND team_token.created <= ?2
         ORDER BY team_token.created DESC, team_token.id",
        values![organizer, taken],
        |columns| {
            Ok(RestoredToken {
                team: columns.next()?,
                id: columns.next()?,
                name: columns.next()?,
                created: columns.next()?,
            })
        },
    )
}

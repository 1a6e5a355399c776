//! What the organizers file holds: one function for each kind of object.
//!
//! Gates and events that are referred to may be on the server only: an import looks for them.

use std::collections::HashSet;

use jiff::tz::TimeZone;

use super::entries::{
    CheckinListEntry, DeviceEntry, EventEntry, GateEntry, OrganizerEntry, ReportEntry,
    SubeventEntry, TeamEntry, TokenEntry,
};
use super::json::Json;
use super::reader::{Object, Reader, Seen, key_step};
use super::seen_secrets::SeenSecrets;
use super::values;
use crate::server::installation_keys::KeyHash;
use crate::server::model::{Name, Permissions, Schedule, Slug, When};
use crate::wire::SECURITY_PROFILES;

/// What must be unique in the file.
struct InFile<'s> {
    organizers: Seen<Slug>,
    subevents: Seen<i64>,
    checkin_lists: Seen<i64>,
    secrets: &'s mut SeenSecrets,
}

/// What must be unique in an organizer.
#[derive(Default)]
struct InOrganizer {
    gates: Seen<String>,
    events: Seen<Slug>,
}

/// The file without its devices.
pub(super) fn organizers(
    reader: &mut Reader,
    value: &Json,
    secrets: &mut SeenSecrets,
) -> Option<Vec<OrganizerEntry>> {
    let mut file = InFile {
        organizers: Seen::new(),
        subevents: Seen::new(),
        checkin_lists: Seen::new(),
        secrets,
    };
    reader.object(value, |reader, object| {
        object.required(reader, "organizers", |reader, value| {
            reader.list(value, |reader, value| organizer(reader, value, &mut file))
        })
    })
}

fn organizer(reader: &mut Reader, value: &Json, file: &mut InFile<'_>) -> Option<OrganizerEntry> {
    let mut own = InOrganizer::default();
    reader.object(value, |reader, object| {
        let slug = object.required(reader, "slug", |reader, value| {
            reader.unique(value, &mut file.organizers, values::slug)
        });
        let name = object.required(reader, "name", values::text);
        let active = object.optional(reader, "active", Reader::boolean);
        let gates = object.list(reader, "gates", |reader, value| {
            gate(reader, value, &mut own)
        });
        let events = object.list(reader, "events", |reader, value| {
            event(reader, value, file, &mut own)
        });
        let teams = object.list(reader, "teams", |reader, value| team(reader, value, file));
        // They come one by one, and the list is empty.
        object.list(reader, "devices", |_, _| Some(()));
        Some(OrganizerEntry {
            slug: slug?,
            name: name?,
            active,
            gates,
            events,
            teams,
        })
    })
}

fn gate(reader: &mut Reader, value: &Json, own: &mut InOrganizer) -> Option<GateEntry> {
    reader.object(value, |reader, object| {
        let name = object.required(reader, "name", values::text);
        let identifier = object.required(reader, "identifier", |reader, value| {
            reader.unique(value, &mut own.gates, values::text)
        });
        let active = object.optional(reader, "active", Reader::boolean);
        Some(GateEntry {
            name: name?,
            identifier: identifier?,
            active,
        })
    })
}

fn event(
    reader: &mut Reader,
    value: &Json,
    file: &mut InFile<'_>,
    own: &mut InOrganizer,
) -> Option<EventEntry> {
    reader.object(value, |reader, object| {
        let slug = object.required(reader, "slug", |reader, value| {
            reader.unique(value, &mut own.events, values::slug)
        });
        let name = object.required(reader, "name", name);
        let live = object.required(reader, "live", Reader::boolean);
        let timezone = object.required(reader, "timezone", values::time_zone);
        let zone = timezone
            .as_deref()
            .and_then(|name| TimeZone::get(name).ok());
        let zone = zone.unwrap_or(TimeZone::UTC);
        let schedule = schedule(reader, object, &zone);

        let mut dates = HashSet::new();
        let subevents = object.list(reader, "subevents", |reader, value| {
            subevent(reader, value, file, &mut dates, &zone)
        });
        let has_subevents = object.required(reader, "has_subevents", |reader, value| {
            let is_series = match value {
                Json::Missing => !subevents.is_empty(),
                value => reader.boolean(value)?,
            };
            let fits = is_series || subevents.is_empty();
            reader.check(
                value,
                "true, since there are subevents",
                fits.then_some(is_series),
            )
        });
        let checkin_lists = object.list(reader, "checkin_lists", |reader, value| {
            checkin_list(reader, value, file, &dates)
        });
        Some(EventEntry {
            slug: slug?,
            name: name?,
            live: live?,
            timezone: timezone?,
            schedule: schedule?,
            has_subevents: has_subevents?,
            subevents,
            checkin_lists,
        })
    })
}

/// Times without an offset are those on the clocks of the event. A day counts as on the command line.
fn schedule(reader: &mut Reader, object: &mut Object<'_>, zone: &TimeZone) -> Option<Schedule> {
    let begin = |when: When| when.begin(zone);
    let from = object.required(reader, "date_from", |reader, value| {
        values::time(reader, value, begin)
    });
    let day_end = match from {
        Some((when, _)) if when.is_day() => when.end(zone).ok(),
        _ => None,
    };
    let mut is_given = false;
    let date_to = object.optional(reader, "date_to", |reader, value| {
        is_given = true;
        let (_, date_to) = values::time(reader, value, |when| when.end(zone))?;
        let fits = from.is_none_or(|(_, date_from)| date_from <= date_to);
        reader.check(
            value,
            "a time not before date_from",
            fits.then_some(date_to),
        )
    });
    let date_admission = object.optional(reader, "date_admission", |reader, value| {
        values::time(reader, value, begin)
    });
    Some(Schedule {
        date_from: from?.1,
        date_to: if is_given { date_to } else { day_end },
        date_admission: date_admission.map(|(_, time)| time),
    })
}

fn subevent(
    reader: &mut Reader,
    value: &Json,
    file: &mut InFile<'_>,
    dates: &mut HashSet<i64>,
    zone: &TimeZone,
) -> Option<SubeventEntry> {
    reader.object(value, |reader, object| {
        let id = object.optional(reader, "id", |reader, value| {
            let id = values::id(reader, value)?;
            dates.insert(id);
            reader.unique(value, &mut file.subevents, |_, _| Some(id))
        });
        let name = object.required(reader, "name", name);
        let active = object.flag(reader, "active", true);
        let schedule = schedule(reader, object, zone);
        Some(SubeventEntry {
            id,
            name: name?,
            active: active?,
            schedule: schedule?,
        })
    })
}

fn checkin_list(
    reader: &mut Reader,
    value: &Json,
    file: &mut InFile<'_>,
    dates: &HashSet<i64>,
) -> Option<CheckinListEntry> {
    reader.object(value, |reader, object| {
        let id = object.optional(reader, "id", |reader, value| {
            reader.unique(value, &mut file.checkin_lists, values::id)
        });
        let name = object.required(reader, "name", values::text);
        let subevent = object.optional(reader, "subevent", |reader, value| {
            let id = values::id(reader, value)?;
            let id = dates.contains(&id).then_some(id);
            reader.check(value, "the id of a subevent of this event", id)
        });
        let gates = references(reader, object, "gates", values::text);
        Some(CheckinListEntry {
            id,
            name: name?,
            subevent,
            gates,
        })
    })
}

fn team(reader: &mut Reader, value: &Json, file: &mut InFile<'_>) -> Option<TeamEntry> {
    reader.object(value, |reader, object| {
        let name = object.required(reader, "name", values::text);
        let permissions = object.required(reader, "organizer_permissions", permissions);
        let active = object.flag(reader, "active", true);
        let tokens = object.list(reader, "tokens", |reader, value| {
            team_token(reader, value, file)
        });
        Some(TeamEntry {
            name: name?,
            permissions: permissions?,
            active: active?,
            tokens,
        })
    })
}

fn permissions(reader: &mut Reader, value: &Json) -> Option<Permissions> {
    if let Json::List(_) = value {
        return reader.list(value, permission).map(Permissions::Listed);
    }
    let all = (value.text() == Some("all")).then_some(Permissions::All);
    reader.check(value, "\"all\" or a list of permissions", all)
}

/// Those of other resources are not known here, so only the form is judged.
fn permission(reader: &mut Reader, value: &Json) -> Option<String> {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let is_permission = |text: &&str| {
        text.split_once(':').is_some_and(|(resource, action)| {
            is_word(action) && resource.contains('.') && resource.split('.').all(is_word)
        })
    };
    let permission = value.text().filter(is_permission).map(str::to_owned);
    let expected = match value.text() {
        Some("all") => "\"all\" without brackets, in place of the list",
        _ => "a permission, as organizer.devices:read",
    };
    reader.check(value, expected, permission)
}

fn team_token(reader: &mut Reader, value: &Json, file: &mut InFile<'_>) -> Option<TokenEntry> {
    reader.object(value, |reader, object| {
        let name = object.required(reader, "name", values::text);
        let token = key(reader, object, TOKEN, Some(true), Some(&mut *file.secrets));
        let active = object.flag(reader, "active", true);
        Some(TokenEntry {
            name: name?,
            hash: token??,
            active: active?,
        })
    })
}

/// A device.
pub(super) fn device(
    reader: &mut Reader,
    value: &Json,
    mut secrets: Option<&mut SeenSecrets>,
) -> Option<DeviceEntry> {
    reader.object(value, |reader, object| {
        let name = object.required(reader, "name", values::text);
        let unique_serial = object.optional(reader, "unique_serial", |reader, value| {
            values::once(reader, value, secrets.as_deref_mut(), values::serial)
        });
        let all_events = object.flag(reader, "all_events", false);
        let limit_events = references(reader, object, "limit_events", |reader, value| {
            values::slug(reader, value).map(|slug| slug.to_string())
        });
        let gate = object.optional(reader, "gate", values::text);
        let security_profile = object.required(reader, "security_profile", |reader, value| {
            values::one_of(reader, value, &SECURITY_PROFILES)
        });
        let initialized = object.flag(reader, "initialized", false);
        let revoked = object.flag(reader, "revoked", false);
        let api_key_hash = key(reader, object, API_TOKEN, initialized, secrets);
        let mut reported = |key| object.optional(reader, key, values::text);
        let report = ReportEntry {
            hardware_brand: reported("hardware_brand"),
            hardware_model: reported("hardware_model"),
            os_name: reported("os_name"),
            os_version: reported("os_version"),
            software_brand: reported("software_brand"),
            software_version: reported("software_version"),
        };
        Some(DeviceEntry {
            name: name?,
            unique_serial,
            all_events: all_events?,
            limit_events,
            gate,
            security_profile: security_profile?,
            revoked: revoked?,
            api_key_hash: api_key_hash?,
            report,
        })
    })
}

/// Where a key or token is, and where its hash, of which one is given.
type KeyNames = [&'static str; 2];

const TOKEN: KeyNames = ["token", "token_sha256"];
const API_TOKEN: KeyNames = ["api_token", "api_token_sha256"];

/// The hash of a key, whether the key is given or the hash; the inner `None` is no key where none may
/// be. `is_required` is not known where what says it is wrong.
fn key(
    reader: &mut Reader,
    object: &mut Object<'_>,
    [plain, hashed]: KeyNames,
    is_required: Option<bool>,
    mut secrets: Option<&mut SeenSecrets>,
) -> Option<Option<KeyHash>> {
    let mut is_given = false;
    let mut read_as =
        |reader: &mut Reader, value: &Json, read: fn(&mut Reader, &Json) -> Option<KeyHash>| {
            if is_required == Some(false) {
                let expected = "null, since the device is not initialized";
                return reader.check_hidden(value, expected, None);
            }
            if std::mem::replace(&mut is_given, true) {
                let expected = format_args!("null, since there is {hashed}");
                return reader.check_hidden(value, expected, None);
            }
            values::once(reader, value, secrets.as_deref_mut(), read)
        };
    let from_hash = object.optional(reader, hashed, |reader, value| {
        read_as(reader, value, values::token_hash)
    });
    let from_key = object.optional(reader, plain, |reader, value| {
        read_as(reader, value, values::token)
    });
    match (is_required, is_given) {
        (Some(true), false) => object.required(reader, plain, |reader, value| {
            values::token(reader, value).map(Some)
        }),
        (Some(true), true) => from_hash.or(from_key).map(Some),
        _ => Some(None),
    }
}

/// A list of what is referred to, each once.
fn references(
    reader: &mut Reader,
    object: &mut Object<'_>,
    key: &'static str,
    read: fn(&mut Reader, &Json) -> Option<String>,
) -> Vec<String> {
    let mut listed = Seen::new();
    object.list(reader, key, |reader, value| {
        reader.unique(value, &mut listed, read)
    })
}

fn name(reader: &mut Reader, value: &Json) -> Option<Name> {
    let Json::Object(languages) = value else {
        return values::text(reader, value).map(Name::Plain);
    };
    let mut names: Vec<(String, String)> = Vec::new();
    let mut is_named = false;
    let mut known = HashSet::new();
    for (language, node) in languages {
        // Languages without a translation are left blank.
        if node.value.text() == Some("") {
            continue;
        }
        is_named = true;
        let name = reader.within(key_step(language), node.position, |reader| {
            let name = values::text(reader, &node.value)?;
            let is_new = known.insert(language);
            reader.check(&node.value, "each language once", is_new.then_some(name))
        });
        names.extend(name.map(|name| (language.to_string(), name)));
    }
    let names = is_named.then_some(Name::ByLanguage(names));
    reader.check(value, "a name in at least one language", names)
}

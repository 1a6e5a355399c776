//! What holds for any file.

use proptest::prelude::*;

use super::*;

/// Every place in a JSON value.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                pointers(value, &format!("{at}/{key}"), all);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                pointers(value, &format!("{at}/{index}"), all);
            }
        }
        _ => {}
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(".*", inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// What is written of a file that was read.
fn written(file: &OrganizersFile) -> String {
    let mut text = String::new();
    let mut writer = Writer::new(|line: Option<&str>| {
        text.extend(line.into_iter().flat_map(|line| [line, "\n"]));
        Ok(())
    });
    let devices = devices(file);
    for (number, organizer) in file.organizers.iter().enumerate() {
        writer.organizer(organizer).unwrap();
        let own = devices
            .iter()
            .filter(|(place, _)| place.organizer == number);
        for (_, device) in own {
            writer.device(device).unwrap();
        }
    }
    writer.end().unwrap();
    drop(writer);
    text
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_written_the_same(
        names in prop::collection::vec("[^\\x00-\\x1f\\s]([^\\x00]{0,20}[^\\x00-\\x1f\\s])?", 9),
        (lists, flags) in (0..3_usize, any::<[bool; 4]>()),
    ) {
        let mut file = good();
        let organizer = &mut file["organizers"][0];
        organizer["name"] = json!(names[0]);
        organizer["gates"][0]["name"] = json!(names[1]);
        organizer["gates"][0]["identifier"] = json!(names[2]);
        organizer["gates"][0]["active"] = json!(flags[0]);
        organizer["events"][0]["name"] = json!({"de": names[3], "en": names[4]});
        organizer["events"][0]["checkin_lists"][0]["gates"] = json!([names[2]]);
        organizer["teams"][0]["name"] = json!(names[5]);
        organizer["teams"][0]["active"] = json!(flags[1]);
        organizer["devices"][0]["gate"] = json!(names[2]);
        organizer["devices"][0]["name"] = json!(names[6]);
        organizer["devices"][0]["os_name"] = json!(names[7]);
        organizer["devices"][0]["revoked"] = json!(flags[2]);
        let more = vec![json!({"name": names[8], "security_profile": "full"}); lists];
        organizer["devices"].as_array_mut().unwrap().extend(more);
        file["organizers"][1]["active"] = json!(flags[3]);
        let read = parse(file.to_string().as_bytes());
        prop_assert!(read.is_ok(), "{:?}", faults(&file.to_string()));
        let first = written(&read.ok().unwrap());
        let again = parse(first.as_bytes());
        prop_assert!(again.is_ok(), "{first}");
        prop_assert_eq!(written(&again.ok().unwrap()), first);
    }

    #[test]
    fn a_changed_file_is_read_or_refused_with_faults(
        place in any::<prop::sample::Index>(),
        value in any_json(),
    ) {
        let mut file = good();
        let mut all = Vec::new();
        pointers(&file, "", &mut all);
        *file.pointer_mut(&all[place.index(all.len())]).unwrap() = value;
        match parse(file.to_string().as_bytes()) {
            Ok(_) => {}
            Err(OrganizersFileError::Faults { faults, .. }) => prop_assert!(!faults.is_empty()),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn damaged_bytes_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        end in any::<prop::sample::Index>(),
    ) {
        let mut content = good().to_string().into_bytes();
        for (place, byte) in changes {
            *place.get_mut(&mut content) = byte;
        }
        let _ = parse(&content);
        let _ = parse(&content[..end.index(content.len())]);
    }
}

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

proptest! {
    #[test]
    fn a_changed_file_is_read_or_refused_with_faults(
        place in any::<prop::sample::Index>(),
        value in any_json(),
    ) {
        let mut file = good();
        let mut all = Vec::new();
        pointers(&file, "", &mut all);
        *file.pointer_mut(&all[place.index(all.len())]).unwrap() = value;
        match OrganizersFile::parse(file.to_string().as_bytes()) {
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
        let _ = OrganizersFile::parse(&content);
        let _ = OrganizersFile::parse(&content[..end.index(content.len())]);
    }
}

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use std::path::Path;

use super::*;

fn scratch() -> (TempDir, Folder) {
    let scratch = tempfile::tempdir().unwrap();
    let folder = Folder::at(scratch.path().join("home")).unwrap();
    (scratch, folder)
}

fn with_secret(folder: &Folder) -> Vault {
    let mut vault = Vault::open(folder).unwrap();
    vault
        .change(|change| change.put_sealed("key", "at a", b"s3cr3t"))
        .unwrap();
    vault
}

#[test]
fn what_is_put_is_there_after_reopening() {
    let (_scratch, folder) = scratch();
    let mut vault = with_secret(&folder);
    vault.change(|change| change.put("name", "Lane 1")).unwrap();
    drop(vault);
    for vault in [
        Vault::open(&folder).unwrap(),
        Vault::look(&folder).unwrap().unwrap(),
    ] {
        assert_eq!(vault.plain("name").unwrap().unwrap(), "Lane 1");
        assert_eq!(*vault.sealed("key", "at a").unwrap().unwrap(), b"s3cr3t");
        assert!(
            vault.plain("key").unwrap().is_none() && vault.sealed("name", "").unwrap().is_none()
        );
    }
}

#[test]
fn a_sealed_entry_opens_only_under_its_name_and_beside_its_context() {
    let (_scratch, folder) = scratch();
    let vault = with_secret(&folder);
    assert!(matches!(
        vault.sealed("key", "at b"),
        Err(VaultError::Seal { .. })
    ));
    vault
        .connection
        .execute("UPDATE entry SET name = 'other' WHERE name = 'key'", [])
        .unwrap();
    assert!(matches!(
        vault.sealed("other", "at a"),
        Err(VaultError::Seal { .. })
    ));
}

#[test]
fn a_failed_change_changes_nothing() {
    let (_scratch, folder) = scratch();
    let mut vault = with_secret(&folder);
    let failed = vault.change(|change| {
        change.remove("key")?;
        change.put("name", "x")?;
        Err::<(), _>(VaultError::NoFolder)
    });
    assert!(failed.is_err());
    assert!(vault.sealed("key", "at a").unwrap().is_some());
    assert!(vault.plain("name").unwrap().is_none());
}

#[test]
fn every_file_is_private_and_none_holds_the_secret() {
    let (_scratch, folder) = scratch();
    let mut vault = with_secret(&folder);
    vault.begin(0, |_| Ok::<_, VaultError>(())).unwrap();
    vault.change(|change| change.remove("key")).unwrap();
    let files: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    assert!(files.len() >= 3, "vault, log and key");
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
        let contents = fs::read(file.path()).unwrap();
        assert!(
            !contents.windows(6).any(|window| window == b"s3cr3t"),
            "{:?}",
            file.file_name()
        );
    }
}

#[test]
fn looking_makes_nothing() {
    let (scratch, folder) = scratch();
    assert!(Vault::look(&folder).unwrap().is_none());
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn looking_does_not_wait_for_a_writer() {
    let (_scratch, folder) = scratch();
    let mut vault = with_secret(&folder);
    vault
        .change(|change| {
            change.put("name", "not yet")?;
            let seen = Vault::look(&folder)?.unwrap().plain("name")?;
            assert_eq!(seen, None);
            Ok::<_, VaultError>(())
        })
        .unwrap();
}

#[test]
fn the_next_change_gives_the_reserved_room_back() {
    let (_scratch, folder) = scratch();
    let mut vault = with_secret(&folder);
    vault.begin(0, |change| change.put("begun", "x")).unwrap();
    assert!(fs::metadata(vault.path()).unwrap().len() > RESERVED as u64);
    vault.change(|change| change.put("name", "x")).unwrap();
    assert!(vault.plain(RESERVE).unwrap().is_none());
}

#[test]
fn as_much_room_is_reserved_as_the_end_needs() {
    let (_scratch, folder) = scratch();
    let mut vault = with_secret(&folder);
    let more = 4 * RESERVED;
    vault
        .begin(more, |change| change.put("begun", "x"))
        .unwrap();
    assert!(fs::metadata(vault.path()).unwrap().len() > (RESERVED + more) as u64);
}

#[test]
fn another_key_a_missing_key_and_a_broken_key_are_told_apart() {
    let (_scratch, folder) = scratch();
    drop(with_secret(&folder));
    let open = || Vault::open(&folder).err().unwrap();

    fs::write(folder.key_path(), [7; 32]).unwrap();
    assert!(matches!(open(), VaultError::OtherKey { .. }));
    fs::write(folder.key_path(), [7; 31]).unwrap();
    assert!(matches!(open(), VaultError::KeyLength { .. }));
    fs::write(folder.key_path(), [7; 33]).unwrap();
    assert!(matches!(open(), VaultError::KeyLength { .. }));
    fs::remove_file(folder.key_path()).unwrap();
    assert!(matches!(open(), VaultError::KeyMissing { .. }));
    assert!(
        !folder.key_path().exists(),
        "a key is never made for a vault that is sealed already"
    );

    fs::write(folder.path().join("vault.key.wrapped"), "{}").unwrap();
    assert!(matches!(open(), VaultError::KeyWrapped { .. }));
    assert!(folder.set_aside().unwrap().is_some());
    let wrapped = |name: &str| name.ends_with(".key.wrapped") && name.contains("replaced");
    let names = fs::read_dir(folder.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| wrapped(name)).count(), 1);
    assert!(!folder.path().join("vault.key.wrapped").exists());
}

#[test]
fn a_key_file_opens_the_vault_in_every_form_and_is_left_as_it_is() {
    let (_scratch, folder) = scratch();
    drop(with_secret(&folder));
    let raw = fs::read(folder.key_path()).unwrap();
    assert_eq!(raw.len(), 32, "the form that older versions read");
    let hex = base16ct::upper::encode_string(&raw);
    let plain = STANDARD.encode(&raw);
    let plain = format!(r#"{{"version":1,"method":"plain","key":"{plain}"}}"#);
    for form in [raw.clone(), format!(" {hex}\n").into(), plain.into()] {
        fs::write(folder.key_path(), &form).unwrap();
        let mut vault = Vault::open(&folder).unwrap();
        assert_eq!(*vault.sealed("key", "at a").unwrap().unwrap(), b"s3cr3t");
        vault.change(|change| change.put("name", "Lane 1")).unwrap();
        drop(vault);
        assert!(Vault::look(&folder).unwrap().is_some());
        assert_eq!(fs::read(folder.key_path()).unwrap(), form);
    }
}

#[test]
fn a_key_file_that_is_too_new_or_wrapped_is_told_and_only_the_wrapped_one_is_past_use() {
    let (_scratch, folder) = scratch();
    drop(with_secret(&folder));
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys");
    let open = |name: &str| {
        fs::copy(keys.join(name), folder.key_path()).unwrap();
        fs::set_permissions(folder.key_path(), fs::Permissions::from_mode(0o600)).unwrap();
        Vault::open(&folder).err().unwrap()
    };
    let newer = open("version-2.json");
    assert!(matches!(newer, VaultError::KeyVersion { found: 2, .. }));
    assert!(!newer.is_beyond_use());
    let wrapped = open("aes-gcm.json");
    assert!(wrapped.is_beyond_use());
    assert!(matches!(wrapped, VaultError::KeyMethod { method, .. } if method == "AES/GCM"));
    let damaged = open("damaged/cut-short.json");
    assert!(matches!(damaged, VaultError::KeyLength { .. }));
}

#[test]
fn a_damaged_or_emptied_vault_is_left_as_it_is() {
    let (_scratch, folder) = scratch();
    drop(with_secret(&folder));
    for damage in [&b"not a database, but long enough to look at"[..], b""] {
        fs::write(folder.vault_path(), damage).unwrap();
        for error in [Vault::open(&folder).err(), Vault::look(&folder).err()] {
            assert!(error.unwrap().is_beyond_use());
        }
        assert_eq!(fs::read(folder.vault_path()).unwrap(), damage);
    }
}

#[test]
fn a_vault_of_a_newer_version_is_left_as_it_is() {
    let (_scratch, folder) = scratch();
    let vault = with_secret(&folder);
    vault
        .connection
        .pragma_update(None, "user_version", 99)
        .unwrap();
    drop(vault);
    for error in [Vault::open(&folder).err(), Vault::look(&folder).err()] {
        assert!(matches!(
            error,
            Some(VaultError::OtherVersion { found: 99, .. })
        ));
    }
}

#[test]
fn a_crash_between_file_and_key_leaves_an_empty_vault() {
    let (_scratch, folder) = scratch();
    drop(Vault::open(&folder).unwrap());
    assert!(!folder.key_path().exists());
    assert!(
        with_secret(&folder)
            .sealed("key", "at a")
            .unwrap()
            .is_some()
    );
}

#[test]
fn one_process_at_a_time_changes_a_device() {
    let (_scratch, folder) = scratch();
    let held = lock(&folder).unwrap();
    assert!(matches!(lock(&folder), Err(VaultError::Busy { .. })));
    drop(held);
    assert!(lock(&folder).is_ok());
}

#[test]
fn what_a_power_cut_left_of_making_the_vault_is_undone_when_looking() {
    let (_scratch, folder) = scratch();
    fs::create_dir(folder.path()).unwrap();
    let being_made = tempfile::tempdir().unwrap();
    let path = being_made.path().join("vault.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("BEGIN; CREATE TABLE entry (name)")
        .unwrap();
    connection.cache_flush().unwrap();
    for name in ["vault.db", "vault.db-journal"] {
        fs::copy(being_made.path().join(name), folder.path().join(name)).unwrap();
    }
    // The write before which the journal was synced was lost but for its length.
    let length = fs::metadata(&path).unwrap().len();
    fs::write(folder.vault_path(), vec![0; length as usize]).unwrap();
    assert!(
        Watch::begin(&folder).unwrap().is_none(),
        "undoing it is a change"
    );
    assert!(Vault::look(&folder).unwrap().is_none());
    with_secret(&folder);
}

#[test]
fn a_watch_sees_a_change_that_was_made_just_before() {
    let (_scratch, folder) = scratch();
    let mut vault = with_secret(&folder);
    for number in 0..100 {
        let mut watch = Watch::begin(&folder).unwrap().unwrap();
        for _ in 0..3 {
            assert!(watch.is_unchanged(), "{number}");
        }
        let put = vault.change(|change| change.put("name", &number.to_string()));
        put.unwrap();
        assert!(!watch.is_unchanged(), "{number}");
    }
    // A key that is written in its place.
    let mut watch = Watch::begin(&folder).unwrap().unwrap();
    assert!(watch.is_unchanged() && watch.is_unchanged());
    let key = fs::read(folder.key_path()).unwrap();
    fs::write(folder.key_path(), key).unwrap();
    assert!(!watch.is_unchanged());
}

#[test]
fn a_watch_sees_each_change_and_another_vault_in_the_place_of_this_one() {
    let (_scratch, folder) = scratch();
    assert!(Watch::begin(&folder).unwrap().is_none());
    let mut vault = with_secret(&folder);
    let mut watch = Watch::begin(&folder).unwrap().unwrap();
    assert!(watch.is_unchanged() && watch.is_unchanged());
    vault.change(|change| change.put("name", "Lane 1")).unwrap();
    assert!(!watch.is_unchanged());
    drop(vault);

    for path in [folder.vault_path(), folder.key_path()] {
        let mut watch = Watch::begin(&folder).unwrap().unwrap();
        let copy = path.with_extension("copy");
        fs::copy(&path, &copy).unwrap();
        assert!(watch.is_unchanged());
        fs::rename(&copy, &path).unwrap();
        assert!(!watch.is_unchanged(), "{}", path.display());
    }
}

#[test]
fn a_vault_whose_changes_could_not_be_seen_is_looked_at_but_not_watched() {
    let (_scratch, folder) = scratch();
    drop(with_secret(&folder));
    // SQLite can't make these, as on a disk that can't be written.
    for name in ["vault.db-wal", "vault.db-shm"] {
        symlink("nowhere/at-all", folder.path().join(name)).unwrap();
    }
    let vault = Vault::look(&folder).unwrap().unwrap();
    assert_eq!(*vault.sealed("key", "at a").unwrap().unwrap(), b"s3cr3t");
    assert!(Watch::begin(&folder).unwrap().is_none());
}

#[test]
fn a_key_that_is_kept_elsewhere_is_in_no_file_and_only_it_opens_the_vault() {
    let (_scratch, folder) = scratch();
    let held = |byte| {
        folder
            .clone()
            .sealed_with(SealingKey::from_bytes([byte; 32]))
    };
    assert!(Vault::look(&held(1)).unwrap().is_none());
    drop(with_secret(&held(1)));
    assert!(!folder.key_path().exists());
    let vault = Vault::look(&held(1)).unwrap().unwrap();
    assert_eq!(*vault.sealed("key", "at a").unwrap().unwrap(), b"s3cr3t");
    let other = Vault::open(&held(2)).err().unwrap();
    assert!(other.to_string().ends_with("the one that the app holds"));
    assert!(matches!(
        other,
        VaultError::OtherKey {
            key: KeyPlace::Caller,
            ..
        }
    ));
    assert!(matches!(
        Vault::open(&folder).err().unwrap(),
        VaultError::KeyMissing { .. }
    ));
}

/// Gives a vault a new key in its file.
#[cfg(feature = "cli")]
fn rekey_in_file(folder: &Folder) -> Result<(), VaultError> {
    let lock = lock(folder)?;
    let mut vault = Vault::open(folder)?;
    let how = Rekey {
        to: NewHome::File,
        credential: None,
        replaces_unreadable: false,
        is_home_named: false,
        recovery: Recovery::None,
        contexts: &["at a".to_owned()],
        may_be_left: &["left"],
    };
    rekey(&mut vault, &lock, &how)
}

#[test]
#[cfg(feature = "cli")]
fn whoever_has_a_vault_open_seals_with_the_new_key_once_it_has_one() {
    let (_scratch, folder) = scratch();
    let mut open = with_secret(&folder);
    let before = fs::read(folder.key_path()).unwrap();
    rekey_in_file(&folder).unwrap();
    assert_ne!(fs::read(folder.key_path()).unwrap(), before);
    open.change(|change| change.put_sealed("later", "at a", b"m0re"))
        .unwrap();
    let vault = Vault::look(&folder).unwrap().unwrap();
    for (name, secret) in [("key", &b"s3cr3t"[..]), ("later", b"m0re")] {
        assert_eq!(*vault.sealed(name, "at a").unwrap().unwrap(), secret);
        assert!(matches!(
            vault.sealed(name, "at b"),
            Err(VaultError::Seal { .. })
        ));
    }
}

#[test]
#[cfg(feature = "cli")]
fn what_opens_for_nobody_keeps_a_vault_from_a_new_key_unless_it_may_be_left() {
    let (_scratch, folder) = scratch();
    let mut vault = with_secret(&folder);
    vault
        .change(|change| change.put_sealed("left", "at b", b"of another"))
        .unwrap();
    rekey_in_file(&folder).unwrap();
    let before = fs::read(folder.key_path()).unwrap();
    assert!(!Vault::open(&folder).unwrap().has_sealed("left").unwrap());
    vault
        .change(|change| change.put_sealed("other", "at b", b"of another"))
        .unwrap();
    drop(vault);
    let refused = rekey_in_file(&folder);
    assert!(matches!(refused, Err(VaultError::Seal { .. })));
    assert_eq!(fs::read(folder.key_path()).unwrap(), before);
    let vault = Vault::open(&folder).unwrap();
    assert_eq!(
        *vault.sealed("other", "at b").unwrap().unwrap(),
        b"of another"
    );
}

#[test]
#[cfg(feature = "cli")]
fn a_key_of_the_middle_of_a_move_opens_by_the_handover_and_another_does_not() {
    let (_scratch, folder) = scratch();
    drop(with_secret(&folder));
    let old = fs::read(folder.key_path()).unwrap();
    rekey_in_file(&folder).unwrap();
    let new = KeyFile::at(folder.key_path()).load().unwrap().unwrap();
    let old_key = SealingKey::from_bytes(old.as_slice().try_into().unwrap());
    let handed = handover::to_each(&[Arc::new(old_key)], &new).unwrap();
    let mut vault = Vault::open(&folder).unwrap();
    vault
        .change(|change| change.put(handover::HANDOVER, &handed))
        .unwrap();
    drop(vault);
    fs::write(folder.key_path(), &old).unwrap();
    let vault = Vault::open(&folder).unwrap();
    assert_eq!(*vault.sealed("key", "at a").unwrap().unwrap(), b"s3cr3t");
    drop(vault);
    fs::write(folder.key_path(), [9; 32]).unwrap();
    let other = Vault::open(&folder).err().unwrap();
    assert!(matches!(other, VaultError::OtherKey { .. }), "{other}");
}

#[test]
fn a_credential_opens_the_vault_before_a_file_that_does_not() {
    let (_scratch, folder) = scratch();
    let credential = folder.path().with_file_name("credential");
    fs::write(&credential, [5; 32]).unwrap();
    let with = folder.clone().with_credential(credential.clone());
    drop(with_secret(&with));
    assert!(!folder.key_path().exists());
    let not_given = Vault::open(&folder).err().unwrap();
    assert!(matches!(not_given, VaultError::KeyNotGiven { .. }));
    assert!(!not_given.is_beyond_use());

    fs::write(folder.key_path(), [6; 32]).unwrap();
    for key in [&[5; 32][..], b"of no form"] {
        fs::write(&credential, key).unwrap();
        let opened = Vault::open(&with);
        match key.len() {
            32 => drop(opened.unwrap()),
            _ => assert!(matches!(
                opened.err().unwrap(),
                VaultError::Credential { .. }
            )),
        }
    }
    // As after a crash, before the key came to the credential.
    fs::write(folder.key_path(), [5; 32]).unwrap();
    fs::write(&credential, [7; 32]).unwrap();
    drop(Vault::open(&with).unwrap());
}

//! What a scanner's own operations cost: opening the vault, reading it, changing it.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark fails by panicking"
)]

use std::path::Path;

use divan::{Bencher, black_box};
use gatehand::enrolment::Reading;
use gatehand::facts::{Diagnostics, Facts};
use gatehand::vault::{Folder, Vault, VaultError, Watch};
use tempfile::TempDir;

fn main() {
    divan::main();
}

fn vault() -> (TempDir, Folder, Vault) {
    let scratch = tempfile::tempdir().unwrap();
    let folder = Folder::at(scratch.path()).unwrap();
    let mut vault = Vault::open(&folder).unwrap();
    write(&mut vault);
    (scratch, folder, vault)
}

fn write(vault: &mut Vault) {
    vault
        .change::<_, VaultError>(|change| change.put_sealed("api key", "context", &[b'k'; 64]))
        .unwrap();
}

#[divan::bench]
fn look_into_the_vault(bencher: Bencher<'_, '_>) {
    let (_scratch, folder, _vault) = vault();
    bencher.bench(|| {
        Vault::look(&folder)
            .unwrap()
            .unwrap()
            .sealed("api key", "context")
            .unwrap()
    });
}

#[divan::bench]
fn see_that_nobody_changed_it(bencher: Bencher<'_, '_>) {
    let (_scratch, folder, _vault) = vault();
    let mut watch = Watch::begin(&folder).unwrap().unwrap();
    bencher.bench_local(|| assert!(watch.is_unchanged()));
}

#[divan::bench]
fn commit_a_change(bencher: Bencher<'_, '_>) {
    let (_scratch, _folder, mut vault) = vault();
    bencher.bench_local(|| write(&mut vault));
}

#[divan::bench]
fn prove_room_for_an_answer(bencher: Bencher<'_, '_>) {
    let (_scratch, _folder, mut vault) = vault();
    bencher.bench_local(|| vault.begin(0, |_| Ok::<_, VaultError>(())).unwrap());
}

#[divan::bench]
fn read_what_this_device_is() -> Facts {
    Facts::read(Path::new("/"))
}

#[divan::bench]
fn look_at_how_it_is_doing() -> Diagnostics {
    Diagnostics::read(Path::new("/"), Path::new("/tmp"))
}

#[divan::bench]
fn parse_a_payload() -> Reading {
    let payload =
        r#"{"handshake_version": 1, "url": "https://pretix.eu", "token": "kpp4jn8g2ynzonp6"}"#;
    Reading::of(black_box(payload), None).unwrap()
}

/// As a hand scanner set to US types it at a system with a German layout.
#[divan::bench]
fn parse_a_payload_through_another_layout() -> Reading {
    let typed = "ÜÄhandshake?versionÄÖ 1, ÄurlÄÖ ÄhttpsÖ--pretix.euÄ, ÄtokenÄÖ Äkpp4jn8g2znyonp6Ä*";
    Reading::of(black_box(typed), None).unwrap()
}

//! Files to be imported.
#![no_main]

use std::io::Cursor;

use gatehand::server::organizers_file::{OrganizersFile, OrganizersFileError};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|content: &[u8]| {
    let file = OrganizersFile::read(Cursor::new(content.to_vec()));
    if let Ok(file) = file {
        // What was taken as a whole is taken device by device.
        file.devices(|_, _| Ok::<(), OrganizersFileError>(())).unwrap();
    }
});

//! Files to be imported.
#![no_main]

use gatehand::server::organizers_file::OrganizersFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|content: &[u8]| {
    let _ = OrganizersFile::parse(content);
});

//! Files under a passphrase that were damaged or made by others: exports, recovery files, and what is sealed in an
//! export. None of them may take more memory or time than a file of gatehand does.
#![no_main]

use gatehand::cli::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&kind, input)) = input.split_first() else {
        return;
    };
    match kind % 3 {
        0 => {
            let is_export = fuzzing::export(input);
            assert!(!is_export || !fuzzing::recovery(input), "one file, two kinds");
        }
        1 => {
            fuzzing::recovery(input);
        }
        _ => {
            let text = String::from_utf8_lossy(input);
            let is_object = text.trim_start().starts_with(['{', '[']);
            assert!(!fuzzing::moved_device(input) || is_object, "{text}");
        }
    }
});

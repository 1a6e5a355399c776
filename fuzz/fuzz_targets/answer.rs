//! Answers of any server: status (two bytes), whether it says that it is JSON, and the body, which is
//! the address of a redirect too.
#![no_main]

use gatehand::agent::fuzzing::{self, Heard};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let Some((&[high, low, flags], body)) = input.split_first_chunk() else {
        return;
    };
    // Most of the numbers there are have no meaning: those that do are wanted more often.
    const STATUS: [u16; 8] = [200, 201, 302, 400, 401, 403, 409, 500];
    let status = match flags & 2 {
        0 => STATUS[usize::from(low) % STATUS.len()],
        _ => u16::from_be_bytes([high, low]),
    };
    let is_json = flags & 1 == 0;
    let location = std::str::from_utf8(body).ok();
    // What is left out by the types may be no text or nested without end, which does no harm.
    let json = serde_json::from_slice(body).ok();
    if let Some(heard) = fuzzing::identity(status, is_json, location, body) {
        check(&heard, status, is_json, body, json.as_ref());
    }
    if let Some(heard) = fuzzing::info(status, is_json, location, body) {
        let device = json.as_ref().and_then(|json| json.get("device"));
        check(&heard, status, is_json, body, device);
    }
});

fn check(heard: &Heard, status: u16, is_json: bool, body: &[u8], device: Option<&Value>) {
    match heard {
        Heard::Done { has_key } => {
            assert!((200..300).contains(&status));
            if let Some(device) = device.filter(|_| *has_key) {
                let key = device["api_token"].as_str().unwrap();
                assert!(!key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
        Heard::Refused(words) => {
            assert!(is_json && [400, 401, 403].contains(&status));
            assert!(serde_json::from_slice::<Value>(body).is_ok());
            // Some letters are written shorter in JSON than they are.
            assert!(words.len() <= 4 * body.len());
        }
        Heard::Foreign(words) => assert!(!words.is_empty()),
    }
}

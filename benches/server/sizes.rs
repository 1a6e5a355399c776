//! Pages of a million devices against the same of a thousand, and the memory of the server that has a million.

use std::path::Path;

use super::Spread;
use super::database::Database;
use super::installation::Installation;
use super::processes::memory;
use super::requests::Request;

const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
const CONNECTIONS: usize = 16;
/// Callers of the server whose memory is looked at.
const CROWD: usize = 256;

pub fn compare(folder: &Path, rounds: usize) {
    let [few, many] = [FEW, MANY].map(|devices| {
        let folder = folder.join(devices.to_string());
        std::fs::create_dir(&folder).unwrap();
        Installation::set_up(&folder, Database::sqlite(&folder), devices)
    });
    println!(
        "\n| page of 50 devices | of 1,000, a second | of 1,000,000 | time of the one / of the other |\n{}|",
        "| --- ".repeat(4)
    );
    type Place = fn(&Installation) -> usize;
    let places: [(&str, Place); 3] = [
        ("first, with the count", |_| 1),
        ("in the middle", |installation| installation.pages() / 2),
        ("last", Installation::pages),
    ];
    for (name, place) in places {
        let measured = (0..=rounds).map(|round| {
            let run = |one: &Installation| one.run_page(place(one), CONNECTIONS).rate;
            match round % 2 {
                0 => (run(&few), run(&many)),
                _ => {
                    let many = run(&many);
                    (run(&few), many)
                }
            }
        });
        // The first round warms up.
        let measured: Vec<(f64, f64)> = measured.skip(1).collect();
        let spread =
            |figure: &dyn Fn(&(f64, f64)) -> f64| Spread::of(measured.iter().map(figure).collect());
        println!(
            "| {name} | {:.0} | {:.0} | {} |",
            spread(&|(few, _)| *few).median,
            spread(&|(_, many)| *many).median,
            spread(&|(few, many)| few / many).to_text(),
        );
    }
    for _ in 0..rounds {
        for request in [Request::Info, Request::Page, Request::Patch] {
            many.run(&many.server, request, CROWD, &mut Vec::new());
        }
    }
    let (now, peak) = memory(many.server.id());
    println!(
        "\nmemory of the server with 1,000,000 devices, after {CROWD} callers: {now} MiB, at most {peak} MiB"
    );
}

//! What pages load: embedded, compressed once, and under a path with a hash, so that browsers keep it.

use std::io::Write;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// A file that pages load.
pub(super) struct Asset {
    name: &'static str,
    pub(super) media_type: &'static str,
    pub(super) plain: &'static [u8],
}

macro_rules! asset {
    ($name:literal, $media_type:literal) => {
        Asset {
            name: $name,
            media_type: $media_type,
            plain: include_bytes!(concat!("assets/", $name)),
        }
    };
}

/// htmx and its extension are as the npm registry has them: see assets/README.md.
static ASSETS: [Asset; 5] = [
    asset!("fleet.css", "text/css; charset=utf-8"),
    asset!("fleet.js", "text/javascript; charset=utf-8"),
    asset!("htmx.min.js", "text/javascript; charset=utf-8"),
    asset!("hx-sse.min.js", "text/javascript; charset=utf-8"),
    asset!("icon.svg", "image/svg+xml"),
];

/// The same, ready to be sent.
pub(super) struct Ready {
    pub(super) asset: &'static Asset,
    pub(super) hash: String,
    pub(super) compressed: Vec<u8>,
}

static READY: LazyLock<Vec<Ready>> = LazyLock::new(|| {
    let ready = ASSETS.iter().map(|asset| {
        let hash = Sha256::digest(asset.plain);
        Ready {
            asset,
            hash: hash
                .iter()
                .take(8)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            compressed: compressed(asset.plain),
        }
    });
    ready.collect()
});

/// What is written into memory is written.
fn compressed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(plain);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

/// The asset of this name.
pub(super) fn find(name: &str) -> Option<&'static Ready> {
    READY.iter().find(|ready| ready.asset.name == name)
}

/// Where an asset is, below the public address.
pub(super) fn path(name: &str) -> String {
    let hash = find(name).map_or("", |ready| ready.hash.as_str());
    format!("/assets/{hash}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_a_page_loads_is_small() {
        let bytes: usize = READY.iter().map(|ready| ready.compressed.len()).sum();
        assert!(READY.iter().all(|ready| !ready.compressed.is_empty()));
        assert!(bytes < 50_000, "{bytes}");
    }

    #[test]
    fn what_others_made_is_as_it_is_written_down() {
        let table = include_str!("assets/README.md");
        for name in ["htmx.min.js", "hx-sse.min.js"] {
            let hash = Sha256::digest(find(name).unwrap().asset.plain);
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(
                table.contains(&format!("| `{name}` | `{hash}` |")),
                "{name}"
            );
        }
    }
}

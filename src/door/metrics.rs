//! What monitoring watches, in Prometheus' text format: `GET /v1/metrics`, and for who writes it elsewhere.

use hyper::StatusCode;

use super::answer::{self, Answer};
use super::standing::Standing;

pub(super) fn answer(standing: &Standing) -> Answer {
    answer::own(
        StatusCode::OK,
        "text/plain; version=0.0.4; charset=utf-8",
        text(standing),
    )
}

/// How the device stands, in metrics.
pub fn text(standing: &Standing) -> String {
    let state = serde_json::to_value(standing.state()).unwrap_or_default();
    let state = state.as_str().unwrap_or("unknown");
    let mut text = format!(
        "# HELP gatehand_info The version of gatehand.\n\
         # TYPE gatehand_info gauge\n\
         gatehand_info{{version=\"{}\"}} 1\n\
         # HELP gatehand_state How the device stands with its server.\n\
         # TYPE gatehand_state gauge\n\
         gatehand_state{{state=\"{state}\"}} 1\n\
         # HELP gatehand_pending_operations What was begun and is not finished.\n\
         # TYPE gatehand_pending_operations gauge\n\
         gatehand_pending_operations {}\n",
        env!("CARGO_PKG_VERSION"),
        u8::from(standing.is_pending()),
    );
    if let Some(online) = standing.online() {
        text.push_str(&format!(
            "# HELP gatehand_online Whether the server answered when it was last asked.\n\
             # TYPE gatehand_online gauge\n\
             gatehand_online {}\n",
            u8::from(online)
        ));
    }
    if let Some(last) = standing.last_contact() {
        text.push_str(&format!(
            "# HELP gatehand_last_contact_timestamp_seconds When the server last answered.\n\
             # TYPE gatehand_last_contact_timestamp_seconds gauge\n\
             gatehand_last_contact_timestamp_seconds {}\n",
            last.as_second()
        ));
    }
    text
}

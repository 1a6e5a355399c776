//! Calls with the device's key.

mod call;
mod info;
mod media_key_sets;
mod own_path;
mod request;
mod stream;

pub use call::ApiRequest;
pub use info::{Current, Info, Selected, SelectedEvent, Suggestion};
pub(super) use info::{event_selection, info};
pub use media_key_sets::MediaKeySets;
pub(super) use media_key_sets::{encrypted_media_keys, media_key_held_as, media_keys};
#[cfg(fuzzing)]
pub(super) use own_path::refuse as refuse_own_path;
pub use request::ApiResponse;
pub(super) use request::request;
pub(super) use stream::stream;
pub use stream::{ApiStream, BodyWriter, StreamedBody, streamed_body};

//! What a server says is learnt: of the device, of its key, and that it is the one that is trusted.

mod doubt;
mod given_trust;
mod info;
mod key_sets;

pub(super) use doubt::{AfterDoubt, doubt};
pub(super) use given_trust::{keep_given, keep_given_if_known};
pub(super) use info::{has_news, hear_info};

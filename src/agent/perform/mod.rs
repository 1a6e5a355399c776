//! An operation is done: sent, once it is written down, and ended with what the server says to it, in
//! one transaction.

mod enrolment;
mod heard;
mod intent;
mod operation;
mod replacement;
mod unwanted;

pub(super) use enrolment::finish_enrolment;
pub(super) use operation::{finish_operation, send_unwritten};
pub use replacement::{Afterlife, Replaced};
pub(super) use replacement::{Kinship, Replacement, left_behind};

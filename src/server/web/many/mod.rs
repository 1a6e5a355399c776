//! Many devices at once: they are made by a pattern of their names or of a list, and their codes printed.

mod form;
mod labels;
mod sheet;
mod usual;

pub(super) use form::{ask, create};
pub(super) use labels::print;
pub(super) use sheet::download;

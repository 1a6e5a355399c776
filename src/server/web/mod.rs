//! The fleet page: an organizer's devices for people. [`pages`] lists all there is; each has one function that
//! reads what was asked, calls the store and fills a template.
//!
//! What may be done, by whom, and what a field may hold are the API's rules; only how it is asked for and told
//! is the page's own.

mod asset;
mod assets;
mod cookies;
mod devices;
mod fault;
mod frame;
mod home;
mod html;
mod language;
mod local_path;
mod login_link;
mod origin;
mod page;
mod pages;
mod served;
mod session;
mod sign_in;
mod sign_out;
mod since;
mod standing;
mod state;
mod texts;
mod visit;

pub(super) use served::Web;

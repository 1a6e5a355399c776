//! The fleet page: an organizer's devices for people. [`pages`] lists all there is; each has one function that
//! reads what was asked, calls the store and fills a template.
//!
//! What may be done, by whom, and what a field may hold are the API's rules; only how it is asked for and told
//! is the page's own.

mod asset;
mod assets;
mod board;
mod boards;
mod chart;
mod choice;
mod choice_names;
mod code;
mod connect;
mod cookies;
mod csrf;
mod device;
mod device_form;
mod device_numbers;
mod devices;
mod devices_csv;
mod edit;
mod edit_many;
mod facts;
mod fault;
mod feed;
mod field_words;
mod found_device;
mod frame;
mod handover;
mod home;
mod html;
mod language;
mod local_path;
mod log;
mod login_link;
mod many;
mod meant;
mod measured;
mod namesakes;
mod noting;
mod once;
mod open_codes;
mod origin;
mod page;
mod pages;
mod reconnect;
mod revoke;
mod row;
mod sent_device;
mod served;
mod session;
mod sign_in;
mod sign_out;
mod since;
mod standing;
mod state;
mod texts;
mod unshown;
mod view;
mod visit;

pub(super) use served::Web;

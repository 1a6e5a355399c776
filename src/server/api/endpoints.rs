//! All endpoints: the path, who may call it, and for each method its fields, what it does and its function.
//!
//! The routes, `Allow`, the answers to `HEAD`, `OPTIONS` and methods that are not allowed, and the description
//! of the API follow from this table.

use hyper::Method;

use super::endpoint::{Endpoint, Methods, action, taking};
use super::expansion::EXPAND;
use super::filters::{FILTERS, ORDERING};
use super::operation::does;
use super::pages::PARAMETERS as PAGES;
use super::parameters::Parameter;
use super::{
    device, device_batch, device_log, devices, event_selection, idempotency_query, openapi, version,
};
use crate::wire::fields;

pub(super) static ENDPOINTS: [Endpoint; 15] = [
    Endpoint {
        path: "/api/v1/organizers/{organizer}/devices/",
        name: "Device List",
        challenge: Some("Token"),
        methods: Methods::Team {
            methods: &[
                action(
                    Method::GET,
                    does("List an organizer's devices")
                        .answers("DevicePage")
                        .with(&[&FILTERS, &[ORDERING, EXPAND], &PAGES]),
                    |call| Box::pin(devices::page(call)),
                ),
                taking(
                    Method::POST,
                    &fields::DEVICE,
                    does("Create a device").creates("Device"),
                    |call| Box::pin(devices::create(call)),
                ),
            ],
            may_send: |call| Box::pin(devices::may_create(call)),
        },
    },
    Endpoint {
        path: "/api/v1/organizers/{organizer}/devices/batch/",
        name: "Device Batch",
        challenge: Some("Token"),
        methods: Methods::Team {
            methods: &[
                action(
                    Method::POST,
                    does("Create up to 1,000 devices, all or none")
                        .takes("DeviceBatch")
                        .creates("CreatedBatch"),
                    |call| Box::pin(device_batch::create(call)),
                ),
                action(
                    Method::PATCH,
                    does("Change up to 1,000 devices, all or none")
                        .takes("BatchChange")
                        .answers("BatchPlan")
                        .conditional(),
                    |call| Box::pin(device_batch::change(call)),
                ),
            ],
            may_send: |call| Box::pin(devices::may_create(call)),
        },
    },
    Endpoint {
        path: "/api/v1/organizers/{organizer}/devices/{device_id}/",
        name: "Device Instance",
        challenge: Some("Token"),
        methods: Methods::Team {
            methods: &[
                action(
                    Method::GET,
                    does("Show a device").answers("Device").with(&[&[EXPAND]]),
                    |call| Box::pin(devices::show(call)),
                ),
                taking(
                    Method::PUT,
                    &fields::DEVICE,
                    does("Change all of a device")
                        .answers("Device")
                        .conditional(),
                    |call| Box::pin(devices::change(call)),
                ),
                taking(
                    Method::PATCH,
                    &fields::DEVICE,
                    does("Change something of a device")
                        .answers("Device")
                        .conditional(),
                    |call| Box::pin(devices::change(call)),
                ),
            ],
            may_send: |call| Box::pin(devices::may_change(call)),
        },
    },
    Endpoint {
        path: "/api/v1/organizers/{organizer}/devices/{device_id}/revoke/",
        name: "Device Revoke",
        challenge: Some("Token"),
        methods: Methods::Team {
            methods: &[action(
                Method::POST,
                does("End a device's access for good")
                    .answers("Device")
                    .conditional(),
                |call| Box::pin(devices::revoke(call)),
            )],
            may_send: |call| Box::pin(devices::may_change(call)),
        },
    },
    Endpoint {
        path: "/api/v1/organizers/{organizer}/devices/{device_id}/reconnect/",
        name: "Device Reconnect",
        challenge: Some("Token"),
        methods: Methods::Team {
            methods: &[taking(
                Method::POST,
                &fields::RECONNECT,
                does("Give a device a fresh initialization token")
                    .answers("Device")
                    .conditional(),
                |call| Box::pin(devices::reconnect(call)),
            )],
            may_send: |call| Box::pin(devices::may_change(call)),
        },
    },
    Endpoint {
        path: "/api/v1/organizers/{organizer}/devices/{device_id}/log/",
        name: "Device Log",
        challenge: Some("Token"),
        methods: Methods::Team {
            methods: &[action(
                Method::GET,
                does("Tell what was done to a device")
                    .answers("LogPage")
                    .with(&[&PAGES]),
                |call| Box::pin(device_log::page(call)),
            )],
            may_send: |call| Box::pin(devices::may_change(call)),
        },
    },
    Endpoint {
        path: "/api/v1/device/initialize",
        name: "Initialize",
        challenge: None,
        methods: Methods::Anyone(&[taking(
            Method::POST,
            &fields::INITIALIZE,
            does("Redeem an initialization token").answers("DeviceIdentity"),
            |call| Box::pin(device::initialize(call)),
        )]),
    },
    Endpoint {
        path: "/api/v1/device/update",
        name: "Update",
        challenge: Some("Device"),
        methods: Methods::Device(&[taking(
            Method::POST,
            &fields::UPDATE,
            does("Report what the device is").answers("DeviceIdentity"),
            |call| Box::pin(device::update(call)),
        )]),
    },
    Endpoint {
        path: "/api/v1/device/roll",
        name: "Roll Key",
        challenge: Some("Device"),
        methods: Methods::Device(&[action(
            Method::POST,
            does("Replace the key").answers("DeviceIdentity"),
            |call| Box::pin(device::roll(call)),
        )]),
    },
    Endpoint {
        path: "/api/v1/device/revoke",
        name: "Revoke Key",
        challenge: Some("Device"),
        methods: Methods::Device(&[action(
            Method::POST,
            does("End the device's own access for good").answers("DeviceIdentity"),
            |call| Box::pin(device::revoke(call)),
        )]),
    },
    Endpoint {
        path: "/api/v1/device/info",
        name: "Info",
        challenge: Some("Device"),
        methods: Methods::Device(&[action(
            Method::GET,
            does("Tell the device who it is").answers("DeviceInfo"),
            |call| Box::pin(device::info(call)),
        )]),
    },
    Endpoint {
        path: "/api/v1/device/eventselection",
        name: "Event Selection",
        challenge: Some("Device"),
        methods: Methods::Device(&[action(
            Method::GET,
            does("Suggest what to scan for now")
                .answers("EventSelection")
                .with(&[&[
                    Parameter::text("current_event", "Slug of the event that is scanned for."),
                    Parameter::text("current_subevent", "Number of its date."),
                    Parameter::text("current_checkinlist", "Number of the check-in list."),
                ]])
                .or_silent(&[304, 404]),
            |call| Box::pin(event_selection::selection(call)),
        )]),
    },
    Endpoint {
        path: "/api/v1/version",
        name: "Version",
        challenge: None,
        methods: Methods::Known(&[action(
            Method::GET,
            does("Tell the version of the reference").answers("Version"),
            |call| Box::pin(version::version(call)),
        )]),
    },
    Endpoint {
        path: "/api/v1/idempotency_query",
        name: "Idempotency Query",
        challenge: None,
        methods: Methods::Unforbidden(&[action(
            Method::GET,
            does("Repeat a kept answer, with its status")
                .with(&[&[Parameter::text("key", "The idempotency key.").required()]])
                .or_any(),
            |call| Box::pin(idempotency_query::query(call)),
        )]),
    },
    Endpoint {
        path: "/api/v1/openapi.json",
        name: "Description",
        challenge: None,
        methods: Methods::Anyone(&[action(
            Method::GET,
            does("Describe the API, as OpenAPI"),
            |call| Box::pin(openapi::described(call)),
        )]),
    },
];

//! All endpoints: the path, who may call it, and for each method its fields and its function.
//!
//! The routes, `Allow` and the answers to `HEAD`, `OPTIONS` and methods that are not allowed follow
//! from this table.

use hyper::Method;

use super::endpoint::{Endpoint, Methods, action, taking};
use super::{device, devices, event_selection, idempotency_query, version};
use crate::wire::fields;

pub(super) static ENDPOINTS: [Endpoint; 10] = [
    Endpoint {
        path: "/api/v1/organizers/{organizer}/devices/",
        name: "Device List",
        challenge: Some("Token"),
        methods: Methods::Team {
            methods: &[
                action(Method::GET, |call| Box::pin(devices::page(call))),
                taking(Method::POST, &fields::DEVICE, |call| {
                    Box::pin(devices::create(call))
                }),
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
                action(Method::GET, |call| Box::pin(devices::show(call))),
                taking(Method::PUT, &fields::DEVICE, |call| {
                    Box::pin(devices::change(call))
                }),
                taking(Method::PATCH, &fields::DEVICE, |call| {
                    Box::pin(devices::change(call))
                }),
            ],
            may_send: |call| Box::pin(devices::may_change(call)),
        },
    },
    Endpoint {
        path: "/api/v1/device/initialize",
        name: "Initialize",
        challenge: None,
        methods: Methods::Anyone(&[taking(Method::POST, &fields::INITIALIZE, |call| {
            Box::pin(device::initialize(call))
        })]),
    },
    Endpoint {
        path: "/api/v1/device/update",
        name: "Update",
        challenge: Some("Device"),
        methods: Methods::Device(&[taking(Method::POST, &fields::UPDATE, |call| {
            Box::pin(device::update(call))
        })]),
    },
    Endpoint {
        path: "/api/v1/device/roll",
        name: "Roll Key",
        challenge: Some("Device"),
        methods: Methods::Device(&[action(Method::POST, |call| Box::pin(device::roll(call)))]),
    },
    Endpoint {
        path: "/api/v1/device/revoke",
        name: "Revoke Key",
        challenge: Some("Device"),
        methods: Methods::Device(&[action(Method::POST, |call| Box::pin(device::revoke(call)))]),
    },
    Endpoint {
        path: "/api/v1/device/info",
        name: "Info",
        challenge: Some("Device"),
        methods: Methods::Device(&[action(Method::GET, |call| Box::pin(device::info(call)))]),
    },
    Endpoint {
        path: "/api/v1/device/eventselection",
        name: "Event Selection",
        challenge: Some("Device"),
        methods: Methods::Device(&[action(Method::GET, |call| {
            Box::pin(event_selection::selection(call))
        })]),
    },
    Endpoint {
        path: "/api/v1/version",
        name: "Version",
        challenge: None,
        methods: Methods::Known(&[action(Method::GET, |call| Box::pin(version::version(call)))]),
    },
    Endpoint {
        path: "/api/v1/idempotency_query",
        name: "Idempotency Query",
        challenge: None,
        methods: Methods::Unforbidden(&[action(Method::GET, |call| {
            Box::pin(idempotency_query::query(call))
        })]),
    },
];

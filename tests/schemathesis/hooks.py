"""Gives each call of schemathesis a team or device that is alive, and counts what was done.

A call may revoke a device or end its key: whatever comes next gets another. What schemathesis made up stays,
but for who calls, which organizer and device are meant, and what only this server knows.
"""

import itertools
import json
import os
import uuid
from collections import Counter

import requests
import schemathesis

URL = os.environ["SERVER_URL"]
TOKEN = {"Authorization": "Token " + os.environ["TEAM_TOKEN"]}
DEVICES = URL + "/api/v1/organizers/bigevents/devices/"
REPORT = {
    "hardware_brand": "Zebra", "hardware_model": "TC25", "software_brand": "gatehand", "software_version": "1",
}
done = Counter()
session = requests.Session()
key = None
numbers = itertools.count()


def create():
    body = {"name": f"Lane {next(numbers)}", "all_events": True, "limit_events": []}
    answer = session.post(DEVICES, headers=TOKEN, json=body)
    answer.raise_for_status()
    return answer.json()


def live_key():
    global key
    if key:
        asked = session.get(URL + "/api/v1/device/info", headers={"Authorization": "Device " + key})
        if asked.status_code == 200:
            return key
    body = {"token": create()["initialization_token"], **REPORT}
    answer = session.post(URL + "/api/v1/device/initialize", json=body)
    answer.raise_for_status()
    key = answer.json()["api_token"]
    return key


@schemathesis.hook
def before_call(context, case, kwargs):
    path, method = case.operation.path, case.operation.method.upper()
    headers = case.headers
    headers.pop("X-Idempotency-Key", None)
    headers.pop("If-Match", None)
    if method != "GET":
        headers["X-Idempotency-Key"] = uuid.uuid4().hex
    parameters = case.path_parameters or {}
    if "organizer" in parameters:
        parameters["organizer"] = "bigevents"
        headers.update(TOKEN)
    if "device_id" in parameters:
        parameters["device_id"] = create()["device_id"]
    if path.startswith("/api/v1/device/") and not path.endswith("/initialize"):
        headers["Authorization"] = "Device " + live_key()
    if case.query and case.query.get("gate"):
        case.query["gate"] = "north"
    if case.query and "page" in case.query:
        case.query["page"] = 1
    if path == "/api/v1/version":
        headers.update(TOKEN)
    if path == "/api/v1/idempotency_query":
        kept = uuid.uuid4().hex
        body = {"name": "Kept", "all_events": True, "limit_events": []}
        session.post(DEVICES, headers={**TOKEN, "X-Idempotency-Key": kept}, json=body).raise_for_status()
        headers.update(TOKEN)
        case.query["key"] = kept
    if not isinstance(case.body, dict):
        return
    body = case.body
    if path.endswith("/initialize"):
        body["token"] = create()["initialization_token"]
    if path.endswith(("/initialize", "/update")) and body.get("rsa_pubkey"):
        body["rsa_pubkey"] = None
    for part in [body, body.get("set"), body.get("filter"), *(body.get("devices") or [])]:
        if isinstance(part, dict):
            if part.get("limit_events"):
                part["limit_events"] = ["museum"]
            if part.get("gate"):
                part["gate"] = "north"
    if path.endswith("/batch/") and method == "PATCH":
        body.pop("filter", None)
        body["devices"] = [create()["device_id"]]
        plan = session.patch(DEVICES + "batch/", headers=TOKEN, json={**body, "dry_run": True})
        if "ETag" in plan.headers:
            headers["If-Match"] = plan.headers["ETag"]


@schemathesis.hook
def after_call(context, case, response):
    if 200 <= response.status_code < 300:
        done[f"{case.operation.method.upper()} {case.operation.path}"] += 1
    with open(os.environ["DONE"], "w") as file:
        json.dump(done, file)

"""Events at all sorts of times, and devices that may scan for some of them: what to suggest to each?

They have an organizer of their own. What is returned is an organizer of an organizers file, so that the
same can be brought into another server; each device has its initialization token besides.
"""
from datetime import timedelta

ORGANIZER = "timetable"
GATES = ("A", "B")

# slug: start and end in hours from now (no end: None), and what is special. Nothing begins, ends or is
# half-way within the next minutes.
EVENTS = {
    "long-ago": (-720, -700, {}),
    "last-week": (-170.3, -160.7, {"lists": ("Main", "VIP")}),
    "yesterday": (-31.2, -26.4, {}),
    "earlier": (-6.3, -2.2, {"lists": ("VIP", "Main")}),
    "running": (-5.6, 6.1, {"lists": ("Main", "VIP"), "gates": {"VIP": "B"}}),
    "running-later": (-1.3, 3.7, {"lists": ("Side", "Main"), "gates": {"Main": "A"}}),
    "without-end": (-0.7, None, {}),
    "admitting": (0.8, 4.9, {"admission": -0.4, "gates": {"Main": "A"}}),
    "soon": (1.6, 5.2, {"timezone": "America/New_York"}),
    "earlier-there": (-6.3, -2.2, {"timezone": "Pacific/Auckland"}),
    "soon-here": (1.6, 5.2, {}),
    "tonight": (7.4, 9.3, {"timezone": "Pacific/Auckland", "lists": ("Main", "VIP")}),
    "tomorrow": (25.3, 30.9, {"gates": {"Main": "B"}}),
    "next-month": (700, 710, {}),
    "for-days": (-30, -1.1, {}),
    "admitted-early": (-1.9, -1.2, {"admission": -26}),
    "later": (2.9, 3.4, {}),
    "admits-soon": (26, 28, {"admission": 3.1}),
    "draft": (-1.1, 8.2, {"live": False}),
    "unlisted": (-0.9, 2.4, {"lists": ()}),
    "series": (-50, 300, {"dates": {"past": (-45.2, -40.1), "now": (-2.6, 2.9), "next": (21.4, 26.2), "canceled": (-0.3, 2.8)}, "inactive": ("canceled",),
                          "lists": ("Main", "VIP"), "lists_for_all": ("All dates", "Anyone"), "gates": {"now": "A", "All dates": "A"}}),
    "series-to-come": (60, 300, {"dates": {"first": (61.3, 64.8), "off": (50.2, 55.5)}, "inactive": ("off",)}),
    "series-of-nothing": (-3.1, 300, {"dates": {}}),
}

# name: its events (None: all) and its gate.
DEVICES = {
    "everything": (None, None),
    "gate-a": (None, "A"),
    "gate-b": (None, "B"),
    "nothing": ((), None),
    "past": (("long-ago", "last-week", "yesterday"), None),
    "to-come": (("tonight", "tomorrow", "next-month", "series-to-come"), None),
    "between-today": (("earlier", "soon"), None),
    "between-far-zones": (("earlier-there", "soon"), None),
    "between-near-zones": (("earlier", "soon-here"), None),
    "between-days": (("yesterday", "tomorrow"), None),
    "between-weeks": (("last-week", "next-month"), None),
    "between-zones": (("earlier", "tonight"), None),
    "after-days": (("for-days", "later"), None),
    "after-an-early-admission": (("admitted-early", "later"), None),
    "before-an-early-admission": (("for-days", "admits-soon"), None),
    "overlapping": (("running", "running-later", "earlier"), None),
    "points": (("without-end", "admitting"), None),
    "dates": (("series", "series-of-nothing"), None),
    "dates-and-more": (("series", "running", "tomorrow"), None),
    "without": (("draft", "unlisted"), None),
    "gate-a-of-some": (("earlier", "series", "next-month"), "A"),
}


def timetable(now):
    from pretix.base.models import CheckinList, Device, Event, Organizer
    from pretix.base.models.devices import Gate

    def at(hours):
        return None if hours is None else now + timedelta(hours=hours)

    def text(time):
        return time and time.isoformat().replace("+00:00", "Z")

    def schedule(thing):
        return {key: text(getattr(thing, key)) for key in ("date_from", "date_to", "date_admission")}

    organizer = Organizer.objects.create(slug=ORGANIZER, name="Timetable")
    gates = {name: Gate.objects.create(organizer=organizer, name="Gate " + name, identifier=name) for name in GATES}

    def create(slug, start, end, live=True, admission=None, timezone="Europe/Berlin", dates=None, inactive=(), lists=("Main",), lists_for_all=(), gates_of=None):
        event = Event.objects.create(organizer=organizer, slug=slug, name=slug.title(), live=live, currency="EUR", date_from=at(start), date_to=at(end),
                                     date_admission=at(admission), has_subevents=dates is not None)
        event.settings.timezone = timezone
        told = {"slug": slug, "name": slug.title(), "live": live, "timezone": timezone, **schedule(event), "has_subevents": event.has_subevents,
                "subevents": [], "checkin_lists": []}
        subevents = {key: event.subevents.create(name=key, active=key not in inactive, date_from=at(since), date_to=at(until)) for key, (since, until) in (dates or {}).items()}
        for key, subevent in subevents.items():
            told["subevents"].append({"id": subevent.pk, "name": key, "active": subevent.active, **schedule(subevent)})
        for key, names in {None: lists if dates is None else lists_for_all, **{key: lists for key in subevents}}.items():
            for name in names:
                checkin_list = CheckinList.objects.create(event=event, name=name, all_products=True, subevent=subevents.get(key))
                at_gates = [g for g in GATES if (gates_of or {}).get(key or name) == g]
                checkin_list.gates.add(*(gates[g] for g in at_gates))
                told["checkin_lists"].append({"id": checkin_list.pk, "name": name, "subevent": checkin_list.subevent_id, "gates": at_gates})
        return event, told

    events = {slug: create(slug, start, end, gates_of=more.pop("gates", None), **more) for slug, (start, end, more) in EVENTS.items()}
    devices = []
    for name, (limit, gate) in DEVICES.items():
        device = Device.objects.create(organizer=organizer, name=name, all_events=limit is None, gate=gates.get(gate))
        device.limit_events.add(*(events[slug][0] for slug in limit or ()))
        devices.append({"name": name, "all_events": limit is None, "limit_events": list(limit or ()), "gate": gate, "security_profile": "full",
                        "initialization_token": device.initialization_token})
    return {"slug": ORGANIZER, "name": "Timetable", "gates": [{"name": "Gate " + name, "identifier": name} for name in GATES],
            "events": [told for _, told in events.values()], "devices": devices}

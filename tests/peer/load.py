# The check-in fixture. up.sh feeds it to `pretix shell` on a fresh database; it writes $PEER_OUT. Tickets are named in README.md.
import base64
import hashlib
import json
import os
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.utils.timezone import now
from django_scopes import scopes_disabled

NOW = now().replace(microsecond=0)
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def at(hours):
    return NOW + timedelta(hours=hours)


def iso(t):
    return t.isoformat().replace("+00:00", "Z") if t else None


def word(name, length=32, alphabet=ALPHABET):
    """A fixed, random-looking word made from its name, so that secrets stay the same from start to start."""
    digits = hashlib.sha512(("peer:" + name).encode()).digest()
    return "".join(alphabet[b % len(alphabet)] for b in digits[:length])


def buildtime(kind, value=None):
    return {"buildTime": [kind, value] if value is not None else [kind]}


def build():
    from pretix.base.models import (
        Checkin, CheckinList, Device, Event, Item, Order, OrderPosition, Organizer, Question, QuestionOption, Quota, ReusableMedium, Seat, Team, User,
    )
    from pretix.base.models.devices import Gate
    from pretix.base.models.organizer import TeamAPIToken
    from pretix.base.settings import GlobalSettingsObject
    from pretix.base.secrets import Sig1TicketSecretGenerator, assign_ticket_secret
    from timetable import timetable

    out = {"url": os.environ["PEER_URL"], "now": iso(NOW), "organizer": "fest", "pretix": os.environ.get("PEER_PRETIX", ""), "users": {}, "teams": {}, "devices": {}, "gates": {}, "events": {}, "lists": {}, "items": {},
           "variations": {}, "questions": {}, "subevents": {}, "tickets": {}, "media": {}, "spares": []}

    GlobalSettingsObject().settings.set("update_check_perform", False)  # ./pretix runperiodic calls nobody

    # Organizers, gates, teams
    org = Organizer.objects.create(slug="fest", name="Festival GmbH")
    other = Organizer.objects.create(slug="foreign", name="Other organizer")
    org.settings.reusable_media_active = True
    org.settings.reusable_media_type_barcode = True
    org.settings.reusable_media_type_nfc_uid = True
    gates = {}
    for name in ("North", "South"):
        gates[name] = Gate.objects.create(organizer=org, name=name, identifier=name.upper() + "01")
        out["gates"][name] = {"id": gates[name].pk, "name": name, "identifier": gates[name].identifier}
    gates["odd"] = Gate.objects.create(organizer=org, name="East\t\x1b[31m\r\nwing\u202e \U0001f39f", identifier="EAST01")
    out["gates"]["odd"] = {"id": gates["odd"].pk, "name": gates["odd"].name, "identifier": gates["odd"].identifier}
    for name, perms in (("admin", None), ("checkin_only", ["event.orders:checkin"]), ("orders_read", ["event.orders:read"]), ("nothing", [])):
        team = Team.objects.create(organizer=org, name=name, all_events=True, all_organizer_permissions=perms is None, all_event_permissions=perms is None,
                                   limit_event_permissions={p: True for p in perms or []})
        token = word("team " + name, 64, "abcdefghijklmnopqrstuvwxyz0123456789")
        TeamAPIToken.objects.create(team=team, name=name, token=token, active=True)
        out["teams"][name] = token
        if perms is None:  # somebody who administers it in a browser
            password = word("user " + name)
            user = User.objects.create_user(name + "@example.org", password)
            team.members.add(user)
            out["users"][name] = {"email": user.email, "password": password}

    def event(slug, name, start, end, organizer=org, **kw):
        e = Event.objects.create(organizer=organizer, slug=slug, name=name, live=kw.pop("live", True), currency="EUR", date_from=at(start), date_to=at(end), date_admission=at(start - 1), **kw)
        e.settings.timezone = "Europe/Berlin"
        e.settings.locales = ["en", "de"]
        e.settings.locale = "en"
        out["events"][slug] = {"organizer": organizer.slug, "name": str(name), "date_from": iso(e.date_from), "date_to": iso(e.date_to), "date_admission": iso(e.date_admission), "timezone": "Europe/Berlin"}
        return e

    expo = event("expo", "Expo 2026", -2, 10)
    second = event("second", "Second hall", -2, 10)
    tour = event("tour", "Tour", -2, 200, has_subevents=True)
    signed = event("signed", "Signed codes", -2, 10)
    signed.settings.ticket_secret_generator = "pretix_sig1"
    draft = event("draft", "Draft", 100, 110, live=False)
    far = event("far", "Foreign event", -2, 10, organizer=other)

    # Products
    def item(e, key, name, **kw):
        i = Item.objects.create(event=e, name=name, default_price=kw.pop("price", Decimal("20.00")), admission=kw.pop("admission", True), **kw)
        out["items"][e.slug + "/" + key] = i.pk
        return i

    extras = expo.categories.create(name="Extras", is_addon=True)
    items = {
        "day": item(expo, "day", {"en": "Day ticket", "de": "Tagesticket"}),
        "weekend": item(expo, "weekend", "Weekend ticket"),
        "vip": item(expo, "vip", "VIP ticket", checkin_attention=True, checkin_text="Hand out the golden ribbon"),
        "guest": item(expo, "guest", "Guest ticket"),
        "form": item(expo, "form", "Form ticket"),
        "season": item(expo, "season", "Season pass", media_policy=Item.MEDIA_POLICY_REUSE_OR_NEW, media_type="nfc_uid"),
        "wristband": item(expo, "wristband", "Wristband ticket", media_policy=Item.MEDIA_POLICY_NEW, media_type="nfc_uid"),
        "parking": item(expo, "parking", "Parking", admission=False, price=Decimal("5.00")),
        "workshop": item(expo, "workshop", "Workshop", admission=False, category=extras),
        "lunch": item(expo, "lunch", "Lunch", admission=False, category=extras),
    }
    items["day"].addons.create(addon_category=extras, min_count=0, max_count=5)
    variations = {}
    for key, value, kw in (("standard", {"en": "Standard", "de": "Normal"}, {}), ("reduced", {"en": "Reduced", "de": "Ermäßigt"}, {"checkin_attention": True, "checkin_text": "Check the student card"})):
        variations[key] = items["weekend"].variations.create(value=value, **kw)
        out["variations"]["expo/weekend/" + key] = variations[key].pk
    second_item = item(second, "day", "Hall ticket")
    tour_item = item(tour, "day", "Tour ticket")
    signed_item = item(signed, "day", "Signed ticket")
    signed_vip = item(signed, "vip", "Signed VIP ticket")
    far_item = item(far, "day", "Foreign ticket")
    item(draft, "day", "Draft ticket")

    subs = {}
    for key, name, start, end in (("today", "Tour, today", -1, 5), ("tomorrow", "Tour, tomorrow", 23, 29)):
        subs[key] = tour.subevents.create(name=name, active=True, date_from=at(start), date_to=at(end), date_admission=at(start - 1))
        out["subevents"][key] = subs[key].pk

    for e in (expo, second, tour, signed, far):
        for s in (list(subs.values()) if e is tour else [None]):
            q = Quota.objects.create(event=e, name="All", size=10000, subevent=s)
            q.items.add(*e.items.all())
            for i in e.items.all():
                q.variations.add(*i.variations.all())

    # Questions
    def question(key, kind, text, on, options=(), **kw):
        q = Question.objects.create(event=expo, question=text, type=kind, identifier=key.upper(), required=kw.pop("required", True), ask_during_checkin=kw.pop("ask", True), **kw)
        q.items.add(*on)
        opts = {o: QuestionOption.objects.create(question=q, identifier=o.upper(), answer=o.title(), position=n).pk for n, o in enumerate(options)}
        out["questions"][key] = {"id": q.pk, "type": kind, "required": q.required, **({"options": opts} if opts else {})}
        return q

    guest, form = [items["guest"]], [items["form"]]
    question("terms", Question.TYPE_BOOLEAN, {"en": "House rules read?", "de": "Hausordnung gelesen?"}, guest, position=1)
    question("shirt", Question.TYPE_CHOICE, "Shirt size", guest, ("small", "medium", "large"), position=2)
    question("badge", Question.TYPE_STRING, "Name on the badge", guest, position=3, valid_string_length_max=40)
    question("remark", Question.TYPE_TEXT, "Remark", guest, position=4, required=False)
    diet = question("diet", Question.TYPE_STRING, "Dietary needs", guest, position=5, required=False, ask=False, show_during_checkin=True)
    for n, (key, kind) in enumerate((("number", "N"), ("date", "D"), ("time", "H"), ("datetime", "W"), ("country", "CC"), ("phone", "TEL"), ("file", "F"), ("choices", "M"))):
        question(key, kind, "Form " + key, form, ("red", "green", "blue") if kind == "M" else (), position=10 + n, required=key == "number", **({"valid_number_min": 1, "valid_number_max": 99} if key == "number" else {}))

    # Conditional downloads (Last-Modified) look at the log, so products and questions need an entry there
    for e in (expo, second, tour, signed):
        for i in e.items.all():
            i.log_action("pretix.event.item.added")
    for q in expo.questions.all():
        q.log_action("pretix.event.question.added")
    for c in expo.categories.all():
        c.log_action("pretix.event.category.added")

    # Check-in lists
    def clist(e, key, name, limit=(), gates_=(), **kw):
        l = CheckinList.objects.create(event=e, name=name, all_products=not limit, **kw)
        l.limit_products.add(*limit)
        l.gates.add(*gates_)
        CheckinList.validate_rules(l.rules) if key != "rules_broken" else None
        out["lists"][key] = {"id": l.pk, "event": e.slug, "name": name, "gates": [g.identifier for g in gates_]}
        return l

    product = lambda *keys: {"inList": [{"var": "product"}, {"objectList": [{"lookup": ["product", str(items[k].pk), str(items[k].name)]} for k in keys]}]}
    open_now = {"and": [{"isAfter": [{"var": "now"}, buildtime("custom", iso(at(-1))), None]}, {"isBefore": [{"var": "now"}, buildtime("custom", iso(at(8))), None]}]}
    lists = {
        "main": clist(expo, "main", "Main entrance", gates_=[gates["North"]]),
        "no_return": clist(expo, "no_return", "No re-entry", allow_entry_after_exit=False),
        "multi": clist(expo, "multi", "Many entries", allow_multiple_entries=True),
        "auto_exit": clist(expo, "auto_exit", "Everyone out at night", exit_all_at=at(4)),
        "vip_only": clist(expo, "vip_only", "VIP lounge", [items["vip"]], gates_=[gates["South"]]),
        "pending": clist(expo, "pending", "Pending may enter", include_pending=True),
        "workshop": clist(expo, "workshop", "Workshop door", [items["workshop"]], addon_match=True),
        "extras": clist(expo, "extras", "Workshop or lunch", [items["workshop"], items["lunch"]], addon_match=True),
        "rules": clist(expo, "rules", "VIP or Day ticket, in the time window", rules={"and": [product("vip", "day"), open_now]}),
        "rules_product": clist(expo, "rules_product", "VIP by rule", rules=product("vip")),
        "rules_closed": clist(expo, "rules_closed", "Closed an hour ago", rules={"isBefore": [{"var": "now"}, buildtime("custom", iso(at(-1))), None]}),
        "rules_early": clist(expo, "rules_early", "Opens in 20 minutes, 30 tolerated", rules={"isAfter": [{"var": "now"}, buildtime("custom", iso(NOW + timedelta(minutes=20))), 30]}),
        "rules_admission": clist(expo, "rules_admission", "From admission to end", rules={"and": [{"isAfter": [{"var": "now"}, buildtime("date_admission"), None]}, {"isBefore": [{"var": "now"}, buildtime("date_to"), None]}]}),
        "rules_daily": clist(expo, "rules_daily", "Two entries a day", allow_multiple_entries=True, rules={"<": [{"var": "entries_today"}, 2]}),
        "rules_passback": clist(expo, "rules_passback", "Only who is out, 5 minutes apart", allow_multiple_entries=True,
                                rules={"and": [{"==": [{"var": "entry_status"}, "absent"]}, {"or": [{"<=": [{"var": "minutes_since_last_entry"}, -1]}, {">": [{"var": "minutes_since_last_entry"}, 5]}]}]}),
        "rules_gate": clist(expo, "rules_gate", "Gate North only", rules={"inList": [{"var": "gate"}, {"objectList": [{"lookup": ["gate", str(gates["North"].pk), "North"]}]}]}),
        "rules_since": clist(expo, "rules_since", "One entry since the doors opened", allow_multiple_entries=True, rules={"<": [{"entries_since": [buildtime("date_admission")]}, 1]}),
        "rules_weekday": clist(expo, "rules_weekday", "Not on this week day", rules={"!=": [{"var": "now_isoweekday"}, NOW.astimezone(expo.timezone).isoweekday()]}),
        "rules_broken": clist(expo, "rules_broken", "A rule nobody knows", rules={"no_such_operator": [1]}),
        "second": clist(second, "second", "Second hall"),
        "tour_today": clist(tour, "tour_today", "Tour, today", subevent=subs["today"]),
        "tour_tomorrow": clist(tour, "tour_tomorrow", "Tour, tomorrow", subevent=subs["tomorrow"]),
        "tour_all": clist(tour, "tour_all", "Tour, every date"),
        "signed": clist(signed, "signed", "Signed"),
        "signed_vip": clist(signed, "signed_vip", "Signed VIP", [signed_vip]),
        "draft": clist(draft, "draft", "Draft"),
        "foreign": clist(far, "foreign", "Foreign"),
    }

    # Orders
    count = 0

    def order(e, status="p", **kw):
        nonlocal count
        count += 1
        return Order.objects.create(event=e, organizer=e.organizer, code=kw.pop("code", word("order %d" % count, 5, "ABCDEFGHJKLMNPQRSTUVWXYZ3789")), status=status, email=kw.pop("email", "guest%d@example.org" % count),
                                    datetime=at(-24 * 30) + timedelta(minutes=count), expires=at(24 * 14), total=kw.pop("total", Decimal("20.00")), locale=kw.pop("locale", "en"),
                                    sales_channel=e.organizer.sales_channels.get(identifier="web"), **kw)

    def position(key, o, i, name=None, secret=None, note=None, **kw):
        p = OrderPosition(order=o, organizer=o.organizer, positionid=o.all_positions.count() + 1, item=i, price=Decimal("20.00"), tax_rate=0, tax_value=0,
                          attendee_name_parts={"_scheme": "full", "full_name": name} if name else {}, **kw)
        if secret is not None or o.event is not signed:
            p.secret = secret if secret is not None else word("ticket " + key)
            p.save()
        else:
            assign_ticket_secret(o.event, p, save=False)
            p.save()
        if key:
            out["tickets"][key] = {"secret": p.secret, "event": o.event.slug, "order": o.code, "positionid": p.positionid, "id": p.pk, "item": i.pk, "variation": p.variation_id, "subevent": p.subevent_id,
                                   "attendee_name": p.attendee_name or None, **({"note": note} if note else {})}
        return p

    def single(key, i, name=None, e=expo, status="p", order_kw=None, **kw):
        return position(key, order(e, status, **(order_kw or {})), i, name, **kw)

    single("paid", items["day"], "Ada Lovelace", order_kw={"code": "PAYED", "email": "ada@example.org"})
    single("paid2", items["day"], "Bertha Benz")
    single("paid_de", items["day"], "Carl Zuse", order_kw={"locale": "de"})
    single("vip", items["vip"], "Dorothea Erxleben", order_kw={"checkin_attention": True, "checkin_text": "Ask for the press card"})
    single("standard", items["weekend"], "Emil Berliner", variation=variations["standard"])
    single("reduced", items["weekend"], "Fritz Haber", variation=variations["reduced"])
    single("nameless", items["day"])
    single("parking", items["parking"])
    used = single("used", items["day"], "Grete Hermann", note="entered `main` two hours ago")
    Checkin.objects.create(position=used, list=lists["main"], datetime=at(-2), type="entry")
    left = single("left", items["day"], "Hans Geiger", note="entered and left `main` and `no_return`")
    for l in ("main", "no_return"):
        Checkin.objects.create(position=left, list=lists[l], datetime=at(-2), type="entry")
        Checkin.objects.create(position=left, list=lists[l], datetime=at(-1), type="exit")
    late = single("overnight", items["day"], "Ida Noddack", note="entered `auto_exit` yesterday and is still in")
    Checkin.objects.create(position=late, list=lists["auto_exit"], datetime=at(-20), type="entry")
    single("pending", items["day"], "Jakob Steiner", status="n", order_kw={"code": "PEND3"})
    single("pending_valid", items["day"], "Karl Weierstrass", status="n", order_kw={"valid_if_pending": True})
    single("approval", items["day"], "Lise Meitner", status="n", order_kw={"require_approval": True})
    single("canceled", items["day"], "Max Born", status="c", order_kw={"cancellation_date": at(-48)})
    single("expired", items["day"], "Nikolaus Kopernikus", status="e")
    single("testmode", items["day"], "Otto Hahn", order_kw={"testmode": True})
    group = order(expo, total=Decimal("80.00"), code="GR8UP")
    for n, name in enumerate(("Paula One", "Paula Two", "Paula Three"), 1):
        position("group%d" % n, group, items["day"], name)
    position("group_canceled", group, items["day"], "Paula Gone", canceled=True, note="a canceled position of a paid order")
    position("blocked", order(expo), items["day"], "Quirin Blocked", blocked=["admin"])
    unblocked = order(expo)
    position("blocked_other", unblocked, items["day"], "Quirin Free", note="same order as another blocked ticket")
    single("future", items["day"], "Rosa Future", valid_from=at(48), valid_until=at(72))
    single("past", items["day"], "Rosa Past", valid_from=at(-72), valid_until=at(-48))
    single("window", items["day"], "Rosa Now", valid_from=at(-1), valid_until=at(24))
    single("questions", items["guest"], "Sofia Asked", note="nothing answered")
    half = single("half_answered", items["guest"], "Sofia Half", note="`terms` and `diet` answered")
    half.answers.create(question=Question.objects.get(identifier="TERMS"), answer="True")
    half.answers.create(question=diet, answer="No nuts")
    single("questions_spare", items["guest"], "Sofia Again")
    single("form", items["form"], "Theo Form")
    single("form_spare", items["form"], "Theo Again")
    one = order(expo)
    base = position("addon_base", one, items["day"], "Uwe Addon", note="has one add-on: `addon_workshop`")
    position("addon_workshop", one, items["workshop"], addon_to=base)
    two = order(expo)
    base = position("addons_base", two, items["day"], "Vera Addons", note="has two add-ons: workshop and lunch")
    position("addons_workshop", two, items["workshop"], addon_to=base)
    position("addons_lunch", two, items["lunch"], addon_to=base)
    seat = Seat.objects.create(event=expo, seat_guid="A-7", zone_name="Stalls", row_name="A", seat_number="7", product=items["day"])
    single("seated", items["day"], "Walter Seat", seat=seat)
    for key, secret in (("odd_plus", "a+b+c/d=e=="), ("odd_slash", "path/to/../a?b=c&d#e"), ("odd_unicode", "Überraschung-票-🎟-ß"), ("odd_space", "two words  and two spaces"), ("odd_percent", "100%25%2F+%"),
                        ("odd_quote", "it's \"quoted\" \\ <b>&amp;"), ("odd_numeric", "4711"), ("odd_case", "CaseMatters7"), ("odd_eci", "\\000026eci7ticket"), ("odd_long", "L" * 255), ("odd_pretix_url", "https://tickets.example.org/t/abc?x=1")):
        single(key, items["day"], "Xaver " + key.split("_")[1].title(), secret=secret)
    gone = single("changed", items["day"], "Yvonne Changed", note="its former secret is on the revoked list: `revoked`")
    gone.revoked_secrets.create(event=expo, secret=word("ticket revoked"))
    out["tickets"]["revoked"] = {"secret": word("ticket revoked"), "event": "expo", "order": gone.order.code, "positionid": 1, "id": gone.pk, "item": gone.item_id, "note": "revoked; the position has another secret now"}
    single("second", second_item, "Zoe Second", e=second)
    single("second_spare", second_item, "Zoe Spare", e=second)
    single("foreign", far_item, "Foreign Guest", e=far)
    for key in subs:
        position("tour_" + key, order(tour), tour_item, "Tour " + key.title(), subevent=subs[key])
        position("tour_%s_spare" % key, order(tour), tour_item, "Tour Spare " + key.title(), subevent=subs[key])
    out["tickets"]["unknown"] = {"secret": word("ticket unknown"), "note": "in no database"}

    # Reusable media
    def medium(key, kind, identifier, ops=(), note=None, **kw):
        m = ReusableMedium.objects.create(organizer=org, type=kind, identifier=identifier, **kw)
        m.linked_orderpositions.add(*ops)
        out["media"][key] = {"id": m.pk, "type": kind, "identifier": identifier, **({"note": note} if note else {})}

    medium("card", "barcode", word("medium card", 16, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"), [single("on_card", items["day"], "Media Card")], "linked to ticket `on_card`")
    medium("chip", "nfc_uid", "04A1B2C3D4E5F6", [single("on_chip", items["season"], "Media Chip")], "linked to ticket `on_chip` (season pass)")
    medium("two", "barcode", word("medium two", 16, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"), [single("two_now", items["day"], "Media Now", valid_from=at(-1), valid_until=at(24)), single("two_later", items["day"], "Media Later", valid_from=at(48), valid_until=at(72))],
           "linked to `two_now` (valid) and `two_later` (not yet)")
    medium("clash", "barcode", word("medium clash", 16, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"), [single("clash1", items["day"], "Media Clash One"), single("clash2", items["day"], "Media Clash Two")], "linked to two tickets that are valid now")
    medium("inactive", "barcode", word("medium inactive", 16, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"), [single("on_inactive", items["day"], "Media Inactive")], active=False)
    medium("expired", "barcode", word("medium expired", 16, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"), [single("on_expired", items["day"], "Media Expired")], expires=at(-24))
    medium("empty", "barcode", word("medium empty", 16, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"), note="linked to nothing")
    medium("elsewhere", "barcode", word("medium elsewhere", 16, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"), [single("on_elsewhere", second_item, "Media Elsewhere", e=second)], "linked to a ticket of event `second`")
    medium("chip_inactive", "nfc_uid", "04000000000001", active=False)
    medium("chip_free", "nfc_uid", "04000000000002", note="linked to nothing, may be used for an exchange")
    single("wristband", items["wristband"], "Wrist Band", note="must be exchanged for a chip that is new to the server")
    single("season", items["season"], "Season Fresh", note="must be exchanged for a chip (nfc_uid) first")
    single("season_spare", items["season"], "Season Spare")

    # Signed codes
    single("signed", signed_item, "Signed One", e=signed)
    single("signed_vip", signed_vip, "Signed Vip", e=signed)
    single("signed_future", signed_item, "Signed Future", e=signed, valid_from=at(48), valid_until=at(72))
    single("signed_past", signed_item, "Signed Past", e=signed, valid_from=at(-72), valid_until=at(-48))
    p = single("signed_blocked", signed_item, "Signed Blocked", e=signed)
    p.blocked = ["admin"]
    p.save()
    p.blocked_secrets.create(event=signed, secret=p.secret, blocked=True) if not p.blocked_secrets.exists() else None
    p = single(None, signed_item, "Signed Changed", e=signed)
    old = p.secret
    assign_ticket_secret(signed, p, force_invalidate=True)
    out["tickets"]["signed_revoked"] = {"secret": old, "event": "signed", "order": p.order.code, "id": p.pk, "note": "signed, revoked"}
    out["tickets"]["signed_changed"] = {"secret": p.secret, "event": "signed", "order": p.order.code, "id": p.pk, "note": "what `signed_revoked` became"}
    generator = Sig1TicketSecretGenerator(signed)
    out["tickets"]["signed_unknown"] = {"secret": generator.generate_secret(signed_item), "event": "signed", "note": "rightly signed, but in no order"}
    good = out["tickets"]["signed"]["secret"]
    flip = "A" if good[10] != "A" else "B"
    out["tickets"]["signed_forged"] = {"secret": good[:10] + flip + good[11:], "event": "signed", "note": "one character of the signature changed"}
    out["events"]["signed"]["pretix_sig1_pubkey_pem"] = base64.b64decode(signed.settings.ticket_secrets_pretix_sig1_pubkey).decode()
    out["events"]["signed"]["pretix_sig1_privkey_pem"] = base64.b64decode(signed.settings.ticket_secrets_pretix_sig1_privkey).decode()

    # Spares for races and long runs: paid day tickets nobody else uses
    web = org.sales_channels.get(identifier="web")
    bulk = Order.objects.bulk_create([Order(event=expo, organizer=org, code="SP%03d" % n, status="p", email="spare@example.org", datetime=at(-24 * 20), expires=at(24 * 14), total=Decimal("20.00"), locale="en", sales_channel=web)
                                      for n in range(200)])
    OrderPosition.objects.bulk_create([OrderPosition(order=o, organizer=org, positionid=1, item=items["day"], price=Decimal("20.00"), tax_rate=0, tax_value=0, secret=word("spare %d" % n), web_secret=word("web %d" % n), pseudonymization_id=word("pseudo %d" % n, 10, "ABCDEFGHJKLMNPQRSTUVWXYZ3789"),
                                                     attendee_name_parts={"_scheme": "full", "full_name": "Spare %03d" % n}, attendee_name_cached="Spare %03d" % n) for n, o in enumerate(bulk)])
    out["spares"] = [word("spare %d" % n) for n in range(200)]

    for o in Order.objects.exclude(code__startswith="SP"):
        o.create_transactions(is_new=True)

    # Devices that wait to be initialized; the tokens are fixed
    def device(key, profile="full", gate=None, limit=None, **kw):
        d = Device.objects.create(organizer=org, name=key, all_events=limit is None, security_profile=profile, gate=gate, initialization_token=word("device " + key, 16, "abcdefghijklmnopqrstuvwxyz0123456789"), **kw)
        for e in limit or ():
            d.limit_events.add(e)
        out["devices"][key] = {"initialization_token": d.initialization_token, "security_profile": profile, "gate": gate.name if gate else None, "device_id": d.device_id, "limit_events": [e.slug for e in limit] if limit else None}

    for profile in ("full", "pretixscan", "pretixscan_online_noorders", "pretixscan_online_kiosk"):
        device(profile, profile)
    device("north", gate=gates["North"])
    device("south", gate=gates["South"])
    device("odd_gate", gate=gates["odd"])
    device("limited", limit=[second])
    for n in range(1, 13):
        device("spare%d" % n, "pretixscan" if n % 2 else "full")

    out["timetable"] = timetable(NOW)
    return out


with scopes_disabled(), transaction.atomic():
    result = build()
partial = os.environ["PEER_OUT"] + ".part"
with open(partial, "w") as f:
    json.dump(result, f, indent=1, ensure_ascii=False)
os.replace(partial, os.environ["PEER_OUT"])

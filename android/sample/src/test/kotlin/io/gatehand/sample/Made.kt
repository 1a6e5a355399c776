package io.gatehand.sample

import io.gatehand.Enrolment
import io.gatehand.Gate as GateOfDevice
import io.gatehand.Identity

/** A device with the longest name that a person would give it. */
fun identity(name: String = "Haupteingang Süd, Spur 12"): Identity =
    Identity.Builder("https://tickets.veranstaltungen.example/shop").organizer("grosse-veranstaltungen").deviceId(12)
        .uniqueSerial("ABCDEFGHIJKLMNOP").name(name).securityProfile("pretixscan_online_noorders")
        .gate(GateOfDevice(1, "Südtor", "sued")).serverVersion("2026.8.0").build()

/** What is read from a code, without reading one. */
fun enrolment(mapping: String? = null): Enrolment =
    Enrolment.Builder("https://tickets.veranstaltungen.example/shop", "kpp4jn8g2ynzonp6").mapping(mapping).build()

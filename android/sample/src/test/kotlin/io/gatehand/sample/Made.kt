package io.gatehand.sample

import io.gatehand.Enrolment
import io.gatehand.Gate as GateOfDevice
import io.gatehand.Identity

/** A device with the longest name that a person would give it. */
fun identity(name: String = "Haupteingang Süd, Spur 12") = Identity(
    server = "https://tickets.veranstaltungen.example/shop",
    organizer = "grosse-veranstaltungen",
    deviceId = 12,
    uniqueSerial = "ABCDEFGHIJKLMNOP",
    name = name,
    securityProfile = "pretixscan_online_noorders",
    gate = GateOfDevice(1, "Südtor", "sued"),
    serverVersion = "2026.8.0",
    enrolledAtMillis = 0,
)

/** What is read from a code, without reading one: only the native library makes it. */
fun enrolment(mapping: String? = null): Enrolment {
    val constructor = Enrolment::class.java.declaredConstructors.first { !it.isSynthetic }
    constructor.isAccessible = true
    val origin = "https://tickets.veranstaltungen.example"
    return constructor.newInstance("$origin/shop", origin, "tickets.veranstaltungen.example", origin, true, "kpp4jn8g2ynzonp6", emptyList<String>(), mapping) as Enrolment
}

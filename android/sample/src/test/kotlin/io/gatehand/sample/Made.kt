package io.gatehand.sample

import io.gatehand.Gate as GateOfDevice
import io.gatehand.Identity

/** Makes what only the library makes; a state or an error that no test can bring about quickly. */
fun <T> made(type: Class<T>, vararg arguments: Any?): T {
    val constructor = type.declaredConstructors.first { it.parameterCount == arguments.size && !it.isSynthetic }
    constructor.isAccessible = true
    return type.cast(constructor.newInstance(*arguments))
}

/** A device with the longest name that a person would give it. */
fun identity(name: String = "Haupteingang Süd, Spur 12"): Identity = made(
    Identity::class.java,
    "https://tickets.veranstaltungen.example/shop",
    "grosse-veranstaltungen",
    12L,
    "ABCDEFGHIJKLMNOP",
    name,
    "full",
    made(GateOfDevice::class.java, 1L, "Südtor", "sued"),
    "2026.8.0",
    0L,
)

package io.gatehand

/**
 * The keys of an organizer's NFC media, as given to this device.
 *
 * @property publicId Number of the set.
 * @property organizer Slug of the organizer.
 * @property active Whether new media are written with it.
 * @property mediaType Kind of the media, as `nfc_mf0aes`.
 */
public class MediumKeySet(
    public val publicId: Long,
    public val organizer: String,
    public val active: Boolean,
    public val mediaType: String,
    private val uidKey: ByteArray,
    private val diversificationKey: ByteArray,
) {
    /** A copy of the key that reads a medium's number; wipe it after use. */
    public fun uidKey(): ByteArray = uidKey.copyOf()

    /** A copy of the key that each medium's own key derives from; wipe it after use. */
    public fun diversificationKey(): ByteArray = diversificationKey.copyOf()

    /** Names the set; the keys are never shown. */
    override fun toString(): String = DisplayText.of("MediumKeySet($publicId, $organizer, $mediaType, active=$active)")
}

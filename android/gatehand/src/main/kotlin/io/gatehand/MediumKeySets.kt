package io.gatehand

/**
 * The key sets of an organizer's NFC media, as the server tells them now, or as it told them last while it can't be
 * asked.
 *
 * @param sets The sets.
 * @property asOfMillis When the server told them, by this device's clock, in milliseconds of the epoch; up to a minute
 *   less with sets of the vault.
 * @property unasked Why the server could not be asked, if these are of the vault; `null` if it has just told them.
 */
public class MediumKeySets(
    sets: List<MediumKeySet>,
    public val asOfMillis: Long,
    public val unasked: GatehandException? = null,
) : AbstractList<MediumKeySet>() {
    private val sets = sets.toList()

    /** Whether these are the sets that the server told last, as it can't be asked now. */
    public val isFromVault: Boolean get() = unasked != null

    /** How many sets there are. */
    override val size: Int get() = sets.size

    /** The set at [index]. */
    override fun get(index: Int): MediumKeySet = sets[index]
}

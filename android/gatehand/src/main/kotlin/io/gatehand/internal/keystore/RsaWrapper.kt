package io.gatehand.internal.keystore

import android.content.Context
import java.security.KeyStore
import java.security.MessageDigest

/**
 * RSA by the Keystore, for Android 5, whose Keystore has no AES.
 *
 * The padding alone would not tell a wrong key for certain, so a digest of the key goes with it.
 */
internal class RsaWrapper(private val context: Context) : KeystoreWrapper {
    override val method = "RSA/PKCS1"

    override fun makeKey(alias: String, best: Boolean) {
        Keystore.ask { RsaKeys.makeForAndroid5(context, alias) }
    }

    override fun wrap(alias: String, purpose: ByteArray, key: ByteArray): ByteArray {
        val content = key + digest(purpose, key)
        try {
            return Keystore.ask { RsaKeys.encrypt(load(alias).certificate.publicKey, content) }
        } finally {
            content.fill(0)
        }
    }

    override fun unwrap(alias: String, purpose: ByteArray, wrapped: ByteArray): ByteArray {
        if (wrapped.size != RsaKeys.BITS / Byte.SIZE_BITS) throw KeyGoneException("the wrapped key is not of RSA's length")
        val content = Keystore.ask { RsaKeys.decrypt(load(alias).privateKey, wrapped) }
        try {
            val key = content.copyOf(VaultKey.LENGTH)
            if (content.size == VaultKey.LENGTH + DIGEST_LENGTH &&
                MessageDigest.isEqual(digest(purpose, key), content.copyOfRange(VaultKey.LENGTH, content.size))
            ) {
                return key
            }
            key.fill(0)
            throw OtherKeyException("the Keystore has another key than the one that wrapped the vault's")
        } finally {
            content.fill(0)
        }
    }

    private fun load(alias: String): KeyStore.PrivateKeyEntry =
        RsaKeys.load(alias) ?: throw KeyGoneException("the Keystore has no key of this name")

    private fun digest(purpose: ByteArray, key: ByteArray): ByteArray =
        MessageDigest.getInstance("SHA-256").apply { update(purpose) }.digest(key)

    private companion object {
        const val DIGEST_LENGTH = 32
    }
}

package io.gatehand.testing

import java.security.AlgorithmParameters
import java.security.InvalidAlgorithmParameterException
import java.security.InvalidKeyException
import java.security.Key
import java.security.ProviderException
import java.security.SecureRandom
import java.security.spec.AlgorithmParameterSpec
import javax.crypto.Cipher
import javax.crypto.CipherSpi

/** A cipher of the JDK on a key that only the stand-in sees. */
internal abstract class StandInCipher(private val keystore: StandInKeystore, transformation: String) : CipherSpi() {
    protected val cipher: Cipher = Cipher.getInstance(transformation, "SunJCE")
    private var opens = false

    abstract fun inside(key: Key): Key

    override fun engineSetMode(mode: String?): Unit = throw UnsupportedOperationException("stand-in")

    override fun engineSetPadding(padding: String?): Unit = throw UnsupportedOperationException("stand-in")

    override fun engineGetBlockSize(): Int = cipher.blockSize

    override fun engineGetOutputSize(length: Int): Int = cipher.getOutputSize(length)

    override fun engineGetIV(): ByteArray? = cipher.iv

    override fun engineGetParameters(): AlgorithmParameters? = cipher.parameters

    override fun engineInit(mode: Int, key: Key, random: SecureRandom?) {
        opens = mode == Cipher.DECRYPT_MODE
        keystore.work(StandInOperation.BEGIN) { cipher.init(mode, inside(key)) }
    }

    override fun engineInit(mode: Int, key: Key, spec: AlgorithmParameterSpec?, random: SecureRandom?) {
        if (mode == Cipher.ENCRYPT_MODE && spec != null) {
            throw InvalidAlgorithmParameterException("stand-in: the Keystore chooses the nonce")
        }
        opens = mode == Cipher.DECRYPT_MODE
        keystore.work(StandInOperation.BEGIN) { cipher.init(mode, inside(key), spec) }
    }

    override fun engineInit(mode: Int, key: Key, parameters: AlgorithmParameters?, random: SecureRandom?): Unit =
        throw InvalidAlgorithmParameterException("stand-in")

    override fun engineUpdateAAD(bytes: ByteArray, offset: Int, length: Int) {
        cipher.updateAAD(bytes, offset, length)
    }

    override fun engineUpdate(bytes: ByteArray, offset: Int, length: Int): ByteArray? = cipher.update(bytes, offset, length)

    override fun engineUpdate(bytes: ByteArray, offset: Int, length: Int, output: ByteArray, at: Int): Int =
        cipher.update(bytes, offset, length, output, at)

    override fun engineDoFinal(bytes: ByteArray?, offset: Int, length: Int): ByteArray = keystore.work(StandInOperation.END) {
        val done = if (bytes == null) cipher.doFinal() else cipher.doFinal(bytes, offset, length)
        if (opens && keystore.garbles && done.isNotEmpty()) done[0] = (done[0] + 1).toByte()
        done
    }

    override fun engineDoFinal(bytes: ByteArray?, offset: Int, length: Int, output: ByteArray, at: Int): Int =
        engineDoFinal(bytes, offset, length).also { it.copyInto(output, at) }.size
}

internal class StandInAesCipher(private val keystore: StandInKeystore) : StandInCipher(keystore, "AES/GCM/NoPadding") {
    private var isBroken = false

    override fun inside(key: Key): Key {
        val found = (key as? OpaqueSecretKey)?.key ?: throw InvalidKeyException("stand-in: a foreign key")
        isBroken = !keystore.strongBoxEncrypts && keystore.isInStrongBox(found)
        return found
    }

    override fun engineDoFinal(bytes: ByteArray?, offset: Int, length: Int): ByteArray {
        if (isBroken) throw ProviderException("stand-in: a broken StrongBox")
        return super.engineDoFinal(bytes, offset, length)
    }
}

internal class StandInRsaCipher(keystore: StandInKeystore) : StandInCipher(keystore, "RSA/ECB/PKCS1Padding") {
    override fun inside(key: Key): Key = (key as? OpaquePrivateKey)?.key ?: throw InvalidKeyException("stand-in: a foreign key")
}

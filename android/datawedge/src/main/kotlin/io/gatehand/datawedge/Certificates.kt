package io.gatehand.datawedge

import android.annotation.TargetApi
import android.content.Context
import android.content.pm.PackageManager
import android.content.pm.Signature
import android.os.Build
import java.security.MessageDigest

/** What an app is signed with, as DataWedge compares it. */
internal object Certificates {
    /** SHA-1 in capital digits, of each one: DataWedge may look at the first or the last of a rotation. */
    fun of(context: Context): List<String> {
        val signatures = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) rotated(context) else signing(context)
        return signatures.map { sha1(it.toByteArray()) }.distinct()
    }

    @TargetApi(Build.VERSION_CODES.P)
    private fun rotated(context: Context): List<Signature> {
        val info = context.packageManager.getPackageInfo(context.packageName, PackageManager.GET_SIGNING_CERTIFICATES).signingInfo
        val signatures = if (info == null || info.hasMultipleSigners()) info?.apkContentsSigners else info.signingCertificateHistory
        return signatures.orEmpty().toList()
    }

    @Suppress("DEPRECATION") // What replaces it needs Android 9.
    private fun signing(context: Context): List<Signature> =
        context.packageManager.getPackageInfo(context.packageName, PackageManager.GET_SIGNATURES).signatures.orEmpty().toList()

    private fun sha1(certificate: ByteArray): String =
        MessageDigest.getInstance("SHA-1").digest(certificate).joinToString("") { "%02X".format(it) }
}

package io.gatehand

import android.content.Context
import android.content.ContextWrapper
import java.io.File

/** An installed app with files that outlive its process, unlike those of Robolectric's. */
class TestApp(context: Context, private val files: File) : ContextWrapper(context) {
    override fun getApplicationContext(): Context = this

    override fun getNoBackupFilesDir(): File = files
}

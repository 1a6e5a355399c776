package io.gatehand
public fun probe(): Int = android.os.Build.VERSION.SDK_INT

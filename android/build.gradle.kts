buildscript {
    dependencies {
        // The Android plugin brings a Kotlin of its own, and takes a newer one from here.
        classpath(libs.kotlin.gradle)
    }
}

plugins {
    alias(libs.plugins.android.library) apply false
    alias(libs.plugins.android.application) apply false
}

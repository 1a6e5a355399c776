import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.android.library)
}

group = "io.gatehand"
version = "0.1.0"

android {
    namespace = "io.gatehand.okhttp"
    compileSdk = 35

    defaultConfig {
        minSdk = 21
        aarMetadata {
            minCompileSdk = 21
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
}

kotlin {
    explicitApi()
    compilerOptions {
        jvmTarget = JvmTarget.JVM_11
        allWarningsAsErrors = true
        freeCompilerArgs.add("-jvm-default=no-compatibility")
    }
}

dependencies {
    api(project(":gatehand"))
    // An app that has OkHttp 5 gets by with its own: the tests of the Maven build run with both.
    api(libs.okhttp)
}

import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.android.library)
}

group = "io.gatehand"
version = "0.1.0"

android {
    namespace = "io.gatehand.datawedge"
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

    sourceSets {
        getByName("test") {
            kotlin.directories.add("../testing/src/main/kotlin")
        }
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
    testImplementation(libs.junit)
    testImplementation(libs.kotlin.test)
    testImplementation(libs.robolectric)
}

tasks.withType<Test>().configureEach {
    // Android 16 is tested by Maven's profile alone.
    systemProperty("robolectric.enabledSdks", "21,27,35")
}

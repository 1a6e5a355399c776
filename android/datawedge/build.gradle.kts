import org.jetbrains.kotlin.gradle.dsl.JvmTarget
import org.jetbrains.kotlin.gradle.dsl.KotlinVersion

plugins {
    alias(libs.plugins.android.library)
    `maven-publish`
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

    publishing {
        singleVariant("release") {
            withSourcesJar()
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
    // What comes along to apps, whose compiler may be as old as that.
    coreLibrariesVersion = libs.versions.stdlib.get()
    compilerOptions {
        jvmTarget = JvmTarget.JVM_11
        languageVersion = KotlinVersion.KOTLIN_2_2
        apiVersion = KotlinVersion.KOTLIN_2_2
        allWarningsAsErrors = true
        freeCompilerArgs.add("-jvm-default=no-compatibility")
    }
}

publishing {
    publications {
        register<MavenPublication>("release") {
            artifactId = "gatehand-datawedge"
            pom {
                licenses {
                    license {
                        name = "Apache-2.0"
                    }
                }
            }
            // The component is there once the Android plugin has made its variants.
            afterEvaluate {
                from(components["release"])
            }
        }
    }
    repositories {
        maven {
            name = "folder"
            url = uri(rootDir.resolve("build/maven"))
        }
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

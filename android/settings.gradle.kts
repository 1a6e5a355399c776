// For developers with the Android SDK and NDK; pom.xml builds the same sources without.
pluginManagement {
    repositories {
        google()
        mavenCentral()
    }
}

dependencyResolutionManagement {
    repositoriesMode = RepositoriesMode.FAIL_ON_PROJECT_REPOS
    repositories {
        google()
        mavenCentral()
    }
}

rootProject.name = "gatehand-android"

include(":gatehand", ":datawedge", ":sample")

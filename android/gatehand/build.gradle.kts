import javax.inject.Inject
import org.gradle.process.ExecOperations
import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.android.library)
}

group = "io.gatehand"
version = "0.1.0"

android {
    namespace = "io.gatehand"
    compileSdk = 35

    defaultConfig {
        minSdk = 21
        consumerProguardFiles("src/main/resources/META-INF/proguard/gatehand.pro")
        aarMetadata {
            // Otherwise it is compileSdk, and an app would have to follow that without need.
            minCompileSdk = 21
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }

    sourceSets {
        getByName("test") {
            // The stand-in for the Keystore. Robolectric brings the real androidx.test here, so the
            // stand-ins for that, beside it in src/main/java, are the Maven build's alone.
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
    api(libs.coroutines.core)
    testImplementation(libs.coroutines.test)
    testImplementation(libs.junit)
    testImplementation(libs.kotlin.test)
    testImplementation(libs.r8)
    testImplementation(libs.robolectric)
}

tasks.withType<Test>().configureEach {
    systemProperty("gatehand.project", rootDir.parentFile.path)
    // Android 16 is tested by Maven's profile alone.
    systemProperty("robolectric.enabledSdks", "21,27,35")
}

/** Builds libgatehand.so for each ABI: `cargo install cargo-ndk`, and the NDK of the SDK manager. */
abstract class CargoNdk : DefaultTask() {
    @get:Inject
    abstract val exec: ExecOperations

    @get:Internal
    abstract val project: DirectoryProperty

    @get:Input
    abstract val abis: ListProperty<String>

    @get:Input
    abstract val minSdk: Property<Int>

    @get:OutputDirectory
    abstract val output: DirectoryProperty

    @TaskAction
    fun build() {
        exec.exec {
            // Where cargo-ndk looks for what to build and copy.
            workingDir(project.dir("android/native"))
            commandLine("cargo", "ndk")
            args(abis.get().flatMap { listOf("--target", it) })
            args("--platform", minSdk.get(), "--output-dir", output.get().asFile)
            // The profile strips symbols and keeps unwinding, which turns a panic into an exception.
            args("rustc", "--locked", "--profile", "handheld")
            // Android 15 has devices with pages of 16 KB, which load no library aligned to less.
            args("--", "-C", "link-arg=-Wl,-z,max-page-size=16384")
        }
    }
}

val cargoNdk = tasks.register<CargoNdk>("cargoNdk") {
    project = rootDir.parentFile
    abis = listOf("arm64-v8a", "armeabi-v7a", "x86_64")
    minSdk = 21
    // Cargo knows better what changed.
    outputs.upToDateWhen { false }
}

androidComponents {
    onVariants { variant ->
        variant.sources.jniLibs?.addGeneratedSourceDirectory(cargoNdk, CargoNdk::output)
    }
}

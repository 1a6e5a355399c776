#!/usr/bin/env bash
# Assembles the library that apps use, without the Android SDK: what Gradle's assembleRelease makes.
#   android/aar.sh [--jni FOLDER] [--classes FOLDER [--fake FOLDER]] [--output FOLDER | --repository FOLDER]
#
# --jni FOLDER         holds ABI/libgatehand.so, as cargo-ndk leaves them; else target/jni
# --classes FOLDER     what Maven compiled; else the sources are compiled anew
# --fake FOLDER        holds what Maven compiled of android/fake; without it, given classes are all there is
# --output FOLDER      gets gatehand-VERSION.aar, -sources.jar and .pom; else android/gatehand/target/aar
# --repository FOLDER  gets the same in the layout of a Maven repository, for an app's
#                      maven { url = … } and implementation("io.gatehand:gatehand:VERSION"), and
#                      gatehand-fake for testImplementation, a jar
# --without-native-libraries
#                      makes an AAR for tests, which works on no device
#
# The same input gives the same bytes. A processor whose native library is not there is named; without
# any, or with one that would not load on a device, no AAR is made. Needs JDK 17 and readelf, and Maven
# to compile.
set -euo pipefail
export LC_ALL=C
start=$PWD
cd "$(dirname "$0")/.."
# shellcheck source=elf.sh
. android/elf.sh

die() {
  printf 'aar.sh: %s\n' "$1" >&2
  exit 1
}

jni=${CARGO_TARGET_DIR:-target}/jni classes='' fake='' output='' repository='' without=''
while [ $# -gt 0 ]; do
  case $1 in
    --jni | --classes | --fake | --output | --repository) [ -n "${2:-}" ] || die "$1 needs a folder" ;;
    --without-native-libraries)
      without=yes
      shift
      continue
      ;;
    -h | --help)
      # What this file begins with.
      sed -n '2,/^[^#]/s/^# \{0,1\}//p' android/aar.sh
      exit
      ;;
    *) die "there is no option $1; --help prints them" ;;
  esac
  folder=$(cd "$start" && realpath -m -- "$2")
  case $1 in
    --jni) jni=$folder && [ -d "$jni" ] || die "there is no folder $jni" ;;
    --classes) classes=$folder ;;
    --fake) fake=$folder ;;
    --output) output=$folder ;;
    --repository) repository=$folder ;;
  esac
  shift 2
done
[ -z "$output" ] || [ -z "$repository" ] || die "give either --output or --repository"

jar=${JAVA_HOME:+$JAVA_HOME/bin/}jar
command -v "$jar" >/dev/null || die "there is no $jar: install JDK 17, and let JAVA_HOME name it or nothing"
"$jar" --help | grep -e --date >/dev/null || die "$jar is too old: install JDK 17"
command -v readelf >/dev/null || die "there is no readelf: install binutils"
[ -n "$classes" ] || command -v mvn >/dev/null || die "there is no mvn: install Maven, or give --classes"

# declared PATTERN: what the Gradle build says there, once or several times the same.
declared() {
  local found
  found=$(sed -n "s/^ *$1\$/\1/p" android/gatehand/build.gradle.kts | sort -u)
  [ -n "$found" ] && [ "$(wc -l <<<"$found")" -eq 1 ] || die "android/gatehand/build.gradle.kts has not one line like $1"
  printf '%s\n' "$found"
}

# library ALIAS PROPERTY: "module" or "version" of a library in the version catalog.
library() {
  local line version
  line=$(grep "^$1 = {" android/gradle/libs.versions.toml) || die "the version catalog has no library $1"
  case $2 in
    module) sed 's/.*module = "\([^"]*\)".*/\1/' <<<"$line" ;;
    version)
      version=$(sed 's/.*version\.ref = "\([^"]*\)".*/\1/' <<<"$line")
      sed -n "s/^$version = \"\(.*\)\"\$/\1/p" android/gradle/libs.versions.toml
      ;;
  esac
}

group=$(declared 'group = "\(.*\)"')
version=$(declared 'version = "\(.*\)"')
namespace=$(declared 'namespace = "\(.*\)"')
min_sdk=$(declared 'minSdk = \([0-9]*\)')
min_compile_sdk=$(declared 'minCompileSdk = \([0-9]*\)')
rules=$(declared 'consumerProguardFiles("\([^"]*\)")')
abis=$(declared 'abis = listOf(\(.*\))' | tr -d '",')
dependencies=$(sed -n 's/^ *\(api\|implementation\)(libs\.\(.*\))$/\1 \2/p' android/gatehand/build.gradle.kts)

source=android/gatehand/src/main
for part in "$source"/*; do
  case ${part##*/} in
    AndroidManifest.xml | kotlin | resources) ;;
    *) die "$part would be left out: only Gradle packages that" ;;
  esac
done

staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
aar=$staging/aar
mkdir -p "$aar/META-INF/com/android/build/gradle"

refused=
if [ -d "$jni" ]; then
  while IFS= read -r file; do
    abi=${file%/libgatehand.so}
    if [[ " $abis " != *" $abi "* ]]; then
      reason="is neither of $abis nor named libgatehand.so"
    elif reason=$(unusable "$abi" "$jni/$file" "$min_sdk"); [ -z "$reason" ]; then
      mkdir -p "$aar/jni/$abi"
      cp "$jni/$file" "$aar/jni/$abi/"
      continue
    fi
    printf 'aar.sh: %s %s\n' "$jni/$file" "$reason" >&2
    refused=yes
  done < <(cd "$jni" && find . ! -type d -printf '%P\n' | sort)
fi
[ -z "$refused" ] || die "no AAR was made"
if [ -z "$without" ] && [ ! -e "$aar/jni" ]; then
  die "$jni holds no native library, and an AAR without any works on no device: docs/ANDROID.md says how they are built"
fi
for abi in $abis; do
  [ -e "$aar/jni/$abi" ] || printf 'aar.sh: without %s, for there is no %s\n' "$abi" "$jni/$abi/libgatehand.so" >&2
done

if [ -z "$classes" ]; then
  classes=android/gatehand/target/classes
  # Classes of sources that are gone would stay.
  fake=android/fake/target/classes
  rm -rf "$classes" "$fake"
  mvn -B -q -f android/pom.xml -pl fake -am compile >&2 || die "the classes can't be compiled"
fi
[ -e "$classes/${namespace//.//}" ] || die "$classes holds no classes of $namespace"

# pack FOLDER FILE: zips in one order and with one date, and no manifest of a jar.
pack() {
  (cd "$1" && find . -type f -printf '"%P"\n' | sort >"$staging/files" &&
    "$jar" --create --no-manifest --date=1980-02-01T00:00:00Z --file "$2" "@$staging/files")
}

# R8 takes the rules from proguard.txt.
mkdir "$staging/classes"
cp -R "$classes/." "$staging/classes"
rm -rf "$staging/classes/META-INF/proguard" "$staging/classes/META-INF/MANIFEST.MF"
pack "$staging/classes" "$aar/classes.jar"
cp "android/gatehand/$rules" "$aar/proguard.txt"
: >"$aar/R.txt"
sed "s|^<manifest xmlns:android=\"\([^\"]*\)\">\$|<manifest xmlns:android=\"\1\"\n    package=\"$namespace\">\n\n    <uses-sdk android:minSdkVersion=\"$min_sdk\" />\n|" \
  "$source/AndroidManifest.xml" >"$aar/AndroidManifest.xml"
grep -q minSdkVersion "$aar/AndroidManifest.xml" || die "$source/AndroidManifest.xml does not begin as expected"
cat >"$aar/META-INF/com/android/build/gradle/aar-metadata.properties" <<END
aarFormatVersion=1.0
aarMetadataVersion=1.0
minCompileSdk=$min_compile_sdk
minCompileSdkExtension=0
minAndroidGradlePluginVersion=1.0.0
coreLibraryDesugaringEnabled=false
END
mkdir "$staging/made"
pack "$aar" "$staging/made/gatehand-$version.aar"

# Where editors find it, to show what the API's comments say.
mkdir "$staging/sources"
(cd "$source/kotlin" && find . -name '*.kt' -exec cp --parents -t "$staging/sources" {} +)
pack "$staging/sources" "$staging/made/gatehand-$version-sources.jar"

# dependency MODULE VERSION SCOPE
dependency() {
  printf '    <dependency>\n      <groupId>%s</groupId>\n      <artifactId>%s</artifactId>\n' "${1%:*}" "${1#*:}"
  printf '      <version>%s</version>\n      <scope>%s</scope>\n    </dependency>\n' "$2" "$3"
}

# pom ARTIFACT PACKAGING: what it is, up to its dependencies, which follow.
pom() {
  cat <<END
<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
         xsi:schemaLocation="http://maven.apache.org/POM/4.0.0 http://maven.apache.org/xsd/maven-4.0.0.xsd">
  <modelVersion>4.0.0</modelVersion>
  <groupId>$group</groupId>
  <artifactId>$1</artifactId>
  <version>$version</version>
  <packaging>$2</packaging>
  <licenses>
    <license>
      <name>$(sed -n 's/^license = "\(.*\)"/\1/p' Cargo.toml)</name>
    </license>
  </licenses>
  <dependencies>
END
  # The Kotlin plugin adds this to each library, of the version that coreLibrariesVersion says.
  dependency org.jetbrains.kotlin:kotlin-stdlib "$(library kotlin-stdlib version)" compile
}

{
  pom gatehand aar
  while read -r kind alias; do
    scope=compile
    [ "$kind" = api ] || scope=runtime
    module=$(library "${alias//./-}" module)
    number=$(library "${alias//./-}" version)
    [ -n "$number" ] || die "the version catalog has no version of $alias"
    dependency "$module" "$number" "$scope"
  done <<<"$dependencies"
  printf '  </dependencies>\n</project>\n'
} >"$staging/made/gatehand-$version.pom"

# What apps' tests use is no part of an AAR that stands alone.
if [ -n "$fake" ] && [ -n "$repository" ]; then
  [ -e "$fake/${namespace//.//}/fake" ] || die "$fake holds no classes of $namespace.fake"
  mkdir "$staging/faked"
  cp -R "$fake/." "$staging/faked-classes"
  rm -f "$staging/faked-classes/META-INF/MANIFEST.MF"
  pack "$staging/faked-classes" "$staging/faked/gatehand-fake-$version.jar"
  { pom gatehand-fake jar && dependency "$group:gatehand" "$version" compile && printf '  </dependencies>\n</project>\n'; } \
    >"$staging/faked/gatehand-fake-$version.pom"
fi

output=${output:-android/gatehand/target/aar}
[ -z "$repository" ] || output=$repository/${group//.//}/gatehand/$version
if [ -e "$staging/faked" ]; then
  folder=$repository/${group//.//}/gatehand-fake/$version
  mkdir -p "$folder" && cp "$staging/faked/"* "$folder/" || die "the folder $folder can't be written to"
fi
mkdir -p "$output" || die "the folder $output can't be made"
# Whole or not at all: beside their places first, as the staging folder may be on another disk.
put=$(mktemp -d "$output/.gatehand.XXXXXX") || die "the folder $output can't be written to"
trap 'rm -rf "$staging" "$put"' EXIT
cp "$staging/made/"* "$put/"
mv "$put/"* "$output/"
printf '%s\n' "$output/gatehand-$version.aar"

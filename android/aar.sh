#!/usr/bin/env bash
# Assembles the library that apps use, without the Android SDK: what Gradle's assembleRelease makes.
#   android/aar.sh [--jni FOLDER] [--classes FOLDER] [--output FOLDER | --repository FOLDER]
#
# --jni FOLDER         holds ABI/libgatehand.so, as cargo-ndk leaves them; else target/jni
# --classes FOLDER     what Maven compiled; else the sources are compiled anew
# --output FOLDER      gets gatehand-VERSION.aar, -sources.jar and .pom; else android/gatehand/target/aar
# --repository FOLDER  gets the same in the layout of a Maven repository, for an app's
#                      maven { url = … } and implementation("io.gatehand:gatehand:VERSION"); beside it
#                      gatehand-okhttp and gatehand-datawedge, and gatehand-fake for testImplementation
# --okhttp FOLDER, --datawedge FOLDER, --fake FOLDER
#                      hold what Maven compiled of these; with --classes, no other is put beside it
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

jni=${CARGO_TARGET_DIR:-target}/jni classes='' output='' repository='' without=''
# What there is beside the library, and the folder with the classes of each.
others=(okhttp datawedge fake)
declare -A compiled=()
while [ $# -gt 0 ]; do
  case $1 in
    --jni | --classes | --okhttp | --datawedge | --fake | --output | --repository) [ -n "${2:-}" ] || die "$1 needs a folder" ;;
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
    --okhttp | --datawedge | --fake) compiled[${1#--}]=$folder ;;
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

# declared PATTERN [MODULE]: what the Gradle build says there, once or several times the same.
declared() {
  local build=android/${2:-gatehand}/build.gradle.kts found
  found=$(sed -n "s/^ *$1\$/\1/p" "$build" | sort -u)
  [ -n "$found" ] && [ "$(wc -l <<<"$found")" -eq 1 ] || die "$build has not one line like $1"
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
min_sdk=$(declared 'minSdk = \([0-9]*\)')
rules=$(declared 'consumerProguardFiles("\([^"]*\)")')
abis=$(declared 'abis = listOf(\(.*\))' | tr -d '",')
for part in android/{gatehand,okhttp,datawedge,fake}/src/main/*; do
  case ${part#android/} in
    gatehand/src/main/resources | */AndroidManifest.xml | */kotlin) ;;
    *) die "$part would be left out: only Gradle packages that" ;;
  esac
done

staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
aar=$staging/gatehand
mkdir -p "$aar" "$staging/made"

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
  modules=(gatehand)
  [ -z "$repository" ] || modules+=("${others[@]}")
  for module in "${modules[@]}"; do
    compiled[$module]=android/$module/target/classes
    # Classes of sources that are gone would stay.
    rm -rf "${compiled[$module]}"
  done
  classes=${compiled[gatehand]}
  mvn -B -q -f android/pom.xml -pl "$(IFS=, && printf '%s' "${modules[*]}")" -am compile >&2 || die "the classes can't be compiled"
fi
compiled[gatehand]=$classes

# pack FOLDER FILE: zips in one order and with one date, and no manifest of a jar.
pack() {
  (cd "$1" && find . -type f -printf '"%P"\n' | sort >"$staging/files" &&
    "$jar" --create --no-manifest --date=1980-02-01T00:00:00Z --file "$2" "@$staging/files")
}

# artifact MODULE: what it is called in a repository.
artifact() {
  case $1 in
    gatehand) echo gatehand ;;
    *) declared 'artifactId = "\(.*\)"' "$1" ;;
  esac
}

# What has something for Android beside its classes is an AAR, and all else a jar.
packaging() {
  if [ -e "android/$1/src/main/AndroidManifest.xml" ]; then echo aar; else echo jar; fi
}

# pack_classes MODULE FILE: R8 takes the rules from proguard.txt.
pack_classes() {
  local namespace
  namespace=$(declared 'namespace = "\(.*\)"' "$1")
  [ -e "${compiled[$1]}/${namespace//.//}" ] || die "${compiled[$1]} holds no classes of $namespace"
  mkdir "$staging/classes-$1"
  cp -R "${compiled[$1]}/." "$staging/classes-$1"
  rm -rf "$staging/classes-$1/META-INF/proguard" "$staging/classes-$1/META-INF/MANIFEST.MF"
  pack "$staging/classes-$1" "$2"
}

# make_aar MODULE FOLDER FILE: with what is in the folder already.
make_aar() {
  local manifest=android/$1/src/main/AndroidManifest.xml namespace lowest compile_sdk
  namespace=$(declared 'namespace = "\(.*\)"' "$1")
  lowest=$(declared 'minSdk = \([0-9]*\)' "$1")
  compile_sdk=$(declared 'minCompileSdk = \([0-9]*\)' "$1")
  mkdir -p "$2/META-INF/com/android/build/gradle"
  pack_classes "$1" "$2/classes.jar"
  : >"$2/R.txt"
  sed "s|^<manifest xmlns:android=\"\([^\"]*\)\">\$|<manifest xmlns:android=\"\1\"\n    package=\"$namespace\">\n\n    <uses-sdk android:minSdkVersion=\"$lowest\" />\n|" \
    "$manifest" >"$2/AndroidManifest.xml"
  grep -q minSdkVersion "$2/AndroidManifest.xml" || die "$manifest does not begin as expected"
  cat >"$2/META-INF/com/android/build/gradle/aar-metadata.properties" <<END
aarFormatVersion=1.0
aarMetadataVersion=1.0
minCompileSdk=$compile_sdk
minCompileSdkExtension=0
minAndroidGradlePluginVersion=1.0.0
coreLibraryDesugaringEnabled=false
END
  pack "$2" "$3"
}

# dependency MODULE VERSION SCOPE [TYPE]
dependency() {
  printf '    <dependency>\n      <groupId>%s</groupId>\n      <artifactId>%s</artifactId>\n' "${1%:*}" "${1#*:}"
  printf '      <version>%s</version>\n' "$2"
  [ "${4:-jar}" = jar ] || printf '      <type>%s</type>\n' "$4"
  printf '      <scope>%s</scope>\n    </dependency>\n' "$3"
}

# pom MODULE: with what the Gradle build says that it needs.
pom() {
  local name kind alias scope number needed
  name=$(artifact "$1")
  cat <<END
<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
         xsi:schemaLocation="http://maven.apache.org/POM/4.0.0 http://maven.apache.org/xsd/maven-4.0.0.xsd">
  <modelVersion>4.0.0</modelVersion>
  <groupId>$group</groupId>
  <artifactId>$name</artifactId>
  <version>$version</version>
  <packaging>$(packaging "$1")</packaging>
  <licenses>
    <license>
      <name>$(sed -n 's/^license = "\(.*\)"/\1/p' Cargo.toml)</name>
    </license>
  </licenses>
  <dependencies>
END
  # The Kotlin plugin adds this to each library, of the version that coreLibrariesVersion says.
  dependency org.jetbrains.kotlin:kotlin-stdlib "$(library kotlin-stdlib version)" compile
  while read -r kind alias; do
    scope=compile
    [ "$kind" = api ] || scope=runtime
    case $alias in
      'project(":'*)
        needed=${alias#*:} && needed=${needed%%\"*}
        name=$(artifact "$needed")
        dependency "$group:$name" "$version" "$scope" "$(packaging "$needed")"
        ;;
      *)
        alias=${alias#libs.}
        number=$(library "${alias//./-}" version)
        [ -n "$number" ] || die "the version catalog has no version of $alias"
        dependency "$(library "${alias//./-}" module)" "$number" "$scope"
        ;;
    esac
  done < <(sed -n 's/^ *\(api\|implementation\)(\(libs\..*\|project(.*)\))$/\1 \2/p' "android/$1/build.gradle.kts")
  printf '  </dependencies>\n</project>\n'
}

# complete MODULE FOLDER: sources, where editors find what the API's comments say, and POM.
complete() {
  local name
  name=$(artifact "$1")-$version
  mkdir "$staging/sources-$1"
  (cd "android/$1/src/main/kotlin" && find . -name '*.kt' -exec cp --parents -t "$staging/sources-$1" {} +)
  pack "$staging/sources-$1" "$2/$name-sources.jar"
  pom "$1" >"$2/$name.pom"
}

cp "android/gatehand/$rules" "$aar/proguard.txt"
make_aar gatehand "$aar" "$staging/made/gatehand-$version.aar"
complete gatehand "$staging/made"

# What else there is needs the library's own place in a repository.
if [ -n "$repository" ]; then
  for module in "${others[@]}"; do
    [ -n "${compiled[$module]:-}" ] || continue
    name=$(artifact "$module")
    made=$staging/others/$name/$version
    mkdir -p "$made"
    case $(packaging "$module") in
      aar) make_aar "$module" "$staging/$module" "$made/$name-$version.aar" ;;
      jar) pack_classes "$module" "$made/$name-$version.jar" ;;
    esac
    complete "$module" "$made"
  done
fi

output=${output:-android/gatehand/target/aar}
[ -z "$repository" ] || output=$repository/${group//.//}/gatehand/$version
mkdir -p "$output" || die "the folder $output can't be made"
# Whole or not at all: beside their places first, as the staging folder may be on another disk.
put=$(mktemp -d "$output/.gatehand.XXXXXX") || die "the folder $output can't be written to"
trap 'rm -rf "$staging" "$put"' EXIT
mkdir "$put/own"
cp "$staging/made/"* "$put/own/"
[ ! -e "$staging/others" ] || cp -R "$staging/others" "$put/"
for made in "$put/others/"*/*/*; do
  [ -e "$made" ] || continue
  folder=$repository/${group//.//}/$(dirname "${made#"$put/others/"}")
  mkdir -p "$folder" && mv "$made" "$folder/" || die "the folder $folder can't be written to"
done
mv "$put/own/"* "$output/"
printf '%s\n' "$output/gatehand-$version.aar"

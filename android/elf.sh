# Looks into native libraries; sourced by aar.sh.

# unusable ABI FILE MIN_SDK: why the library would not work on such a device; nothing if it would.
unusable() {
  local abi=$1 file=$2 min_sdk=$3 header sections segments class machine pages note level
  # Android 15 has 64-bit devices with pages of 16 KB, which load no library aligned to less.
  case $abi in
    arm64-v8a) class=ELF64 machine=AArch64 pages=0x4000 ;;
    armeabi-v7a) class=ELF32 machine=ARM pages=0x1000 ;;
    x86_64) class=ELF64 machine='Advanced Micro Devices X86-64' pages=0x4000 ;;
    *) echo "is for a processor that this script does not know" && return ;;
  esac

  header=$(readelf -hW "$file" 2>/dev/null) &&
    sections=$(readelf -SW "$file" 2>/dev/null | sed -n 's/^ *\[ *[0-9]*\] //p') &&
    segments=$(readelf -lW "$file" 2>/dev/null | awk '$1 == "LOAD" { print $NF }') &&
    [ -n "$segments" ] && grep -q '^ *Type: *DYN' <<<"$header" || {
    echo "is not a shared library, or not a whole one"
    return
  }
  grep -q "^ *Class: *$class\$" <<<"$header" && grep -q "^ *Machine: *$machine\$" <<<"$header" || {
    echo "is for$(sed -n 's/^ *Machine: */ /p' <<<"$header") ($(sed -n 's/^ *Class: *//p' <<<"$header")), and $abi is $machine ($class)"
    return
  }

  # What the NDK links to each library: three words of header, "Android", then the level it was built for.
  note=$(awk '$1 == ".note.android.ident" { print $4 }' <<<"$sections")
  if [ -z "$note" ] || [ "$(tail -c +$((0x$note + 13)) "$file" | head -c 7)" != Android ]; then
    echo "is not for Android: build it with cargo-ndk"
    return
  fi
  level=$(od -An -tu4 --endian=little -j $((0x$note + 20)) -N 4 "$file" | tr -d ' ')
  if [ -z "$level" ]; then
    echo "is not a whole shared library"
    return
  fi
  if [ "$level" -gt "$min_sdk" ]; then
    echo "is for API level $level and later, and apps may run on $min_sdk: build it with --platform $min_sdk"
    return
  fi

  local alignment
  for alignment in $segments; do
    if [ $((alignment)) -lt $((pages)) ]; then
      echo "has a segment aligned to $alignment, and devices with pages of 16 KB need $pages: link it with -z max-page-size=16384"
      return
    fi
  done
  if grep -Eq '^(\.symtab|\.z?debug_[a-z]*) ' <<<"$sections"; then
    echo "is not stripped: build it with --profile handheld"
    return
  fi
  grep -q Java_io_gatehand_internal_Native_ "$file" || echo "has nothing for Kotlin to call: build android/native"
}

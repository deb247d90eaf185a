#!/usr/bin/env bash
# tidy.sh BUILD JOBS TIDY: clang-tidy over src/ and apps/ (tests aside), with BUILD/compile_commands.json. TIDY is the program.
# Kernels are looked at for one instruction set (HWY_COMPILE_ONLY_STATIC): the code is the same for all.
# A file that passed is not looked at again until it, a header, or .clang-tidy changes.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
build=$1 jobs=$2
export tidy=$3
passed=$build/tidy-passed
mkdir -p "$passed"

list() { git ls-files -z --cached --others --exclude-standard -- "$@"; }
common=$({ "$tidy" --version; cat .clang-tidy; list 'src/*.h' 'include/*.h' 'apps/*.h' 'src/*.inc' | sort -z | xargs -0 -r cat; } | sha256sum)

check() {  # check BUILD PASSED COMMON FILE
  local stamp report
  stamp=$2/$( (echo "$3"; echo "$4"; cat "$4") | sha256sum | cut -c1-32)
  [ ! -e "$stamp" ] || return 0
  if report=$("$tidy" --quiet -p "$1" --extra-arg=-DHWY_COMPILE_ONLY_STATIC --extra-arg=-Wno-deprecated-declarations --extra-arg-before=-Wno-unknown-warning-option "$4" 2>&1); then
    touch "$stamp"
  else
    printf '%s\n' "$report" | grep -Ev '^[0-9]+ warnings? (generated|treated as error)|^Suppressed ' || true
    return 1
  fi
}
export -f check

list 'src/*.cc' 'apps/*.cc' | grep -zv '_test\.cc$' | while IFS= read -r -d '' file; do
  [ ! -f "$file" ] || printf '%s\0' "$file"
done | xargs -0 -r -n 1 -P "$jobs" bash -c 'check "$@"' check "$build" "$passed" "$common"

#!/usr/bin/env bash
# tidy.sh BUILD JOBS TIDY: clang-tidy over src/ and apps/ (tests aside), with BUILD/compile_commands.json. TIDY is the program.
# python/src, too, if nanobind is installed beside it and Python's headers are here.
# Kernels are looked at for one instruction set (HWY_COMPILE_ONLY_STATIC): the code is the same for all.
# A file that passed is not looked at again until it, a header, or .clang-tidy changes.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
build=$1 jobs=$2
export tidy=$3
passed=$build/tidy-passed
mkdir -p "$passed"

sed -i 's/ -fno-ipa-sra\b//g' "$build/compile_commands.json"  # g++'s own, which clang refuses

list() { git ls-files -z --cached --others --exclude-standard -- "$@"; }
common=$({ "$tidy" --version; cat .clang-tidy; list 'src/*.h' 'include/*.h' 'apps/*.h' 'python/*.h' 'src/*.inc' | sort -z | xargs -0 -r cat; } | sha256sum)

# What python/src is compiled with, as far as it is of interest here; nothing if that cannot be told.
bindings=$("$(dirname "$tidy")/python3" - 2>/dev/null <<'END' || true
import nanobind, pathlib, sysconfig
python = pathlib.Path(sysconfig.get_path("include"))
if (python / "Python.h").exists():
    print(f"-std=c++20 -I. -Iinclude -isystem {nanobind.include_dir()} -isystem {python} -DCHALKGRAD_VERSION=\"0\"")
END
)
export bindings

check() {  # check BUILD PASSED COMMON FILE
  local stamp report
  stamp=$2/$( (echo "$3"; echo "$4"; cat "$4") | sha256sum | cut -c1-32)
  [ ! -e "$stamp" ] || return 0
  local how=(-p "$1" --extra-arg=-DHWY_COMPILE_ONLY_STATIC --extra-arg=-Wno-deprecated-declarations --extra-arg-before=-Wno-unknown-warning-option "$4") flags
  case $4 in python/*) read -ra flags <<<"$bindings"; how=("$4" -- "${flags[@]}") ;; esac
  if report=$("$tidy" --quiet "${how[@]}" 2>&1); then
    touch "$stamp"
  else
    printf '%s\n' "$report" | grep -Ev '^[0-9]+ warnings? (generated|treated as error)|^Suppressed ' || true
    return 1
  fi
}
export -f check

list 'src/*.cc' 'apps/*.cc' ${bindings:+'python/src/*.cc'} | grep -zv '_test\.cc$' | while IFS= read -r -d '' file; do
  [ ! -f "$file" ] || printf '%s\0' "$file"
done | xargs -0 -r -n 1 -P "$jobs" bash -c 'check "$@"' check "$build" "$passed" "$common"

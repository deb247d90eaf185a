#!/usr/bin/env bash
# One would guess: a C program that asks __builtin_cpu_supports("sse2") is told what the processor has, whichever compiler
#   driver links it; sse2 is part of every x86-64. If a driver lacks the runtime for it, linking fails.
# What happens: zig cc 0.17.1 links it, and the answer is 0 for every feature, even sse2, and even after a call of
#   __builtin_cpu_init(). zig's own runtime has the table that is asked (__cpu_model), but nothing fills it. The same is true
#   of objects that gcc compiled, if zig links them, for a given glibc and for musl. zig 0.15.2 refused to link such a
#   program, with undefined symbols.
# Versions: ziglang 0.17.1 and 0.15.2 of PyPI, on x86-64; gcc 12.2 says 1.
# Who is hurt: whoever makes wheels or portable programs with zig and chooses kernels at run time: everything still works,
#   on the slowest code, 10 to 100 times slower, and no test of results sees it. libgcc.a before zig's runtime helps.
set -eu

[ "$(uname -m)" = x86_64 ] || { echo "cannot run: needs an x86-64 processor"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export ZIG_GLOBAL_CACHE_DIR="$folder/cache" ZIG_LOCAL_CACHE_DIR="$folder/cache"

cat > "$folder/asks.c" <<'END_OF_C'
#include <stdio.h>
int main(int argc, char** argv) {
  (void)argv;
  if (argc > 1) __builtin_cpu_init();
  printf("%d\n", __builtin_cpu_supports("sse2") != 0);
  return 0;
}
END_OF_C

as_described=yes
for version in 0.17.1 0.15.2; do
  if ! python3 -m venv "$folder/$version" || ! "$folder/$version/bin/pip" install --quiet "ziglang==$version"; then
    echo "cannot run: needs Python with venv, and PyPI's packages"
    exit 77
  fi
  for target in native x86_64-linux-gnu.2.28 x86_64-linux-musl; do
    said="does not link"
    if "$folder/$version/bin/python" -m ziglang cc -O2 -target "$target" -o "$folder/asks" "$folder/asks.c" 2>"$folder/log"; then
      said="$("$folder/asks"), after __builtin_cpu_init() $("$folder/asks" init)"
    elif ! grep -q '__cpu_model' "$folder/log"; then
      cat "$folder/log"
      exit 1
    fi
    echo "ziglang $version, $target: sse2 $said"
    case $version in
      0.17.1) [ "$said" = "0, after __builtin_cpu_init() 0" ] || as_described=no ;;
      *) [ "$said" = "does not link" ] || as_described=no ;;
    esac
  done
done
if command -v gcc >/dev/null; then
  gcc -O2 -o "$folder/asks" "$folder/asks.c"
  echo "gcc: sse2 $("$folder/asks")"
  [ "$("$folder/asks")" = 1 ] || as_described=no
fi
[ $as_described = yes ] || exit 1

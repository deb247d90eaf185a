#!/usr/bin/env bash
# One would guess: a library that is linked with -static-libstdc++ and -static-libgcc runs on older systems than one that is
#   not, or at least on all that the other runs on: it asks the system for less.
# What happens: the archives were compiled for the C library of the day, and a single stream or exception pulls in what uses
#   the newest of it. A shared library that wants GLIBCXX_3.4.21, of 2015, and no certain glibc, wants glibc 2.36, of 2022,
#   with both options: for arc4random, which only std::random_device calls, and the library has none. With -static-libgcc
#   alone it wants 2.35, for _dl_find_object, and so it does with both and --gc-sections with --exclude-libs,ALL.
# Versions: g++ 12.2.0, libstdc++-12-dev and libgcc-12-dev 12.2.0-14+deb12u1, and glibc 2.36 of Debian 12, on x86-64.
# Who is hurt: whoever links that way to make wheels or plug-ins portable: what ran wherever there is the library of GCC 5
#   is refused by Debian 11, Ubuntu 22.04 and RHEL 9 with "version `GLIBC_2.36' not found". Where the oldest system that is
#   to be served builds the library, both options do what is hoped for.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

version=12.2.0-14+deb12u1
if [ "$(g++ -dumpfullversion 2> /dev/null)" != 12.2.0 ] || [ "$(uname -m)" != x86_64 ] || ! command -v objdump > /dev/null ||
   ! apt-get download -qq libstdc++-12-dev=$version libstdc++6=$version libgcc-12-dev=$version > log 2>&1; then
  echo "cannot run: needs g++ 12.2.0 and objdump on x86-64, and apt-get with Debian 12's packages"
  exit 77
fi
for package in ./*.deb; do dpkg -x "$package" .; done
cat > text.cc <<'END'
#include <sstream>
extern "C" int digits(int x) {
  std::ostringstream text;
  text << x;
  return static_cast<int>(text.str().size());
}
END

wants() {  # wants PREFIX: the newest version of it that the library asks for
  objdump -T text.so | grep -o "(${1}_[0-9.]*)" | tr -d '()' | sort -uV | tail -n 1
}
result=0
check() {  # check GLIBC GLIBCXX SYMBOL OPTION...: links with the options; what is wanted then, and which symbol is why
  local glibc=$1 glibcxx=$2 symbol=$3 why
  shift 3
  g++ -O2 -fPIC -shared -Lusr/lib/gcc/x86_64-linux-gnu/12 "$@" text.cc -o text.so
  why=$([ -z "$(wants GLIBC)" ] || objdump -T text.so | awk -v v="($(wants GLIBC))" 'index($0, v) {print $NF}' | sort | xargs)
  echo "with [$*]: GLIBC '$(wants GLIBC)' for '$why', GLIBCXX '$(wants GLIBCXX)'"
  [ "$(wants GLIBC), $(wants GLIBCXX), $why" = "$glibc, $glibcxx, $symbol" ] || result=1
}
check "" GLIBCXX_3.4.21 ""
check GLIBC_2.35 GLIBCXX_3.4.21 _dl_find_object -static-libgcc
check GLIBC_2.36 "" arc4random -static-libstdc++ -static-libgcc
check GLIBC_2.36 "" arc4random -static-libstdc++ -static-libgcc -Wl,--gc-sections
check GLIBC_2.35 "" _dl_find_object -static-libstdc++ -static-libgcc -Wl,--gc-sections -Wl,--exclude-libs,ALL
[ $result = 0 ] || exit 1

#!/usr/bin/env bash
# One would guess: -fsanitize=fuzzer-no-link, which a library is compiled with to be fuzzed, adds counters and changes nothing
#   that the code does.
# What happens: clang 14 then drops the right half of an || in a loop. Where a variable is carried from one round to the next
#   (`before` below), `count > 1 || before > 1` is compiled as `count > 1`. With -O1 and -O2; right without the option, with
#   -O0, with each -fsanitize-coverage=… alone, with AddressSanitizer alone, and in clang 15, 16 and 19. No warning, and no
#   sanitizer says anything.
# Versions: clang 14.0.6-12, which is Debian 12's `clang`, and 15.0.6-4+b1, on x86-64.
# Who is hurt: whoever fuzzes on Debian 12: code that is right fails, as ours did (threads no longer waited for each other), or
#   what is fuzzed is not what the source says.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

v14=1:14.0.6-12
v15=1:15.0.6-4+b1
if [ "$(uname -m)" != x86_64 ] || ! command -v g++ > /dev/null ||
   ! apt-get download -qq clang-14=$v14 libllvm14=$v14 libclang-cpp14=$v14 libclang-common-14-dev=$v14 libclang-rt-14-dev=$v14 > log 2>&1 ||
   ! apt-get download -qq clang-15=$v15 libllvm15=$v15 libclang-cpp15=$v15 libclang-common-15-dev=$v15 > log 2>&1; then
  echo "cannot run: needs x86-64 with g++, for its headers, and apt-get with Debian 12's packages"
  exit 77
fi
for package in ./*.deb; do dpkg -x "$package" .; done
cat > loop.cc <<'END'
#include <cstdio>
int met = 0;
__attribute__((noinline)) void meet() { ++met; }
__attribute__((noinline)) void work(int) {}
__attribute__((noinline)) void all(const int* wanted, int steps, int most, int me) {
  int before = 1;
  for (int i = 0; i < steps; ++i) {
    const int count = wanted[i] < most ? wanted[i] : most;
    if (count > 1 || before > 1) meet();  // before step 0, as count is 2, and before step 1, as before is 2
    before = count;
    if (me >= count) continue;
    work(count);
  }
  if (before > 1) meet();
}
int main() {
  const int wanted[] = {2, 1};
  all(wanted, 2, 2, 0);
  std::printf("%d", met);
}
END

result=0
check() {  # check EXPECTED VERSION OPTION...: how often meet() is called
  local expected=$1 version=$2 met
  shift 2
  LD_LIBRARY_PATH=usr/lib/llvm-$version/lib:usr/lib/x86_64-linux-gnu \
    "usr/lib/llvm-$version/bin/clang++" "$@" loop.cc -o loop
  met=$(./loop)
  echo "clang $version $*: meet() is called $met times, and should be 2"
  [ "$met" = "$expected" ] || result=1
}
check 2 14 -O1
check 2 14 -O0 -fsanitize=fuzzer-no-link
check 1 14 -O1 -fsanitize=fuzzer-no-link
check 1 14 -O2 -fsanitize=fuzzer-no-link
check 2 15 -O1 -fsanitize=fuzzer-no-link
check 2 15 -O2 -fsanitize=fuzzer-no-link
[ $result = 0 ] || exit 1

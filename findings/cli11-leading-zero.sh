#!/usr/bin/env bash
# One would guess: an option of CLI11 for a whole number from 1 to 31 takes 08 as 8 and 010 as 10, as a date or the number
#   of a file is written.
# What happens: it reads whole numbers in C's way. 010 is 8, without a word; 08 is refused with "Value 08 not in range 1 to
#   31".
# Versions: CLI11 2.1.2 of Debian 12, which this runs; 2.7.2 does the same, and takes 1'0 and 1_0 for 10.
# Who is hurt: whoever types numbers padded with zeros, `--index $(printf %03d 10)`, and gets sample 8. Reading the option
#   as text and then with std::from_chars helps.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

if ! apt-get download -qq libcli11-dev=2.1.2+ds-1 > log 2>&1 || ! dpkg -x libcli11-dev*.deb . || ! command -v g++ > /dev/null; then
  echo "cannot run: needs g++, and apt-get with Debian 12's packages"
  exit 77
fi
cat > main.cc <<'END'
#include <CLI/CLI.hpp>
#include <iostream>

int main(int argc, char** argv) {
  CLI::App app;
  int day = 0;
  app.add_option("--day", day)->check(CLI::Range(1, 31));
  CLI11_PARSE(app, argc, argv);
  std::cout << day << "\n";
}
END
g++ -std=c++17 -Iusr/include main.cc -o main

ten=$(./main --day 010 2>&1 || true)
eight=$(./main --day 08 2>&1 | head -n 1 || true)
echo "--day 010 is $ten"
echo "--day 08: $eight"
[ "$ten" = 8 ] && [[ $eight == *"not in range"* ]] || exit 1

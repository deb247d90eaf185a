#!/usr/bin/env bash
# One would guess: INSTALL_RPATH means nothing for a program that is linked with -static, as nothing searches for its
#   libraries. So cmake --install copies the program.
# What happens: CMake writes file(RPATH_CHANGE) into cmake_install.cmake if the RPATHs of the build and of the installation
#   differ, does not know of -static, finds no RPATH in the file, and fails when all else has been installed already.
# Versions: CMake 3.25.2 from PyPI, which Debian 12 has too; 3.31.6 installs the program. Any g++ that links statically.
# Who is hurt: whoever turns on -static with target_link_options in a project with an INSTALL_RPATH. Setting the property
#   only where programs are linked dynamically helps.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > main.cc <<'END'
int main() {}
END
cat > CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(one LANGUAGES CXX)
add_library(two SHARED main.cc)
add_executable(one main.cc)
target_link_options(one PRIVATE -static)
set_target_properties(one PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
install(TARGETS one)
END

if ! g++ -static main.cc -o linked 2>/dev/null || ! python3 -m venv venv; then
  echo "cannot run: needs g++ that links statically, and python3 with venv"
  exit 77
fi
installs() {  # installs CMAKE_VERSION: whether it installs the program
  venv/bin/pip install --quiet --disable-pip-version-check "cmake==$1" "ninja==1.11.1.4" || { echo "cannot run: no CMake $1"; exit 77; }
  rm -rf build installed
  cmake -S . -B build -G Ninja > log 2>&1
  cmake --build build --target one >> log 2>&1
  cmake --install build --prefix installed >> log 2>&1
}

PATH=$folder/venv/bin:$PATH
if installs 3.25.2 || ! grep "No valid ELF RPATH" log; then
  echo "CMake 3.25.2 said something else:"
  tail -n 5 log
  exit 1
fi
echo "so said CMake 3.25.2 of a static program"
if ! installs 3.31.6; then
  echo "CMake 3.31.6 did not install it either:"
  tail -n 5 log
  exit 1
fi
echo "CMake 3.31.6 installed it"

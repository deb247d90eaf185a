# cmake -DBUILD=build/PRESET -P parent_test.cmake
# Configures parent/, which takes chalkgrad by FetchContent and chooses no build type, and looks at what that does to it.
# Then builds and runs its programs; chalkgrad's libraries are linked of BUILD's objects.

cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/support.cmake)

set(work ${BUILD}/install_parent)
file(REMOVE_RECURSE ${work})
set(ENV{CXXFLAGS})
function(configure)
  run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/parent -B ${work} ${as_built} -DCHALKGRAD_SOURCE=${SOURCE}
      -DCMAKE_EXPORT_COMPILE_COMMANDS=ON ${ARGN})
endfunction()

message(STATUS "Looking at what a parent gets")
configure()
file(READ ${work}/compile_commands.json commands)
string(JSON count LENGTH "${commands}")
math(EXPR last "${count} - 1")
set(kernels 0)
foreach(i RANGE ${last})
  string(JSON file GET "${commands}" ${i} file)
  string(JSON command GET "${commands}" ${i} command)
  string(REGEX REPLACE " -D[a-z]+_EXPORTS " " " command "${command}")  # CMake's own, of shared libraries
  if(file MATCHES "/src/kernels/")
    math(EXPR kernels "${kernels} + 1")
    if(NOT command MATCHES " -O2 ")
      message(FATAL_ERROR "a kernel is not optimised: ${command}")
    endif()
  elseif(file MATCHES "/tests/install/" AND command MATCHES " -(O|W|D|ff|fno|march|include)")
    message(FATAL_ERROR "flags of chalkgrad's are in the parent's: ${command}")
  endif()
endforeach()
if(kernels EQUAL 0)
  message(FATAL_ERROR "no kernel is compiled")
endif()

# What finding libraries leaves in the cache is meant: the parent's own find_package() would have left the same.
file(STRINGS ${work}/CMakeCache.txt entries REGEX "^[A-Za-z_]+[A-Za-z_0-9]*:(BOOL|STRING|PATH|FILEPATH)=")
list(FILTER entries EXCLUDE REGEX "^(CMAKE_|CHALKGRAD_|FETCHCONTENT_)")
set(found_libraries ${entries})
list(FILTER entries EXCLUDE REGEX "^(ZLIB|PNG|JPEG|PKG_CONFIG|nlohmann_json|pkgcfg)_")
if(entries)
  message(FATAL_ERROR "chalkgrad leaves these in its parent's cache: ${entries}")
endif()
list(FILTER found_libraries INCLUDE REGEX "\\.a$")
if(found_libraries)
  message(FATAL_ERROR "chalkgrad makes its parent link archives: ${found_libraries}")
endif()

message(STATUS "Building its programs")
configure(-DCHALKGRAD_OBJECTS=${BUILD}/objects.cmake)
run(${CMAKE_COMMAND} --build ${work})
run_users(${work})

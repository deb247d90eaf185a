# cmake -DKIND=static|shared -DBUILD=build/PRESET -P install_test.cmake
# Installs what is built in BUILD, moves the installation, then builds and runs consumer/ against it. The shared libraries
# are linked of BUILD's objects, which are position-independent.

cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

get_filename_component(SOURCE ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
get_filename_component(BUILD ${BUILD} ABSOLUTE)
set(work ${BUILD}/install_${KIND})
set(prefix "${work}/moved here")  # with a space, as people's folders have
file(REMOVE_RECURSE ${work})
load_cache(${BUILD} READ_WITH_PREFIX built_ CMAKE_GENERATOR CMAKE_CXX_COMPILER CMAKE_BUILD_TYPE)
set(as_built -G ${built_CMAKE_GENERATOR} -DCMAKE_CXX_COMPILER=${built_CMAKE_CXX_COMPILER} -Wno-dev)

message(STATUS "Installing the ${KIND} libraries")
set(installed ${BUILD})
if(KIND STREQUAL "shared")
  set(installed ${work}/build)
  run(${CMAKE_COMMAND} -S ${SOURCE} -B ${installed} ${as_built} -DCMAKE_BUILD_TYPE=${built_CMAKE_BUILD_TYPE}
      -DBUILD_SHARED_LIBS=ON -DCHALKGRAD_OBJECTS=${BUILD}/objects.cmake -DCHALKGRAD_APP=OFF -DCHALKGRAD_TESTS=OFF)
  run(${CMAKE_COMMAND} --build ${installed})
endif()
run(${CMAKE_COMMAND} --install ${installed} --prefix ${work}/prefix)
file(RENAME ${work}/prefix ${prefix})

# Neither the source, the build nor the place first installed to may be named in what is installed.
file(GLOB_RECURSE package_files "${prefix}/*.cmake")
if(NOT package_files)
  message(FATAL_ERROR "no CMake package was installed in ${prefix}")
endif()
foreach(file IN LISTS package_files)
  file(READ ${file} text)
  foreach(place IN ITEMS ${SOURCE} ${BUILD} ${work})
    string(FIND "${text}" "${place}" found)
    if(NOT found EQUAL -1)
      message(FATAL_ERROR "${file} names ${place}: the installation cannot be moved")
    endif()
  endforeach()
endforeach()
file(GLOB_RECURSE libraries "${prefix}/libchalkgrad*")
if(KIND STREQUAL "shared")
  list(FILTER libraries EXCLUDE REGEX "\\.so(\\.[0-9.]+)?$")
else()
  list(FILTER libraries EXCLUDE REGEX "\\.a$")
endif()
if(libraries)
  message(FATAL_ERROR "these are no ${KIND} libraries: ${libraries}")
endif()
if(EXISTS ${prefix}/bin/chalkgrad)
  run(${prefix}/bin/chalkgrad --version)
endif()

message(STATUS "Building programs against them")
run(${CMAKE_COMMAND} -S ${SOURCE}/tests/install/consumer -B ${work}/consumer ${as_built} -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF)
run(${CMAKE_COMMAND} --build ${work}/consumer)
run(${work}/consumer/core_only)
run(${work}/consumer/consumer)

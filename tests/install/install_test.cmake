# cmake -DKIND=static|shared -DBUILD=build/PRESET -P install_test.cmake
# Installs what is built in BUILD, moves the installation, then builds and runs programs and a plug-in against it, by
# find_package and by pkg-config. The shared libraries are linked of BUILD's objects, which are position-independent.

cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/support.cmake)

set(work ${BUILD}/install_${KIND})
set(prefix "${work}/moved here")  # with a space, as people's folders have
file(REMOVE_RECURSE ${work})

message(STATUS "Installing the ${KIND} libraries")
set(installed ${BUILD})
if(KIND STREQUAL "shared")
  set(installed ${work}/build)
  foreach(shared IN ITEMS OFF ON)  # people change their minds: archives that were found must be forgotten
    run(${CMAKE_COMMAND} -S ${SOURCE} -B ${installed} ${as_built} -DCMAKE_BUILD_TYPE=${built_CMAKE_BUILD_TYPE}
        -DBUILD_SHARED_LIBS=${shared} -DCHALKGRAD_OBJECTS=${BUILD}/objects.cmake -DCHALKGRAD_APP=${built_CHALKGRAD_APP}
        -DCHALKGRAD_TESTS=OFF)
  endforeach()
  run(${CMAKE_COMMAND} --build ${installed})
endif()
run(${CMAKE_COMMAND} --install ${installed} --prefix ${work}/prefix)
file(RENAME ${work}/prefix ${prefix})

# Neither the source, the build nor the place first installed to may be named in what is installed.
file(GLOB_RECURSE package_files "${prefix}/*.cmake" "${prefix}/*.pc")
if(NOT package_files)
  message(FATAL_ERROR "no package was installed in ${prefix}")
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
if(built_CHALKGRAD_APP)
  run(${prefix}/bin/chalkgrad --version)
endif()

message(STATUS "Building programs against them")
run(${CMAKE_COMMAND} -S ${SOURCE}/tests/install/consumer -B ${work}/consumer ${as_built} -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF)
run(${CMAKE_COMMAND} --build ${work}/consumer)
run_users(${work}/consumer)

# pkg-config would escape the space, and nobody types the eval that this needs.
file(RENAME ${prefix} ${work}/moved)
file(GLOB_RECURSE package ${work}/moved/*/chalkgrad.pc)
get_filename_component(packages ${package} DIRECTORY)
set(ENV{PKG_CONFIG_PATH} ${packages})
set(ENV{LD_LIBRARY_PATH} ${packages}/..)
file(MAKE_DIRECTORY ${work}/by_hand)
function(type command)
  message(STATUS "$ ${command}")
  execute_process(COMMAND sh -ec "${command}" WORKING_DIRECTORY ${work}/by_hand COMMAND_ERROR_IS_FATAL ANY)
endfunction()
set(consumer ${SOURCE}/tests/install/consumer)
set(compiler ${built_CMAKE_CXX_COMPILER})
type("${compiler} -std=c++20 ${consumer}/core_only.cc -o core_only $(pkg-config --cflags --libs chalkgrad-core) && ./core_only")
type("${compiler} -std=c++20 -Wall -Wextra -Wpedantic -Werror -c ${consumer}/learn.cc ${consumer}/main.cc $(pkg-config --cflags chalkgrad)")
type("${compiler} learn.o main.o -o consumer $(pkg-config --libs chalkgrad) && ./consumer")
if(KIND STREQUAL "static")
  type("${compiler} -std=c++17 -E ${consumer}/learn.cc $(pkg-config --cflags chalkgrad) 2>&1 >headers | grep 'needs C++20'")
  type("${compiler} -std=c++20 -fno-rtti -E ${consumer}/learn.cc $(pkg-config --cflags chalkgrad) 2>&1 >headers | grep 'needs RTTI'")
endif()
if(KIND STREQUAL "static" AND built_CHALKGRAD_CAN_BE_STATIC)
  type("${compiler} -static learn.o main.o -o one_file $(pkg-config --static --libs chalkgrad) && ./one_file")
endif()

# cmake -DKIND=static|shared -DSOURCE= -DWORK= -DGENERATOR= -DCOMPILER= -P install_test.cmake
# Builds and installs the libraries, moves the installation, then builds and runs consumer/ against it.
# A fresh configuration every time; what was compiled is kept in WORK, and by ccache.

cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

set(prefix "${WORK}/moved here")  # with a space, as people's folders have
file(REMOVE_RECURSE ${WORK}/prefix ${prefix} ${WORK}/consumer)
set(shared OFF)
if(KIND STREQUAL "shared")
  set(shared ON)
endif()

message(STATUS "Installing the ${KIND} libraries")
# As users build it: so ccache knows the files from the preset's own build.
run(${CMAKE_COMMAND} --preset release -S ${SOURCE} -B ${WORK}/build -G ${GENERATOR}
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_INSTALL_PREFIX=${WORK}/prefix -DBUILD_SHARED_LIBS=${shared}
    -DCHALKGRAD_APP=OFF -Wno-dev)
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${CMAKE_COMMAND} --install ${WORK}/build)
file(RENAME ${WORK}/prefix ${prefix})

# Neither the source, the build nor the place first installed to may be named in what is installed.
file(GLOB_RECURSE package_files "${prefix}/*.cmake")
if(NOT package_files)
  message(FATAL_ERROR "no CMake package was installed in ${prefix}")
endif()
foreach(file IN LISTS package_files)
  file(READ ${file} text)
  foreach(place IN ITEMS ${SOURCE} ${WORK})
    string(FIND "${text}" "${place}" found)
    if(NOT found EQUAL -1)
      message(FATAL_ERROR "${file} names ${place}: the installation cannot be moved")
    endif()
  endforeach()
endforeach()

message(STATUS "Building a program against them")
run(${CMAKE_COMMAND} -S ${SOURCE}/tests/install/consumer -B ${WORK}/consumer -G ${GENERATOR} -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF)
run(${CMAKE_COMMAND} --build ${WORK}/consumer)
run(${WORK}/consumer/consumer)

# The two libraries. A room's files are found by their place, src/ROOM/**.cc, less the tests beside them.
#   chalkgrad_core  graph, derivation, planning, kernels, running: needs the standard library
#   chalkgrad       core, files, data, augmentations, networks from text, training, checking: also zlib, libpng, libjpeg, nettle
set(chalkgrad_one_file OFF)
if(PROJECT_IS_TOP_LEVEL AND CHALKGRAD_APP AND CHALKGRAD_STATIC AND NOT BUILD_SHARED_LIBS AND NOT CHALKGRAD_SANITIZE)
  set(chalkgrad_one_file ON)  # so archives come first: only here, as a parent's shared libraries cannot be linked with them
  list(PREPEND CMAKE_FIND_LIBRARY_SUFFIXES ${CMAKE_STATIC_LIBRARY_SUFFIX})
endif()
if(DEFINED CHALKGRAD_ONE_FILE_BEFORE AND NOT CHALKGRAD_ONE_FILE_BEFORE STREQUAL chalkgrad_one_file)
  foreach(found IN ITEMS ZLIB_LIBRARY_RELEASE PNG_LIBRARY_RELEASE JPEG_LIBRARY_RELEASE pkgcfg_lib_NETTLE_nettle
                         CHALKGRAD_CAN_BE_STATIC)
    unset(${found} CACHE)  # it is of the other kind
  endforeach()
endif()
set(CHALKGRAD_ONE_FILE_BEFORE ${chalkgrad_one_file} CACHE INTERNAL "")
find_path(CHALKGRAD_HIGHWAY hwy/highway.h REQUIRED)
find_path(CHALKGRAD_TOMLPLUSPLUS toml++/toml.h REQUIRED)
find_path(CHALKGRAD_PROTOZERO protozero/pbf_builder.hpp REQUIRED)
mark_as_advanced(CHALKGRAD_HIGHWAY CHALKGRAD_TOMLPLUSPLUS CHALKGRAD_PROTOZERO)
find_package(nlohmann_json REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(NETTLE REQUIRED IMPORTED_TARGET nettle)

# Of these, headers are all that is used.
target_include_directories(chalkgrad_flags SYSTEM INTERFACE ${CHALKGRAD_HIGHWAY} ${CHALKGRAD_TOMLPLUSPLUS} ${CHALKGRAD_PROTOZERO})
target_link_libraries(chalkgrad_flags INTERFACE nlohmann_json::nlohmann_json)

function(chalkgrad_room out)
  set(found)
  foreach(room IN LISTS ARGN)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${room}/*.cc)
    list(FILTER files EXCLUDE REGEX "_test\\.cc$")
    list(APPEND found ${files})
  endforeach()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

set(CHALKGRAD_OBJECTS "" CACHE FILEPATH "Link the libraries from the objects of another build, as its objects.cmake lists them")
mark_as_advanced(CHALKGRAD_OBJECTS)
if(CHALKGRAD_OBJECTS)  # the tests make shared libraries of a static build in seconds so: it is compiled as they would be
  include(${CHALKGRAD_OBJECTS})
  set_source_files_properties(${core_sources} ${data_sources} PROPERTIES EXTERNAL_OBJECT ON)
else()
  chalkgrad_room(core_sources base ir ops layers losses optimizers schedules passes plan kernels run)
  chalkgrad_room(data_sources files data augmentations net train math derive onnx)
  if(CHALKGRAD_BITS OR CHALKGRAD_SANITIZE MATCHES "thread")  # their tests leave these out
    list(FILTER data_sources EXCLUDE REGEX "/src/(math|derive)/")
  endif()
endif()

# Sums over all bytes of a set: g++ makes vectors of them at -O3 only.
set(moments ${PROJECT_SOURCE_DIR}/src/base/moments.cc)
set_property(SOURCE ${moments} APPEND PROPERTY COMPILE_OPTIONS $<$<CONFIG:Release>:-O3>)
set_property(SOURCE ${moments} PROPERTY SKIP_PRECOMPILE_HEADERS ON)

# Reading headers is most of what compiling a small file takes. Files of these rooms are compiled some at a time, so no two of
# a room have helpers of the same name. Layers, optimizers and schedules have, on purpose; and what is compiled once for each
# instruction set includes itself.
foreach(room IN ITEMS base ir losses passes plan run files data augmentations net train math derive onnx)
  chalkgrad_room(files ${room})
  list(FILTER files EXCLUDE REGEX "/(fma_check|fma_peak|stream_peak)[.]cc$")
  set(count 0)
  foreach(file IN LISTS files)
    math(EXPR batch "${count} / ${CHALKGRAD_BATCH}")
    math(EXPR count "${count} + 1")
    set_property(SOURCE ${file} PROPERTY UNITY_GROUP ${room}_${batch})
  endforeach()
endforeach()

# What holds no time is compiled for size in a release; functions whose arguments g++ splits up are copies of the file they are
# in: left alone, the linker keeps one of each.
set(chalkgrad_no_copies $<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:-fno-ipa-sra>)
set(chalkgrad_for_size $<$<CONFIG:Release>:-Os> ${chalkgrad_no_copies})

# What is asked of each pointer takes a fifth of the compilation. Where strangers' bytes become objects, it is asked; elsewhere
# pointers are to objects of ours, and AddressSanitizer catches null where it is read through.
set(chalkgrad_own_pointers)
if(CHALKGRAD_SANITIZE MATCHES "undefined")
  set(chalkgrad_own_pointers -fno-sanitize=null,alignment,object-size,vptr)
endif()

# What goes over pixels or runs in a step is compiled with the configuration's options (and optimized where sanitizers leave the
# rest as it is): in groups, as precompiled headers are shared by what has the same options.
# chalkgrad_group(NAME LIST PATTERN...): an object library of the sources in LIST that match a pattern, such as
# plan/(single|tail); its objects come into LIST in their place.
function(chalkgrad_group name sources)
  list(JOIN ARGN "|" patterns)
  set(group ${${sources}})
  list(FILTER group INCLUDE REGEX "/src/(${patterns})[.]cc$")
  list(REMOVE_ITEM ${sources} ${group})
  add_library(${name} OBJECT ${group})
  target_link_libraries(${name} PRIVATE chalkgrad_flags)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
  target_compile_options(${name} PRIVATE ${chalkgrad_no_copies})
  if(CHALKGRAD_BITS)
    target_compile_options(${name} PRIVATE -O2)
  elseif(CHALKGRAD_SANITIZE)
    target_compile_options(${name} PRIVATE -O1)
  endif()
  target_compile_options(${name} PRIVATE ${chalkgrad_own_pointers})
  set_target_properties(${name} PROPERTIES UNITY_BUILD ${chalkgrad_batches} UNITY_BUILD_MODE GROUP)
  set(${sources} ${${sources}} $<TARGET_OBJECTS:${name}> PARENT_SCOPE)
endfunction()

set(chalkgrad_batches ON)
if(CHALKGRAD_BATCH EQUAL 1 OR CHALKGRAD_OBJECTS)
  set(chalkgrad_batches OFF)
endif()
set(chalkgrad_groups)
if(NOT CHALKGRAD_OBJECTS)
  set(chalkgrad_groups chalkgrad_kernels chalkgrad_fast_core chalkgrad_fast_data)
  # Less six operations: comparisons are links of chains in a step, or rare; it runs kernels in place of the others, or none.
  set(slow_operations ${core_sources})
  list(FILTER slow_operations INCLUDE REGEX
       "/ops/(comparisons|conv2d_input_grad|conv2d_weight_grad|pool|reshape|registry)[.]cc$")
  list(REMOVE_ITEM core_sources ${slow_operations})
  chalkgrad_group(chalkgrad_kernels core_sources "(kernels|ops)/.*")
  list(APPEND core_sources ${slow_operations})
  # Their loops begin at multiples of 32 bytes, so that their speed does not depend on what is linked before them: 1 to 3 % of a
  # step on a Zen.
  target_compile_options(chalkgrad_kernels PRIVATE
                         $<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:-falign-loops=32$<SEMICOLON>-falign-functions=64>)
  if(CHALKGRAD_SANITIZE MATCHES "undefined")
    # A pointer that wrapped around is caught where it is read through; asking at each sum takes more than half of the
    # compilation. Highway's portable copies convert NaN to integers, which lanes then do not choose.
    target_compile_options(chalkgrad_kernels PRIVATE -fno-sanitize=pointer-overflow,float-cast-overflow)
  endif()
  if(CHALKGRAD_FUZZ)  # no stranger's bytes get here
    target_compile_options(chalkgrad_kernels PRIVATE -fno-sanitize=fuzzer-no-link)
  endif()

  chalkgrad_group(chalkgrad_fast_core core_sources
                  "base/(aligned|finite|fma_check|moments|random|target|threads|xxh64)"
                  "plan/(single|sweep_kernel|sweep_run|tail|tuned_conv|tuned_dense|tuned_matmul|update_kernel)"
                  "run/(executor|fma_peak|gather|stream_peak|variable_watch)")

  set(fast_data "files/(idx|image_fit)" "data/normalise" "augmentations/(augmenter|colour|flips|pixels|resample|shift)")
  if(CHALKGRAD_SANITIZE)  # the mathematics calls itself, and would take ten times as long
    list(APPEND fast_data "(math|derive)/.*")
  endif()
  chalkgrad_group(chalkgrad_fast_data data_sources ${fast_data})
endif()

add_library(chalkgrad_core ${core_sources})
target_link_libraries(chalkgrad_core PUBLIC Threads::Threads PRIVATE $<BUILD_INTERFACE:chalkgrad_flags>)
add_library(chalkgrad ${data_sources})
target_link_libraries(chalkgrad
  PUBLIC chalkgrad_core
  PRIVATE ZLIB::ZLIB PNG::PNG JPEG::JPEG PkgConfig::NETTLE $<BUILD_INTERFACE:chalkgrad_flags>)

target_compile_options(chalkgrad_core PRIVATE ${chalkgrad_own_pointers})
foreach(library IN ITEMS chalkgrad_core chalkgrad)
  set_target_properties(${library} PROPERTIES UNITY_BUILD ${chalkgrad_batches} UNITY_BUILD_MODE GROUP)
  target_compile_options(${library} PRIVATE ${chalkgrad_for_size})
  target_include_directories(${library} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include> PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_features(${library} PUBLIC cxx_std_20)
  set_target_properties(${library} PROPERTIES LINKER_LANGUAGE CXX
                        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
endforeach()
add_library(chalkgrad::core ALIAS chalkgrad_core)
add_library(chalkgrad::chalkgrad ALIAS chalkgrad)

# That every file includes what it needs is seen by `./dev lint`, which has none of these. <filesystem> is not among them:
# with it std::quoted is there, which a call of quoted() with a std::string would take for ours.
if(CHALKGRAD_PCH AND CMAKE_BUILD_TYPE MATCHES "^(Release|RelWithDebInfo)$" AND NOT CHALKGRAD_OBJECTS)
  foreach(target IN ITEMS chalkgrad_core ${chalkgrad_groups})
    target_precompile_headers(${target} PRIVATE <algorithm> <array> <cmath> <cstdint> <cstring> <functional> <limits>
      <map> <memory> <optional> <set> <span> <string> <string_view> <vector>
      $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:<immintrin.h$<ANGLE-R>>)
  endforeach()
  target_precompile_headers(chalkgrad REUSE_FROM chalkgrad_core)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # it is wrong about std::string, and forgets that this is a system's header
    target_compile_options(chalkgrad PRIVATE -Wno-stringop-overflow)
  endif()
endif()

if(NOT CHALKGRAD_OBJECTS)
  include(cmake/embed.cmake)
  chalkgrad_embed(digits_source ${PROJECT_SOURCE_DIR}/data/digits.csv.gz digits_csv_gz)
  target_sources(chalkgrad PRIVATE ${digits_source})
  file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/objects.cmake CONTENT  # precompiled headers are among them, by CMake 3.25
"set(core_sources [[$<FILTER:$<TARGET_OBJECTS:chalkgrad_core>;$<TARGET_OBJECTS:chalkgrad_kernels>;$<TARGET_OBJECTS:chalkgrad_fast_core>,EXCLUDE,[.](gch|pch)$>]])
set(data_sources [[$<FILTER:$<TARGET_OBJECTS:chalkgrad>;$<TARGET_OBJECTS:chalkgrad_fast_data>,EXCLUDE,[.](gch|pch)$>]])
set(app_sources [[$<$<BOOL:${CHALKGRAD_APP}>:$<FILTER:$<TARGET_OBJECTS:chalkgrad_app>,EXCLUDE,/static/no_scanf>>]])
")
endif()

# Unit tests stand beside their code (src/ROOM/x_test.cc); tests/ holds what crosses rooms.
# A room's tests are one program, so that GoogleTest and RapidCheck are linked once a room.
# Every test carries a label, its tier: the room's name, apps, cross, cli, example, bits, install or house (ctest -L base).
find_package(GTest REQUIRED)
find_package(rapidcheck REQUIRED)
find_program(CHALKGRAD_PYTHON python3 REQUIRED)
mark_as_advanced(CHALKGRAD_PYTHON)
include(GoogleTest)

# Tests that compare files with other tools run the Python that CHALKGRAD_PYTHON names in their environment, and skip
# where it lacks a module they need. ./dev puts those modules in build/venv.
set(chalkgrad_python ${CHALKGRAD_PYTHON})
if(EXISTS ${PROJECT_SOURCE_DIR}/build/venv/bin/python3)
  set(chalkgrad_python ${PROJECT_SOURCE_DIR}/build/venv/bin/python3)
endif()

add_library(chalkgrad_test_flags INTERFACE)
find_program(CHALKGRAD_LLD ld.lld)
mark_as_advanced(CHALKGRAD_LLD)
if(CHALKGRAD_LLD)  # a quarter of the time, and a test is linked often
  target_link_options(chalkgrad_test_flags INTERFACE -fuse-ld=lld)
endif()
target_link_libraries(chalkgrad_test_flags INTERFACE chalkgrad chalkgrad_flags rapidcheck GTest::gmock)
target_include_directories(chalkgrad_test_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(chalkgrad_test_flags INTERFACE CHALKGRAD_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                           CHALKGRAD_SHARED_DIR="${PROJECT_SOURCE_DIR}/../shared")
if(NOT CHALKGRAD_SANITIZE)
  # What is tested is optimized as ever; the tests themselves compile in three quarters of the time so.
  target_compile_options(chalkgrad_test_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:-O1>)
elseif(CHALKGRAD_SANITIZE MATCHES "undefined")
  # A quarter of the time that tests take to compile, and they have no pointers but to objects.
  target_compile_options(chalkgrad_test_flags INTERFACE -fno-sanitize=null,alignment,pointer-overflow,float-cast-overflow)
endif()
if(CHALKGRAD_FUZZ)
  target_compile_options(chalkgrad_test_flags INTERFACE -fno-sanitize=fuzzer-no-link)
endif()
if(CHALKGRAD_PCH)
  file(CONFIGURE OUTPUT test_headers.cc CONTENT "")
  add_library(chalkgrad_test_headers OBJECT ${CMAKE_CURRENT_BINARY_DIR}/test_headers.cc)
  target_link_libraries(chalkgrad_test_headers PRIVATE chalkgrad_test_flags)
  target_precompile_headers(chalkgrad_test_headers PRIVATE <gtest/gtest.h> <gmock/gmock.h> <rapidcheck/gtest.h>)
  set_target_properties(chalkgrad_test_headers PROPERTIES POSITION_INDEPENDENT_CODE OFF)
endif()

# What sanitizers need not see, as it takes most of the time of its room and shows nothing new of memory: the law of kinks of
# whole layers, derivations of the example networks, what functions make of millions of floats, the moments of many random
# numbers, the widest network by the slow reference, and that something does not take too long. ThreadSanitizer, the slowest by
# far, is for what threads share; so it leaves out one thread's numbers, texts and mathematics, too.
set(not_sanitized *LawOfKinks* *ExampleDerivations* *Lanes*.HasTheBits* *Locales* Cases/ProgramOf.*/Wide
    Initialise.HasTheMean* *TakesTimeInProportion* *GivesUpOnWhatWouldTakeTooLong *DoNotTakeForEver)
if(CHALKGRAD_SANITIZE MATCHES "thread")
  list(APPEND not_sanitized *ComputesWhat*Residual Initialise.* *IsNormal Recorded* *EachPassSwitchedOff*
       *GradientsThatAgree* NetworkGradcheck* *LearnTheDigits *LearnsTheDigits *LearnsLabelsByEveryLoss*)
endif()
list(JOIN not_sanitized ":" not_sanitized)

# Two tests side by side, each with a thread for each core, would wait for one another: so a test has one core, and what asks
# for more threads shares it. Not where threads are what is looked at.
set(chalkgrad_one_core PROCESSOR_AFFINITY ON)
if(CHALKGRAD_SANITIZE MATCHES "thread")
  set(chalkgrad_one_core)
endif()

# In batches, all tests compile in half of the time. Batches of a room are of one size, so that none is left over that is much
# smaller or larger.
function(chalkgrad_in_batches name)
  list(LENGTH ARGN files)
  math(EXPR batches "(${files} + ${CHALKGRAD_BATCH} - 1) / ${CHALKGRAD_BATCH}")
  math(EXPR batch "(${files} + ${batches} - 1) / ${batches}")
  if(batch GREATER 1)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${batch})
  endif()
endfunction()

function(chalkgrad_test label)
  set(name ${label}_test)
  add_executable(${name} ${ARGN})
  chalkgrad_in_batches(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE chalkgrad_test_flags GTest::gtest_main)
  if(CHALKGRAD_PCH)
    target_precompile_headers(${name} REUSE_FROM chalkgrad_test_headers)
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)  # as the headers were compiled
  endif()
  set(cost)
  if(label MATCHES "^(run|cross|train|derive)$")  # they have the longest tests, which should not be the last to start
    set(cost COST 10)
  endif()
  set(properties TIMEOUT 600 LABELS ${label} ${cost} ${chalkgrad_one_core})
  set(environment CHALKGRAD_PYTHON=${chalkgrad_python})
  if(CHALKGRAD_SANITIZE)  # a process costs 45 ms there, so a test is a part of a room instead: as many as keep two cores busy
    string(APPEND environment ";GTEST_FILTER=-${not_sanitized}")
    set(parts 4)
    if(label STREQUAL "cross")
      set(parts 24)
    elseif(label MATCHES "^(run|train|derive)$")
      set(parts 10)
    endif()
    math(EXPR last "${parts} - 1")
    foreach(part RANGE ${last})
      add_test(NAME ${label}_${part} COMMAND ${name} --gtest_brief=1)
      set_tests_properties(${label}_${part} PROPERTIES ${properties}
        ENVIRONMENT "${environment};GTEST_TOTAL_SHARDS=${parts};GTEST_SHARD_INDEX=${part}")
    endforeach()
  else()
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
                         PROPERTIES ${properties} ENVIRONMENT ${environment})
  endif()
endfunction()

set(tested_rooms base ir ops layers losses optimizers schedules passes plan kernels run files data augmentations net train math derive onnx dist)
if(CHALKGRAD_SANITIZE MATCHES "thread")
  set(tested_rooms base run data augmentations train)  # the others start no thread
endif()
foreach(room IN LISTS tested_rooms)
  file(GLOB_RECURSE room_tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${room}/*_test.cc)
  if(room_tests)
    chalkgrad_test(${room} ${room_tests})
  endif()
endforeach()
if(TARGET chalkgrad_app AND NOT CHALKGRAD_SANITIZE MATCHES "thread")
  file(GLOB app_tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/apps/chalkgrad/*_test.cc)
  chalkgrad_test(apps ${app_tests} ${PROJECT_SOURCE_DIR}/apps/chalkgrad/json.cc)
endif()
file(GLOB cross_tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*_test.cc)
if(CHALKGRAD_SANITIZE MATCHES "thread")
  list(FILTER cross_tests EXCLUDE REGEX "/(every_layer|gradient|kinks|locale|mutation|seeds_mutation)_test")  # the reference and src/math
endif()
if(cross_tests)
  chalkgrad_test(cross ${cross_tests})
endif()

# What is left needs to be tested once, not under every sanitizer.
if(CHALKGRAD_SANITIZE)
  return()
endif()

# Derivations of many more random networks, and of larger ones, than the room's tests have time for.
add_test(NAME derivations_long COMMAND derive_test --gtest_filter=RandomDerivations.*:*ExampleDerivations.*
         CONFIGURATIONS long)
set_tests_properties(derivations_long PROPERTIES LABELS long TIMEOUT 36000 ENVIRONMENT CHALKGRAD_NETWORKS=300)

# docs/reference: tests/reference writes its pages (./dev docs) and holds them to the engine.
file(GLOB reference_tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/reference/*.cc)
chalkgrad_test(reference ${reference_tests})

# Examples see what a user sees: the public headers and chalkgrad::chalkgrad. One that needs data it was not given says
# so and returns 77.
file(GLOB examples CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.cc)
foreach(source IN LISTS examples)
  get_filename_component(name ${source} NAME_WE)
  add_executable(example_${name} ${source})
  target_link_libraries(example_${name} PRIVATE chalkgrad::chalkgrad)
  add_test(NAME example_${name} COMMAND example_${name} WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  set_tests_properties(example_${name} PROPERTIES LABELS example TIMEOUT 600 SKIP_RETURN_CODE 77)
  if(EXISTS ${PROJECT_SOURCE_DIR}/../shared/data/mnist)
    set_tests_properties(example_${name} PROPERTIES
      ENVIRONMENT "CHALKGRAD_MNIST=${PROJECT_SOURCE_DIR}/../shared/data/mnist")
  endif()
endforeach()

include(cmake/bits.cmake)

add_test(NAME layering COMMAND ${CHALKGRAD_PYTHON} ${PROJECT_SOURCE_DIR}/tests/layering_test.py)
add_test(NAME findings COMMAND ${CHALKGRAD_PYTHON} ${PROJECT_SOURCE_DIR}/tests/findings_test.py)
add_test(NAME links COMMAND ${CHALKGRAD_PYTHON} ${PROJECT_SOURCE_DIR}/tools/check_links.py)
add_test(NAME bench_rivals COMMAND ${CHALKGRAD_PYTHON} ${PROJECT_SOURCE_DIR}/bench/rivals.py --self-test)
add_test(NAME bench_record COMMAND ${CHALKGRAD_PYTHON} ${PROJECT_SOURCE_DIR}/bench/record.py --self-test)
if(TARGET chalkgrad_app)
  function(chalkgrad_python_test name label)
    add_test(NAME ${name} COMMAND ${CHALKGRAD_PYTHON} -B ${PROJECT_SOURCE_DIR}/tests/${ARGN})
    set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 900 SKIP_RETURN_CODE 77 ${chalkgrad_one_core}
                         ENVIRONMENT CHALKGRAD_PYTHON=${chalkgrad_python})
  endfunction()

  # Operations as ONNX: a program writes files, which the test gives to an engine.
  add_executable(onnx_operations tests/onnx/operations.cc)
  target_link_libraries(onnx_operations PRIVATE chalkgrad_test_flags GTest::gtest)
  chalkgrad_python_test(onnx_operations cross onnx/operations_test.py $<TARGET_FILE:onnx_operations>)

  # ONNX's own tests, many models in one process.
  add_executable(onnx_backend tests/onnx/backend.cc)
  target_link_libraries(onnx_backend PRIVATE chalkgrad_test_flags)
  chalkgrad_python_test(onnx_backend cross onnx/backend_test.py $<TARGET_FILE:onnx_backend>)

  # The networks that come with it, in ONNX Runtime and here.
  chalkgrad_python_test(onnx_light cross onnx/light_test.py $<TARGET_FILE:onnx_backend> $<TARGET_FILE:chalkgrad_app>)

  # What takes minutes, or modules that few have: ./dev test -C long -R onnx. Random networks of PyTorch; the loops of
  # docs/onnx.md, in ONNX Runtime; its recipes, with what others write.
  function(chalkgrad_long_test name)
    add_test(NAME ${name} CONFIGURATIONS long COMMAND ${CHALKGRAD_PYTHON} -B ${PROJECT_SOURCE_DIR}/tests/${ARGN})
    set_tests_properties(${name} PROPERTIES LABELS long TIMEOUT 14400 SKIP_RETURN_CODE 77
                         ENVIRONMENT CHALKGRAD_PYTHON=${chalkgrad_python})
  endfunction()
  chalkgrad_long_test(onnx_pytorch onnx/pytorch_test.py $<TARGET_FILE:onnx_backend>)
  chalkgrad_long_test(onnx_loops onnx/loops_test.py $<TARGET_FILE:chalkgrad_app>)
  chalkgrad_long_test(onnx_recipes onnx/recipes_test.py $<TARGET_FILE:chalkgrad_app> $<TARGET_FILE:onnx_backend>)

  # Derivations in a browser and on paper: ./dev test -C long -R pages.
  add_test(NAME pages CONFIGURATIONS long
           COMMAND ${CHALKGRAD_PYTHON} -B ${PROJECT_SOURCE_DIR}/tests/pages_test.py $<TARGET_FILE:chalkgrad_app>)
  set_tests_properties(pages PROPERTIES LABELS long TIMEOUT 7200 SKIP_RETURN_CODE 77)

  # The command line's tests are one a command: ./dev test -R cli_train, or tests/cli/train_test.py build/release/chalkgrad.
  file(GLOB cli_tests CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/tests/cli/*_test.py)
  foreach(script IN LISTS cli_tests)
    string(REGEX REPLACE "/(.*)_test.py" "_\\1" name ${script})
    if(NOT name STREQUAL "cli_every_operation")
      chalkgrad_python_test(${name} cli ${script} $<TARGET_FILE:chalkgrad_app>)
    endif()
  endforeach()
  # That of operations is one a network.
  file(GLOB networks CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/networks/*.toml)
  foreach(network IN ITEMS All LISTS networks)
    get_filename_component(network ${network} NAME_WE)
    chalkgrad_python_test(every_operation_${network} cli cli/every_operation_test.py $<TARGET_FILE:chalkgrad_app> ${network})
    set_tests_properties(every_operation_${network} PROPERTIES COST 20)  # one of them is the longest of all
  endforeach()
  chalkgrad_python_test(reference_lines reference reference/lines_test.py $<TARGET_FILE:chalkgrad_app>)
  chalkgrad_python_test(seeds cross seeds_test.py $<TARGET_FILE:chalkgrad_app>)
  chalkgrad_python_test(doc_examples cross doc_examples_test.py $<TARGET_FILE:chalkgrad_app>)
endif()
set_tests_properties(layering findings links bench_rivals bench_record PROPERTIES LABELS house)
if(TARGET chalkgrad_app AND CHALKGRAD_CAN_BE_STATIC)
  set(most)  # bytes; other compilers and options make other sizes (docs/adr/044-one-static-program.md)
  if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13
     AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    set(most 7200000)
  endif()
  add_test(NAME one_file
           COMMAND ${CHALKGRAD_PYTHON} ${PROJECT_SOURCE_DIR}/tests/one_file_test.py $<TARGET_FILE:chalkgrad_app> ${most})
  set_tests_properties(one_file PROPERTIES LABELS house)
endif()

# Installs this build somewhere, moves it elsewhere, and builds programs against it as a user would; and takes this
# source into another project.
if(CHALKGRAD_INSTALL AND NOT BUILD_SHARED_LIBS)
  foreach(kind IN ITEMS static shared parent)
    set(script ${PROJECT_SOURCE_DIR}/tests/install/install_test.cmake)
    if(kind STREQUAL "parent")
      set(script ${PROJECT_SOURCE_DIR}/tests/install/parent_test.cmake)
    endif()
    add_test(NAME install_${kind} COMMAND ${CMAKE_COMMAND} -DKIND=${kind} -DBUILD=${PROJECT_BINARY_DIR} -P ${script})
    set_tests_properties(install_${kind} PROPERTIES LABELS install TIMEOUT 600 COST 5)
  endforeach()
endif()

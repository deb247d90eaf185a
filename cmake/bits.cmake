# The same bits on every number of threads and every instruction set: tests/bits/bits.cc against tests/bits/golden.txt.
# The runs of 200 steps are a tier of their own: ./dev test -C long -L long.
add_executable(bits ${PROJECT_SOURCE_DIR}/tests/bits/bits.cc)
target_link_libraries(bits PRIVATE chalkgrad chalkgrad_flags)
target_include_directories(bits PRIVATE ${PROJECT_SOURCE_DIR})

# What operations make of NaN, infinities, −0 and subnormal numbers.
add_executable(special_values ${PROJECT_SOURCE_DIR}/tests/bits/special_values.cc)
target_link_libraries(special_values PRIVATE chalkgrad chalkgrad_flags)
target_include_directories(special_values PRIVATE ${PROJECT_SOURCE_DIR})

# A test for each network that golden.txt names: side by side they take half as long where they are emulated.
file(STRINGS ${PROJECT_SOURCE_DIR}/tests/bits/golden.txt golden_lines REGEX "^[^#]")
list(TRANSFORM golden_lines REPLACE " .*" "")
list(REMOVE_DUPLICATES golden_lines)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/bits/golden.txt)

set(only_long)  # networks whose short runs are left out
function(chalkgrad_bits target threads)
  set(test special_values_${target})
  add_test(NAME ${test} COMMAND special_values ${PROJECT_SOURCE_DIR}/docs/special-values.md)
  set_tests_properties(${test} PROPERTIES
                       LABELS bits TIMEOUT 900 SKIP_RETURN_CODE 77 ENVIRONMENT "CHALKGRAD_TARGET=${target}")
  foreach(network IN LISTS golden_lines)
    set(test bits_${target}_${network})
    set(command bits ${PROJECT_SOURCE_DIR}/tests/bits/golden.txt --only ${network} --threads ${threads})
    set(tests ${test}_long)
    if(NOT network IN_LIST only_long)
      add_test(NAME ${test} COMMAND ${command})
      set_tests_properties(${test} PROPERTIES LABELS bits TIMEOUT 900)
      list(APPEND tests ${test})
    endif()
    add_test(NAME ${test}_long COMMAND ${command} --steps long CONFIGURATIONS long)
    set_tests_properties(${test}_long PROPERTIES LABELS long TIMEOUT 36000)
    set_tests_properties(${tests} PROPERTIES
                         SKIP_RETURN_CODE 77 ENVIRONMENT "CHALKGRAD_TARGET=${target}")
  endforeach()
endfunction()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  # They take half a minute and more of an emulator, for what vgg-bn-16 computes too, on smaller pictures.
  list(REMOVE_ITEM golden_lines vgg)
  set(only_long vgg-bn)
  chalkgrad_bits(neon 1)
  set_tests_properties(bits_neon_resnet20 bits_neon_vgg-bn-16 PROPERTIES COST 10)  # the longest
else()
  chalkgrad_bits(avx512 1,2,3,4,8)
  chalkgrad_bits(avx2 1,2,3,4,8)
  add_test(NAME special_values_portable COMMAND special_values ${PROJECT_SOURCE_DIR}/docs/special-values.md)
  set_tests_properties(special_values_portable PROPERTIES LABELS bits TIMEOUT 900 ENVIRONMENT CHALKGRAD_TARGET=portable)
endif()

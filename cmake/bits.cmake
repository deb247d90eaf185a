# The same bits on every number of threads and every instruction set: tests/bits/bits.cc against tests/bits/golden.txt.
# The runs of 200 steps are a tier of their own: ./dev test -C long -L long.
add_executable(bits ${PROJECT_SOURCE_DIR}/tests/bits/bits.cc)
target_link_libraries(bits PRIVATE chalkgrad chalkgrad_flags)
target_include_directories(bits PRIVATE ${PROJECT_SOURCE_DIR})

function(chalkgrad_bits target threads)
  set(golden ${PROJECT_SOURCE_DIR}/tests/bits/golden.txt)
  add_test(NAME bits_${target} COMMAND bits ${golden} --threads ${threads})
  set_tests_properties(bits_${target} PROPERTIES LABELS bits TIMEOUT 900)
  add_test(NAME bits_${target}_long COMMAND bits ${golden} --steps long --threads ${threads} CONFIGURATIONS long)
  set_tests_properties(bits_${target}_long PROPERTIES LABELS long TIMEOUT 36000)
  set_tests_properties(bits_${target} bits_${target}_long PROPERTIES
                       SKIP_RETURN_CODE 77 ENVIRONMENT "CHALKGRAD_TARGET=${target}")
endfunction()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  chalkgrad_bits(neon 1)
else()
  chalkgrad_bits(avx512 1,2,3,4,8)
  chalkgrad_bits(avx2 1,2,3,4,8)
endif()

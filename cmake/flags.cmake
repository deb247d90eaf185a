# Flags of everything built here. The arithmetic ones are part of the promise that results are the same bits everywhere.
add_library(chalkgrad_flags INTERFACE)
target_compile_options(chalkgrad_flags INTERFACE
  -ffp-contract=off        # a multiply-add is fused where the code says so, nowhere else
  -fno-math-errno -fno-trapping-math
  -fno-strict-aliasing     # lanes are read as floats and as vectors
  -ffunction-sections -fdata-sections  # so that programs get what they use
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wmissing-field-initializers
  -Wno-psabi               # GCC notes that vectors were passed otherwise before version 4.6
  $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>  # GCC takes what a batch includes for a header
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # GCC 12 is wrong about "text" + std::string (its bug 105651)
  $<$<CXX_COMPILER_ID:Clang>:-Wreserved-identifier>
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>  # libstdc++ 12 uses what it deprecates, for std::stable_sort
  $<$<BOOL:${CHALKGRAD_WERROR}>:-Werror>)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES AND NOT CMAKE_CXX_FLAGS MATCHES "(^| )-O")
  target_compile_options(chalkgrad_flags INTERFACE -O2)  # for a parent that chose nothing: without, 25 times slower
endif()
# Instruction sets that kernels are compiled for: AVX2 and AVX-512 on x86-64, NEON on AArch64, and a portable one.
# The others of x86 have no fused multiply-add, without which results would not be the same bits.
set(chalkgrad_disabled_targets "HWY_SSSE3|HWY_SSE4|HWY_AVX3_DL|HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128")
if(NOT CHALKGRAD_AVX512)
  string(APPEND chalkgrad_disabled_targets "|HWY_AVX3")
endif()
target_compile_definitions(chalkgrad_flags INTERFACE "HWY_DISABLED_TARGETS=(${chalkgrad_disabled_targets})"
  HWY_IS_DEBUG_BUILD=0)  # its assertions are functions of its library, of which only the headers are used
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Highway's NEON is declared for processors with AES; GCC does not inline it where the rest is not.
  target_compile_options(chalkgrad_flags INTERFACE -march=armv8-a+crypto)
endif()
if(CHALKGRAD_SANITIZE AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" AND NOT CMAKE_CROSSCOMPILING)
  # Kernels are compiled once, for AVX2, where this machine has it: code is the same for all, and takes long with sanitizers.
  include(CheckCXXSourceRuns)
  check_cxx_source_runs("int main() { return !(__builtin_cpu_supports(\"avx2\") && __builtin_cpu_supports(\"fma\")); }"
                        CHALKGRAD_HAS_AVX2)
  if(CHALKGRAD_HAS_AVX2)
    target_compile_options(chalkgrad_flags INTERFACE -mavx2 -mfma -mbmi -mbmi2 -mf16c -maes -mpclmul
                           -Wno-pragma-clang-attribute)  # Highway asks for what is given already
  endif()
endif()
if(CHALKGRAD_SANITIZE)
  if(CHALKGRAD_LINES)
    add_compile_options(-g1)
  endif()
  add_compile_options(-fsanitize=${CHALKGRAD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CHALKGRAD_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC's flow-based warnings misjudge instrumented code (its manual says so); a release has them.
    target_compile_options(chalkgrad_flags INTERFACE
      -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
  endif()
endif()
if(CHALKGRAD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

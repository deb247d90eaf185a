#include "src/base/target.h"

#include <hwy/highway.h>

#include <cstdlib>
#include <string>

#include "chalkgrad/error.h"
#include "src/base/arithmetic.h"
#include "src/base/fma_check.h"
#include "src/base/text.h"

namespace chalk {
namespace {

constexpr Target kTargets[] = {Target::avx512, Target::avx2, Target::neon, Target::portable};

/// Portable is, without vectors or with those of WebAssembly, whatever else the whole program is compiled for.
constexpr std::int64_t highway_bits(Target target) {
  constexpr std::int64_t named = HWY_AVX3 | HWY_AVX2 | HWY_NEON;
  constexpr std::int64_t bits[] = {HWY_AVX3, HWY_AVX2, HWY_NEON,
                                   HWY_EMU128 | HWY_SCALAR | (HWY_STATIC_TARGET & ~named)};
  return bits[static_cast<int>(target)];
}

/// Asks for all that Highway lets the compiler use, except what the whole program is compiled for anyway.
bool runs_here(Target target) {
  if (highway_bits(target) & HWY_STATIC_TARGET) return true;
#if HWY_ARCH_X86
  // F16C is left out, as clang 14 cannot ask for it: a processor with AVX2 and FMA has it.
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
  if (target == Target::avx2) return avx2;
  if (target == Target::avx512) {
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  }
#endif
  return true;
}

Target find() {
  const auto here = targets();
  const char* wanted = std::getenv("CHALKGRAD_TARGET");
  if (wanted == nullptr || *wanted == '\0') return here.front();
  std::string known;
  for (const auto target : here) {
    if (target_name(target) == std::string(wanted)) return target;
    known += (known.empty() ? "" : ", ") + std::string(target_name(target));
  }
  throw InputError(str("CHALKGRAD_TARGET=", wanted, " is not an instruction set of this machine; it has ", known));
}

Target choose() {
  const auto target = find();
  const PlainArithmetic plain;
  check_multiply_add(target, multiply_add_of_lanes(target));
  check_multiply_add(target, multiply_add_of_floats(target));
  return target;
}

}  // namespace

const char* target_name(Target target) {
  constexpr const char* names[] = {"avx512", "avx2", "neon", "portable"};
  return names[static_cast<int>(target)];
}

std::vector<Target> targets() {
  std::vector<Target> found;
  for (const auto target : kTargets) {
    if ((highway_bits(target) & HWY_TARGETS) && runs_here(target)) found.push_back(target);
  }
  return found;
}

Target choose_target() {
  static const Target first = [] {
    const auto target = choose();
    int none = -1;
    detail::chosen_target.compare_exchange_strong(none, static_cast<int>(target));
    return target;
  }();
  return first;
}

void use_target(Target target) { detail::chosen_target = static_cast<int>(target); }

}  // namespace chalk

#include "src/run/target.h"

#include <hwy/highway.h>

#include <cstdlib>
#include <string>

#include "chalkgrad/error.h"
#include "chalkgrad/program.h"
#include "src/base/text.h"

namespace chalk {
namespace {

struct Target {
  const char* name;
  std::int64_t mask;
};
constexpr Target kTargets[] = {
    {"avx512", HWY_AVX3 | HWY_AVX3_DL}, {"avx2", HWY_AVX2}, {"neon", HWY_NEON}, {"portable", HWY_EMU128 | HWY_SCALAR}};

/// The instruction sets to choose from, found once (asking the processor takes a millisecond on a virtual machine),
/// less those that the environment does not want.
std::int64_t choose() {
  const std::int64_t supported = hwy::SupportedTargets();
  const char* wanted = std::getenv("CHALKGRAD_TARGET");
  if (wanted && *wanted) {
    std::string known;
    for (const auto& target : kTargets) {
      const bool here = ((supported | HWY_EMU128 | HWY_SCALAR) & HWY_TARGETS & target.mask) != 0;
      if (here && target.name == std::string(wanted)) {
        hwy::SetSupportedTargetsForTest(target.mask);
        hwy::GetChosenTarget().Update(target.mask);
        return target.mask;
      }
      if (here) known += (known.empty() ? "" : ", ") + std::string(target.name);
    }
    throw InputError(str("CHALKGRAD_TARGET=", wanted, " is not an instruction set of this machine; it has ", known));
  }
  hwy::GetChosenTarget().Update(supported);
  return supported;
}

std::int64_t chosen() {
  static const std::int64_t targets = choose();
  return targets;
}

}  // namespace

void choose_target() { chosen(); }

std::string instruction_set() {
  const std::int64_t best = chosen() & HWY_TARGETS;
  for (const auto& target : kTargets) {
    if (best & target.mask) return target.name;
  }
  return "portable";
}

}  // namespace chalk

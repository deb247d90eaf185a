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

/// Forces the target that the environment asks for, once.
bool choose() {
  const char* wanted = std::getenv("CHALKGRAD_TARGET");
  if (wanted && *wanted) {
    std::string known;
    for (const auto& target : kTargets) {
      const bool here = ((hwy::SupportedTargets() | HWY_EMU128 | HWY_SCALAR) & HWY_TARGETS & target.mask) != 0;
      if (here && target.name == std::string(wanted)) {
        hwy::SetSupportedTargetsForTest(target.mask);
        hwy::GetChosenTarget().Update(hwy::SupportedTargets());
        return true;
      }
      if (here) known += (known.empty() ? "" : ", ") + std::string(target.name);
    }
    throw InputError(str("CHALKGRAD_TARGET=", wanted, " is not an instruction set of this machine; it has ", known));
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return true;
}

}  // namespace

void choose_target() { [[maybe_unused]] static const bool chosen = choose(); }

std::string instruction_set() {
  choose_target();
  const std::int64_t best = hwy::SupportedTargets() & HWY_TARGETS;
  for (const auto& target : kTargets) {
    if (best & target.mask) return target.name;
  }
  return "portable";
}

}  // namespace chalk

// Which of the instruction sets that a kernel was compiled for runs it. Highway compiles the kernel for each; choosing
// among the copies is done here, by the same few lines in a static program and in a shared library.
#pragma once

#include <atomic>
#include <vector>

namespace chalk {

/// The best first. Also the order of the copies in a table of CHALK_EXPORT.
enum class Target : int { avx512, avx2, neon, portable };

/// As in CHALKGRAD_TARGET.
const char* target_name(Target target);

/// Those that this program has code for and this machine can run, the best first.
std::vector<Target> targets();

/// The one that kernels run on: the best, or the one named by CHALKGRAD_TARGET. The first call decides. Throws
/// InputError if that one is not available.
Target choose_target();

/// Kernels run on this one from now on. For tests; it has to be one of targets().
void use_target(Target target);

namespace detail {
inline std::atomic<int> chosen_target{-1};  // none yet
}

inline int chosen_target() {
  const int chosen = detail::chosen_target.load(std::memory_order_relaxed);
  return chosen >= 0 ? chosen : static_cast<int>(choose_target());
}

}  // namespace chalk

/// In the namespace that holds HWY_NAMESPACE, after #if HWY_ONCE: the copies of a function.
#define CHALK_EXPORT(function)                                                      \
  static constexpr decltype(&HWY_STATIC_DISPATCH(function)) function##_copies[] = { \
      HWY_CHOOSE_AVX3(function), HWY_CHOOSE_AVX2(function), HWY_CHOOSE_NEON(function), HWY_CHOOSE_FALLBACK(function)}

/// The copy to run: CHALK_CHOSEN(function)(arguments).
#define CHALK_CHOSEN(function) (*function##_copies[::chalk::chosen_target()])

// The arithmetic that equal bits need, whatever the program around has set.
#pragma once

#include <cstdint>

namespace chalk {

/// While one lives, this thread rounds to nearest, keeps subnormals and traps nothing. A host may have set something
/// else; a shared library linked with -ffast-math sets it for every thread that is started after it was loaded.
class PlainArithmetic {
 public:
  PlainArithmetic() {
    if (changes()) set(kPlain);
  }
  ~PlainArithmetic() {
    if (changes()) set(before_);
  }
  PlainArithmetic(const PlainArithmetic&) = delete;
  PlainArithmetic& operator=(const PlainArithmetic&) = delete;

 private:
#if defined(__x86_64__)
  static constexpr std::uint32_t kPlain = 0x1F80, kFlags = 0x3F;  // of MXCSR; flags say what has happened so far
  static std::uint32_t get() { return __builtin_ia32_stmxcsr(); }
  static void set(std::uint32_t control) { __builtin_ia32_ldmxcsr(control); }
#elif defined(__aarch64__)
  static constexpr std::uint64_t kPlain = 0, kFlags = 0;  // of FPCR
  static std::uint64_t get() {
    std::uint64_t control = 0;
    asm volatile("mrs %0, fpcr" : "=r"(control));
    return control;
  }
  static void set(std::uint64_t control) { asm volatile("msr fpcr, %0" : : "r"(control)); }
#else
  static constexpr unsigned kPlain = 0, kFlags = 0;  // it cannot be set
  static unsigned get() { return kPlain; }
  static void set(unsigned) {}
#endif
  bool changes() const { return (before_ & ~kFlags) != kPlain; }

  const decltype(get()) before_ = get();
};

}  // namespace chalk

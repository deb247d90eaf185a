#include "chalkgrad/shape.h"

#include <limits>

namespace chalk {

std::int64_t elements(const Shape& shape) {
  std::int64_t n = 1;
  for (const auto extent : shape) {
    if (__builtin_mul_overflow(n, extent, &n)) return std::numeric_limits<std::int64_t>::max();
  }
  return n;
}

std::string to_string(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const auto extent : shape) text += (text.empty() ? "" : "×") + std::to_string(extent);
  return text;
}

std::string to_string(const Type& type) { return (type.batched ? "batched " : "shared ") + to_string(type.shape); }

}  // namespace chalk

// Shapes and types of values. A shape is always that of one sample: a batch never appears in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace chalk {

/// Extents of one sample, outermost first, e.g. {channels, rows, columns}. A scalar is {}. Every extent is >= 1.
using Shape = std::vector<std::int64_t>;

/// Number of elements; 1 for a scalar; the largest std::int64_t for more than that.
std::int64_t elements(const Shape& shape);

/// "3×32×32"; "scalar" for {}.
std::string to_string(const Shape& shape);

/// What is known about a value before anything runs.
struct Type {
  Shape shape;  ///< of one sample
  bool batched =
      false;  ///< true: one per sample; false: shared, one for the whole batch (parameters, sums over samples)

  bool operator==(const Type&) const = default;
};

/// "batched 20×24×24" or "shared 10".
std::string to_string(const Type& type);

}  // namespace chalk

// What reductions over axes share.
#pragma once

#include "src/ops/kernel.h"

namespace chalk {

struct ReduceAttributes {
  std::vector<std::int64_t> axes;  // increasing; none: all
  bool keep = false;               // reduced axes stay, with extent 1

  void visit(FieldVisitor& v) {
    v.field("axes", axes);
    v.field("keep", keep);
  }
  bool operator==(const ReduceAttributes&) const = default;
};

struct AxesAttributes {
  std::vector<std::int64_t> axes;  // increasing; none: all

  void visit(FieldVisitor& v) { v.field("axes", axes); }
  bool operator==(const AxesAttributes&) const = default;
};

/// The places of x that each place of y is made from: y's place i from x's places first(i) + step(k), 0 ≤ k < size(),
/// in row-major order.
class Reduction {
 public:
  Reduction(std::span<const std::int64_t> axes, const Shape& x);

  std::int64_t groups() const { return groups_; }  // places of y
  std::int64_t size() const { return size_; }      // places of x in each
  std::int64_t first(std::int64_t i) const { return kept_.offset(i); }
  std::int64_t step(std::int64_t k) const { return even_ >= 0 ? k * even_ : reduced_.offset(k); }

 private:
  struct Axes {
    PerAxis extents{}, strides{};
    std::size_t count = 0;

    std::int64_t offset(std::int64_t i) const {
      std::int64_t at = 0;
      for (auto d = count; d-- > 0; i /= extents[d]) at += i % extents[d] * strides[d];
      return at;
    }
  };
  Axes kept_, reduced_;
  std::int64_t groups_ = 1, size_ = 1;
  std::int64_t even_ = -1;  // the distance of reduced places, if it is the same everywhere
};

Type reduced_type(const Attributes& attributes, std::span<const Type> in);

/// A value of the reduced shape, broadcast back to `shape`.
Value expand_reduced(Value y, std::span<const std::int64_t> axes, Shape shape);

std::vector<Sample> reduce_samples();

}  // namespace chalk

// Attributes of operations that share nothing else. (Others: conv2d.h, pool.h, reduce.h.)
#pragma once

#include "src/ir/op.h"

namespace chalk {

struct MatmulAttributes {
  bool transpose_a = false, transpose_b = false;

  void visit(FieldVisitor& v) {
    v.field("transpose_a", transpose_a);
    v.field("transpose_b", transpose_b);
  }
  bool operator==(const MatmulAttributes&) const = default;
};

struct DenseAttributes {
  bool transposed = false;  // y = Wᵀ·x

  void visit(FieldVisitor& v) { v.field("transposed", transposed); }
  bool operator==(const DenseAttributes&) const = default;
};

struct AxisAttributes {  // softmax, log_softmax, concat
  std::int64_t axis = 0;

  void visit(FieldVisitor& v) { v.field("axis", axis); }
  bool operator==(const AxisAttributes&) const = default;
};

struct ShapeAttributes {            // broadcast, reshape
  std::vector<std::int64_t> shape;  // of the result

  void visit(FieldVisitor& v) { v.field("shape", shape); }
  bool operator==(const ShapeAttributes&) const = default;
};

struct TransposeAttributes {
  std::vector<std::int64_t> permutation;  // axis i of y is axis permutation[i] of x

  void visit(FieldVisitor& v) { v.field("permutation", permutation); }
  bool operator==(const TransposeAttributes&) const = default;
};

struct PadAttributes {
  std::vector<std::int64_t> before, after;  // zeros per axis

  void visit(FieldVisitor& v) {
    v.field("before", before);
    v.field("after", after);
  }
  bool operator==(const PadAttributes&) const = default;
};

struct SliceAttributes {
  std::vector<std::int64_t> start, stop;  // per axis; stop itself is left out

  void visit(FieldVisitor& v) {
    v.field("start", start);
    v.field("stop", stop);
  }
  bool operator==(const SliceAttributes&) const = default;
};

}  // namespace chalk

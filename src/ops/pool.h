// What the pooling operations share: attributes and shape rules.
#pragma once

#include "chalkgrad/ops.h"
#include "src/ir/op.h"

namespace chalk {

struct PoolAttributes {
  std::vector<std::int64_t> window{2, 2}, stride{2, 2}, padding{0, 0};  // {vertical, horizontal}
  std::vector<std::int64_t> shape;  // of the result, for pool_scatter and average_pool_grad

  void visit(FieldVisitor& v) {
    v.field("window", window);
    v.field("stride", stride);
    v.field("padding", padding);
    v.field("shape", shape);
  }
  bool operator==(const PoolAttributes&) const = default;
};

PoolAttributes pool_attributes(const PoolOptions& options, Shape shape = {});
PoolOptions pool_options(const PoolAttributes& attributes);

/// Whether windows are one column wide and one apart: Op::by_column.
bool pools_down_columns(const Attributes& attributes);

/// Shape of y for x. Throws ShapeError if the windows do not fit.
Shape pool_shape(const PoolAttributes& attributes, const Shape& x);

/// Throws ShapeError unless an index has the pooled shape y.
void check_pool_index(const Shape& index, const Shape& y);
/// Throws ShapeError unless `pooled` is the shape y that pooling x gives.
void check_pool_result(const Shape& pooled, const Shape& x, const Shape& y);

}  // namespace chalk

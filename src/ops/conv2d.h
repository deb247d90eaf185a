// What the three convolution operations share: attributes and the shape rule.
#pragma once

#include "chalkgrad/ops.h"
#include "src/ir/op.h"

namespace chalk {

struct Conv2dAttributes {
  std::vector<std::int64_t> stride{1, 1}, padding{0, 0}, dilation{1, 1};  // {vertical, horizontal}
  std::int64_t groups = 1;
  std::vector<std::int64_t> shape;  // of the result: x for conv2d_input_grad, w for conv2d_weight_grad

  void visit(FieldVisitor& v) {
    v.field("stride", stride);
    v.field("padding", padding);
    v.field("dilation", dilation);
    v.field("groups", groups);
    v.field("shape", shape);
  }
  bool operator==(const Conv2dAttributes&) const = default;
};

Conv2dAttributes conv2d_attributes(const Conv2dOptions& options, Shape shape = {});
Conv2dOptions conv2d_options(const Conv2dAttributes& attributes);

/// Shape of y for x and w. Throws ShapeError if they do not fit.
Shape conv2d_shape(const Conv2dAttributes& a, const Shape& x, const Shape& w);

}  // namespace chalk

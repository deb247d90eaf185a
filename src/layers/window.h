// What convolutions and pooling share in their texts: stride and padding.
#pragma once

#include "chalkgrad/fields.h"
#include "src/layers/line_reader.h"

namespace chalk {

/// TOML's `padding`: numbers, "same", or, where `with_full`, "full": as far as the window touches the input at all.
void visit_padding(FieldVisitor& v, Pair& padding, const Pair& window, const Pair& dilation, bool with_full);

/// "z" has been read: padding that keeps the size.
Pair same_padding(const LineReader& in, const Pair& window);
/// "s" has been read, and the stride follows.
Pair read_stride(LineReader& in);

}  // namespace chalk

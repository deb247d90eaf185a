// y = x + F(x), and what belongs to it in residual networks (He et al. 2015).
#include "chalkgrad/layers.h"
#include "src/layers/registry.h"

namespace chalk {
namespace {

/// x in the shape of the branch: every s-th row and column, then channels of zeros (option A of He et al.).
Value shortcut(Value x, const Shape& to) {
  const Shape from = x.shape();
  if (from == to) return x;
  const auto refuse = [&] {
    fail_layer(x.graph(), "residual",
               str("a branch of ", to_string(to), " cannot be added to ", to_string(from),
                   "; its rows and columns must be as many or, in steps of s, an s-th, its channels no fewer"));
  };
  if (from.size() != 3 || to.size() != 3 || to[0] < from[0]) refuse();
  Pair stride{};
  for (const std::size_t axis : {1, 2}) {
    stride[axis - 1] = (from[axis] + to[axis] - 1) / to[axis];
    if ((from[axis] - 1) / stride[axis - 1] + 1 != to[axis]) refuse();
  }
  if (stride != Pair{1, 1}) x = average_pool(x, {.window = {1, 1}, .stride = stride, .padding = {0, 0}});
  return to[0] == from[0] ? x : pad(x, {0, 0, 0}, {to[0] - from[0], 0, 0});
}

}  // namespace

Value residual(Value x, Value branch) { return branch + shortcut(x, branch.shape()); }

const Layer layer_residual{
    .name = "residual",
    .meaning = "x + F(x)",
    .details =
        ": the sum of two values, of which the second has been computed from the first; it may have more channels, "
        "and an s-th of the rows and columns",
    .build = [](std::span<const Value> in, const Attributes&) { return residual(in[0], in[1]); },
    .inputs = 2,
    .inputs_are = "what is added, and the branch computed from it",
    .line = {.form = Notation::Form::branches,
             .word = "res",
             .example = "res(…)",
             .samples = "res(2c3z) res(4c3zs2) res(3c1,3c1)"}};

}  // namespace chalk

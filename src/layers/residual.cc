// y = x + F(x), and what belongs to it in residual networks (He et al. 2015); y = (x, F(x)), as in DenseNet.
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
             .continuation = "res(…,…) holds two chains: the branch and the shortcut",
             .samples = "res(2c3z) res(4c3zs2) res(3c1,3c1)",
             .most_chains = 2,
             .last_first = true}};

Value concat_channels(std::span<const Value> xs) { return concat(xs, 0); }

const Layer layer_cat{
    .name = "cat",
    .meaning = "the channels of x, then those of F(x)",
    .details =
        ": several maps with as many rows and columns, one after the other. `cat(…,…,…)` has those that several "
        "chains make of x. (The operation is `concat`.)",
    .build = [](std::span<const Value> in, const Attributes&) { return concat_channels(in); },
    .inputs = -1,
    .inputs_are = "maps with as many rows and columns, or vectors",
    .line = {.form = Notation::Form::branches,
             .word = "cat",
             .example = "cat(…)",
             .continuation = "cat(…,…) holds at most 64 chains",
             .samples = "cat(2c3z) cat(3c1,2c3z-relu) cat(3c1,relu,2c3z)",
             .most_chains = 64}};

}  // namespace chalk

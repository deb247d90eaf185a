// y[i] = fᵢ(x[i]): a function of its own for every node.
#include <algorithm>

#include "chalkgrad/layers.h"
#include "src/layers/layer.h"

namespace chalk {
namespace {

Value apply(Activation function, Value x) {
  switch (function) {
    case Activation::linear:
      return x;
    case Activation::relu:
      return relu(x);
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::tanh:
      return tanh(x);
  }
  return x;
}

/// The shortest list that, repeated, gives this one.
std::span<const Activation> period(std::span<const Activation> functions) {
  for (std::size_t n = 1; n < functions.size(); ++n) {
    if (functions.size() % n == 0 &&
        std::equal(functions.begin() + static_cast<std::ptrdiff_t>(n), functions.end(), functions.begin()))
      return functions.first(n);
  }
  return functions;
}

}  // namespace

// With p functions, x is read as rows of p, in which each run of columns with one function is taken as a whole. So
// there are as many values as runs, however many nodes.
Value activations(Value x, std::span<const Activation> functions) {
  const Shape& shape = x.shape();  // stays where it is while the graph grows
  const auto size = elements(shape);
  if (functions.empty())
    fail_layer(x.graph(), "activations", "there is no function; give one for each node, or a list to be repeated");
  if (size % static_cast<std::int64_t>(functions.size()) != 0) {
    fail_layer(x.graph(), "activations",
               str(functions.size(), " functions do not divide ", size, " nodes; give a divisor of ", size));
  }
  const auto each = period(functions);
  if (each.size() == 1) return apply(each[0], x);
  const auto columns = static_cast<std::int64_t>(each.size()), rows = size / columns;
  const Value table = reshape(x, {rows, columns});
  std::vector<Value> runs;
  for (std::int64_t first = 0, next = 0; first < columns; first = next) {
    const auto function = each[static_cast<std::size_t>(first)];
    while (next < columns && each[static_cast<std::size_t>(next)] == function) ++next;
    runs.push_back(apply(function, slice(table, {0, first}, {rows, next})));
  }
  return reshape(concat(runs, 1), shape);
}

}  // namespace chalk

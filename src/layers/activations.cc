// Activations that are an operation, softmax, and lists of functions: y[i] = fᵢ(x[i]). Formulas are in
// piecewise_activations.cc and smooth_activations.cc.
#include "src/layers/activations.h"

#include <algorithm>
#include <vector>

#include "chalkgrad/layers.h"
#include "src/base/suggest.h"
#include "src/base/wording.h"
#include "src/layers/line_reader.h"
#include "src/layers/registry.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

/// An activation that is simply an operation.
Layer activation(std::string_view name, Activation which, const Op& op, std::string_view meaning,
                 std::string_view details = {}) {
  return {.name = name,
          .meaning = meaning,
          .details = details,
          .op = &op,
          .line = {.form = Notation::Form::word, .word = name, .example = name},
          .activation = which};
}

}  // namespace

const Layer layer_relu = activation("relu", Activation::relu, op_relu, "max(0, x)");
const Layer layer_sigmoid = activation("sigmoid", Activation::sigmoid, op_sigmoid, "1 / (1 + e^−x)");
const Layer layer_tanh = activation("tanh", Activation::tanh, op_tanh, "tanh(x)");
const Layer layer_softplus = activation("softplus", Activation::softplus, op_softplus, "ln(1 + e^x)",
                                        "; PyTorch's is x itself above 20, which differs by less than 3e-9");

const Layer layer_linear{.name = "linear",
                         .meaning = "nothing",
                         .details = "; it may take the place of an activation (in TOML, in a list of `activations`)",
                         .build = [](std::span<const Value> in, const Attributes&) { return in[0]; },
                         .line = {.form = Notation::Form::word, .word = "linear", .example = "linear"},
                         .activation = Activation::linear};

const Layer layer_softmax{.name = "softmax",
                          .meaning = "probabilities",
                          .details = "; in a line, only as the last layer; `y` is then the probabilities themselves",
                          .op = &op_softmax,
                          .line = {.form = Notation::Form::word, .word = "softmax", .example = "softmax"},
                          .last = true};

namespace {

using Functions = std::span<const Layer* const>;

Value apply(const Layer& function, Value x) { return build_layer(function, {{x}}, function.options); }

/// The shortest list that, repeated, gives this one.
Functions period(Functions functions) {
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
Value apply_each(Value x, Functions functions) {
  const Shape& shape = x.shape();  // stays where it is while the graph grows
  const auto size = elements(shape);
  if (functions.empty())
    fail_layer(x.graph(), "activations", "there is no function; give one for each node, or a list to be repeated");
  if (size % static_cast<std::int64_t>(functions.size()) != 0) {
    fail_layer(x.graph(), "activations",
               str(functions.size(), " functions do not divide ", size, " nodes; give a divisor of ", size));
  }
  const auto each = period(functions);
  if (each.size() == 1) return apply(*each[0], x);
  const auto columns = static_cast<std::int64_t>(each.size()), rows = size / columns;
  const Value table = reshape(x, {rows, columns});
  std::vector<Value> runs;
  for (std::int64_t first = 0, next = 0; first < columns; first = next) {
    const auto* function = each[static_cast<std::size_t>(first)];
    while (next < columns && each[static_cast<std::size_t>(next)] == function) ++next;
    runs.push_back(apply(*function, slice(table, {0, first}, {rows, next})));
  }
  return reshape(concat(runs, 1), shape);
}

Value activations(Value x, std::span<const Activation> functions) {
  std::vector<const Layer*> layers;
  for (const auto function : functions)
    layers.push_back(*std::ranges::find(all_layers(), std::optional(function), &Layer::activation));
  return apply_each(x, layers);
}

namespace {

/// `functions = ["sigmoid", "tanh"]`
struct Options {
  std::vector<std::string> functions{};

  void visit(FieldVisitor& v) {
    constexpr std::size_t most = 4096;
    v.words(Field("functions", {},
                  "one for each node, row by row, and repeated until all have one; their number must divide that "
                  "of the nodes")
                .required("[\"sigmoid\", \"tanh\"]"),
            functions);
    if (functions.size() > most) {
      v.refuse("functions", str("has ", grouped(functions.size()), " names; it may have ", grouped(most),
                                ", and is repeated for all nodes"));
    }
    for (const auto& name : functions) {
      if (!find_activation(name)) refuse_function(v, name);
    }
    if (!functions.empty() && std::ranges::count(functions, "linear") == std::ssize(functions))
      v.refuse("functions", "are all \"linear\", which does nothing; remove the layer");
  }
  bool operator==(const Options&) const = default;

 private:
  static void refuse_function(FieldVisitor& v, const std::string& name) {
    std::vector<std::string_view> known;
    for (const auto* layer : all_layers()) {
      if (layer->activation) known.push_back(layer->name);
    }
    const auto guess = did_you_mean(name, known);
    v.refuse("functions", str("names ", in_quotes(name), ", which is no activation",
                              guess.empty() ? str("; use ", activation_names("and")) : guess));
  }
};

Value build_list(std::span<const Value> in, const Attributes& options) {
  std::vector<const Layer*> functions;
  for (const auto& name : options.as<Options>().functions) functions.push_back(find_activation(name));
  return apply_each(in[0], functions);
}

}  // namespace

const Layer layer_activations{.name = "activations",
                              .meaning = "a function of its own for every node",
                              .options = Options{},
                              .build = build_list};

}  // namespace chalk

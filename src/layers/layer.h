// What a layer is: how it is written in a line and in TOML, and how it is built. Each is described once, in its file,
// with one line in src/layers/layers.inc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "src/base/text.h"
#include "src/ir/checks.h"
#include "src/ir/op.h"

namespace chalk {

class LineReader;

/// Numbers in a network's text are at most this.
constexpr std::int64_t kMostNumber = std::int64_t{1} << 20;

/// How a layer is written in a line such as 20c5-relu-mp2-10n.
struct Notation {
  enum class Form : std::uint8_t {
    none,     // in TOML only
    word,     // relu; if it is read further, with numbers behind it: mp2
    counted,  // a number, a word, and what is read further: 20c5
    branches,  // chains in parentheses: res(…), or res(…,…). The inputs are x and what the one makes of x, or what all
               // make
  };
  Form form = Form::none;
  std::string_view word{};
  std::string_view example{};                    // for messages and the documentation: "20c5"
  Attributes (*read)(LineReader& in) = nullptr;  // the options, from what follows the word; null: nothing may follow
  std::string_view letters{};                    // that may follow a word at once, beside digits
  std::string_view continuation{};               // what may follow, for messages
  std::string_view samples{};                    // for tests, with spaces between: more than the example
  std::size_t most_chains = 1;                   // of a layer with branches
  bool last_first = false;                       // of several branches the last one is the first input
};

struct Layer {
  Required<std::string_view> name;     // TOML's `type`; its layers are called by it and their number: "conv1"
  Required<std::string_view> meaning;  // in a few words, in which # is the number of a counted layer
  std::string_view details{};          // goes on from it in the documentation
  Attributes options{};                // TOML's keys, with their defaults
  Value (*build)(std::span<const Value> inputs, const Attributes& options) = nullptr;
  const Op* op = nullptr;         // in place of options and build: this operation
  int inputs = 1;                 // −1: two or more
  std::string_view inputs_are{};  // if there are several
  Notation line{};
  std::optional<Activation> activation{};  // it is a function of each value, without parameters
  bool last = false;                       // in a line it can only be the last one
  bool centres = false;                    // a bias directly before it would vanish
  Attributes (*without_bias)(const Attributes& options) = nullptr;  // unless a bias was asked for; null: it has none

  /// Its meaning with `count` for #.
  std::string what_is(std::int64_t count) const {
    std::string text(meaning.value);
    if (const auto at = text.find('#'); at != std::string::npos) text.replace(at, 1, std::to_string(count));
    return text;
  }
};

/// Appends the layer to the graph, under the name of the graph's current layer. Throws ShapeError that names it.
inline Value build_layer(const Layer& layer, std::span<const Value> inputs, const Attributes& options) {
  if (layer.op) return inputs[0].graph().apply(*layer.op, layer.op->attributes, inputs);
  return layer.build(inputs, options);
}

/// The options (with a member `bias`) without the bias that they have unless it is asked for.
template <class Options>
Attributes without_shared_bias(const Attributes& options) {
  auto changed = options.as<Options>();
  if (changed.bias == Bias::shared) changed.bias = Bias::none;
  return changed;
}

/// "conv1.weight": a parameter of the layer that is being built.
inline std::string parameter_name(const Graph& g, std::string_view name) {
  return g.layer().empty() ? std::string(name) : str(g.layer(), ".", name);
}

/// Makes a trained parameter of the layer that is being built: "conv1.weight".
inline Value layer_parameter(Graph& g, std::string_view name, const Shape& shape, const Init& init,
                             ParameterRole role) {
  return g.parameter(parameter_name(g, name), shape, init, /*trainable=*/true, role);
}

/// {channels, 1, …}: the shape of one number for each channel (axis 0) that meets values of that shape.
inline Shape column_of(const Shape& shape) {
  Shape column(shape.size(), 1);
  column[0] = shape[0];
  return column;
}

/// Throws a ShapeError that names the layer being built, or what is built if it has no name.
[[noreturn]] inline void fail_layer(const Graph& g, std::string_view what, const std::string& message) {
  throw ShapeError(str(g.layer().empty() ? what : g.layer(), ": ", message));
}

/// Throws a ShapeError as above unless x is channels × rows × columns.
inline void check_map(Value x, std::string_view what) {
  if (x.shape().size() != 3) fail_layer(x.graph(), what, not_a_map(x.shape()));
}

}  // namespace chalk

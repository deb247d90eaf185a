// The network statement:
//   network x: 1x8x8 > z1 = conv(W1: 1 filter 3x3, flipped, full, untied bias b1) > a1 = relu > maxpool 2 > …
#include <algorithm>
#include <cmath>

#include "chalkgrad/layers.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"
#include "src/math/system.h"

namespace chalk::math {
namespace {

constexpr std::int64_t kMostExtent = 4096;
constexpr std::int64_t kMostWork = std::int64_t{1} << 26;
constexpr std::size_t kMostLayers = 200;

std::optional<Activation> activation_named(std::string_view name) {
  if (name == "linear") return Activation::linear;
  if (name == "relu") return Activation::relu;
  if (name == "sigmoid") return Activation::sigmoid;
  if (name == "tanh") return Activation::tanh;
  return std::nullopt;
}

Value activate(Value x, Activation function) {
  switch (function) {
    case Activation::relu:
      return relu(x);
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::tanh:
      return tanh(x);
    case Activation::linear:
      break;
  }
  return reshape(x, x.shape());  // a value of its own
}

}  // namespace

class NetworkReader {
 public:
  NetworkReader(System& system, Tokens& tokens, Symbols& symbols) : s_(system), t_(tokens), symbols_(symbols) {}

  void read() {
    const Place place = t_.peek().place;
    const auto name = t_.name("the name of the input");
    t_.expect(":", "\":\" and the shape of the input, as in x: 1x8x8,");
    const auto extents = read_shape(t_);
    x_ = s_.graph_.input(name, extents);
    show(name, place, x_, Symbol::Kind::drawn);
    if (t_.done()) t_.fail("a layer expected after the input: > z = dense(W: 3 outputs, bias b)");
    for (std::size_t layer = 0; !t_.done(); ++layer) {
      t_.expect(">", "\">\" and the next layer");
      if (layer == kMostLayers) t_.fail(str("more than ", kMostLayers, " layers"));
      one_layer();
    }
  }

 private:
  // ---- numbers ----

  std::int64_t extent() {
    const Place place = t_.peek().place;
    const auto value = t_.whole_number("a number");
    if (value < 1 || value > kMostExtent)
      throw FormulaError(place, str("numbers here are from 1 to ", kMostExtent, ", not ", value));
    return value;
  }

  Pair size(std::string_view what) {
    const Place place = t_.peek().place;
    const auto extents = read_shape(t_);
    if (extents.size() > 2) throw FormulaError(place, str(what, " is written 3x3"));
    return {extents[0], extents.back()};
  }

  /// Counts multiplications: `each` for every number of a value.
  void spend(const Shape& value, std::int64_t each, Place place) {
    const auto left = (kMostWork - s_.work_) / s_.samples_;
    if (elements(value) > left || each > left / elements(value))
      throw FormulaError(place, "this layer is too large to check formulas on; use smaller shapes");
    s_.work_ += elements(value) * each * s_.samples_;
  }

  // ---- layers ----

  void one_layer() {
    std::string name;
    Place place = t_.peek().place;
    if (t_.at("=", 1)) {
      name = t_.name("the name of the layer's result");
      t_.next();
    }
    const Token word = t_.peek();
    t_.name("a layer");
    s_.graph_.layer(str("layer", ++count_));
    try {
      x_ = layer(word);
    } catch (const ShapeError& e) {
      throw FormulaError(word.place, e.what());
    }
    spend(x_.shape(), 1, word.place);
    if (!name.empty()) show(name, place, x_, Symbol::Kind::computed);
  }

  Value layer(const Token& word) {
    if (word.text == "conv") return conv();
    if (word.text == "dense") return dense();
    if (word.text == "maxpool" || word.text == "avgpool") return pool(word.text == "maxpool");
    if (word.text == "softmax") return softmax(x_, static_cast<std::int64_t>(x_.shape().size()) - 1);
    if (const auto function = activation_named(word.text)) return activate(x_, *function);
    if (word.text == "bias" || word.text == "untied" || word.text == "subtracted" || word.text == "shared") {
      BiasClause clause;
      t_.position(t_.position() - 1);
      bias_clause(clause, Bias::untied);
      const Value y = bias_layer(x_, clause.kind, clause.subtracted);
      show_parameter(clause, "bias");
      return y;
    }
    const int family = symbols_.find(word.text);
    if (family >= 0 && symbols_[family].kind == Symbol::Kind::functions) {
      std::vector<Activation> functions;
      for (const auto& each : symbols_[family].names) {
        const auto function = activation_named(each);
        if (!function)
          throw FormulaError(word.place, str(each, " is not an activation; use linear, relu, sigmoid or tanh"));
        functions.push_back(*function);
      }
      return activations(x_, functions);
    }
    static constexpr std::array<std::string_view, 10> kLayers{"conv",    "dense", "maxpool", "avgpool", "bias",
                                                              "softmax", "relu",  "sigmoid", "tanh",    "linear"};
    const auto guess = did_you_mean(word.text, kLayers);
    throw FormulaError(word.place,
                       str(in_quotes(word.text), " is not a layer",
                           guess.empty() ? "; there are conv, dense, maxpool, avgpool, bias, softmax, relu, "
                                           "sigmoid, tanh, linear, and families of functions"
                                         : guess));
  }

  struct BiasClause {
    Bias kind = Bias::none;
    bool subtracted = false;
    std::string name{};
    Place place{};
  };

  /// [untied | shared] [subtracted] bias NAME
  bool bias_clause(BiasClause& clause, Bias usual) {
    const Place place = t_.peek().place;
    clause.kind = usual;
    if (t_.take_word("untied")) {
      clause.kind = Bias::untied;
    } else if (t_.take_word("shared")) {
      clause.kind = Bias::shared;
    }
    clause.subtracted = t_.take_word("subtracted");
    if (!t_.take_word("bias")) return false;
    if (!clause.name.empty()) throw FormulaError(place, "a second bias; a layer has one");
    clause.place = t_.peek().place;
    clause.name = t_.name("the name of the bias");
    return true;
  }

  /// "(NAME:" of the weights.
  std::pair<std::string, Place> weights() {
    t_.expect("(", "\"(\" and the name of the weights");
    const Place place = t_.peek().place;
    const auto name = t_.name("the name of the weights");
    t_.expect(":", "\":\" and what these are, as in W: 3 outputs or W: 2 filters 3x3,");
    return {name, place};
  }

  Value conv() {
    const auto [name, place] = weights();
    ConvLayer layer;
    layer.filters = extent();
    if (!t_.take_word("filter") && !t_.take_word("filters")) t_.fail("\"filters\" expected, as in W: 4 filters 3x3");
    layer.kernel = size("a kernel");
    layer.bias = Bias::none;
    BiasClause bias;
    while (t_.take(",")) {
      const Place clause = t_.peek().place;
      if (t_.take_word("flipped")) {
        layer.flipped = true;
      } else if (t_.take_word("full")) {
        layer.options.padding = {layer.kernel[0] - 1, layer.kernel[1] - 1};
      } else if (t_.take_word("same")) {
        if (layer.kernel[0] % 2 == 0 || layer.kernel[1] % 2 == 0)
          throw FormulaError(clause, "\"same\" needs a kernel of odd size; use padding N");
        layer.options.padding = {layer.kernel[0] / 2, layer.kernel[1] / 2};
      } else if (t_.take_word("padding")) {
        layer.options.padding = size("padding");
      } else if (t_.take_word("stride")) {
        layer.options.stride = size("a stride");
      } else if (!bias_clause(bias, Bias::shared)) {
        throw FormulaError(clause, "flipped, full, same, padding 1, stride 2, bias b or untied bias b expected");
      }
    }
    t_.expect(")", "\",\" or \")\"");
    layer.bias = bias.kind;
    layer.subtract_bias = bias.subtracted;
    one_channel();
    const Value y = conv_layer(x_, layer);
    const auto weight = parameter("weight");
    spend(y.shape(), elements(weight.shape()) / layer.filters, place);
    show(name, place, weight, Symbol::Kind::drawn);
    show_parameter(bias, "bias");
    return y;
  }

  Value dense() {
    const auto [name, place] = weights();
    DenseLayer layer;
    layer.outputs = extent();
    if (!t_.take_word("output") && !t_.take_word("outputs")) t_.fail("\"outputs\" expected, as in W: 3 outputs");
    layer.bias = Bias::none;
    bool inputs_first = false;
    BiasClause bias;
    while (t_.take(",")) {
      const Place clause = t_.peek().place;
      if (t_.at_word("inputs") && t_.at_word("first", 1)) {
        t_.next(), t_.next();
        inputs_first = true;
      } else if (!bias_clause(bias, Bias::shared)) {
        throw FormulaError(clause, "\"inputs first\", bias b or subtracted bias b expected");
      }
    }
    t_.expect(")", "\",\" or \")\"");
    layer.bias = bias.kind;
    layer.subtract_bias = bias.subtracted;
    const Shape inputs = x_.shape();
    const Value y = dense_layer(x_, layer);
    spend(y.shape(), elements(inputs), place);
    Shape seen = inputs;
    seen.insert(inputs_first ? seen.end() : seen.begin(), layer.outputs);
    show(name, place, parameter("weight"), Symbol::Kind::drawn, seen, inputs_first ? layer.outputs : 0);
    show_parameter(bias, "bias");
    return y;
  }

  Value pool(bool max) {
    const Place place = t_.peek().place;
    const bool bracket = t_.take("(");
    PoolOptions options;
    options.window = options.stride = size("a window");
    if (bracket) {
      if (t_.take(",")) {
        if (!t_.take_word("stride")) t_.fail("\"stride\" expected, as in maxpool(3, stride 2)");
        options.stride = size("a stride");
      }
      t_.expect(")", "\")\"");
    }
    one_channel();
    const Value y = max ? max_pool(x_, options) : average_pool(x_, options);
    spend(y.shape(), options.window[0] * options.window[1], place);
    return y;
  }

  /// An image of rows and columns alone has one channel.
  void one_channel() {
    if (x_.shape().size() == 2) x_ = reshape(x_, {1, x_.shape()[0], x_.shape()[1]});
  }

  // ---- symbols ----

  Value parameter(const char* what) { return s_.graph_.find(s_.graph_.layer() + "." + what); }

  void show_parameter(const BiasClause& clause, const char* what) {
    if (!clause.name.empty()) show(clause.name, clause.place, parameter(what), Symbol::Kind::drawn);
  }

  void show(const std::string& name, Place place, Value value, Symbol::Kind kind) {
    show(name, place, value, kind, value.shape(), 0);
  }

  /// Makes a value known by name; axes of extent 1 take no index, the samples are the first axis if there are several.
  void show(const std::string& name, Place place, Value value, Symbol::Kind kind, const Shape& seen,
            std::int64_t outputs_last) {
    Symbol symbol;
    symbol.name = name;
    symbol.kind = kind;
    symbol.network = true;
    if (value.batched() && s_.samples_ > 1) symbol.extents.push_back(s_.samples_);
    std::copy_if(seen.begin(), seen.end(), std::back_inserter(symbol.extents), [](auto extent) { return extent > 1; });
    if (kind == Symbol::Kind::drawn) {
      // Weights so that sums are of the size of one input, as at the start of training.
      const bool weights = value.shape().size() > 1 && !value.batched();
      const auto inputs = weights ? elements(value.shape()) / value.shape()[0] : 1;
      const auto fan_in = static_cast<double>(inputs);
      const double bound = value.batched() ? 1 : weights ? std::min(1.0, std::sqrt(3 / fan_in)) : 0.5;
      symbol.domain = {.low = -bound, .high = bound};
    } else {
      for (const auto& [id, entry] : s_.entries_) {
        if (reaches(entry.node, value.id())) symbol.from.insert(id);
      }
    }
    const int id = symbols_.add(std::move(symbol), place);
    s_.entries_[id] = {value.id(), outputs_last};
  }

  /// Whether `to` is computed from `from`.
  bool reaches(NodeId from, NodeId to) const {
    std::vector<bool> found(static_cast<std::size_t>(to) + 1);
    found[static_cast<std::size_t>(to)] = true;
    for (auto id = to; id > from; --id) {
      if (!found[static_cast<std::size_t>(id)]) continue;
      for (const auto input : s_.graph_.node(id).inputs) found[static_cast<std::size_t>(input)] = true;
    }
    return from <= to && found[static_cast<std::size_t>(from)];
  }

  System& s_;
  Tokens& t_;
  Symbols& symbols_;
  Value x_;
  int count_ = 0;
};

void System::build(Tokens& tokens, Symbols& symbols) { NetworkReader(*this, tokens, symbols).read(); }

}  // namespace chalk::math

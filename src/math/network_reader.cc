// The network statement:
//   network x: 1x8x8 > z1 = conv(W1: 1 filter 3x3, flipped, full, untied bias b1) > a1 = relu > maxpool 2 > …
// or, for any graph, its parameters and operations one by one:
//   network x: 3 > W: 2x3 > z = dense(x, W) > y = softmax(z) > t: input 2 distribution > L = neg(sum(mul(t, log(y))))
#include <algorithm>
#include <array>
#include <cmath>

#include "chalkgrad/layers.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/layers/activations.h"
#include "src/layers/registry.h"
#include "src/math/error.h"
#include "src/math/loss_reader.h"
#include "src/math/operation_reader.h"
#include "src/math/system.h"
#include "src/ops/registry.h"
#include "src/passes/passes.h"

namespace chalk::math {
namespace {

constexpr std::int64_t kMostOfNumber = 4096;
constexpr std::int64_t kMostWorkOfNetwork = std::int64_t{1} << 26;
constexpr int kMostLayers = 200;

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
    while (!t_.done()) {
      t_.expect(">", "\">\" and the next layer");
      if (count_ == kMostLayers) t_.fail(str("more than ", kMostLayers, " layers"));
      one_step();
    }
    s_.graph_ = training_form(s_.graph_);  // batches are normalised by their own statistics; values keep their ids
  }

 private:
  // ---- numbers ----

  std::int64_t extent() {
    const Place place = t_.peek().place;
    const auto value = t_.whole_number("a number");
    if (value < 1 || value > kMostOfNumber)
      throw FormulaError(place, str("numbers here are from 1 to ", kMostOfNumber, ", not ", value));
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
    const auto left = (kMostWorkOfNetwork - s_.work_) / s_.samples_;
    if (elements(value) > left || each > left / elements(value))
      throw FormulaError(place, "this layer is too large to check formulas on; use smaller shapes");
    s_.work_ += elements(value) * each * s_.samples_;
  }

  // ---- layers ----

  /// What the graph itself refuses, such as a name that is taken, is wrong at a place of the text, too.
  void one_step() {
    const Place place = t_.peek().place;
    try {
      one_layer();
    } catch (const FormulaError&) {
      throw;
    } catch (const InputError& e) {
      throw FormulaError(place, e.what());
    }
  }

  void one_layer() {
    std::string name;
    Place place = t_.peek().place;
    if (t_.at(":", 1)) return leaf();
    if (t_.at("=", 1)) {
      const Token token = t_.peek();
      const bool after_a_step = token.kind == Token::Kind::name && token.primes > 0;  // w' = sub(w, g)
      if (after_a_step) t_.next();
      name = after_a_step ? token.text + std::string(static_cast<std::size_t>(token.primes), '\'')
                          : t_.name("the name of the layer's result");
      t_.next();
    }
    const Token word = t_.peek();
    const bool operation = operation_follows(t_);
    if (!operation) t_.name("a layer");
    s_.graph_.layer(str("layer", ++count_));
    try {
      const Value y =
          operation ? read_operation(t_, s_.graph_, [&](const Token& token) { return known(token); }) : layer(word);
      x_ = y == x_ ? reshape(x_, x_.shape()) : y;  // a value of its own
    } catch (const ShapeError& e) {
      throw FormulaError(word.place, e.what());
    }
    spend(x_.shape(), 1, word.place);
    if (!name.empty()) show(name, place, x_, Symbol::Kind::computed);
  }

  /// W: 3x4, a parameter; t: input 10 distribution; u: noise 3x4; eta: shared
  void leaf() {
    const Token token = t_.peek();
    const auto name = t_.name("the name of a parameter");
    t_.next();
    const bool input = t_.take_word("input"), noise = !input && t_.take_word("noise");
    const bool shared = !input && !noise && t_.take_word("shared");
    const bool number = t_.peek().kind != Token::Kind::number;
    if (number && !input && !noise && !shared) t_.fail("a shape, input, noise or shared expected, as in W: 3x4");
    const Shape shape = number ? Shape{} : read_shape(t_);
    Value value;
    if (input) {
      value = s_.graph_.input(name, shape, t_.take_word("distribution"));
    } else if (noise) {
      value = s_.graph_.noise(name, shape);
    } else {
      value = shared ? s_.graph_.shared_input(name, shape) : s_.graph_.parameter(name, shape);
    }
    show(name, token.place, value, Symbol::Kind::drawn);
  }

  /// The value of the graph that has this name here.
  Value known(const Token& token) {
    const int symbol = symbols_.find_value(token.text, token.primes);
    const auto found = s_.entries_.find(symbol);
    if (found == s_.entries_.end()) {
      throw FormulaError(token.place, str(in_quotes(token.text), " is not a value of the network yet",
                                          symbols_.suggestion(token.text)));
    }
    if (found->second.outputs_last > 0)
      throw FormulaError(token.place, str(token.text, " has its inputs first; declare it as a parameter of its own"));
    return s_.graph_.value(found->second.node);
  }

  Value layer(const Token& word) {
    if (const auto* found = find_layer(word.text)) {
      if (found->activation) return apply_each(x_, {{found}});
      for (const auto& [layer, read] : kSyntax) {
        if (layer == found) return (this->*read)(*layer);
      }
    }
    if (word.text == "loss") return loss();
    if (word.text == "untied" || word.text == "subtracted" || word.text == "shared") return bias(layer_bias);
    const int family = symbols_.find(word.text);
    if (family >= 0 && symbols_[family].kind == Symbol::Kind::functions) return functions(symbols_[family], word.place);
    unknown(word);
  }

  /// loss(t: huber, delta=2): of each sample, or the mean of all.
  Value loss() {
    const Place place = t_.peek().place;
    if (s_.objective_.loss >= 0) throw FormulaError(place, "a second loss; a network has one");
    const auto read = read_loss(t_, x_);
    show(read.target, read.place, read.value, Symbol::Kind::drawn);
    symbols_[symbols_.find(read.target)].domain = read.domain;
    const auto& [value, weight] = read.of_sample;
    s_.objective_ = {.loss = value.id(), .weight = weight ? weight.id() : -1, .maximised = maximised(read.loss)};
    return read.mean ? batch_mean(read.of_sample) : value;
  }

  Value functions(const Symbol& family, Place place) {
    std::vector<const Layer*> functions;
    for (const auto& name : family.names) {
      functions.push_back(find_activation(name));
      if (!functions.back())
        throw FormulaError(place, str(name, " is not an activation; use ", activation_names("or")));
    }
    return apply_each(x_, functions);
  }

  [[noreturn]] static void unknown(const Token& word) {
    std::vector<std::string_view> known;
    std::string list;
    for (const auto* layer : all_layers()) {
      const bool has_syntax = std::ranges::any_of(kSyntax, [&](const auto& each) { return each.first == layer; });
      if (!layer->activation && !has_syntax) continue;
      known.push_back(layer->name);
      list += str(layer->name.value, ", ");
    }
    known.emplace_back("loss");
    const auto guess = did_you_mean(word.text, known);
    throw FormulaError(word.place,
                       str(in_quotes(word.text), " is not a layer",
                           guess.empty() ? str("; there are ", list, "loss and families of functions") : guess));
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

  /// [untied | shared] [subtracted] bias NAME, as a layer: the first word has been read.
  Value bias(const Layer&) {
    BiasClause clause;
    t_.position(t_.position() - 1);
    bias_clause(clause, Bias::untied);
    const Value y = bias_layer(x_, clause.kind, clause.subtracted);
    show_parameter(clause, "bias");
    return y;
  }

  Value softmax_layer(const Layer&) { return softmax(x_, static_cast<std::int64_t>(x_.shape().size()) - 1); }

  /// "(NAME:" of the weights.
  std::pair<std::string, Place> weights() {
    t_.expect("(", "\"(\" and the name of the weights");
    const Place place = t_.peek().place;
    const auto name = t_.name("the name of the weights");
    t_.expect(":", "\":\" and what these are, as in W: 3 outputs or W: 2 filters 3x3,");
    return {name, place};
  }

  Value conv(const Layer&) {
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
      } else if (t_.take_word("dilation")) {
        layer.options.dilation = size("a dilation");
      } else if (t_.take_word("groups")) {
        layer.options.groups = extent();
      } else if (!bias_clause(bias, Bias::shared)) {
        throw FormulaError(
            clause, "flipped, full, same, padding 1, stride 2, dilation 2, groups 2, bias b or untied bias b expected");
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

  Value dense(const Layer&) {
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

  Value pool(const Layer& kind) {
    const Place place = t_.peek().place;
    const bool bracket = t_.take("(");
    PoolOptions options;
    options.window = options.stride = size("a window");
    if (bracket) {
      while (t_.take(",")) {
        if (t_.take_word("stride")) {
          options.stride = size("a stride");
        } else if (t_.take_word("padding")) {
          options.padding = size("padding");
        } else {
          t_.fail("\"stride\" or \"padding\" expected, as in maxpool(3, stride 2)");
        }
      }
      t_.expect(")", "\")\"");
    }
    one_channel();
    const Value y = &kind == &layer_maxpool ? max_pool(x_, options) : average_pool(x_, options);
    spend(y.shape(), options.window[0] * options.window[1], place);
    return y;
  }

  /// batchnorm(scale g, shift b): of each channel, by the mean and the variance of this batch.
  Value batch_norm(const Layer& kind) {
    const Place place = t_.peek().place;
    t_.expect("(", "\"(\" and the names of scale and shift, as in batchnorm(scale g, shift b),");
    BatchNormLayer layer;
    std::pair<std::string, Place> scale, shift;
    do {
      const Place clause = t_.peek().place;
      if (t_.take_word("scale")) {
        scale = named("scale");
      } else if (t_.take_word("shift")) {
        shift = named("shift");
      } else if (t_.take_word("epsilon")) {
        if (t_.peek().kind != Token::Kind::number) t_.fail("a number expected, as in epsilon 0.001");
        layer.epsilon = t_.next().number;
      } else {
        throw FormulaError(clause, "scale g, shift b or epsilon 0.001 expected");
      }
    } while (t_.take(","));
    t_.expect(")", "\",\" or \")\"");
    if (s_.samples_ < 2)
      throw FormulaError(place, str(kind.name.value, " needs several samples; write samples 4 above the network"));
    one_channel();
    const Value y = batch_norm_layer(x_, layer);
    if (!scale.first.empty()) show(scale.first, scale.second, parameter("weight"), Symbol::Kind::drawn);
    if (!shift.first.empty()) show(shift.first, shift.second, parameter("bias"), Symbol::Kind::drawn);
    for (const char* hidden : {"weight", "bias", "running_mean", "running_var"}) {  // names that nobody can write
      const bool shown = (hidden == std::string_view("weight") && !scale.first.empty()) ||
                         (hidden == std::string_view("bias") && !shift.first.empty());
      if (!shown) show(s_.graph_.layer() + "." + hidden, place, parameter(hidden), Symbol::Kind::drawn);
    }
    return y;
  }

  /// residual a1: what comes from a1 to here, and a1.
  Value residual_layer(const Layer&) {
    const auto [name, place] = named("value that is added");
    const int id = symbols_.find_value(name);
    const auto found = s_.entries_.find(id);
    if (id < 0 || found == s_.entries_.end())
      throw FormulaError(place, str(in_quotes(name), " is not a value of this network", symbols_.suggestion(name)));
    return residual(s_.graph_.value(found->second.node), x_);
  }

  /// dropout(m: rate 0.5): x·m/(1 − rate), where m is 0 with probability `rate`, else 1.
  Value dropout(const Layer&) {
    t_.expect("(", "\"(\" and the name of the mask, as in dropout(m: rate 0.5),");
    const auto [name, place] = named("mask");
    t_.expect(":", "\":\" and the rate, as in dropout(m: rate 0.5),");
    if (!t_.take_word("rate") || t_.peek().kind != Token::Kind::number)
      t_.fail("the rate expected, as in dropout(m: rate 0.5)");
    const Token rate = t_.next();
    if (!(rate.number >= 0 && rate.number < 1)) throw FormulaError(rate.place, "a rate is at least 0 and below 1");
    t_.expect(")", "\")\"");
    const Value mask = s_.graph_.input(name, x_.shape());
    show(name, place, mask, Symbol::Kind::drawn);
    symbols_[symbols_.find(name)].domain = {.low = 0, .high = 1, .zeros = rate.number};
    return x_ * mask / s_.graph_.constant(1 - rate.number);
  }

  Value global_average(const Layer&) { return global_average_pool(x_); }

  std::pair<std::string, Place> named(std::string_view what) {
    const Place place = t_.peek().place;
    return {t_.name(str("the name of the ", what)), place};
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

  void show(const std::string& name, Place place, Value value, Symbol::Kind kind, const Shape& seen,
            std::int64_t outputs_last) {
    s_.show(symbols_, name, place, value.id(), kind, seen, outputs_last);
  }

  System& s_;
  Tokens& t_;
  Symbols& symbols_;
  Value x_;
  int count_ = 0;

  /// Layers that are written with more than their name.
  using Read = Value (NetworkReader::*)(const Layer&);
  static constexpr std::array<std::pair<const Layer*, Read>, 10> kSyntax{
      {{&layer_conv, &NetworkReader::conv},
       {&layer_dense, &NetworkReader::dense},
       {&layer_maxpool, &NetworkReader::pool},
       {&layer_avgpool, &NetworkReader::pool},
       {&layer_bias, &NetworkReader::bias},
       {&layer_softmax, &NetworkReader::softmax_layer},
       {&layer_batch_norm, &NetworkReader::batch_norm},
       {&layer_residual, &NetworkReader::residual_layer},
       {&layer_dropout, &NetworkReader::dropout},
       {&layer_gap, &NetworkReader::global_average}}};
};

void System::build(Tokens& tokens, Symbols& symbols) { NetworkReader(*this, tokens, symbols).read(); }

}  // namespace chalk::math

#include "src/net/chain.h"

#include <algorithm>
#include <array>

#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/utf8.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

using Kind = LayerSpec::Kind;

constexpr std::size_t kMostLayers = 4096;
constexpr int kMostNesting = 16;
constexpr std::array<std::pair<std::string_view, Kind>, 8> kWords{{{"relu", Kind::relu},
                                                                   {"bn", Kind::batch_norm},
                                                                   {"gap", Kind::global_average_pool},
                                                                   {"tanh", Kind::tanh},
                                                                   {"sigmoid", Kind::sigmoid},
                                                                   {"softmax", Kind::softmax},
                                                                   {"linear", Kind::linear},
                                                                   {"bias", Kind::bias}}};
constexpr std::string_view kExample = "20c5-relu-mp2-100n-relu-10n";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_plain(char c) { return c > ' ' && c < '\x7f'; }
bool ends_layer(char c) { return c == '-' || c == '(' || c == ')' || c == ','; }

class ChainParser {
 public:
  ChainParser(std::string_view text, std::string_view what) : text_(text), what_(what) {}

  std::vector<LayerSpec> parse() {
    if (text_.empty()) throw InputError(str(what_, " \"\": is empty; write layers, e.g. ", kExample));
    auto layers = chain();
    if (at_ < text_.size()) {
      fail(at_, str(in_quotes(text_.substr(at_, 1)), " stands outside of parentheses; ",
                    text_[at_] == ')' ? "remove it, or open one before it" : "layers are separated by \"-\""));
    }
    for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
      if (layers[i].kind == Kind::softmax) fail_softmax(layers[i]);
    }
    return layers;
  }

 private:
  /// Every character before the first that is not plain is one byte, and parsing ends there; so bytes count characters.
  [[noreturn]] void fail(std::size_t offset, const std::string& message) const {
    throw InputError(str(what_, " ", in_quotes(text_), ": character ", offset + 1, ": ", message));
  }

  [[noreturn]] void fail_softmax(const LayerSpec& layer) const {
    fail(layer.position - 1, "softmax can only be the last layer; move it there");
  }

  /// Layers with "-" between them, up to the end or to what ends the parentheses around them.
  std::vector<LayerSpec> chain() {
    std::vector<LayerSpec> layers;
    for (;;) {
      item(layers);
      if (at_ == text_.size() || text_[at_] != '-') return layers;
      ++at_;
      if (at_ == text_.size()) fail(at_ - 1, "there is no layer after the last \"-\"; remove it or add a layer");
    }
  }

  /// One layer, or the layers of a repetition.
  void item(std::vector<LayerSpec>& layers) {
    begin_ = at_;
    while (at_ < text_.size() && is_plain(text_[at_]) && !ends_layer(text_[at_])) ++at_;
    if (at_ < text_.size() && !is_plain(text_[at_])) strange_character();
    item_ = text_.substr(begin_, at_ - begin_);
    place_ = 0;
    if (at_ < text_.size() && text_[at_] == '(') return in_parentheses(layers);
    if (item_.empty()) fail(begin_, "an empty layer; write one layer between two \"-\"");
    count_layers(1);
    layers.push_back(plain_layer());
  }

  void count_layers(std::size_t more) {
    layers_ += more;
    if (layers_ > kMostLayers) fail(begin_, str("there are more than ", kMostLayers, " layers; use fewer"));
  }

  /// "res(…)", "res(…,…)" or "3*(…)".
  void in_parentheses(std::vector<LayerSpec>& layers) {
    const auto begin = begin_, open = at_;
    const bool repeated = item_.size() > 1 && is_digit(item_[0]) && item_.back() == '*';
    std::int64_t times = 1;
    if (repeated) times = number("the number of repetitions");
    if (repeated ? place_ + 1 != item_.size() : item_ != "res") {
      fail(begin_,
           str(in_quotes(item_), " cannot stand before \"(\"; write res(…) for x + F(x), 3*(…) for a repetition"));
    }
    if (++nesting_ > kMostNesting)
      fail(open, str("there are more than ", kMostNesting, " parentheses in each other; write it with fewer"));
    count_layers(1);
    LayerSpec layer{.kind = Kind::residual, .position = begin + 1};
    ++at_;
    const auto before = layers_;
    layer.branch = chain();
    if (!repeated && at_ < text_.size() && text_[at_] == ',') {
      ++at_;
      layer.shortcut = chain();
    }
    if (at_ == text_.size() || text_[at_] != ')') {
      if (at_ == text_.size()) fail(open, "this parenthesis is not closed; write \")\" after its layers");
      fail(at_,
           str(in_quotes(text_.substr(at_, 1)), " cannot stand here; ",
               repeated ? "a repetition holds one chain" : "res(…,…) holds two chains: the branch and the shortcut"));
    }
    ++at_;
    --nesting_;
    if (at_ < text_.size() && text_[at_] != '-' && text_[at_] != ')' && text_[at_] != ',')
      fail(at_, str(in_quotes(text_.substr(at_, 1)), " cannot stand after \")\"; write \"-\" before the next layer"));
    if (!repeated) {
      layers.push_back(std::move(layer));
      return;
    }
    begin_ = begin;
    count_layers((layers_ - before) * static_cast<std::size_t>(times - 1));
    for (std::int64_t i = 0; i < times; ++i) layers.insert(layers.end(), layer.branch.begin(), layer.branch.end());
  }

  LayerSpec plain_layer() {
    LayerSpec layer = is_digit(item_[0]) ? counted() : named();
    layer.position = begin_ + 1;
    if (layer.kind == Kind::softmax && nesting_ > 0) fail_softmax(layer);
    if (place_ != item_.size()) {
      fail(begin_ + place_, str(in_quotes(item_.substr(place_)), " is not understood after ",
                                in_quotes(item_.substr(0, place_)), "; ", allowed(layer.kind)));
    }
    return layer;
  }

  [[noreturn]] void strange_character() const {
    auto end = at_ + 1;
    while (end < text_.size() && !begins_character(text_[end])) ++end;
    const auto character = text_.substr(at_, end - at_);
    const std::string_view hint =
        character == " " ? "write the layers without spaces" : "layers are separated by a plain \"-\"";
    fail(at_, str(in_quotes(character), " cannot stand here; ", hint));
  }

  static std::string_view allowed(Kind kind) {
    switch (kind) {
      case Kind::conv:
        return "a convolution may go on with z (padding that keeps the size) or w (the widest padding), s2 (stride), "
               "g4 "
               "(groups), f (flipped kernel) and u (untied bias), each once";
      case Kind::max_pool:
      case Kind::average_pool:
        return "pooling may go on with s2 (stride) or z (padding), each once";
      default:
        return "end the layer with \"-\"";
    }
  }

  LayerSpec named() {
    for (const auto& [word, kind] : kWords) {
      if (item_ == word) {
        place_ = item_.size();
        return {.kind = kind};
      }
    }
    const bool max = item_.starts_with("mp");
    if (max || item_.starts_with("ap")) {
      if (item_.size() == 2 || is_digit(item_[2])) return pool(max ? Kind::max_pool : Kind::average_pool);
    }
    std::array<std::string_view, kWords.size()> words;
    std::transform(kWords.begin(), kWords.end(), words.begin(), [](const auto& word) { return word.first; });
    const auto guess = did_you_mean(item_, words);
    fail(begin_, str(in_quotes(item_), " is not a layer",
                     guess.empty() ? str("; layers are e.g. 20c5, bn, mp2, ap2, gap, 100n, relu, tanh, sigmoid, "
                                         "softmax, bias, res(…)")
                                   : guess));
  }

  LayerSpec counted() {
    const auto count = number("a layer's size");
    if (take('n')) return {.kind = Kind::dense, .count = count};
    if (!take('c')) {
      fail(begin_, str(in_quotes(item_), " is not a layer; ", count, "n is a dense layer with ", count, " outputs, ",
                       count, "c5 a convolution with ", count, " filters of 5×5"));
    }
    LayerSpec layer{.kind = Kind::conv, .count = count};
    layer.window = sizes("kernel size", str("; write e.g. ", count, "c5"));
    modifiers(layer);
    return layer;
  }

  LayerSpec pool(Kind kind) {
    place_ = 2;
    LayerSpec layer{.kind = kind};
    layer.window = layer.stride = sizes("window", str("; write e.g. ", item_.substr(0, 2), "2"));
    modifiers(layer);
    return layer;
  }

  void modifiers(LayerSpec& layer) {
    bool padded = false, strided = false, grouped_ = false;
    for (;;) {
      const auto start = place_;
      const bool conv = layer.kind == Kind::conv;
      if (!padded && take('z')) {
        padded = true;
        if (layer.window[0] % 2 == 0 || layer.window[1] % 2 == 0) {
          fail(begin_ + start, str("z pads on both sides alike, which needs an odd size, not ", layer.window[0], "×",
                                   layer.window[1], "; use an odd size, or TOML with padding = …"));
        }
        layer.padding = {layer.window[0] / 2, layer.window[1] / 2};
      } else if (!strided && take('s')) {
        strided = true;
        layer.stride = sizes("stride", "; write e.g. s2");
      } else if (!padded && conv && take('w')) {
        padded = true;
        layer.padding = {layer.window[0] - 1, layer.window[1] - 1};
      } else if (!layer.flipped && conv && take('f')) {
        layer.flipped = true;
      } else if (!layer.untied && conv && take('u')) {
        layer.untied = true;
      } else if (!grouped_ && conv && take('g')) {
        grouped_ = true;
        if (!at_digit()) fail(begin_ + place_, "the number of groups is missing; write e.g. g2");
        layer.groups = number("the number of groups");
      } else {
        return;
      }
    }
  }

  /// "5" or "3x5".
  Pair sizes(std::string_view name, const std::string& hint) {
    if (!at_digit()) fail(begin_ + place_, str("the ", name, " of ", in_quotes(item_), " is missing", hint));
    const auto rows = number(name);
    if (!take('x')) return {rows, rows};
    if (!at_digit()) fail(begin_ + place_, str("the second number of the ", name, " is missing; write e.g. 3x5"));
    return {rows, number(name)};
  }

  std::int64_t number(std::string_view name) {
    const auto start = place_;
    std::int64_t value = 0;
    for (; at_digit(); ++place_) value = std::min(value * 10 + (item_[place_] - '0'), kMostNumber + 1);
    if (value < 1) fail(begin_ + start, str(name, " must be at least 1"));
    if (value > kMostNumber) {
      fail(begin_ + start, str(in_quotes(item_.substr(start, place_ - start)), " is too large; numbers are at most ",
                               grouped(static_cast<std::uint64_t>(kMostNumber))));
    }
    return value;
  }

  bool at_digit() const { return place_ < item_.size() && is_digit(item_[place_]); }
  bool take(char c) {
    if (place_ == item_.size() || item_[place_] != c) return false;
    ++place_;
    return true;
  }

  std::string_view text_, what_;
  std::size_t at_ = 0;      // in text_
  std::string_view item_;   // between two dashes,
  std::size_t begin_ = 0;   // where it stands in text_,
  std::size_t place_ = 0;   // and how far it is read
  std::size_t layers_ = 0;  // so far, each as often as it is repeated
  int nesting_ = 0;
};

std::string kind_name(Kind kind) {
  switch (kind) {
    case Kind::conv:
      return "conv";
    case Kind::max_pool:
      return "maxpool";
    case Kind::average_pool:
      return "avgpool";
    case Kind::global_average_pool:
      return "gap";
    case Kind::dense:
      return "dense";
    case Kind::batch_norm:
      return "batch_norm";
    case Kind::relu:
      return "relu";
    case Kind::tanh:
      return "tanh";
    case Kind::sigmoid:
      return "sigmoid";
    case Kind::softmax:
      return "softmax";
    case Kind::linear:
      return "linear";
    case Kind::bias:
      return "bias";
    case Kind::residual:
      return "residual";
  }
  return {};
}

/// `biased`: whether a convolution or dense layer has a bias where its text does not say.
Value build_layer(Value x, const LayerSpec& layer, bool biased) {
  const PoolOptions pool{.window = layer.window, .stride = layer.stride, .padding = layer.padding};
  const Bias bias = biased ? Bias::shared : Bias::none;
  switch (layer.kind) {
    case Kind::conv:
      return conv_layer(x, {.filters = layer.count,
                            .kernel = layer.window,
                            .options = {.stride = layer.stride, .padding = layer.padding, .groups = layer.groups},
                            .flipped = layer.flipped,
                            .bias = layer.untied ? Bias::untied : bias});
    case Kind::max_pool:
      return max_pool(x, pool);
    case Kind::average_pool:
      return average_pool(x, pool);
    case Kind::global_average_pool:
      return global_average_pool(x);
    case Kind::dense:
      return dense_layer(x, {.outputs = layer.count, .bias = bias});
    case Kind::batch_norm:
      return batch_norm_layer(x);
    case Kind::relu:
      return relu(x);
    case Kind::tanh:
      return tanh(x);
    case Kind::sigmoid:
      return sigmoid(x);
    case Kind::softmax:
      return softmax(x);
    case Kind::bias:
      return bias_layer(x);
    case Kind::linear:
    case Kind::residual:
      break;
  }
  return x;
}

/// F(x) + x or F(x) + G(x).
Value build_residual(Value x, const LayerSpec& layer, LayerNames& names) {
  const Value branch = build_chain(x, layer.branch, names);
  const Value beside = layer.shortcut.empty() ? x : build_chain(x, layer.shortcut, names);
  names.begin(kind_name(layer.kind));
  return residual(beside, branch);
}

}  // namespace

std::vector<LayerSpec> parse_chain(std::string_view text, std::string_view what) {
  return ChainParser(text, what).parse();
}

Value build_chain(Value x, std::span<const LayerSpec> layers, LayerNames& names) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto& layer = layers[i];
    if (layer.kind == Kind::linear) continue;
    if (layer.kind == Kind::residual) {
      x = build_residual(x, layer, names);
    } else {
      names.begin(kind_name(layer.kind));
      const bool centred =
          i + 1 < layers.size() && layers[i + 1].kind == Kind::batch_norm;  // a bias would vanish there
      x = build_layer(x, layer, /*biased=*/!centred);
    }
    x.graph().name(x, x.graph().layer());
  }
  return x;
}

}  // namespace chalk

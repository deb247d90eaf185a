#include "src/net/chain.h"

#include <algorithm>
#include <array>

#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

using Kind = LayerSpec::Kind;

constexpr std::size_t kMostLayers = 4096;
constexpr std::array<std::pair<std::string_view, Kind>, 6> kWords{{{"relu", Kind::relu},
                                                                   {"tanh", Kind::tanh},
                                                                   {"sigmoid", Kind::sigmoid},
                                                                   {"softmax", Kind::softmax},
                                                                   {"linear", Kind::linear},
                                                                   {"bias", Kind::bias}}};
constexpr std::string_view kExample = "20c5-relu-mp2-100n-relu-10n";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_plain(char c) { return c > ' ' && c < '\x7f'; }

class ChainParser {
 public:
  ChainParser(std::string_view text, std::string_view what) : text_(text), what_(what) {}

  std::vector<LayerSpec> parse() {
    if (text_.empty()) throw InputError(str(what_, " \"\": is empty; write layers, e.g. ", kExample));
    std::vector<LayerSpec> layers;
    for (;;) {
      if (layers.size() == kMostLayers) fail(at_, str("there are more than ", kMostLayers, " layers; use fewer"));
      layers.push_back(item());
      if (at_ == text_.size()) break;
      ++at_;  // the dash
      if (at_ == text_.size()) fail(at_ - 1, "there is no layer after the last \"-\"; remove it or add a layer");
    }
    for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
      if (layers[i].kind == Kind::softmax)
        fail(layers[i].position - 1, "softmax can only be the last layer; move it there");
    }
    return layers;
  }

 private:
  /// Every character before the first that is not plain is one byte, and parsing ends there; so bytes count characters.
  [[noreturn]] void fail(std::size_t offset, const std::string& message) const {
    throw InputError(str(what_, " ", in_quotes(text_), ": character ", offset + 1, ": ", message));
  }

  LayerSpec item() {
    begin_ = at_;
    while (at_ < text_.size() && text_[at_] != '-' && is_plain(text_[at_])) ++at_;
    if (at_ < text_.size() && text_[at_] != '-') strange_character();
    item_ = text_.substr(begin_, at_ - begin_);
    place_ = 0;
    if (item_.empty()) fail(begin_, "an empty layer; write one layer between two \"-\"");
    LayerSpec layer = is_digit(item_[0]) ? counted() : named();
    layer.position = begin_ + 1;
    if (place_ != item_.size()) {
      fail(begin_ + place_, str(in_quotes(item_.substr(place_)), " is not understood after ",
                                in_quotes(item_.substr(0, place_)), "; ", allowed(layer.kind)));
    }
    return layer;
  }

  [[noreturn]] void strange_character() const {
    auto end = at_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0U) == 0x80U) ++end;
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
                     guess.empty() ? str("; layers are e.g. 20c5, mp2, ap2, 100n, relu, tanh, sigmoid, softmax, bias")
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
  std::size_t at_ = 0;     // in text_
  std::string_view item_;  // between two dashes,
  std::size_t begin_ = 0;  // where it stands in text_,
  std::size_t place_ = 0;  // and how far it is read
};

std::string kind_name(Kind kind) {
  switch (kind) {
    case Kind::conv:
      return "conv";
    case Kind::max_pool:
      return "maxpool";
    case Kind::average_pool:
      return "avgpool";
    case Kind::dense:
      return "dense";
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
  }
  return {};
}

Value build_layer(Value x, const LayerSpec& layer) {
  const PoolOptions pool{.window = layer.window, .stride = layer.stride, .padding = layer.padding};
  switch (layer.kind) {
    case Kind::conv:
      return conv_layer(x, {.filters = layer.count,
                            .kernel = layer.window,
                            .options = {.stride = layer.stride, .padding = layer.padding, .groups = layer.groups},
                            .flipped = layer.flipped,
                            .bias = layer.untied ? Bias::untied : Bias::shared});
    case Kind::max_pool:
      return max_pool(x, pool);
    case Kind::average_pool:
      return average_pool(x, pool);
    case Kind::dense:
      return dense_layer(x, {.outputs = layer.count});
    case Kind::relu:
      return relu(x);
    case Kind::tanh:
      return tanh(x);
    case Kind::sigmoid:
      return sigmoid(x);
    case Kind::softmax:
      return softmax(x);
    case Kind::linear:
      return x;
    case Kind::bias:
      return bias_layer(x);
  }
  return x;
}

}  // namespace

std::vector<LayerSpec> parse_chain(std::string_view text, std::string_view what) {
  return ChainParser(text, what).parse();
}

Value build_chain(Value x, std::span<const LayerSpec> layers, LayerNames& names) {
  for (const auto& layer : layers) {
    if (layer.kind == Kind::linear) continue;
    const auto name = names.begin(kind_name(layer.kind));
    x = build_layer(x, layer);
    x.graph().name(x, name);
  }
  return x;
}

}  // namespace chalk

#include "src/net/chain.h"

#include <algorithm>

#include "chalkgrad/error.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/utf8.h"
#include "src/base/wording.h"
#include "src/layers/line_reader.h"
#include "src/layers/registry.h"

namespace chalk {
namespace {

using Form = Notation::Form;

constexpr std::size_t kMostLayers = 4096;
constexpr int kMostNesting = 16;
constexpr std::string_view kExample = "20c5-relu-mp2-100n-relu-10n";

bool is_plain(char c) { return c > ' ' && c < '\x7f'; }
bool ends_layer(char c) { return c == '-' || c == '(' || c == ')' || c == ','; }

class ChainParser {
 public:
  ChainParser(std::string_view text, std::string_view what) : text_(text), line_{text, what} {}

  std::vector<LayerSpec> parse() {
    if (text_.empty()) throw InputError(str(line_.what, " \"\": is empty; write layers, e.g. ", kExample));
    auto layers = chain();
    if (at_ < text_.size()) {
      fail(at_, str(in_quotes(text_.substr(at_, 1)), " stands outside of parentheses; ",
                    text_[at_] == ')' ? "remove it, or open one before it" : "layers are separated by \"-\""));
    }
    for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
      if (layers[i].layer->last) fail_not_last(layers[i]);
    }
    return layers;
  }

 private:
  [[noreturn]] void fail(std::size_t offset, const std::string& message) const { line_.fail(offset, message); }

  [[noreturn]] void fail_not_last(const LayerSpec& spec) const {
    fail(spec.position - 1, str(spec.layer->line.word, " can only be the last layer; move it there"));
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
    at_ += dashed_word(text_.substr(begin_));
    while (at_ < text_.size() && is_plain(text_[at_]) && !ends_layer(text_[at_])) ++at_;
    if (at_ < text_.size() && !is_plain(text_[at_])) strange_character();
    item_ = text_.substr(begin_, at_ - begin_);
    if (at_ < text_.size() && text_[at_] == '(') return in_parentheses(layers);
    if (item_.empty()) fail(begin_, "an empty layer; write one layer between two \"-\"");
    count_layers(1);
    layers.push_back(plain_layer());
  }

  /// The length of the word that the text begins with, if it is one with a "-" in it.
  static std::size_t dashed_word(std::string_view text) {
    for (const auto* layer : all_layers()) {
      const auto word = layer->line.word;
      if (word.find('-') != std::string_view::npos && text.starts_with(word)) return word.size();
    }
    return 0;
  }

  void count_layers(std::size_t more) {
    layers_ += more;
    if (layers_ > kMostLayers) fail(begin_, str("there are more than ", kMostLayers, " layers; use fewer"));
  }

  /// "res(…)", "res(…,…)" or "3*(…)".
  void in_parentheses(std::vector<LayerSpec>& layers) {
    const auto begin = begin_, open = at_;
    const auto [layer, times] = before_parenthesis();
    if (++nesting_ > kMostNesting)
      fail(open, str("there are more than ", kMostNesting, " parentheses in each other; write it with fewer"));
    count_layers(1);
    LayerSpec spec{.layer = layer, .position = begin + 1};
    ++at_;
    const auto before = layers_;
    spec.branches.push_back(chain());
    while (layer && at_ < text_.size() && text_[at_] == ',' && spec.branches.size() < layer->line.most_chains) {
      ++at_;
      spec.branches.push_back(chain());
    }
    if (at_ == text_.size() || text_[at_] != ')') {
      if (at_ == text_.size()) fail(open, "this parenthesis is not closed; write \")\" after its layers");
      fail(at_, str(in_quotes(text_.substr(at_, 1)), " cannot stand here; ",
                    layer ? layer->line.continuation : "a repetition holds one chain"));
    }
    ++at_;
    --nesting_;
    if (at_ < text_.size() && text_[at_] != '-' && text_[at_] != ')' && text_[at_] != ',')
      fail(at_, str(in_quotes(text_.substr(at_, 1)), " cannot stand after \")\"; write \"-\" before the next layer"));
    if (layer) {
      layers.push_back(std::move(spec));
      return;
    }
    begin_ = begin;
    count_layers((layers_ - before) * static_cast<std::size_t>(times - 1));
    const auto& repeated = spec.branches[0];
    for (std::int64_t i = 0; i < times; ++i) layers.insert(layers.end(), repeated.begin(), repeated.end());
  }

  /// What "(" follows: the layer whose branches it holds, or null and how often to repeat what it holds.
  std::pair<const Layer*, std::int64_t> before_parenthesis() const {
    LineReader in(line_, begin_, item_);
    if (in.at_digit() && item_.back() == '*') {
      const auto times = in.number("the number of repetitions");
      if (in.rest() == "*") return {nullptr, times};
    }
    std::string known;
    for (const auto* layer : all_layers()) {
      if (layer->line.form != Form::branches) continue;
      if (layer->line.word == item_) return {layer, 1};
      known += str(layer->line.example, " for ", layer->meaning.value, ", ");
    }
    fail(begin_, str(in_quotes(item_), " cannot stand before \"(\"; write ", known, "3*(…) for a repetition"));
  }

  LayerSpec plain_layer() const {
    LineReader in(line_, begin_, item_);
    const Layer& layer = in.at_digit() ? counted(in) : named(in);
    LayerSpec spec{
        .layer = &layer, .options = layer.line.read ? layer.line.read(in) : layer.options, .position = begin_ + 1};
    if (layer.last && nesting_ > 0) fail_not_last(spec);
    if (!in.done()) {
      in.fail(str(in_quotes(in.rest()), " is not understood after ", in_quotes(in.before()), "; ",
                  layer.line.continuation.empty() ? "end the layer with \"-\"" : layer.line.continuation));
    }
    return spec;
  }

  [[noreturn]] void strange_character() const {
    auto end = at_ + 1;
    while (end < text_.size() && !begins_character(text_[end])) ++end;
    const auto character = text_.substr(at_, end - at_);
    const std::string_view hint =
        character == " " ? "write the layers without spaces" : "layers are separated by a plain \"-\"";
    fail(at_, str(in_quotes(character), " cannot stand here; ", hint));
  }

  /// The layer whose word the item begins with, which is read.
  const Layer& named(LineReader& in) const {
    for (const auto* layer : all_layers()) {
      const auto& line = layer->line;
      if (line.form != Form::word || !item_.starts_with(line.word)) continue;
      const auto rest = item_.substr(line.word.size());
      if (!rest.empty() && !(line.read && (is_digit(rest[0]) || line.letters.find(rest[0]) != std::string::npos)))
        continue;
      in.take(line.word);
      return *layer;
    }
    std::vector<std::string_view> words;
    std::string examples;
    for (const auto* layer : all_layers()) {
      const auto& line = layer->line;
      if (line.form == Form::none) continue;
      if (line.word == line.example) words.push_back(line.word);
      examples += str(examples.empty() ? "" : ", ", line.example);
    }
    const auto guess = did_you_mean(item_, words);
    fail(begin_, str(in_quotes(item_), " is not a layer", guess.empty() ? str("; layers are e.g. ", examples) : guess));
  }

  /// The same for an item that begins with a number.
  const Layer& counted(LineReader& in) const {
    const auto count = in.number("a layer's size");
    in.count(count);
    for (const auto* layer : all_layers()) {
      if (layer->line.form == Form::counted && in.take(layer->line.word)) return *layer;
    }
    std::string known;
    for (const auto* layer : all_layers()) {
      const auto& line = layer->line;
      if (line.form != Form::counted) continue;
      const auto example = line.example.substr(line.example.find(line.word));
      known += str(known.empty() ? "; " : ", ", count, example, known.empty() ? " is " : " ", layer->what_is(count));
    }
    fail(begin_, str(in_quotes(item_), " is not a layer", known));
  }

  std::string_view text_;
  Line line_;
  std::size_t at_ = 0;      // in text_
  std::string_view item_;   // between two dashes,
  std::size_t begin_ = 0;   // and where it is in text_
  std::size_t layers_ = 0;  // so far, each as often as it is repeated
  int nesting_ = 0;
};

/// The branch with its last weights, or the scale of the normalisation behind them, starting at 0 (Goyal et al. 2017,
/// section 5.1): the sum then starts as x alone.
std::vector<LayerSpec> ending_in_zero(std::vector<LayerSpec> branch) {
  for (auto layer = branch.rbegin(); layer != branch.rend(); ++layer) {
    bool found = false;
    FieldFunction zero([&]<class T>(const Field& field, T& value) {
      if constexpr (std::is_same_v<T, std::string>) {
        if (field.name == "init") value = "zero", found = true;
      } else if constexpr (std::is_same_v<T, double>) {
        if (field.name == "scale") value = 0, found = true;
      }
    });
    auto options = layer->options.edited(zero);
    if (!found) continue;
    layer->options = std::move(options);
    break;
  }
  return branch;
}

Value build_spec(Value x, const LayerSpec& spec, bool centred, LayerNames& names) {
  const Layer& layer = *spec.layer;
  std::vector<Value> inputs{x};
  if (spec.branches.size() > 1) inputs.clear();
  const bool zero = names.zero_residuals && &layer == &layer_residual;
  for (const auto& branch : spec.branches) {
    const bool of_zero = zero && &branch == spec.branches.data();  // the others are shortcuts
    inputs.push_back(build_chain(x, of_zero ? ending_in_zero(branch) : branch, names));
  }
  if (spec.branches.size() > 1 && layer.line.last_first) std::rotate(inputs.begin(), inputs.end() - 1, inputs.end());
  names.begin(std::string(layer.name.value));
  const auto options = with_init(spec.options, names.init);
  return build_layer(layer, inputs, centred && layer.without_bias ? layer.without_bias(options) : options);
}

}  // namespace

Attributes with_init(const Attributes& options, const std::string& init) {
  if (init.empty()) return options;
  FieldFunction set([&]<class T>(const Field& field, T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      if (field.name == "init" && value == WeightInit().text()) value = init;
    }
  });
  return options.edited(set);
}

std::vector<LayerSpec> parse_chain(std::string_view text, std::string_view what) {
  return ChainParser(text, what).parse();
}

Value build_chain(Value x, std::span<const LayerSpec> layers, LayerNames& names) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const bool centred = i + 1 < layers.size() && layers[i + 1].layer->centres;  // a bias would vanish there
    const Value y = build_spec(x, layers[i], centred, names);
    if (y == x) continue;  // it does nothing
    x = y;
    x.graph().name(x, x.graph().layer());
  }
  return x;
}

}  // namespace chalk

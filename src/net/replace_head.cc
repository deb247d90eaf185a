// A network's text with another number of outputs.
#include "chalkgrad/replace_head.h"

#include <optional>
#include <utility>
#include <vector>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/net/chain.h"
#include "src/net/toml_reader.h"

namespace chalk {
namespace {

/// Where in the text a place of TOML is, whose columns count characters.
std::size_t offset_of(const std::string& text, const toml::source_position& place) {
  std::size_t at = 0;
  for (toml::source_index line = 1; line < place.line; ++line) at = text.find('\n', at) + 1;
  for (toml::source_index column = 1; column < place.column; ++column) {
    do ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U);  // the rest of a character
  }
  return at;
}

/// Where a chain's last dense or convolution layer begins, from 0.
std::optional<std::size_t> head_in(std::string_view chain) {
  const auto layers = parse_chain(chain);
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    const auto& name = layer->layer->name.value;
    if (name == "dense" || name == "conv") return layer->position - 1;
  }
  return std::nullopt;
}

std::vector<const toml::table*> tables(toml::node_view<const toml::node> list) {
  std::vector<const toml::table*> found;
  const auto* array = list.as_array();
  for (std::size_t i = 0; array && i < array->size(); ++i) {
    if (const auto* table = array->get(i)->as_table()) found.push_back(table);
  }
  return found;
}

std::vector<std::string> names(toml::node_view<const toml::node> list) {
  std::vector<std::string> found;
  const auto* array = list.as_array();
  for (std::size_t i = 0; array && i < array->size(); ++i) found.push_back(array->get(i)->value_or(std::string()));
  return found;
}

class HeadReplacer {
 public:
  HeadReplacer(const Network& model, std::int64_t outputs)
      : text_(model.text()), before_(model.output_shape().empty() ? 0 : model.output_shape()[0]), outputs_(outputs) {}

  NewHead replaced() {
    if (!is_toml(text_)) {
      const auto head = head_in(text_);
      if (!head) fail();
      replace(*head);
      return {text_, "the last layer", before_};
    }
    top_ = parse_toml(text_, {"its network"});
    if (const auto line = top_["network"].value<std::string>()) {
      const auto head = head_in(*line);
      if (!head) fail();
      replace(offset_of(text_, top_["network"].node()->source().begin) + 1 + *head);
      return {text_, "the last layer", before_};
    }
    const auto layers = tables(std::as_const(top_)["layer"]);
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
      if (is_head(**layer)) return {text_, (**layer)["name"].value<std::string>().value_or("the last layer"), before_};
    }
    fail();
  }

 private:
  [[noreturn]] static void fail() {
    throw InputError(
        "its network ends with no layer whose outputs are the classes; write the network that is wanted as TOML");
  }

  /// Edits the text from its end on, so that places before stay where they are.
  bool is_head(const toml::table& layer) {
    const auto type = layer["type"].value<std::string>().value_or("");
    if (const auto chain = layer["chain"].value<std::string>()) {
      const auto head = head_in(*chain);
      if (head) replace(offset_of(text_, layer["chain"].node()->source().begin) + 1 + *head);
      return head.has_value();
    }
    const char* key = type == "dense" ? "outputs" : type == "conv" ? "filters" : nullptr;
    if (key && layer[key].value<std::int64_t>() == before_) {
      replace(offset_of(text_, layer[key].node()->source().begin));
      return true;
    }
    if (key) fail();                                 // a layer with weights makes something else
    for (const auto& name : names(layer["from"])) {  // a bias by itself, as of a product and a sum
      for (const auto* parameter : tables(std::as_const(top_)["parameter"])) {
        if ((*parameter)["name"].value<std::string>() == name) replace_extents(*parameter);
      }
    }
    replace_extents(layer);  // what comes behind it and says how many there are
    return false;
  }

  void replace_extents(const toml::table& table) {
    const auto* shape = table["shape"].as_array();
    for (auto i = shape ? shape->size() : 0; i-- > 0;) {
      if (shape->get(i)->value<std::int64_t>() == before_) replace(offset_of(text_, shape->get(i)->source().begin));
    }
  }

  void replace(std::size_t at) {
    const auto old = std::to_string(before_);
    if (text_.compare(at, old.size(), old) != 0) fail();
    text_.replace(at, old.size(), std::to_string(outputs_));
  }

  std::string text_;
  std::int64_t before_, outputs_;
  toml::table top_{};
};

}  // namespace

NewHead replace_head(const Network& model, std::int64_t outputs) { return HeadReplacer(model, outputs).replaced(); }

}  // namespace chalk

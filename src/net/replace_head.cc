// A network's text with another number of outputs.
#include "chalkgrad/replace_head.h"

#include <algorithm>

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
    const auto top = parse_toml(text_, {"its network"});
    if (const auto line = top["network"].value<std::string>()) {
      const auto head = head_in(*line);
      if (!head) fail();
      replace(offset_of(text_, top["network"].node()->source().begin) + 1 + *head);
      return {text_, "the last layer", before_};
    }
    const auto* layers = top["layer"].as_array();
    for (auto i = layers ? layers->size() : 0; i-- > 0;) {
      if (const auto* layer = layers->get(i)->as_table(); layer && is_head(*layer))
        return {text_, layer->get_as<std::string>("name") ? *(*layer)["name"].value<std::string>() : "the last layer",
                before_};
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
    if (key) fail();                                      // a layer with weights makes something else
    if (const auto* shape = layer["shape"].as_array()) {  // what comes behind it and says how many there are
      for (auto i = shape->size(); i-- > 0;) {
        if (shape->get(i)->value<std::int64_t>() == before_) replace(offset_of(text_, shape->get(i)->source().begin));
      }
    }
    return false;
  }

  void replace(std::size_t at) {
    const auto old = std::to_string(before_);
    if (text_.compare(at, old.size(), old) != 0) fail();
    text_.replace(at, old.size(), std::to_string(outputs_));
  }

  std::string text_;
  std::int64_t before_, outputs_;
};

}  // namespace

NewHead replace_head(const Network& model, std::int64_t outputs) { return HeadReplacer(model, outputs).replaced(); }

}  // namespace chalk

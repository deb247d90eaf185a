#include "src/layers/registry.h"

#include <algorithm>

#include "src/ir/checks.h"

namespace chalk {

std::span<const Layer* const> all_layers() {
  static constexpr const Layer* kAll[] = {
#define CHALK_LAYER(name) &layer_##name,
#include "src/layers/layers.inc"
#undef CHALK_LAYER
  };
  if (kAll[0]->name.value.empty()) fail_before_main();
  return kAll;
}

const Layer* find_layer(std::string_view name) {
  const auto layers = all_layers();
  const auto found = std::ranges::find_if(layers, [&](const Layer* layer) { return layer->name.value == name; });
  return found == layers.end() ? nullptr : *found;
}

const Layer* find_activation(std::string_view name) {
  const auto* layer = find_layer(name);
  return layer && layer->activation ? layer : nullptr;
}

void visit_init(FieldVisitor& v, WeightInit& init) {
  std::string text = init.text();
  const auto check = [](const std::string& written) { (void)WeightInit::parse(written); };
  v.field({"init", check, "[how weights start](#how-weights-start)"}, text);
  init = WeightInit::parse(text);
}

std::string activation_names(std::string_view last) {
  std::string names;
  std::string_view waiting;
  for (const auto* layer : all_layers()) {
    if (!layer->activation) continue;
    if (!waiting.empty()) names += str(names.empty() ? "" : ", ", waiting);
    waiting = layer->name;
  }
  return str(names, " ", last, " ", waiting);
}

}  // namespace chalk

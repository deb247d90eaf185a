// Networks in one line: "20c5-relu-mp2-40c5-relu-mp2-100n-relu-10n". The language is described in docs/networks.md.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/graph.h"
#include "src/layers/layer.h"
#include "src/net/names.h"

namespace chalk {

/// One layer as written.
struct LayerSpec {
  const Layer* layer = nullptr;
  Attributes options{};
  std::size_t position = 0;                        ///< of its first character in the text, from 1
  std::vector<std::vector<LayerSpec>> branches{};  ///< its chains, in their order

  bool operator==(const LayerSpec&) const = default;
};

/// Reads a chain. `what` is how messages call the text. Throws InputError pointing at the character.
std::vector<LayerSpec> parse_chain(std::string_view text, std::string_view what = "network");

/// The options with `init` for their field of that name, if they have one that says what it says by default.
Attributes with_init(const Attributes& options, const std::string& init);

/// Appends the layers to x's graph, names them, and returns the last one's value. Throws ShapeError naming the layer.
Value build_chain(Value x, std::span<const LayerSpec> layers, LayerNames& names);

}  // namespace chalk

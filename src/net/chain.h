// Networks in one line: "20c5-relu-mp2-40c5-relu-mp2-100n-relu-10n". The language is described in docs/networks.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/graph.h"
#include "chalkgrad/ops.h"
#include "src/net/names.h"

namespace chalk {

/// One layer as written.
struct LayerSpec {
  enum class Kind : std::uint8_t {
    conv,
    max_pool,
    average_pool,
    global_average_pool,
    dense,
    batch_norm,
    relu,
    tanh,
    sigmoid,
    softmax,
    linear,
    bias,
    residual
  };
  Kind kind = Kind::linear;
  std::int64_t count = 0;           ///< filters of a convolution, outputs of a dense layer
  Pair window{1, 1}, stride{1, 1};  ///< of a convolution or pooling
  Pair padding{0, 0};
  std::int64_t groups = 1;
  bool flipped = false, untied = false;         // of a convolution: its kernel; its bias
  std::size_t position = 0;                     ///< of its first character in the text, from 1
  std::vector<LayerSpec> branch{}, shortcut{};  ///< of a residual: F, and G if it is not x itself, of F(x) + G(x)

  bool operator==(const LayerSpec&) const = default;
};

/// Numbers in a network's text are at most this.
constexpr std::int64_t kMostNumber = std::int64_t{1} << 20;

/// Reads a chain. `what` is how messages call the text. Throws InputError pointing at the character.
std::vector<LayerSpec> parse_chain(std::string_view text, std::string_view what = "network");

/// Appends the layers to x's graph, names them, and returns the last one's value. Throws ShapeError naming the layer.
Value build_chain(Value x, std::span<const LayerSpec> layers, LayerNames& names);

}  // namespace chalk

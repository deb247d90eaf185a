// Networks: a forward graph with its parameters, written in one line or in TOML, saved as safetensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/graph.h"
#include "chalkgrad/program.h"
#include "chalkgrad/train_options.h"

namespace chalk {

/// How images become the network's input; kept with the model so that predictions see what training saw.
struct InputEncoding {
  std::vector<float> scale, shift;       ///< per channel: byte · scale + shift
  std::vector<std::string> class_names;  ///< may be empty
};

/// Can be copied: `Network best = net;` keeps the weights, the optimizer's state and the record as they are now, and
/// either can be trained without the other noticing. `net = best;` brings them back; a Predictor or Trainer of `net`
/// goes on with them if both networks have the same text.
class Network {
 public:
  /// A network whose forward graph has one batched input "x" and one output "y" (logits, for a classifier).
  /// `text` is its source (a chain or TOML) and goes into the model file.
  Network(Graph graph, std::string text);

  const Graph& graph() const { return graph_; }
  const std::string& text() const { return text_; }
  const Shape& input_shape() const;
  const Shape& output_shape() const;
  /// Parameters (and, after training, the optimizer's state). Made by initialize() or load().
  Variables& variables() { return variables_; }
  const Variables& variables() const { return variables_; }
  /// Draws the parameters from the seed; discards what has been learned, and the record of it.
  void initialize(std::uint64_t seed);

  InputEncoding encoding;
  /// How it has been trained and how far that has come; train() keeps this up to date.
  std::optional<TrainingRecord> training;
  /// The rest of the model file's metadata (see docs/formats.md).
  std::map<std::string, std::string> metadata;

  /// Writes a safetensors file, under a temporary name that is then changed. Throws InputError.
  void save(const std::filesystem::path& file) const;
  /// Reads such a file and builds the graph from its text. Throws InputError naming the file and what is wrong with it.
  static Network load(const std::filesystem::path& file);
  /// SHA-256, in hex, over the bytes of all parameters, running statistics included, in order of their names.
  std::string weights_sha256() const;

 private:
  Graph graph_;
  std::string text_;
  Variables variables_;
};

/// What became of a network's parameters, running statistics included, in their order.
struct TakenWeights {
  std::vector<std::string> taken;   ///< those that have the other network's values now
  std::vector<std::string> drawn;   ///< those that stay as they are: "head.bias", "head.weight (5×64, there 10×64)"
  std::vector<std::string> unused;  ///< those of the other network for whose names there are none
};
/// Gives a network the parameters of another that have the same names and shapes.
TakenWeights take_weights(Network& network, const Network& other);

/// True if the text is TOML, not a chain: if it has a newline or '='.
bool is_toml(std::string_view text);

/// Builds a network for samples of shape `input` from one line such as
/// "20c5-relu-mp2-40c5-relu-mp2-100n-relu-10n", or from TOML text (anything with a newline or '='). See
/// docs/networks.md. `input` may be {} for TOML that gives its own; `origin`, e.g. a file's name, begins the messages.
/// Throws InputError pointing at the character or line, ShapeError naming the layer.
Network network(std::string_view text, const Shape& input, std::uint64_t seed = 1, std::string_view origin = "network");

}  // namespace chalk

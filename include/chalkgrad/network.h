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

/// How samples become the network's input; kept with the model so that predictions see what training saw.
struct InputEncoding {
  std::vector<float> scale, shift;       ///< per channel: element · scale + shift; empty: numbers as they are
  std::vector<std::string> class_names;  ///< may be empty
  bool per_sample = false;               ///< Dataset::per_sample
  bool of_values = false;                ///< the elements are numbers (Dataset::values); otherwise bytes

  /// Whether there is something to do to bytes.
  bool encodes_bytes() const { return !scale.empty() && !of_values; }
  /// Samples, of which there is as much as a program asks for, as training saw them. Lives as long as this does.
  Feed feed(const std::uint8_t* bytes) const;
  Feed feed(const float* values) const;
};

/// An output of a network, and what it counts in training, which minimises (or maximises) Σ weight · loss over all
/// outputs, each loss a mean over the batch. (Keras' loss_weights; in PyTorch, loss = a*l1 + b*l2.)
struct NetworkOutput {
  std::string name = "y";  ///< of an output of the graph
  /// A finite number of at least 0, of the first output above 0. An output of weight 0 is not trained, nor are
  /// parameters that only such outputs need: training is as if they were not there.
  double weight = 1;
  /// Its own loss, minimised or maximised as the first output's is. Empty: that of TrainOptions, which is the first's.
  std::optional<Loss> loss{};
  /// It is compared with the sample itself, as the network sees it, not with its target. Not the first output.
  bool reconstructs = false;

  bool operator==(const NetworkOutput&) const = default;
};

/// Can be copied: `Network best = net;` keeps the weights, the optimizer's state and the record as they are now, and
/// either can be trained without the other noticing. `net = best;` brings them back; a Predictor or Trainer of `net`
/// goes on with them if both networks have the same text.
class Network {
 public:
  /// A network whose forward graph has one batched input "x" and an output "y" (logits, for a classifier), which is
  /// what it predicts. `outputs` are those that are trained, of which the first must be "y"; none means "y" alone.
  /// `text` is its source (a chain or TOML) and goes into the model file, from which outputs are read again with the
  /// graph. Throws InputError for outputs that are not as NetworkOutput says, or not in the graph.
  Network(Graph graph, std::string text, std::vector<NetworkOutput> outputs = {});

  const Graph& graph() const { return graph_; }
  const std::string& text() const { return text_; }
  const Shape& input_shape() const;
  /// Of one of the outputs. Throws InputError naming those there are.
  const Shape& output_shape(std::string_view output = "y") const;
  /// At least one. The first, "y", is the prediction: accuracy, validation, ensembles and early stopping look at it.
  const std::vector<NetworkOutput>& outputs() const { return outputs_; }
  /// The graph with one of the outputs alone.
  Graph graph_of(std::string_view output) const;
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
  /// Reads such a file and builds the graph from its text; or an ONNX file, whose name ends with .onnx (docs/onnx.md).
  /// Throws InputError naming the file and what is wrong with it.
  static Network load(const std::filesystem::path& file);
  /// SHA-256, in hex, over the bytes of all parameters, running statistics included, in order of their names.
  std::string weights_sha256() const;

 private:
  Graph graph_;
  std::string text_;
  std::vector<NetworkOutput> outputs_;
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

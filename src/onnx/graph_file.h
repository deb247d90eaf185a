// An ONNX file that is being written: leaves of a graph become its inputs and the tensors it holds.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <string>

#include "chalkgrad/onnx.h"
#include "src/onnx/emitter.h"

namespace chalk::onnx {

class GraphFile {
 public:
  /// All must live as long as the file. Throws InputError for options out of range.
  GraphFile(const Graph& graph, const Variables& variables, const OnnxOptions& options);

  Model& model() { return model_; }
  Emitter& emitter() { return emitter_; }
  /// What a leaf becomes: one of those below. Must be set before a value is asked for.
  std::function<std::string(NodeId id)> leaf;

  // Each of these declares a leaf and returns its tensor.

  /// An input as it is: of samples, or one number for all.
  std::string input(NodeId id);
  /// An input of samples as a network sees them; with OnnxOptions::bytes, as bytes, which are encoded here.
  std::string samples(NodeId id, const InputEncoding& encoding);
  /// One-hot vectors, from an input "labels" of whole numbers.
  std::string labels(NodeId id);
  /// Numbers that the engine draws: uniform in [0, 1).
  std::string noise(NodeId id);
  /// A tensor that the file holds; `open`: an input, too.
  std::string parameter(NodeId id, bool open);
  /// A tensor of one number that the file holds and a run may give.
  std::string open_number(const std::string& name, float value);
  std::string open_number(const std::string& name, std::int64_t value);

  /// An output of that name, which the emitter must have reserved.
  void output(const std::string& name, NodeId id);
  void output_whole_number(const std::string& name, const std::string& tensor);

  /// Throws InputError if the weights are more than an ONNX file holds, or if the file cannot be written.
  void save(const std::filesystem::path& file);

 private:
  Extent batch() const;
  std::vector<Extent> extents(const Type& type) const;
  std::string open(Initializer tensor);

  const Variables& variables_;
  const OnnxOptions& options_;
  Model model_;
  Emitter emitter_;
};

}  // namespace chalk::onnx

// From a graph for one sample to an ONNX graph for a batch: a batched value gets the batch as its first axis, a shared
// one stays as it is.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/graph.h"
#include "src/onnx/model.h"

namespace chalk::onnx {

using Ints = std::vector<std::int64_t>;
using Names = std::vector<std::string>;
using CallAttributes = std::vector<std::pair<std::string, AttributeValue>>;

class Emitter;

/// How a value is written: from which values of the graph, and as which calls.
struct Translation {
  /// Of a composite, which several operations make up: the values it is computed from, or none if the value is not one.
  std::vector<NodeId> (*match)(const Graph& graph, NodeId id) = nullptr;
  /// Appends calls and returns the name of the tensor that is the value.
  std::string (*write)(Emitter& to, NodeId id, std::span<const NodeId> operands) = nullptr;
};

/// Appends what a graph's values are to a model.
class Emitter {
 public:
  /// Declares an input or parameter in the model and returns the name of its tensor.
  using Leaf = std::function<std::string(NodeId id)>;
  Emitter(const Graph& graph, Model& model, Leaf leaf);

  const Graph& graph() const { return graph_; }
  Model& model() { return model_; }
  const Node& node(NodeId id) const { return graph_.node(id); }
  const Type& type(NodeId id) const { return node(id).type; }
  /// 1 if the value's tensor has the batch as its first axis, else 0: what an axis of the graph is moved by.
  std::int64_t lead(NodeId id) const { return type(id).batched ? 1 : 0; }

  /// The tensor that is this value, written now if it has not been. Values are asked for in any order, but a value
  /// whose operands have not been written goes as deep as its chain of operands: write() first.
  std::string operand(NodeId id);
  /// That tensor is this value: it is not written.
  void give(NodeId id, const std::string& tensor) { written_.emplace(id, tensor); }
  /// Writes all values that these need, in the graph's order.
  void write(std::span<const NodeId> wanted);

  /// The operand with the batch in front, also if it is shared.
  std::string batched_operand(NodeId id);
  /// The operand with as many axes as a result of `rank` has, so that NumPy's broadcasting does what the graph's does.
  std::string aligned_operand(NodeId id, std::size_t rank);

  /// Appends a call of an operator and returns its result.
  std::string call(std::string_view op, Names inputs, CallAttributes attributes = {});
  /// The same of several results.
  Names call(std::size_t results, std::string_view op, Names inputs, CallAttributes attributes = {});
  /// A vector of whole numbers, and one number: constants of the model.
  std::string ints(const Ints& numbers);
  std::string number(double value);
  /// How many samples there are: a vector of one whole number.
  std::string batch();
  /// The shape of a tensor with one such value for each sample, as a vector.
  std::string batch_of(const Ints& shape);
  std::string zeros(const Type& of);
  /// A reshape; 0 is the extent of the operand at that place.
  std::string reshape(const std::string& tensor, const Ints& shape);
  /// The shape for Reshape: of a batched value with the batch, as 0, in front.
  static Ints shape_of(const Type& type);
  /// A reduction, whose axes moved from an attribute to an operand in opset 18 (ReduceSum: 13).
  std::string reduce(std::string_view op, const std::string& tensor, const Ints& axes, bool keep);
  /// Adds a tensor of numbers to the model, under a name that is free.
  std::string initializer(Initializer tensor);
  /// Keeps a name for an output: no value is called so. Throws InputError if an input is.
  void reserve(const std::string& name);

  /// A value that is only computed for somebody who asks: calls `make` once.
  std::string once(const std::string& key, const std::function<std::string()>& make);

 private:
  struct Recipe {
    const Translation* translation = nullptr;
    std::vector<NodeId> operands;
  };
  Recipe recipe_of(NodeId id) const;
  std::string fresh();
  bool rename(std::size_t first, const std::string& from, const std::string& to);

  const Graph& graph_;
  Model& model_;
  Leaf leaf_;
  std::map<NodeId, std::string> written_;
  std::map<std::string, std::string> made_;
  std::set<std::string, std::less<>> names_, reserved_;
  NodeId now_ = -1;  ///< the value being written
  int counter_ = 0;
};

/// Of an operation; inputs and parameters have none.
const Translation& translation_of(const Op& op);
/// Those that an opset has, in the order in which they are tried.
std::span<const Translation* const> composites();

}  // namespace chalk::onnx

// From an ONNX graph to a network in TOML and its parameters.
#pragma once

#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "chalkgrad/network.h"
#include "src/net/build.h"
#include "src/onnx/file.h"

namespace chalk::onnx {

using Extents = std::vector<std::int64_t>;

/// Stands for the number of samples in a vector of extents. It can be moved around, not calculated with.
constexpr std::int64_t kBatch = std::numeric_limits<std::int64_t>::min() + 1;

/// Elements of what is calculated when a file is read.
constexpr std::size_t kMostFolded = std::size_t{1} << 20;

/// Floats; or a tensor of the file, which becomes floats when somebody looks at all of them; or one number, so many
/// times, which takes no memory until it is the network's.
class Reals {
 public:
  Reals() = default;
  Reals(std::size_t count, float number) : state_(new State{.numbers = {number}, .repeats = count}) {}
  explicit Reals(std::vector<float> numbers) : state_(new State{.numbers = std::move(numbers)}) {}
  /// The tensor must stay where it is.
  explicit Reals(const Tensor& stored) : state_(new State{.stored = &stored}) {}

  explicit operator bool() const { return state_ != nullptr; }
  /// Not of a repeated one.
  const std::vector<float>& operator*() const;
  /// Throws InputError if it is repeated more than kMostFolded times: then nothing is calculated with it.
  float at(std::size_t i) const;
  /// The number that is repeated, or null.
  const float* repeated() const { return state_ && state_->repeats > 0 ? state_->numbers.data() : nullptr; }
  /// The tensor that it still is, or null.
  const Tensor* stored() const { return state_ ? state_->stored : nullptr; }

 private:
  struct State {
    const Tensor* stored = nullptr;
    std::vector<float> numbers{};
    std::size_t repeats = 0;
  };
  std::shared_ptr<State> state_;
};

/// A tensor whose numbers are known when the file is read: weights, and what exporters calculate of shapes.
struct Known {
  Extents extents;
  Reals reals{};  ///< one of the two
  std::shared_ptr<const std::vector<std::int64_t>> wholes{};
  std::string name{};  ///< of the initializer that it is; empty: a constant, or calculated
  int type = 0;        ///< TensorProto.DataType in the file; 0: calculated

  std::size_t size() const;
  /// As numbers, whichever they are.
  double at(std::size_t i) const {
    return reals ? static_cast<double>(reals.at(i)) : static_cast<double>((*wholes)[i]);
  }
};

class Importer;

/// One ONNX operator: appends what a node is.
using ImportRule = void (*)(Importer& to, const FileNode& node);
/// Null if there is none.
ImportRule import_rule(std::string_view op);
/// All that can be read, in alphabetical order.
std::vector<std::string_view> imported_operators();

/// How a model is taken.
struct Reading {
  bool whole = false;    ///< the input is one sample; otherwise its first axis is the batch
  bool partial = false;  ///< the input, and outputs that depend on it, may be missing: see Importer::fixed()
};

class Importer {
 public:
  Importer(const FileModel& model, std::string origin, Reading reading = {});

  /// The network, with the file's weights. Throws InputError naming the file, the node and what is wrong with it.
  Network network();

  /// Goes through the nodes, as network() does by itself.
  void read();
  /// After read(): what an output is that does not depend on the sample; null if it does.
  const Known* fixed(const std::string& output) const;
  /// After read(): whether the input's first axis is the batch.
  bool has_batch() const { return !reading_.whole; }

  // ---- for the rules ----

  std::int64_t opset() const { return model_.opset(); }
  [[noreturn]] void fail(const FileNode& node, std::string_view message) const;

  /// Attributes. Their kind must be the asked one.
  std::int64_t whole(const FileNode& node, std::string_view key, std::int64_t otherwise) const;
  double real(const FileNode& node, std::string_view key, double otherwise) const;
  std::string_view text(const FileNode& node, std::string_view key, std::string_view otherwise) const;
  Extents wholes(const FileNode& node, std::string_view key, const Extents& otherwise = {}) const;

  /// Whether an operand was given.
  static bool has(const FileNode& node, std::size_t i) { return i < node.inputs.size() && !node.inputs[i].empty(); }
  /// The operand's numbers, or null if they depend on the sample.
  const Known* known(const FileNode& node, std::size_t i) const;
  /// They must be known: `what` they are.
  const Known& required(const FileNode& node, std::size_t i, std::string_view what) const;
  /// The one number that such an operand is.
  double required_number(const FileNode& node, std::size_t i, std::string_view what) const;
  /// The operand as a value of the network; a known one becomes a parameter or a constant.
  Value value(const FileNode& node, std::size_t i);
  /// As an operand of an operation whose result has so many axes, the batch included.
  Value aligned(const FileNode& node, std::size_t i, std::size_t rank);
  /// The shape that ONNX sees: with the batch.
  Extents extents(const FileNode& node, std::size_t i) const;
  Extents extents_of(Value value) const;
  /// 1 if ONNX sees the batch's axis before those of the value's shape, else 0.
  std::size_t lead(Value value) const { return value.batched() && !reading_.whole ? 1 : 0; }
  /// How many samples a batch had when the file was written; −1 if that is open.
  std::int64_t batch() const { return batch_; }
  /// An axis of so many, from 0.
  std::int64_t axis(const FileNode& node, std::int64_t axis, std::size_t rank) const;
  /// The same as an axis of the value's shape; the batch's is an error.
  std::int64_t axis(const FileNode& node, std::int64_t axis, Value value) const;
  /// All in that way, or all axes if there are none, in increasing order.
  Extents axes(const FileNode& node, const Extents& axes, Value value) const;
  /// The first operand, which must have the batch's axis: `what` it takes.
  Value samples(const FileNode& node, std::string_view what);

  /// Appends a layer. `keys` are lines of TOML. `weights`: its parameters, by the last part of their names. `like`
  /// names the layer: the name of its weights without ".weight"; otherwise it is called as the node's result.
  Value layer(const FileNode& node, std::string_view type, Value from, std::string_view keys,
              std::map<std::string, Known> weights);
  Value layer(const FileNode& node, std::string_view type, Value from, std::string_view keys = {});
  /// The same of an operation.
  Value operation(const FileNode& node, std::string_view op, std::initializer_list<Value> from,
                  std::string_view keys = {});
  Value operation(const FileNode& node, std::string_view op, std::span<const Value> from, std::string_view keys = {});
  /// A number for all.
  Value number(double value);
  /// Numbers that are never trained.
  Value fixed(const std::string& name, const Extents& shape, std::vector<float> numbers);
  Value reshaped(const FileNode& node, Value value, const Shape& shape);

  /// The operand with another shape, as a parameter if it is an initializer.
  Value parameter(const FileNode& node, std::size_t i, const Shape& shape);
  /// Writes what the network's graph has got from node `first` on.
  void written(const FileNode& node, NodeId first);

  /// What a MaxPool's Indices were made of: places in windows, and the pooling's keys.
  void pooled(const FileNode& node, Value window, std::string keys) {
    pools_[node.outputs[1]] = {window, std::move(keys)};
  }
  const std::pair<Value, std::string>* pool_of(const FileNode& node, std::size_t i) const;

  /// A value whose batch is not in front, as between two transpositions: its axes without the batch's.
  struct Displaced {
    Value value{};
    std::int64_t batch_at = 0;
  };
  void displace(const FileNode& node, Displaced value);
  const Displaced* displaced(const FileNode& node, std::size_t i) const;

  void define(const FileNode& node, std::size_t i, Value value);
  void define(const FileNode& node, std::size_t i, Known known);

  /// Goes through a graph within the node, whose outputs are the node's.
  void import_graph(const FileNode& node, const FileGraph& graph);
  /// Calls the rule of a node, which may be made up by another rule, or goes through the function that it is.
  void import(const FileNode& node);

 private:
  using Held = std::variant<Known, Value>;
  const Held& held(const FileNode& node, std::size_t i) const;
  std::vector<const FileNode*> sorted() const;
  void begin_with(const FileGraph& graph);
  void call(const FileFunction& function, const FileNode& node);
  std::string new_name(const std::string& wanted);
  Value parameter(const Known& known, const Extents& shape);
  void take_weights(Network& network);
  void begin();

  /// A table of TOML, and the names that it takes.
  struct Table {
    std::string name{}, text{};
    std::vector<std::string> from{};
  };
  Value append(const FileNode& node, std::string_view type, std::span<const Value> from, std::string_view keys,
               std::map<std::string, Known> weights);
  Value add(Table table);
  /// Numbers that no tensor of the file holds, so that a small file does not become a large network.
  void count(std::size_t numbers);
  std::string text_of(const std::vector<std::string>& outputs) const;

  const FileModel& model_;
  std::string origin_;
  Reading reading_;
  std::unique_ptr<GrowingNetwork> growing_;
  Shape input_;
  std::int64_t batch_ = -1;
  std::vector<Table> tables_;  ///< of the network's TOML
  std::map<std::string, Held> values_;
  std::map<std::string, Known> weights_;  ///< of the network, by the names of its parameters
  std::map<double, Value> numbers_;
  std::map<std::string, Value> parameters_;                     ///< made of initializers, by their names and shape
  std::map<std::string, std::pair<Value, std::string>> pools_;  ///< by the names of Indices
  std::map<std::string, Displaced> displaced_;
  std::set<std::string> names_;
  int depth_ = 0;               ///< of functions and graphs within each other
  std::size_t calculated_ = 0;  ///< numbers that the nodes hold or calculate
};

Known known_wholes(Extents extents, std::vector<std::int64_t> numbers);
Known known_reals(Extents extents, std::vector<float> numbers);
Known known_repeated(Extents extents, double number);
/// "[1, 2]"
std::string toml(const Extents& numbers);
constexpr const char* truth(bool is_so) { return is_so ? "true" : "false"; }
/// A number that TOML reads back to the same.
std::string toml(double number);
/// "alpha = 0.5" and the end of its line.
std::string key(const char* name, double value);

}  // namespace chalk::onnx

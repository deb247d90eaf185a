// From an ONNX graph to a network in TOML and its parameters.
#pragma once

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

/// A tensor whose numbers are known when the file is read: weights, and what exporters calculate of shapes.
struct Known {
  Extents extents;
  std::shared_ptr<const std::vector<float>> reals{};  ///< one of the two
  std::shared_ptr<const std::vector<std::int64_t>> wholes{};
  std::string name{};  ///< of the initializer that it is; empty: a constant, or calculated

  std::size_t size() const { return reals ? reals->size() : wholes->size(); }
  /// As numbers, whichever they are.
  double at(std::size_t i) const {
    return reals ? static_cast<double>((*reals)[i]) : static_cast<double>((*wholes)[i]);
  }
};

class Importer;

/// One ONNX operator: appends what a node is.
using ImportRule = void (*)(Importer& to, const FileNode& node);
/// Null if there is none.
ImportRule import_rule(std::string_view op);
/// All that can be read, in alphabetical order.
std::vector<std::string_view> imported_operators();

class Importer {
 public:
  Importer(const FileModel& model, std::string origin);

  /// The network, with the file's weights. Throws InputError naming the file, the node and what is wrong with it.
  Network network();

  // ---- for the rules ----

  std::int64_t opset() const { return model_.opset(); }
  [[noreturn]] void fail(const FileNode& node, const std::string& message) const;

  /// Attributes. Their kind must be the asked one.
  std::int64_t whole(const FileNode& node, std::string_view key, std::int64_t otherwise) const;
  double real(const FileNode& node, std::string_view key, double otherwise) const;
  std::string text(const FileNode& node, std::string_view key, const std::string& otherwise) const;
  Extents wholes(const FileNode& node, std::string_view key, const Extents& otherwise = {}) const;

  /// Whether an operand was given.
  static bool has(const FileNode& node, std::size_t i) { return i < node.inputs.size() && !node.inputs[i].empty(); }
  /// The operand's numbers, or null if they depend on the sample.
  const Known* known(const FileNode& node, std::size_t i) const;
  /// They must be known: `what` they are.
  const Known& required(const FileNode& node, std::size_t i, std::string_view what) const;
  /// The operand as a value of the network; a known one becomes a parameter or a constant.
  Value value(const FileNode& node, std::size_t i);
  /// As an operand of an elementwise operation, whose result has so many axes, the batch included.
  Value aligned(const FileNode& node, std::size_t i, std::size_t rank);
  /// The shape that ONNX sees: with the batch.
  Extents extents(const FileNode& node, std::size_t i) const;
  static Extents extents_of(Value value);
  /// An axis of the operand, from 0; the batch's is an error, if so.
  std::int64_t axis(const FileNode& node, std::int64_t axis, std::size_t rank, bool not_batch = true) const;

  /// Appends a layer. `keys` are lines of TOML. `weights`: its parameters, by the last part of their names. `like`
  /// names the layer: the name of its weights without ".weight"; otherwise it is called as the node's result.
  Value layer(const FileNode& node, std::string_view type, const std::vector<Value>& from, const std::string& keys = {},
              std::map<std::string, Known> weights = {});
  /// The same of an operation.
  Value operation(const FileNode& node, std::string_view op, const std::vector<Value>& from,
                  const std::string& keys = {});
  /// A number for all.
  Value number(double value);
  /// Numbers that are never trained.
  Value fixed(const std::string& name, const Extents& shape, std::vector<float> numbers);
  Value reshaped(const FileNode& node, Value value, const Shape& shape);

  void define(const FileNode& node, std::size_t i, Value value);
  void define(const FileNode& node, std::size_t i, Known known);

  /// Calls the rule of a node, which may be made up by another rule, or goes through the function that it is.
  void import(const FileNode& node, int depth = 0);

 private:
  using Held = std::variant<Known, Value>;
  const Held& held(const FileNode& node, std::size_t i) const;
  std::vector<const FileNode*> sorted() const;
  void call(const FileFunction& function, const FileNode& node, int depth);
  std::string new_name(const std::string& wanted);
  Value parameter(const Known& known, const Extents& shape);
  void begin();

  const FileModel& model_;
  std::string origin_;
  std::unique_ptr<GrowingNetwork> growing_;
  Shape input_;
  std::string text_;  ///< the network's TOML
  std::map<std::string, Held> values_;
  std::map<std::string, Known> weights_;  ///< of the network, by the names of its parameters
  std::map<double, Value> numbers_;
  std::map<std::string, Value> parameters_;  ///< made of initializers, by their names and shape
  std::set<std::string> names_;
  std::size_t calculated_ = 0;  ///< numbers that the nodes hold or calculate
};

Known known_wholes(Extents extents, std::vector<std::int64_t> numbers);
Known known_reals(Extents extents, std::vector<float> numbers);
/// "[1, 2]"
std::string toml(const Extents& numbers);
constexpr const char* truth(bool is_so) { return is_so ? "true" : "false"; }
/// A number that TOML reads back to the same.
std::string toml(double number);

}  // namespace chalk::onnx

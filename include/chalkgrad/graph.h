// The graph: values of one sample, each made by an operation from values before it.
//
//   Graph g;
//   Value x = g.input("x", {1, 28, 28});
//   Value w = g.parameter("W1", {20, 1, 5, 5});
//   Value z = conv2d(x, w);                      // operations: chalkgrad/ops.h
//
// A value is *batched* (one per sample) or *shared* (one for all samples). Gradients are more graph: differentiate.h.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/attributes.h"
#include "chalkgrad/shape.h"

namespace chalk {

class Graph;
struct Op;
using NodeId = std::int32_t;

/// A handle to one value of a graph. Valid until the graph is moved or destroyed.
class Value {
 public:
  Value() = default;
  Value(Graph& graph, NodeId id) : graph_(&graph), id_(id) {}

  explicit operator bool() const { return graph_ != nullptr; }
  Graph& graph() const { return *graph_; }
  NodeId id() const { return id_; }
  const Type& type() const;
  const Shape& shape() const { return type().shape; }
  bool batched() const { return type().batched; }
  const std::string& name() const;
  bool operator==(const Value&) const = default;

 private:
  Graph* graph_ = nullptr;
  NodeId id_ = -1;
};

/// One operation applied to earlier values.
struct Node {
  const Op* op = nullptr;
  Attributes attributes;
  std::vector<NodeId> inputs;
  Type type;
  std::string name;   ///< of inputs and parameters, or given with Graph::name(); unique if not empty
  std::string layer;  ///< the layer that the node was built for ("conv2"), for messages
};

/// How a parameter starts. Drawn from a counter-based generator keyed by the seed and the parameter's name.
/// WeightInit (weight_init.h) knows the usual ones by name.
struct Init {
  enum class Kind : std::uint8_t {
    constant,
    uniform,           ///< [−value, value]
    normal,            ///< standard deviation `value`
    truncated_normal,  ///< the same, drawn again where it is more than 2 of them away from 0
    orthogonal,        ///< rows (of the first axis), or columns if they are fewer, at right angles, of length `value`
    dirac,             ///< of filter i, 1 in the middle of channel i; filters beyond the channels: uniform as above
    whitening,  ///< orthogonal with length 1 until fit_weights() (train.h) sets it by the data; `value` is its ε
  };
  Kind kind = Kind::constant;
  double value = 0;  ///< the constant, or as above; from −kMost to kMost

  /// So every weight is a finite float (the largest is 3.4e38), also one in the tail of a normal distribution.
  static constexpr double kMost = 1e37;

  static Init constant(double value) { return {Kind::constant, value}; }
  // Both throw InputError for fans below 1.
  /// He et al. 2015, eq. 10: normal with σ = √(2 / fan_in).
  static Init he(std::int64_t fan_in);
  /// Glorot & Bengio 2010, eq. 16: uniform with bound √(6 / (fan_in + fan_out)).
  static Init glorot(std::int64_t fan_in, std::int64_t fan_out);
  bool operator==(const Init&) const = default;
};

/// What a trained parameter is for. Weight decay, L1 and the matrices of Muon are for weights alone.
enum class ParameterRole : std::uint8_t {
  unsaid,  ///< a bias if it has no more than one axis, or is called "bias" or "….bias"; otherwise a weight
  weight,  ///< values are summed over products with it: a matrix, a kernel
  bias,    ///< is added to values, or subtracted from them
  scale    ///< multiplies each value by itself: γ of a normalisation, the slope of prelu
};

/// A parameter that follows a statistic of the training batches; see Graph::running_average().
struct RunningAverage {
  NodeId parameter = -1;  ///< not trainable
  NodeId estimate = -1;   ///< of its type: what it moves towards
  double momentum = 0.1;
  std::int64_t places = 1;  ///< how many values of each sample go into each of its numbers
};

class Graph {
 public:
  /// A value that each sample has. `distribution`: its elements are >= 0 and sum to 1 (a one-hot label), which the
  /// simplifier may use.
  Value input(std::string name, Shape shape, bool distribution = false);
  /// A batched input that need not be fed: noise, for layers that drop or disturb values in training. Every element is
  /// uniform in [0, 1), a multiple of 2^−24, and depends only on this name, CompileOptions::seed, the position of the
  /// run (Program::set_position) and the row of the sample in the feeds. So a batch and its parts get the same noise,
  /// and a row that occurs twice in a run gets it twice.
  Value noise(std::string name, Shape shape);
  /// A value that is set for each run and is the same for all samples, e.g. the learning rate.
  Value shared_input(std::string name, Shape shape = {});
  /// A value that is kept from run to run. `trainable` is false for state such as a momentum. print() leaves the role
  /// out, which changes no value of the graph. Throws InputError for an empty name and for an Init whose value is out
  /// of range.
  Value parameter(std::string name, Shape shape, Init init = {}, bool trainable = true,
                  ParameterRole role = ParameterRole::unsaid);
  /// The same number everywhere; shared.
  Value constant(double value, Shape shape = {});
  /// The number of samples in the batch; shared scalar.
  Value batch_size();

  /// Applies an operation: checks the inputs, finds the type. Throws ShapeError naming the layer. The functions of
  /// ops.h are the usual way to call it.
  Value apply(const Op& op, Attributes attributes, std::span<const Value> inputs);

  /// Names a value, for messages, printing and look-up. The name must be new.
  void name(Value value, std::string name);
  /// All nodes made from now on belong to this layer.
  void layer(std::string name) { layer_ = std::move(name); }
  const std::string& layer() const { return layer_; }

  const Node& node(NodeId id) const { return nodes_[static_cast<std::size_t>(id)]; }
  NodeId size() const { return static_cast<NodeId>(nodes_.size()); }
  Value value(NodeId id) { return {*this, id}; }
  /// The value of that name, or an empty handle.
  Value find(std::string_view name);
  /// Trainable parameters in the order they were made.
  std::vector<Value> parameters();

  /// What a run returns, by name.
  void output(std::string name, Value value);
  const std::vector<std::pair<std::string, NodeId>>& outputs() const { return outputs_; }
  void clear_outputs() { outputs_.clear(); }
  /// After each run the parameter takes this shared value (all parameters at once).
  void update(Value parameter, Value next);
  const std::vector<std::pair<NodeId, NodeId>>& updates() const { return updates_; }

  /// A sentence about how the graph was made, for people: print() ends with it. Passes keep it.
  void remark(std::string text) { remarks_.push_back(std::move(text)); }
  const std::vector<std::string>& remarks() const { return remarks_; }

  /// A graph is written for prediction. What is different in training is said here and below, and the pass
  /// training_form() makes it so. In training, `substitute` takes the place of `value`, which has the same type,
  /// wherever a later value or an output of the graph uses it. All of these must come after `substitute`, which
  /// therefore cannot depend on `value`: a layer that does nothing in prediction returns a copy of its input,
  /// reshape(x, x.shape()), so that there is a value to replace.
  void training_substitute(Value value, Value substitute);
  const std::map<NodeId, NodeId>& training_substitutes() const { return training_substitutes_; }
  /// In training, `batch` takes the place of `parameter`, and after each step the parameter becomes
  /// (1 − momentum) · parameter + momentum · estimate. `places`: how many values of each sample go into each of its
  /// numbers.
  void running_average(Value parameter, Value batch, Value estimate, double momentum, std::int64_t places);
  const std::vector<RunningAverage>& running_averages() const { return running_averages_; }

  /// One line per value: `%3 z1 : batched 20×24×24 = conv2d(%0 x, %1 W1) stride=[1, 1]`.
  std::string print() const;
  /// Checks what every pass must preserve: operands come before their use, types follow from the shape rules, names are
  /// unique. Throws std::logic_error (a bug in chalkgrad, not in its user's code).
  void verify() const;

 private:
  friend class Rewriter;
  Value append(Node node);

  std::deque<Node> nodes_;  // elements of a deque do not move: shapes are returned by reference
  std::map<std::string, NodeId, std::less<>> names_;
  std::vector<std::pair<std::string, NodeId>> outputs_;
  std::vector<std::pair<NodeId, NodeId>> updates_;
  std::map<NodeId, NodeId> training_substitutes_;
  std::vector<RunningAverage> running_averages_;
  std::vector<std::string> remarks_;
  std::string layer_;
};

}  // namespace chalk

// The network that formulas are about: a graph of the engine, its named values, and their derivatives as the engine
// derives them, all in double by the reference kernels.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "chalkgrad/graph.h"
#include "src/math/evaluate.h"
#include "src/math/parser.h"
#include "src/math/symbols.h"

namespace chalk {
class Reference;
}

namespace chalk::math {

class System {
 public:
  explicit System(std::int64_t samples = 1) : samples_(samples) {}

  /// Reads `NAME: SHAPE > layer > NAME = layer …` (after the word "network"), and adds its values to the symbols.
  /// Throws FormulaError.
  void build(Tokens& tokens, Symbols& symbols);
  /// Reads `sgd(rate eta, momentum v, momentum=0.9) of W` (after the word "optimizer"): adds the parameter after a step
  /// of this optimizer on the network's loss, as W', and what it keeps, as v and v'. Throws FormulaError.
  void add_update(Tokens& tokens, Symbols& symbols);
  /// Takes a graph that is there already. Values with a name are known by it; other leaves are drawn, too. Throws
  /// FormulaError for a name that is taken.
  void take(const Graph& graph, const std::map<NodeId, std::string>& names, Symbols& symbols);

  bool empty() const { return graph_.size() == 0; }
  std::int64_t samples() const { return samples_; }

 private:
  friend class Trial;
  friend class NetworkReader;
  friend class UpdateReader;
  struct Entry {
    NodeId node = -1;
    std::int64_t outputs_last = 0;  // > 0: weights of that many outputs, shown with the inputs first
  };
  /// The graph with d(value)/d(other) in it, for a cotangent that is fed.
  struct Derivative {
    Graph graph;
    NodeId seed = -1, result = -1;  // −1: it does not depend on it
    NodeId second_seed = -1;
  };
  /// Makes a value known by name. Axes of extent 1 take no index; the samples are the first axis if there are several.
  void show(Symbols& symbols, const std::string& name, Place place, NodeId node, Symbol::Kind kind, const Shape& seen,
            std::int64_t outputs_last);
  /// For each value, whether `to` is computed from it.
  std::vector<bool> before(NodeId to) const;
  const Derivative& derivative(int symbol, int other) const;
  /// The same of a value that is one number, by all others that it depends on.
  struct Gradients {
    Graph graph;
    NodeId seed = -1;
    std::map<int, NodeId> results{};  // by symbol
  };
  const Gradients& gradients(int symbol) const;
  /// With a second cotangent, that of the first derivative, which is derived by `third`.
  const Derivative& second_derivative(int symbol, int other, int third) const;
  /// Between the order in which the engine keeps numbers and the one in which formulas index them.
  static std::vector<double> shown(const Entry& entry, const std::vector<double>& values);
  static std::vector<double> kept(const Entry& entry, const std::vector<double>& values);

  std::int64_t samples_;
  std::int64_t work_ = 0;  // multiplications of one run, about
  Graph graph_;
  /// What a parameter's update needs to know.
  struct Objective {
    NodeId loss = -1, weight = -1;  // of a sample; −1: there is none
    bool maximised = false;
    std::string optimizer{}, rate{};  // as they were written for the first parameter
  } objective_;
  std::map<int, Entry> entries_;                                         // by symbol
  mutable std::map<std::tuple<int, int, int>, Derivative> derivatives_;  // the last is −1 for first ones
  mutable std::map<int, Gradients> gradients_;
};

/// One draw of random numbers, and all that follows from it.
class Trial : public Values {
 public:
  /// `small`: what values that ≈ lets go to 0 are.
  Trial(const System& system, const Symbols& symbols, Indices& indices, std::uint64_t seed, double small = 1e-3);
  ~Trial() override;

  const std::vector<double>& value(int symbol, Place place) override;
  const std::vector<double>& jacobian(int symbol, int other, Place place) override;
  const std::vector<double>& hessian(int symbol, int other, int third, Place place) override;
  std::unique_ptr<Values> with(const std::vector<std::pair<int, std::vector<double>>>& replaced) override;

  /// How many numbers it holds.
  std::size_t size() const { return size_; }

  /// Forgets what formulas define, as the rules are others; what the network computes stays.
  void forget_definitions();

 private:
  const std::vector<double>& keep(std::vector<double>& place, std::vector<double> values);
  std::vector<double> draw(int symbol) const;
  void feed(Reference& reference, Place place);
  void run_network(Place place);
  std::vector<double> network_jacobian(int symbol, int other, Place place);
  void network_gradients(int symbol, Place place);
  std::vector<double> network_hessian(int symbol, int other, int third, Place place);
  std::vector<double> numbers(const ExprPtr& formula, const std::vector<int>& axes);
  std::vector<double> formula_value(int symbol, Place place);
  std::vector<double> formula_jacobian(int symbol, int other, Place place);

  const System& system_;
  const Symbols& symbols_;
  Indices& indices_;
  std::uint64_t seed_;
  double small_;
  std::map<int, std::vector<double>> values_;
  std::map<std::tuple<int, int, int>, std::vector<double>> jacobians_;  // the last is −1 for first derivatives
  std::unique_ptr<Reference> network_;                                  // once it has run
  std::size_t size_ = 0;
};

}  // namespace chalk::math

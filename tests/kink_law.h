// The law of kinks: where a function has no derivative, its rule gives something between the one-sided slopes; where
// these agree, it gives what they are. Kinks are looked for on grids, where numbers are equal, whole or ±0, and by
// search, where the rule's derivative jumps. There check_gradients() holds the rules to the differences on either side.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "chalkgrad/gradcheck.h"
#include "src/base/random.h"
#include "src/ir/leaves.h"
#include "src/run/reference.h"

namespace chalk {

/// What came of holding a function to the law.
struct KinkFinding {
  std::size_t elements = 0;  // that were looked at
  std::size_t kinks = 0;     // of these, on a kink
  std::string broken;        // a report, if the law does not hold; otherwise empty

  void add(const KinkFinding& other) {
    elements += other.elements;
    kinks += other.kinks;
    if (broken.empty()) broken = other.broken;
  }
};

/// Holds y as a function of each of `wrt` to the law. Ranges and rules are those of `options`.
class KinkLaw {
 public:
  KinkLaw(Graph& graph, Value y, std::vector<Value> wrt, GradcheckOptions options)
      : graph_(graph), y_(y), wrt_(std::move(wrt)), options_(std::move(options)) {
    for (NodeId id = 0; id < graph.size(); ++id) {
      if (graph.node(id).op == &op_input || graph.node(id).op == &op_parameter) leaves_.push_back(id);
    }
    options_.batch = 2;
    options_.most = 60;
  }

  KinkFinding finding() {
    for (const double grid : {0.0, 0.5, 1.0}) {
      for (std::uint64_t seed = 1; seed <= 3; ++seed) check_at(drawn(seed, grid), wrt_);
    }
    for (const Value& x : wrt_) search(x);
    return found_;
  }

  /// At one place.
  KinkFinding finding_at(std::map<NodeId, std::vector<double>> values) {
    check_at(std::move(values), wrt_);
    return found_;
  }

 private:
  using Values = std::map<NodeId, std::vector<double>>;

  DrawRange range_of(NodeId leaf) const {
    const auto found = options_.ranges.find(leaf);
    if (found != options_.ranges.end()) return found->second;
    const Node& node = graph_.node(leaf);
    if (is_noise(node)) return {0, 1};
    if (node.op != &op_parameter) return {-3, 3};
    const auto& init = node.attributes.as<ParameterAttributes>().init;
    const double middle = init.kind == Init::Kind::constant ? init.value : 0;
    return {middle - 0.5, middle + 0.5};
  }

  /// Leaves with a grid of their own keep it; 0: the others have none.
  Values drawn(std::uint64_t seed, double grid) const {
    Values values;
    for (const NodeId leaf : leaves_) {
      Random random(seed, static_cast<std::uint64_t>(leaf));
      const auto range = range_of(leaf);
      const double step = range.grid > 0 ? range.grid : grid;
      const auto& type = graph_.node(leaf).type;
      auto& all = values[leaf];
      all.resize(static_cast<std::size_t>(elements(type.shape)) * (type.batched ? options_.batch : 1));
      for (auto& x : all) {
        x = range.low + (range.high - range.low) * random.uniform();
        if (step > 0) x = std::round(x / step) * step;  // −0, too
      }
    }
    return values;
  }

  /// On both sides of a place y must be a number; elsewhere the law has nothing to say.
  bool defined_around(const Values& values) const {
    Reference reference(graph_, options_.batch);
    for (const double side : {-1e-7, 0.0, 1e-7}) {
      for (const auto& [leaf, at] : values) {
        auto moved = at;
        const bool moves = std::ranges::find(wrt_, leaf, &Value::id) != wrt_.end();
        for (auto& x : moved) x += moves ? side : 0;
        reference.set(leaf, std::move(moved));
      }
      reference.run({{y_.id()}});
      for (const double v : reference.value(y_.id())) {
        if (!std::isfinite(v)) return false;
      }
    }
    return true;
  }

  void check_at(Values values, const std::vector<Value>& wrt) {
    if (!defined_around(values)) return;
    auto options = options_;
    options.values = std::move(values);
    const auto report = check_gradients(graph_, {{y_}}, wrt, options);
    KinkFinding here;
    for (const auto& check : report.checks) {
      here.elements += check.elements;
      here.kinks += check.kinks;
    }
    if (!report.passed) here.broken = to_string(report);
    found_.add(here);
  }

  /// Moves the first element of x through its range, and on to both sides of each jump of the rule's derivative.
  void search(Value x) {
    constexpr int kSteps = 48;
    const auto range = range_of(x.id());
    if (range.grid > 0) return;
    auto values = drawn(7, 0);
    const bool usual = !options_.ranges.contains(x.id());
    const double low = usual ? -8 : range.low, high = usual ? 8 : range.high;
    const Value dy = y_.batched() ? graph_.input("", y_.shape()) : graph_.shared_input("", y_.shape());
    const Value dx = differentiate(y_, dy, {{x}}, options_.rules)[0];
    if (!dx) return;
    Reference reference(graph_, options_.batch);
    for (const auto& [leaf, at] : values) reference.set(leaf, at);
    Random random(3, 1);
    std::vector<double> weights(static_cast<std::size_t>(elements(y_.shape())) * (y_.batched() ? options_.batch : 1));
    for (auto& w : weights) w = 0.5 + random.uniform();
    reference.set(dy.id(), weights);
    const auto slope = [&](double t) {
      auto moved = values.at(x.id());
      moved[0] = t;
      reference.set(x.id(), std::move(moved));
      reference.run({{dx.id()}});
      return reference.value(dx.id())[0];
    };
    const auto jumps = [](double a, double b) { return std::abs(a - b) > 1e-3 * (1 + std::abs(a) + std::abs(b)); };
    double left = low + 1e-3, at_left = slope(left);
    for (int k = 1; k <= kSteps; ++k) {
      const double right = low + 1e-3 + (high - low - 2e-3) * k / kSteps, at_right = slope(right);
      double a = left, b = right, at_a = at_left, at_b = at_right;
      for (int halvings = 0; halvings < 120 && jumps(at_a, at_b) && b > std::nextafter(a, b); ++halvings) {
        const double middle = a < 0 && b > 0 ? 0 : a + (b - a) / 2, at_middle = slope(middle);
        if (std::abs(at_middle - at_a) > std::abs(at_b - at_middle)) {
          b = middle, at_b = at_middle;
        } else {
          a = middle, at_a = at_middle;
        }
      }
      if (jumps(at_a, at_b)) {
        for (const double t : {a, b}) {
          auto there = values;
          there.at(x.id())[0] = t;
          check_at(std::move(there), {x});
        }
      }
      left = right, at_left = at_right;
    }
  }

  Graph& graph_;
  Value y_;
  std::vector<Value> wrt_;
  GradcheckOptions options_;
  std::vector<NodeId> leaves_;
  KinkFinding found_;
};

}  // namespace chalk

#include "chalkgrad/gradcheck.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "chalkgrad/ops.h"
#include "src/base/random.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/run/reference.h"

namespace chalk {
namespace {

constexpr double kFirstStep = 6.055454452393343e-06;  // ε^⅓
constexpr double kSmaller[] = {1, 10, 100};           // each next try divides the step by this

/// Draws from `range`, or as the leaf's own attributes say.
class Drawing {
 public:
  Drawing(const GradcheckOptions& options, NodeId leaf) : random_(options.seed, static_cast<std::uint64_t>(leaf) + 1) {
    const auto found = options.ranges.find(leaf);
    if (found != options.ranges.end()) range_ = &found->second;
  }

  std::vector<double> leaf(const Node& node, std::size_t batch) {
    const auto size = static_cast<std::size_t>(elements(node.type.shape));
    std::vector<double> values(size * (node.type.batched ? batch : 1));
    if (range_) {
      for (auto& x : values) x = within(*range_);
    } else if (node.op == &op_parameter) {
      for (auto& x : values) x = initial(node.attributes.as<ParameterAttributes>().init);
    } else if (node.attributes.as<InputAttributes>().distribution) {
      for (auto& x : values) x = within({0.1, 1});
      for (std::size_t n = 0; n < values.size(); n += size) normalise({values.data() + n, size});
    } else {
      for (auto& x : values) x = within({});
    }
    return values;
  }

  /// Neither ones nor nearly zero: every output counts, and differently.
  double weight() {
    const double size = within({0.5, 1.5});
    return random_.uniform() < 0.5 ? -size : size;
  }

 private:
  double within(const DrawRange& r) {
    const double x = r.low + (r.high - r.low) * random_.uniform();
    return r.grid > 0 ? std::round(x / r.grid) * r.grid : x;
  }
  double initial(const Init& init) {
    switch (init.kind) {
      case Init::Kind::uniform:
        return within({-init.value, init.value});
      case Init::Kind::normal:
        return init.value * random_.normal();
      case Init::Kind::constant:
        break;
    }
    return init.value + within({-0.5, 0.5});
  }
  static void normalise(std::span<double> p) {
    double total = 0;
    for (const double x : p) total += x;
    for (auto& x : p) x /= total;
  }

  Random random_;
  const DrawRange* range_ = nullptr;
};

bool all_finite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

/// f = Σ cotangent · outputs, at values of the leaves that can be moved one element at a time.
class Objective {
 public:
  Objective(Graph& graph, std::span<const Value> outputs, const GradcheckOptions& options)
      : reference_(graph, options.batch) {
    for (const auto& y : outputs) {
      outputs_.push_back(y.id());
      const Value c = y.batched() ? graph.input("", y.shape()) : graph.shared_input("", y.shape());
      cotangents_.push_back(c);
      Drawing drawing(options, c.id());
      std::vector<double> weights(static_cast<std::size_t>(elements(y.shape())) * (y.batched() ? options.batch : 1));
      for (auto& w : weights) w = drawing.weight();
      leaves_[c.id()] = weights;
      weights_.insert(weights_.end(), weights.begin(), weights.end());
    }
    for (NodeId id = 0; id < graph.size(); ++id) {
      const Node& node = graph.node(id);
      if (leaves_.contains(id) || (node.op != &op_input && node.op != &op_parameter)) continue;
      leaves_[id] = Drawing(options, id).leaf(node, options.batch);
    }
    for (const auto& [id, values] : leaves_) reference_.set(id, values);
  }

  const std::vector<Value>& cotangents() const { return cotangents_; }
  std::size_t size_of(NodeId leaf) const { return leaves_.at(leaf).size(); }

  /// Where it all happens: the value of any node.
  std::vector<double> value(Value v) {
    const NodeId wanted[] = {v.id()};
    reference_.run(wanted);
    return reference_.value(v.id());
  }

  bool finite() { return all_finite(evaluate()); }

  struct Difference {
    double derivative;
    double scale;  // F of gradcheck.h; if nothing changes, the largest output's part: it may by less than rounding
  };
  /// (f(x + h) − f(x − h)) / 2h for element i of a leaf, where h = step · max(1, |x|).
  Difference difference(NodeId leaf, std::size_t i, double step) {
    std::vector<double> moved = leaves_.at(leaf);
    const double x = moved[i], h = step * std::max(1.0, std::abs(x));
    const double above = x + h, below = x - h;  // as rounded, so that their distance is exact
    moved[i] = above;
    reference_.set(leaf, moved);
    const auto up = evaluate();
    moved[i] = below;
    reference_.set(leaf, moved);
    const auto down = evaluate();
    reference_.set(leaf, leaves_.at(leaf));
    Difference d{0, 0};
    double largest = 0;
    for (std::size_t k = 0; k < up.size(); ++k) {
      const double size = std::abs(weights_[k]) * std::max({1.0, std::abs(up[k]), std::abs(down[k])});
      largest = std::max(largest, size);
      if (up[k] == down[k]) continue;
      d.derivative += weights_[k] * (up[k] - down[k]);
      d.scale += size;
    }
    if (d.scale == 0) d.scale = largest;
    d.derivative /= above - below;
    return d;
  }

 private:
  std::vector<double> evaluate() {
    reference_.run(outputs_);
    std::vector<double> all;
    for (const auto id : outputs_) all.insert(all.end(), reference_.value(id).begin(), reference_.value(id).end());
    return all;
  }

  Reference reference_;
  std::vector<NodeId> outputs_;
  std::vector<Value> cotangents_;
  std::vector<double> weights_;  // the cotangents, end to end
  std::map<NodeId, std::vector<double>> leaves_;
};

/// The chain rule's gradients of the objective; an empty Value where there is none.
std::vector<Value> by_rules(std::span<const Value> outputs, std::span<const Value> cotangents,
                            std::span<const Value> wrt, const DerivativeRules& rules) {
  std::vector<Value> total(wrt.size());
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const auto part = differentiate(outputs[k], cotangents[k], wrt, rules);
    for (std::size_t i = 0; i < wrt.size(); ++i) {
      if (part[i]) total[i] = total[i] ? add(total[i], part[i]) : part[i];
    }
  }
  return total;
}

/// The places to look at: all, or `most` of them, increasing.
std::vector<std::size_t> chosen(std::size_t size, std::size_t most, Random random) {
  std::vector<std::size_t> places(size);
  std::iota(places.begin(), places.end(), std::size_t{0});
  if (most == 0 || most >= size) return places;
  for (std::size_t i = 0; i < most; ++i) {
    std::swap(places[i], places[i + random.below(static_cast<std::uint32_t>(size - i))]);
  }
  places.resize(most);
  std::sort(places.begin(), places.end());
  return places;
}

/// The two derivatives of one element.
struct Comparison {
  double difference = 0;
  double error = 0;
  double excess = 0;  // the error relative to what is allowed
  bool retried = false;
};

Comparison compare(Objective& f, NodeId x, std::size_t i, double rule, double tolerance) {
  Comparison c;
  for (const double smaller : kSmaller) {
    const auto d = f.difference(x, i, kFirstStep / smaller);
    c.difference = d.derivative;
    c.error = std::abs(rule - d.derivative);
    const double size = d.scale + std::max(std::abs(rule), std::abs(d.derivative));
    c.excess = c.error == 0 ? 0 : c.error / (tolerance * smaller * size);
    c.retried = smaller > 1 && c.excess <= 1;
    if (c.excess <= 1) break;
  }
  if (!std::isfinite(c.excess)) c.excess = c.error = std::numeric_limits<double>::infinity();
  return c;
}

Gradcheck check(Objective& f, Value x, const std::vector<double>& gradient, const GradcheckOptions& options) {
  Gradcheck result;
  result.size = gradient.size();
  result.passed = result.size == f.size_of(x.id()) && result.size > 0;
  if (!result.passed) return result;
  double largest_difference = 0, worst = -1;
  const Random random(options.seed, hash_name("gradcheck"), static_cast<std::uint64_t>(x.id()) << 32);
  for (const auto i : chosen(result.size, options.most, random)) {
    const auto c = compare(f, x.id(), i, gradient[i], options.tolerance);
    ++result.elements;
    result.retried += c.retried;
    result.largest = std::max(result.largest, std::abs(gradient[i]));
    result.absolute_error = std::max(result.absolute_error, c.error);
    largest_difference = std::max(largest_difference, std::abs(c.difference));
    if (c.excess > worst) {
      worst = c.excess;
      result.worst = i;
      result.by_rule = gradient[i];
      result.by_difference = c.difference;
    }
    if (!(c.excess <= 1)) result.passed = false;
    if (!result.passed && options.stop_at_failure) break;
  }
  const double scale = std::max(result.largest, largest_difference);
  result.relative_error = scale > 0 ? result.absolute_error / scale : result.absolute_error;
  return result;
}

}  // namespace

GradcheckReport check_gradients(Graph& graph, std::span<const Value> outputs, std::span<const Value> wrt,
                                const GradcheckOptions& options) {
  if (options.batch < 1) throw std::logic_error("gradcheck: a batch has at least one sample");
  for (const auto& x : wrt) {
    const Op* op = graph.node(x.id()).op;
    if (op != &op_input && op != &op_parameter) {
      throw std::logic_error(str("gradcheck: %", x.id(), " ", x.name(), " is neither an input nor a parameter"));
    }
  }
  Objective f(graph, outputs, options);
  const auto gradients = by_rules(outputs, f.cotangents(), wrt, options.rules);
  const bool finite = f.finite();
  GradcheckReport report;
  report.passed = finite && !outputs.empty() && !wrt.empty();
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    const auto gradient = gradients[i] ? f.value(gradients[i]) : std::vector<double>(f.size_of(wrt[i].id()), 0.0);
    auto result = check(f, wrt[i], gradient, options);
    result.name = wrt[i].name().empty() ? str("%", wrt[i].id()) : wrt[i].name();
    result.missing = !gradients[i];
    result.passed &= finite && all_finite(gradient);
    report.passed &= result.passed;
    report.checks.push_back(std::move(result));
    if (!report.passed && options.stop_at_failure) break;
  }
  return report;
}

std::string to_string(const GradcheckReport& report) {
  std::size_t width = 0;
  for (const auto& c : report.checks) width = std::max(width, c.name.size());
  std::string text;
  for (const auto& c : report.checks) {
    char numbers[256];
    const std::string elements = c.elements == c.size ? "" : str(" of ", c.size);
    std::snprintf(numbers, sizeof numbers, "%8zu%s elements  largest %.1e  error %.1e, relative %.1e", c.elements,
                  elements.c_str(), c.largest, c.absolute_error, c.relative_error);
    text += c.name + std::string(width - c.name.size(), ' ') + numbers + (c.passed ? "  ok" : "  FAILED");
    if (c.missing) text += ", no gradient";
    if (c.retried) text += str(", ", c.retried, " with a smaller step");
    if (!c.passed) {
      std::snprintf(numbers, sizeof numbers, ": element %zu is %.9g by the rules, %.9g by differences", c.worst,
                    c.by_rule, c.by_difference);
      text += numbers;
    }
    text += "\n";
  }
  if (report.checks.empty()) text += "nothing was checked\n";
  return text;
}

}  // namespace chalk

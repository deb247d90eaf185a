#include "chalkgrad/gradcheck.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "chalkgrad/ops.h"
#include "src/base/random.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/run/reference.h"
#include "src/run/rounding.h"

namespace chalk {
namespace {

constexpr double kStep = 6.055454452393343e-06;  // ε^⅓
constexpr double kRatio = 4;                     // of a step to the next one
constexpr int kLarger = 3, kSmaller = 9;         // how many steps are above and below kStep
constexpr double kObvious = 100;                 // times what is allowed: the steps beside kStep will do
constexpr double kClear = 1e-3;                  // of a derivative: what rounding, or a bend, may not exceed at kStep

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
      for (auto& x : values) x = within(is_noise(node) ? DrawRange{0, 1} : DrawRange{});
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
      case Init::Kind::truncated_normal:
      case Init::Kind::orthogonal:
        return init.value * random_.normal();
      case Init::Kind::dirac:
      case Init::Kind::whitening:
        return within({-0.5, 0.5});
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

/// Values, and how far rounding moves each.
struct Rounded {
  std::vector<double> values, roundings;
};

/// What a step to both sides says about one output under its cotangent.
struct Slopes {
  double central = 0, low = 0, high = 0;  // the one-sided ones, each output element's with the sign that it enters with
  double rounding = 0;                    // of `central`; those of the one-sided ones are twice as large
  bool moves = false;                     // the output is not what it was, bit for bit
};

/// Outputs under cotangents, at values of the leaves that can be moved one element at a time.
class Objective {
 public:
  Objective(Graph& graph, std::span<const Value> outputs, std::span<const Value> wrt, const GradcheckOptions& options)
      : reference_(graph, options.batch) {
    for (const auto& y : outputs) {
      outputs_.push_back(y.id());
      const Value c = y.batched() ? graph.input("", y.shape()) : graph.shared_input("", y.shape());
      Drawing drawing(options, c.id());
      auto& weights =
          weights_.emplace_back(static_cast<std::size_t>(elements(y.shape())) * (y.batched() ? options.batch : 1));
      for (auto& w : weights) w = drawing.weight();
      leaves_[c.id()] = weights;
      gradients_.push_back(differentiate(y, c, wrt, options.rules));
    }
    for (NodeId id = 0; id < graph.size(); ++id) {
      const Node& node = graph.node(id);
      if (leaves_.contains(id) || (node.op != &op_input && node.op != &op_parameter)) continue;
      const auto given = options.values.find(id);
      leaves_[id] = given == options.values.end() ? Drawing(options, id).leaf(node, options.batch) : given->second;
    }
    for (const auto& [id, values] : leaves_) reference_.set(id, values);
    auto wanted = outputs_;
    for (const auto& of_output : gradients_) {
      for (const Value& g : of_output) {
        if (g) wanted.push_back(g.id());
      }
    }
    const auto roundings = double_rounding_of(reference_, wanted);
    for (std::size_t k = 0; k < wanted.size(); ++k) known_[wanted[k]] = {reference_.value(wanted[k]), roundings[k]};
  }

  std::size_t size_of(NodeId leaf) const { return leaves_.at(leaf).size(); }
  std::size_t outputs() const { return outputs_.size(); }
  bool finite() const {
    return std::ranges::all_of(known_, [](const auto& each) { return all_finite(each.second.values); });
  }

  /// By the rules, output k's derivative with respect to wrt[at]; null if there is none.
  const Rounded* gradient(std::size_t k, std::size_t at) const {
    const Value g = gradients_[k][at];
    return g ? &known_.at(g.id()) : nullptr;
  }

  /// For each output, from a step by step · max(1, |x|) of element i of a leaf.
  std::vector<Slopes> slopes(NodeId leaf, std::size_t i, double step) {
    std::vector<double> moved = leaves_.at(leaf);
    const double x = moved[i], h = step * std::max(1.0, std::abs(x));
    const double above = x + h, below = x - h;  // as rounded, so that their distance is exact
    moved[i] = above;
    reference_.set(leaf, moved);
    reference_.run(outputs_);
    std::vector<std::vector<double>> up;
    for (const auto id : outputs_) up.push_back(reference_.value(id));
    moved[i] = below;
    reference_.set(leaf, std::move(moved));
    reference_.run(outputs_);
    std::vector<Slopes> all(outputs_.size());
    for (std::size_t k = 0; k < outputs_.size(); ++k) {
      const auto& down = reference_.value(outputs_[k]);
      const auto& [middle, rounding] = known_.at(outputs_[k]);
      double largest = 0;
      auto& s = all[k];
      for (std::size_t j = 0; j < middle.size(); ++j) {
        const double w = weights_[k][j], error = kSafety * std::abs(w) * rounding[j] / h;
        largest = std::max(largest, error);
        if (up[k][j] == middle[j] && down[j] == middle[j]) continue;
        const double right = w * (up[k][j] - middle[j]) / (above - x), left = w * (middle[j] - down[j]) / (x - below);
        s.central += w * (up[k][j] - down[j]) / (above - below);
        s.low += std::min(left, right);
        s.high += std::max(left, right);
        s.rounding += error;
        s.moves = true;
      }
      if (!s.moves) s.rounding = largest;  // it may by less than rounding
    }
    reference_.set(leaf, leaves_.at(leaf));
    return all;
  }

 private:
  Reference reference_;
  std::vector<NodeId> outputs_;
  std::vector<std::vector<double>> weights_;   // the cotangents
  std::vector<std::vector<Value>> gradients_;  // of each output, with respect to each of wrt
  std::map<NodeId, std::vector<double>> leaves_;
  std::map<NodeId, Rounded> known_;  // where it all happens: of the outputs and the gradients
};

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
  double rule = 0, difference = 0;
  double error = 0, allowed = 0;
  bool retried = false, kink = false;

  /// The error relative to what is allowed: a right rule's is at most 1.
  double excess() const { return error == 0 ? 0 : error / allowed; }
};

/// From steps of all sizes: the one whose error is bounded best. At a quarter of a step the error of a slope is a
/// quarter or less, so what is left of it at a step is bounded by the change from the step before. The change to the
/// step after is there in case the former vanishes by chance.
class Ladder {
 public:
  explicit Ladder(std::vector<Slopes> steps) : steps_(std::move(steps)) {}

  /// The best step for some of the slopes, and the bound there.
  std::pair<Slopes, double> best(std::initializer_list<double Slopes::*> which, double rounding) const {
    std::pair<Slopes, double> found{{}, std::numeric_limits<double>::infinity()};
    for (std::size_t k = 1; k < steps_.size(); ++k) {
      double bound = rounding * steps_[k].rounding;
      for (const auto slope : which) bound += change(k, slope);
      if (bound < found.second) found = {steps_[k], bound};
    }
    return found;
  }

 private:
  double change(std::size_t k, double Slopes::*slope) const {
    const auto& next = steps_[std::min(k + 1, steps_.size() - 1)];
    return std::max(std::abs(steps_[k].*slope - steps_[k - 1].*slope), std::abs(steps_[k].*slope - next.*slope));
  }
  std::vector<Slopes> steps_;
};

/// With the slopes of all steps. A kink is where the one-sided slopes differ by more than their errors; any value
/// between them will do there.
void settle(Comparison& c, const Ladder& ladder, double of_rule) {
  const auto [sides, error_of_sides] = ladder.best({&Slopes::low, &Slopes::high}, 4);
  const auto [step, error] = ladder.best({&Slopes::central}, 1);
  c.kink = sides.high - sides.low > error_of_sides;
  c.retried = !c.kink;
  c.difference = c.kink ? std::clamp(c.rule, sides.low, sides.high) : step.central;
  c.error = std::abs(c.rule - c.difference);
  c.allowed = of_rule + (c.kink ? error_of_sides : error);
}

std::vector<Comparison> compare(Objective& f, NodeId x, std::size_t at, std::size_t i, double tolerance) {
  std::map<int, std::vector<Slopes>> known;  // by the step, kStep · kRatio^−k
  const auto slopes = [&](int k) -> const std::vector<Slopes>& {
    auto& made = known[k];
    if (made.empty()) made = f.slopes(x, i, kStep * std::pow(kRatio, -k));
    return made;
  };
  const auto& first = slopes(0);
  std::vector<Comparison> all(f.outputs());
  for (std::size_t k = 0; k < all.size(); ++k) {
    auto& c = all[k];
    const auto* gradient = f.gradient(k, at);
    const Slopes& s = first[k];
    c.rule = gradient ? gradient->values[i] : 0;
    c.difference = s.central;
    c.error = std::abs(c.rule - c.difference);
    if (c.rule == 0 && !s.moves) continue;
    const double size = std::max(std::abs(c.rule), std::abs(c.difference));
    const double of_rule = tolerance * size + (gradient ? kSafety * gradient->roundings[i] : 0);
    c.allowed = of_rule + s.rounding;
    if (c.excess() <= 1 && std::max(c.allowed, s.high - s.low - 4 * s.rounding) <= kClear * size) continue;
    for (const auto& [larger, smaller] : {std::pair(1, 1), {kLarger, kSmaller}}) {
      std::vector<Slopes> steps;
      for (int step = -larger; step <= smaller; ++step) {
        if (std::isfinite(slopes(step)[k].central)) steps.push_back(slopes(step)[k]);
      }
      if (steps.size() > 1) settle(c, Ladder(std::move(steps)), of_rule);
      if (c.allowed <= kClear * size && (c.excess() <= 1 || c.excess() >= kObvious)) break;
    }
  }
  return all;
}

Gradcheck check(Objective& f, Value x, std::size_t at, const GradcheckOptions& options) {
  Gradcheck result;
  result.size = f.size_of(x.id());
  result.passed = result.size > 0;
  result.missing = true;
  for (std::size_t k = 0; k < f.outputs(); ++k) {
    const auto* gradient = f.gradient(k, at);
    if (!gradient) continue;
    result.missing = false;
    result.passed &= gradient->values.size() == result.size;
  }
  if (!result.passed) return result;
  double largest_difference = 0, worst = -1;
  const Random random(options.seed, hash_name("gradcheck"), static_cast<std::uint64_t>(x.id()) << 32);
  for (const auto i : chosen(result.size, options.most, random)) {
    bool retried = false, kink = false;
    for (const auto& c : compare(f, x.id(), at, i, options.tolerance)) {
      const double excess = std::isfinite(c.excess()) ? c.excess() : std::numeric_limits<double>::infinity();
      retried |= c.retried;
      kink |= c.kink;
      result.largest = std::max(result.largest, std::abs(c.rule));
      result.absolute_error = std::max(result.absolute_error, std::isfinite(c.error) ? c.error : excess);
      largest_difference = std::max(largest_difference, std::abs(c.difference));
      if (!(excess <= 1)) result.passed = false;
      if (excess <= worst) continue;
      worst = excess;
      result.worst = i;
      result.by_rule = c.rule;
      result.by_difference = c.difference;
      result.allowed = c.allowed;
    }
    ++result.elements;
    result.retried += retried;
    result.kinks += kink;
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
  Objective f(graph, outputs, wrt, options);
  const bool finite = f.finite();
  GradcheckReport report;
  report.passed = finite && !outputs.empty() && !wrt.empty();
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    auto result = check(f, wrt[i], i, options);
    result.name = wrt[i].name().empty() ? str("%", wrt[i].id()) : wrt[i].name();
    result.passed &= finite;
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
    TextStream numbers;
    numbers.precision(1);
    numbers << std::scientific << std::setw(8) << c.elements << (c.elements == c.size ? "" : str(" of ", c.size))
            << " elements  largest " << c.largest << "  error " << c.absolute_error << ", relative "
            << c.relative_error;
    text += c.name + std::string(width - c.name.size(), ' ') + numbers.str() + (c.passed ? "  ok" : "  FAILED");
    if (c.missing) text += ", no gradient";
    if (c.retried) text += str(", ", c.retried, " with other steps");
    if (c.kinks) text += str(", ", c.kinks, " at a kink");
    if (!c.passed) {
      TextStream worst;
      worst.precision(9);
      worst << ": element " << c.worst << " is " << c.by_rule << " by the rules, " << c.by_difference
            << " by differences, which are good to " << std::scientific << std::setprecision(1) << c.allowed;
      text += worst.str();
    }
    text += '\n';
  }
  if (report.checks.empty()) text += "nothing was checked\n";
  return text;
}

}  // namespace chalk

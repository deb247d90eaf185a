// Checks derivative rules against central differences, in double.
//
// Each output, under a random cotangent, is a function f of one element x at a time. Its derivative by the chain rule
// is compared with (f(x + h) − f(x − h)) / 2h. It must hold that
//
//   |rule − difference| ≤ tolerance · max(|rule|, |difference|) + ρ(rule) + ρ(f) / h + the truncation
//
// - ρ is what rounding may do to a value, whatever cancels on the way to it: the graph is run again with each number
//   changed at random in its last place, and the value moves (src/run/rounding.h). So a derivative that is almost zero
//   because large terms cancel, and one that is small because all terms are, are each held to what can be expected.
// - The first step is h = ε^⅓, which makes rounding, ≈ ε·|f|/h, and truncation, ≈ h²·f‴/6, about equal: 4e-11 times f's
//   size. There no truncation is allowed except for the tolerance, 1e-7.
// - If they disagree at that step, or if ρ leaves more than a thousandth of the derivative open, then steps from 16·h
// to
//   h/262144, each a quarter of the one before, decide. A smooth function's truncation falls to a sixteenth from one to
//   the next, so the change of the difference from step to step bounds it. The step with the smallest bound counts.
// - The one-sided differences (f(x + h) − f(x)) / h and (f(x) − f(x − h)) / h of a smooth function approach each other
//   as fast as each of them changes. If they stay apart, x is on a kink (of relu, of max), where the derivative is a
//   convention: any value between them will do. Such elements are counted (`kinks`).
//
// NaN or infinity anywhere fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/graph.h"

namespace chalk {

/// Values of an input or parameter are drawn from [low, high], rounded to multiples of `grid` if it is > 0.
struct DrawRange {
  double low = -1, high = 1, grid = 0;
};

struct GradcheckOptions {
  std::uint64_t seed = 1;
  std::size_t batch = 3;
  DerivativeRules rules;         // instead of the operations' own
  double tolerance = 1e-7;       // relative; a wrong rule is seen if it is off by some times that
  std::size_t most = 0;          // how many elements of each are compared, drawn at random; 0: all
  bool stop_at_failure = false;  // skip the elements after one that fails
  /// Other leaves: parameters are drawn as their Init says (± 0.5 around a constant), inputs from [−1, 1],
  /// noise from [0, 1).
  std::map<NodeId, DrawRange> ranges;
  std::map<NodeId, std::vector<double>> values;  // of leaves that are not drawn, sample by sample
};

/// The comparison for one of `wrt`.
struct Gradcheck {
  std::string name;
  std::size_t size = 0;       // elements, of all samples
  std::size_t elements = 0;   // of these that were compared
  double largest = 0;         // |gradient|, by the rules; if this is 0, little has been shown
  double absolute_error = 0;  // the largest |rule − difference|
  double relative_error = 0;  // that, relative to `largest` (or to the largest difference)
  std::size_t worst = 0;      // the element that comes closest to failing, or fails worst …
  double by_rule = 0;         // … and its two derivatives
  double by_difference = 0;
  double allowed = 0;       // how far apart the two may be
  std::size_t retried = 0;  // elements that were decided by other steps than the first
  std::size_t kinks = 0;    // elements on a kink, where each value between the one-sided differences is right
  bool missing = false;     // by the rules the outputs do not depend on it
  bool passed = false;
};

struct GradcheckReport {
  std::vector<Gradcheck> checks;  // one for each of wrt
  bool passed = false;            // all of them, and there are some
};

/// Compares the gradients of each of `outputs` with respect to each of `wrt`, which must be inputs or parameters.
/// Appends to the graph.
GradcheckReport check_gradients(Graph& graph, std::span<const Value> outputs, std::span<const Value> wrt,
                                const GradcheckOptions& options = {});

/// A line for each of wrt.
std::string to_string(const GradcheckReport& report);

/// One parameter's gradient, checked by a step along it (src/run/update_check.h says how).
struct UpdateCheck {
  std::string name;
  double alpha = 0;                    // of the last pair that was tried; the next four are of it
  double predicted = 0, measured = 0;  // change of the loss
  double error = 0, error_at_tenth = 0;
  bool seen = false;  // false: the gradient is so small that rounding hides the step
  bool passed = false;
};

}  // namespace chalk

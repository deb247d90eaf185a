// Checks derivative rules against central differences, in double.
//
// f = Σ cotangent · outputs, with a random cotangent, is differentiated by the chain rule and, one element at a time,
// by (f(x + h) − f(x − h)) / 2h. The latter is off by its truncation, ≈ h²·f‴/6, and by rounding, ≈ ε·|f|/h; both are
// ≈ ε^⅔ ≈ 4e-11 times f's size at h = ε^⅓, the step that is used. A hundred times their sum is allowed:
//
//   |rule − difference| ≤ tolerance · (F + max(|rule|, |difference|)),  tolerance = 1e-8
//
// where F = Σ |cotangent| · max(1, |output|) over the outputs that x changes. That is an absolute criterion (how far
// rounding can move a difference of values of that size) and a relative one. NaN or infinity anywhere fails.
//
// A difference across a kink (of relu, of max) is meaningless. So an element that disagrees is tried again with h/10
// and h/100, allowing for the extra rounding (tolerance·10, ·100). Away from the kink it then agrees; a wrong rule
// disagrees at every step.
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
  DerivativeRules rules;  // instead of the operations' own
  double tolerance = 1e-8;
  std::size_t most = 0;          // how many elements of each are compared, drawn at random; 0: all
  bool stop_at_failure = false;  // skip the elements after one that fails
  /// Other leaves: parameters are drawn as their Init says (± 0.5 around a constant), inputs from [−1, 1].
  std::map<NodeId, DrawRange> ranges;
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
  std::size_t retried = 0;  // elements that agreed only with a smaller step
  bool missing = false;     // by the rules the outputs do not depend on it
  bool passed = false;
};

struct GradcheckReport {
  std::vector<Gradcheck> checks;  // one for each of wrt
  bool passed = false;            // all of them, and there are some
};

/// Compares the gradients of all `outputs` at once with respect to each of `wrt`, which must be inputs or parameters.
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

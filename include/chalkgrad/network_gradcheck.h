// Checks a network's derivatives, parameter by parameter, on random samples and targets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "chalkgrad/gradcheck.h"
#include "chalkgrad/network.h"

namespace chalk {

struct NetworkGradcheckOptions {
  std::uint64_t seed = 1;  ///< of parameters, samples, targets and noise, which is the same in every run of a check
  std::size_t batch = 3;   ///< samples, >= 1
  DerivativeRules rules;   ///< instead of the operations' own
};

/// The engine's gradient, in float, against the reference's, in double, from the same numbers. They may differ by what
/// rounding to floats does to this gradient, whatever cancels in it: by 64 times what happens if each number is changed
/// at random by up to 2⁻²⁴ of itself (src/run/rounding.h).
struct EngineCheck {
  std::string name;
  double largest = 0;             ///< |gradient| by the reference
  double error = 0, allowed = 0;  ///< of the element that comes closest to failing, or fails
  bool passed = false;
};

struct NetworkGradcheck {
  GradcheckReport rules;            ///< of the mean loss and the output, against differences, in double
  std::vector<EngineCheck> engine;  ///< the loss, each parameter, the input
  bool passed = false;              ///< all of them
};

/// The work grows with the square of the network's size: see gradcheck_work(). Throws NumericError if the loss is
/// binary cross-entropy and an output has no logarithm.
NetworkGradcheck check_network(const Network& network, const NetworkGradcheckOptions& options = {});

struct UpdateReport {
  std::vector<UpdateCheck> checks;  ///< one per parameter
  bool passed = false;              ///< all of them, and at least one was seen
};

/// A step along each parameter's gradient, starting with α = `alpha` > 0, must change the loss by what the gradient
/// says. Parameters that start at a constant are moved off it. Throws as check_network() does.
UpdateReport check_updates(const Network& network, double alpha, const NetworkGradcheckOptions& options = {});

/// About how many multiply-adds check_network() takes, or check_updates().
double gradcheck_work(const Network& network, std::size_t batch, bool by_update);

/// The derivative rule of that operation, made wrong by one per cent, which a check must notice. If the network and its
/// loss have no such operation, throws InputError with a list of those they have.
DerivativeRules corrupted_rule(const Network& network, const std::string& op);

}  // namespace chalk

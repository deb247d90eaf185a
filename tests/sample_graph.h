// An operation's sample as a graph: the operation behind something trainable.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "chalkgrad/gradcheck.h"
#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/ops/registry.h"

namespace chalk {

/// y = op(p·x + q, …) for each input that is checked, so that a gradient which goes to the wrong place, or to the wrong
/// input, shows in p and q as well. Inputs that are no quantities (conditions, indices) go in as they are.
struct SampleGraph {
  SampleGraph(const Op& op, const Sample& sample) {
    std::vector<Value> inputs;
    for (std::size_t k = 0; k < sample.inputs.size(); ++k) {
      const auto& in = sample.inputs[k];
      const std::string x_name = str("x", k);
      const Value x = in.batched ? graph.input(x_name, in.shape) : graph.shared_input(x_name, in.shape);
      options.ranges[x.id()] = {in.low, in.high, in.grid};
      if (!in.differentiable) {
        inputs.push_back(x);
        continue;
      }
      const Value p = graph.parameter(str("p", k), in.shape), q = graph.parameter(str("q", k), in.shape);
      options.ranges[p.id()] = {0.8, 1.2};
      options.ranges[q.id()] = {-0.1, 0.1};
      inputs.push_back(p * x + q);
      wrt.insert(wrt.end(), {x, p, q});
    }
    y = graph.apply(op, sample.attributes, inputs);
    options.seed = 7;
  }
  SampleGraph(const SampleGraph&) = delete;
  SampleGraph& operator=(const SampleGraph&) = delete;

  Graph graph;
  Value y;
  std::vector<Value> wrt;
  GradcheckOptions options;
};

/// The operations that have a derivative.
inline std::vector<const Op*> ops_with_rules() {
  std::vector<const Op*> some;
  for (const Op* op : all_ops()) {
    if (op->derivative.value) some.push_back(op);
  }
  return some;
}

/// A sample of an operation, for tests over all of them.
struct SampleOf {
  const Op* op;
  std::size_t index;

  const Sample& sample() const { return op->samples.value[index]; }
  bool differentiable() const {
    for (const auto& input : sample().inputs) {
      if (input.differentiable) return true;
    }
    return false;
  }
};

inline void PrintTo(const SampleOf& s, std::ostream* out) {
  *out << to_string(s.sample().attributes);
}  // of GoogleTest

inline std::vector<SampleOf> all_samples() {
  std::vector<SampleOf> all;
  for (const Op* op : all_ops()) {
    for (std::size_t i = 0; i < op->samples.value.size(); ++i) all.push_back({op, i});
  }
  return all;
}

inline std::string name_of(const SampleOf& s) { return str(s.op->name.value, "_", s.index); }

}  // namespace chalk

// Leaves: values that come from outside the graph. They have no inputs, no kernel and no derivative.
#pragma once

#include "src/ir/op.h"

namespace chalk {

struct InputAttributes {  // batched or shared, as the node's type says
  std::vector<std::int64_t> shape;
  bool batched = true;
  bool distribution = false;  // elements are >= 0 and sum to 1
  bool noise = false;         // drawn if it is not fed; see Graph::noise()

  void visit(FieldVisitor& v) {
    v.field("shape", shape);
    v.field("batched", batched);
    v.field("distribution", distribution);
    v.field("noise", noise);
  }
  bool operator==(const InputAttributes&) const = default;
};

struct ParameterAttributes {
  std::vector<std::int64_t> shape;
  bool trainable = true;
  Init init;
  ParameterRole role = ParameterRole::unsaid;  // not shown to visitors, so it is not printed: see Graph::parameter()

  void visit(FieldVisitor& v) {
    v.field("shape", shape);
    v.field("trainable", trainable);
    auto kind = static_cast<std::int64_t>(init.kind);
    v.field("init", kind);
    init.kind = static_cast<Init::Kind>(kind);
    v.field("init_value", init.value);
  }
  bool operator==(const ParameterAttributes&) const = default;
};

struct ConstantAttributes {
  double value = 0;
  std::vector<std::int64_t> shape;

  void visit(FieldVisitor& v) {
    v.field("value", value);
    v.field("shape", shape);
  }
  bool operator==(const ConstantAttributes&) const = default;
};

extern const Op op_input;
extern const Op op_parameter;
extern const Op op_constant;
extern const Op op_batch_size;

/// What the parameter is for: never `unsaid`, whose rule is applied here.
ParameterRole role_of(Value parameter);
/// The parameters in the graph's order: trainable ones, running statistics and other state.
std::vector<NodeId> parameters_of(const Graph& graph);

inline bool is_noise(const Node& node) { return node.op == &op_input && node.attributes.as<InputAttributes>().noise; }

}  // namespace chalk

#include "src/plan/tail.h"

#include "src/ops/registry.h"

namespace chalk {

Tail follow(const Fusion& f, NodeId linear, const Shape& bias_shape) {
  Tail tail{linear, -1, false, {linear}};
  const NodeId sum = f.only_user(linear);
  if (sum >= 0 && f.node(sum).op == &op_add && !f.claimed(sum) && f.shape(sum) == f.shape(linear)) {
    const auto& in = f.node(sum).inputs;
    const NodeId other = in[0] == linear ? in[1] : in[0];
    if (other != linear && !f.batched(other) && f.shape(other) == bias_shape) {
      tail.bias = other;
      tail.last = sum;
      tail.nodes.push_back(sum);
    }
  }
  const NodeId next = f.only_user(tail.last);
  if (next >= 0 && f.node(next).op == &op_relu && !f.claimed(next)) {
    tail.relu = true;
    tail.last = next;
    tail.nodes.push_back(next);
  }
  return tail;
}

std::string described(const char* map, const Tail& tail) {
  return std::string(map) + (tail.bias >= 0 ? "+bias" : "") + (tail.relu ? "+relu" : "");
}

}  // namespace chalk

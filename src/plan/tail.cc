#include "src/plan/tail.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "src/ir/leaves.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

/// The number of a constant.
std::optional<double> number_of(const Fusion& f, NodeId id) {
  const Node& node = f.node(id);
  if (node.op != &op_constant) return {};
  return node.attributes.as<ConstantAttributes>().value;
}

/// If all that z is needed for is select(relu(most − z), relu(z), most), the layer relu6 for any limit: takes it in.
void follow_limit(const Fusion& f, Tail& tail) {
  const NodeId z = tail.last;
  const auto& users = f.users(z);
  if (f.is_needed_outside(z) || users.size() != 2) return;
  NodeId relu = users[0], below = users[1];
  if (f.node(relu).op != &op_relu) std::swap(relu, below);
  if (f.node(relu).op != &op_relu || f.node(below).op != &op_sub || f.node(below).inputs[1] != z) return;
  const auto most = number_of(f, f.node(below).inputs[0]);
  const NodeId positive = f.only_user(below), last = f.only_user(relu);
  if (!most || !(*most > 0) || positive < 0 || last < 0 || f.only_user(positive) != last) return;
  if (f.node(positive).op != &op_relu || f.node(last).op != &op_select) return;
  const auto& in = f.node(last).inputs;
  if (in[0] != positive || in[1] != relu || number_of(f, in[2]) != most) return;
  const std::vector<NodeId> all{relu, below, positive, last};
  if (std::ranges::any_of(
          all, [&](NodeId id) { return f.claimed(id) || f.phase(id) != f.phase(z) || f.shape(id) != f.shape(z); }))
    return;
  tail.relu = true;
  tail.most = static_cast<float>(*most);
  tail.last = last;
  tail.nodes.insert(tail.nodes.end(), all.begin(), all.end());
}

}  // namespace

Tail follow(const Fusion& f, NodeId linear, const Shape& bias_shape, Limits limits) {
  Tail tail{.last = linear, .nodes = {linear}};
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
  } else if (limits == Limits::yes) {
    follow_limit(f, tail);
  }
  return tail;
}

std::string described(const char* map, const Tail& tail) {
  return std::string(map) + (tail.bias >= 0 ? "+bias" : "") +
         (!tail.relu              ? ""
          : std::isinf(tail.most) ? "+relu"
                                  : "+relu6");
}

}  // namespace chalk

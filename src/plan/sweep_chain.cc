// The order in which a sweep's operations follow each other in chains (src/kernels/chain.h), so that few values leave
// the registers.
#include <algorithm>

#include "src/plan/sweep_kernel.h"

namespace chalk {
namespace {

bool are_equal(const std::vector<std::size_t>& in) { return in.size() == 2 && in[0] == in[1]; }

/// The operation as a link that v enters as operand `place`; operands are values.
Link link_of(const Op* op, const std::vector<std::size_t>& in, std::size_t place) {
  if (are_equal(in)) return {*op->links.of_equals};
  Link link{*op->links.by_place[place]};
  const auto other = [&](std::size_t k) { return static_cast<std::uint16_t>(in[k < place ? k : k + 1]); };
  if (in.size() > 1) link.a = other(0);
  if (in.size() > 2) link.b = other(1);
  return link;
}

bool has_link(const Op* op, const std::vector<std::size_t>& in) {
  if (are_equal(in)) return op->links.of_equals.has_value();
  if (!op->links.by_place[0]) return false;
  return in.size() < 3 || (in[0] != in[1] && in[1] != in[2] && in[2] != in[0]);
}

}  // namespace

std::uint8_t SweepKernel::step_of(std::size_t value) const {
  using enum Value::Kind;
  const auto kind = values_[value].kind;
  return kind == number || kind == channel || kind == summed ? 0 : 16;
}

void SweepKernel::link(Pass& pass) {
  constexpr auto none = static_cast<std::size_t>(-1);
  std::vector<Operation> left = pass.operations;
  std::vector<bool> waited_for(values_.size(), false);  // made by an operation that is still to come
  for (const auto& operation : left) waited_for[operation.out] = true;
  const auto takes = [](const Operation& operation, std::size_t value) {
    return std::find(operation.in.begin(), operation.in.end(), value) != operation.in.end();
  };
  const auto ready = [&](const Operation& operation) {
    return std::none_of(operation.in.begin(), operation.in.end(), [&](std::size_t in) { return waited_for[in]; });
  };

  std::vector<Link> links;
  std::size_t now = none;  // the value that is in registers
  const auto add = [&](Link link) {
    link.a_step = step_of(link.a);
    link.b_step = step_of(link.b);
    using enum LinkKind;
    const bool of_two = link.kind != neg && link.kind != relu && link.kind != square;
    const Value& a = values_[link.a];
    link.fetch = link.kind == store ? a.output >= 0 : of_two && a.kind == Value::Kind::aligned;
    links.push_back(link);
  };
  const auto flush = [&] {
    if (!links.empty()) pass.stages.push_back({std::move(links), {}});
    links.clear();
    now = none;
  };
  const auto load = [&](std::size_t value) {
    if (now != value) add({LinkKind::load, static_cast<std::uint16_t>(value)});
    now = value;
  };
  const auto add_sums = [&](std::size_t value) {
    for (const auto& sum : pass.sums) {
      if (sum.in != value) continue;
      load(value);
      add({LinkKind::sum, static_cast<std::uint16_t>(sum.out)});
    }
  };
  /// The next operation: one that goes on with the value in registers, if there is any.
  const auto next = [&] {
    const auto goes_on = std::find_if(left.begin(), left.end(), [&](const Operation& operation) {
      return takes(operation, now) && has_link(operation.op, operation.in) && ready(operation);
    });
    return goes_on != left.end() ? goes_on : std::find_if(left.begin(), left.end(), ready);
  };

  for (const auto& sum : pass.sums) {
    if (!waited_for[sum.in]) add_sums(sum.in);
  }
  while (!left.empty()) {
    const auto found = next();
    const Operation operation = *found;
    left.erase(found);
    waited_for[operation.out] = false;
    if (has_link(operation.op, operation.in)) {
      if (!takes(operation, now)) load(operation.in[0]);
      const auto place = std::find(operation.in.begin(), operation.in.end(), now) - operation.in.begin();
      add(link_of(operation.op, operation.in, static_cast<std::size_t>(place)));
      now = operation.out;
      const auto users = std::count_if(left.begin(), left.end(), [&](const auto& user) { return takes(user, now); });
      const auto user = users == 1 ? next() : left.end();
      const bool goes_on = users == 0 || (user != left.end() && takes(*user, now) && has_link(user->op, user->in));
      const bool output = values_[now].output >= 0 && !operation.again;
      if (output || !goes_on) add({LinkKind::store, static_cast<std::uint16_t>(now)});
    } else {
      flush();
      for (const auto in : operation.in) values_[in].repeated = true;
      pass.stages.push_back({{}, operation});
    }
    add_sums(operation.out);
  }
  flush();
}

}  // namespace chalk

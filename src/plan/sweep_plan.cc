#include "src/plan/sweep_plan.h"

#include <algorithm>
#include <map>

#include "src/kernels/expand.h"
#include "src/ops/reduce.h"
#include "src/ops/registry.h"
#include "src/plan/sweep_chain.h"

namespace chalk {
namespace {

using Form = SweepPlan::Operand::Form;

class SweepPlanner {
 public:
  SweepPlanner(const Fusion& fusion, std::vector<NodeId> members, const Type& domain)
      : fusion_(fusion), domain_(domain) {
    plan_.nodes = std::move(members);
    plan_.batched = domain.batched;
  }

  SweepPlan run() {
    for (const auto id : plan_.nodes) add(id);
    plan_.values = values_.size();
    divide();
    make_rounds();
    for (auto& operand : plan_.operands) operand.repeated = values_[operand.value].repeated;
    for (auto& round : plan_.rounds) {
      for (auto& sum : round.sums) sum.repeated = values_[sum.out].repeated;
      if (plan_.across) fetch_nothing(round);
    }
    return std::move(plan_);
  }

 private:
  bool is_member(NodeId id) const { return std::binary_search(plan_.nodes.begin(), plan_.nodes.end(), id); }

  void add(NodeId id) {
    const Node& node = fusion_.node(id);
    std::vector<std::size_t> in;
    for (const auto input : node.inputs) {
      const auto [known, fresh] = value_of_.try_emplace(input, values_.size());
      if (fresh) add_operand(input);
      in.push_back(known->second);
    }
    const auto out = value_of_[id] = values_.size();
    const auto& users = fusion_.users(id);
    std::optional<std::size_t> output;
    if (fusion_.is_needed_outside(id) ||
        !std::all_of(users.begin(), users.end(), [&](NodeId user) { return is_member(user); })) {
      output = plan_.outputs.size();
      plan_.outputs.push_back(id);
    }
    if (node.op->kernels.value.sweep) {
      operations_.push_back({node.op, node.op->kernels.value.sweep(), std::move(in), out, output});
      values_.push_back({});
    } else {
      sums_.push_back({in[0], out, node.op == &op_mean, output});
      plan_.across = sums_places(fusion_.graph(), id);
      values_.push_back({.same = true});
    }
    plan_.name += (plan_.name.empty() ? "" : "+") + std::string(node.op->name.value);
  }

  void add_operand(NodeId id) {
    const Type& from = fusion_.node(id).type;
    SweepPlan::Operand operand{.value = values_.size(),
                               .input = plan_.inputs.size(),
                               .shared = !from.batched,
                               .whole = from.shape == domain_.shape};
    if (from == domain_) {
      operand.form = Form::aligned;
    } else if (operand.shared && elements(from.shape) == 1) {
      operand.form = Form::number;
    } else if (is_by_channel(from.shape, domain_.shape)) {
      operand.form = Form::channel;
      operand.step = elements(from.shape) > 1 ? 1 : 0;
    } else if (from.batched && is_by_place(from.shape, domain_.shape)) {
      operand.form = Form::place;
    } else {
      operand.form = Form::gathered;
      operand.places = broadcast_places(from.shape, domain_.shape);
      operand.run = run_of(operand.places);
    }
    values_.push_back({.same = operand.form == Form::number || operand.form == Form::channel,
                       .fetch = operand.form == Form::aligned ? distance() : Prefetch::none});
    plan_.inputs.push_back(id);
    plan_.operands.push_back(std::move(operand));
  }

  /// Where values of the domain's size are when they are read: several that are larger do not fit into a core's second
  /// cache.
  Prefetch distance() const {
    constexpr std::int64_t kNear = std::int64_t{1} << 16;  // floats, of a value
    return elements(domain_.shape) * (domain_.batched ? 16 : 1) > kNear ? Prefetch::far : Prefetch::near;
  }

  /// Channels, where something is one for each, and places of each of them.
  void divide() {
    const auto count = static_cast<std::size_t>(elements(domain_.shape));
    const bool by_channel = std::any_of(plan_.operands.begin(), plan_.operands.end(), [](const auto& operand) {
      return operand.form == Form::channel || operand.form == Form::place;
    });
    if (by_channel || !sums_.empty()) {
      plan_.channels = static_cast<std::size_t>(domain_.shape[0]);
      plan_.places = count / plan_.channels;
    } else {
      plan_.places = plan_.batched ? count : (count + 15) / 16;
    }
  }

  void make_rounds() {
    const auto round_of = rounds_of_values();
    std::size_t rounds = 1;
    for (const auto& operation : operations_) rounds = std::max(rounds, round_of[operation.out] + 1);
    for (const auto& sum : sums_) rounds = std::max(rounds, round_of[sum.out]);
    for (std::size_t r = 0; r < rounds; ++r) plan_.rounds.push_back(make_round(r, round_of));
  }

  /// A value can be made in the round after that of the last sum it is made from.
  std::vector<std::size_t> rounds_of_values() const {
    std::vector<std::size_t> round(values_.size(), 0);
    auto sum = sums_.begin();
    const auto take_sums = [&](std::size_t before) {
      for (; sum != sums_.end() && sum->out < before; ++sum) round[sum->out] = round[sum->in] + 1;
    };
    for (const auto& operation : operations_) {
      take_sums(operation.out);
      for (const auto in : operation.in) round[operation.out] = std::max(round[operation.out], round[in]);
    }
    take_sums(values_.size());
    return round;
  }

  SweepPlan::Round make_round(std::size_t now, const std::vector<std::size_t>& round_of) {
    SweepPlan::Round round;
    std::vector<bool> wanted(values_.size(), false);
    for (const auto& sum : sums_) {
      if (round_of[sum.in] != now) continue;
      round.sums.push_back(sum);
      wanted[sum.in] = true;
    }
    for (auto operation = operations_.rbegin(); operation != operations_.rend(); ++operation) {
      const bool first_time = round_of[operation->out] == now;
      if (!wanted[operation->out] && !(operation->output && first_time)) continue;
      for (const auto in : operation->in) wanted[in] = true;
      round.operations.push_back(*operation);
      if (!first_time) round.operations.back().output.reset();  // it has been written
    }
    std::reverse(round.operations.begin(), round.operations.end());
    for (std::size_t i = 0; i < plan_.operands.size(); ++i) {
      const auto& operand = plan_.operands[i];
      const bool by_block =
          operand.form == Form::aligned || operand.form == Form::place || operand.form == Form::gathered;
      if (wanted[operand.value] && by_block) round.reads.push_back(i);
    }
    round.stages = make_stages(round.operations, round.sums, values_, distance());
    return round;
  }

  /// Through all channels, what lies ahead in one is read only after some of all the others.
  static void fetch_nothing(SweepPlan::Round& round) {
    for (auto& stage : round.stages) {
      if (auto* links = std::get_if<std::vector<Link>>(&stage)) {
        for (auto& link : *links) link.fetch = Prefetch::none;
      }
    }
  }

  const Fusion& fusion_;
  const Type& domain_;
  SweepPlan plan_;
  std::map<NodeId, std::size_t> value_of_;
  std::vector<ChainValue> values_;
  std::vector<SweepPlan::Operation> operations_;
  std::vector<SweepPlan::ChannelSum> sums_;
};

}  // namespace

bool is_by_channel(const Shape& shape, const Shape& domain) {
  if (elements(shape) == 1) return true;
  return domain.size() > 1 && shape.size() == domain.size() && shape[0] == domain[0] && elements(shape) == shape[0];
}

bool is_by_place(const Shape& shape, const Shape& domain) {
  constexpr std::int64_t kManyPlaces = 16;
  if (domain.size() < 2 || shape.size() + 1 < domain.size() || shape.size() > domain.size()) return false;
  const std::int64_t places = elements(domain) / domain[0];
  if (places < kManyPlaces || elements(shape) != places) return false;
  return std::equal(domain.rbegin(), domain.rend() - 1, shape.rbegin());
}

namespace {

bool sums_over(const Graph& graph, NodeId id, const auto& axes_are) {
  const Node& node = graph.node(id);
  if ((node.op != &op_sum && node.op != &op_mean) || !node.type.batched) return false;
  const auto rank = graph.node(node.inputs[0]).type.shape.size();
  return rank > 1 && axes_are(node.attributes.as<ReduceAttributes>().axes, rank);
}

}  // namespace

bool sums_channels(const Graph& graph, NodeId id) {
  return sums_over(graph, id,
                   [](const auto& axes, std::size_t rank) { return axes.size() == rank - 1 && axes[0] == 1; });
}

bool sums_places(const Graph& graph, NodeId id) {
  return sums_over(graph, id, [](const auto& axes, std::size_t) { return axes.size() == 1 && axes[0] == 0; });
}

SweepPlan::Operand* SweepPlan::aligned(std::size_t input) {
  const auto found = std::find_if(operands.begin(), operands.end(), [&](const Operand& operand) {
    return operand.form == Operand::Form::aligned && operand.input == input;
  });
  return found == operands.end() ? nullptr : &*found;
}

bool SweepPlan::read_slots(std::size_t input) {
  Operand* const operand = batched ? nullptr : aligned(input);
  if (operand) operand->form = Form::slots;
  return operand != nullptr;
}

std::size_t SweepPlan::read_parts(std::size_t input) {
  Operand* const part = aligned(input);
  part->form = Form::part;
  inputs.erase(inputs.begin() + static_cast<std::ptrdiff_t>(input));
  for (auto& operand : operands) operand.input -= operand.input > input ? 1 : 0;
  return part->value;
}

SweepPlan plan_sweep(const Fusion& fusion, std::vector<NodeId> members, const Type& domain) {
  return SweepPlanner(fusion, std::move(members), domain).run();
}

}  // namespace chalk

#include "src/plan/plan.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>

#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/kernels/fold.h"
#include "src/ops/registry.h"
#include "src/plan/locations.h"
#include "src/plan/phases.h"

namespace chalk {
namespace {

using Space = Location::Space;

constexpr std::size_t kPart = 8192;                         // floats of a shared value that one thread takes at a time
constexpr std::size_t kSlotBudget = std::size_t{64} << 20;  // floats in all slots together

class Planner {
 public:
  Planner(Plan& plan, const PhasedGraph& phased, bool tuned) : plan_(plan), g_(plan.graph) {
    plan.kernels = fuse(g_, phased.phase, phased.over_batch, tuned);
    const auto count = static_cast<std::size_t>(g_.size());
    made_by_.assign(count, -1);
    locations_.resize(count);
    plan.runs_one = std::all_of(plan.kernels.begin(), plan.kernels.end(),
                                [&](const auto& kernel) { return is_shared(*kernel) || kernel->runs_one; });
    order_kernels();
    assign_phases();
    plan.phases.resize(static_cast<std::size_t>(phase_count_));
  }

  void run(const std::string& guard) {
    place_leaves();
    place_shared();
    place_batched_values();
    fold_where_read();
    find_waves();
    update_in_place(guard);
    make_batched_steps();
    make_shared_steps();
    name_outputs();
  }

 private:
  const Node& node(NodeId id) const { return g_.node(id); }
  NodeId source(NodeId id) const { return source_of(g_, id); }
  Location& location(NodeId id) { return locations_[static_cast<std::size_t>(source(id))]; }
  bool packs(const PlannedKernel& k) const { return k.packed > 0 && (plan_.runs_one || !k.packs_for_one); }
  /// It needs no samples; or does something for each microbatch.
  bool is_shared(const PlannedKernel& k) const {
    return !node(k.outputs[0]).type.batched && !k.sums_batch && !k.over_batch;
  }
  bool is_work(const PlannedKernel& k) const { return !is_shared(k) && !k.over_batch; }

  /// Kernels in an order in which each stands after what it reads, otherwise that of the graph.
  void order_kernels() {
    auto& kernels = plan_.kernels;
    std::vector<int> owner(static_cast<std::size_t>(g_.size()), -1);
    for (std::size_t k = 0; k < kernels.size(); ++k) {
      for (const auto id : kernels[k]->nodes) owner[static_cast<std::size_t>(id)] = static_cast<int>(k);
    }
    std::vector<int> waiting(kernels.size(), 0);
    std::vector<std::vector<std::size_t>> users(kernels.size());
    for (std::size_t k = 0; k < kernels.size(); ++k) {
      for (const auto id : kernels[k]->inputs) {
        const int from = owner[static_cast<std::size_t>(source(id))];
        if (from < 0) continue;
        users[static_cast<std::size_t>(from)].push_back(k);
        ++waiting[k];
      }
    }
    std::map<NodeId, std::size_t> ready;  // by the last node, so that work stays near what it follows
    for (std::size_t k = 0; k < kernels.size(); ++k) {
      if (waiting[k] == 0) ready[kernels[k]->nodes.back()] = k;
    }
    std::vector<std::unique_ptr<PlannedKernel>> sorted;
    while (!ready.empty()) {
      const auto k = ready.begin()->second;
      ready.erase(ready.begin());
      for (const auto user : users[k]) {
        if (--waiting[user] == 0) ready[kernels[user]->nodes.back()] = user;
      }
      sorted.push_back(std::move(kernels[k]));
    }
    if (sorted.size() != kernels.size()) throw std::logic_error("plan: the kernels cannot be put in an order");
    kernels = std::move(sorted);
    for (std::size_t k = 0; k < kernels.size(); ++k) {
      for (const auto id : kernels[k]->outputs) made_by_[static_cast<std::size_t>(id)] = static_cast<int>(k);
    }
  }

  void assign_phases() {
    value_phase_.assign(static_cast<std::size_t>(g_.size()), 0);
    for (const auto& kernel : plan_.kernels) {
      int phase = kernel->phase;
      for (const auto id : kernel->inputs) {
        const int wait = kernel->over_batch && node(id).type.batched ? 1 : 0;  // for all microbatches
        phase = std::max(phase, value_phase_[static_cast<std::size_t>(source(id))] + wait);
      }
      kernel_phase_.push_back(phase);
      for (const auto id : kernel->outputs)
        value_phase_[static_cast<std::size_t>(id)] = phase + (kernel->sums_batch ? 1 : 0);
      phase_count_ = std::max(phase_count_, phase + (kernel->sums_batch ? 2 : 1));
    }
  }

  void place_leaves() {
    for (NodeId id = 0; id < g_.size(); ++id) {
      const Node& n = node(id);
      if (n.op == &op_parameter) {
        location(id) = {Space::variable, plan_.variables.size()};
        plan_.variables.push_back(n.name);
      } else if (n.op == &op_constant) {
        location(id) = {Space::shared, plan_.shared};
        plan_.constants.push_back(
            {plan_.shared, floats_of(n.type), static_cast<float>(n.attributes.as<ConstantAttributes>().value)});
        plan_.shared += floats_of(n.type);
      } else if (n.op == &op_batch_size) {
        if (plan_.batch_size.space == Space::none) {
          plan_.batch_size = {Space::shared, plan_.shared};
          plan_.shared += floats_of(n.type);
        }
        location(id) = plan_.batch_size;
      } else if (n.op == &op_input && !n.type.batched) {
        location(id) = {Space::shared, plan_.shared};
        plan_.shared += floats_of(n.type);
        plan_.inputs.push_back({n.name, n.type, location(id), false});
      } else if (n.op == &op_input) {
        batched_inputs_.emplace_back(id, plan_.inputs.size());
        plan_.inputs.push_back({n.name, n.type, {}, is_noise(n)});
      }
    }
  }

  void place_shared() {
    for (const auto& kernel : plan_.kernels) {
      for (const auto id : kernel->outputs) {
        if (node(id).type.batched) continue;
        location(id) = {Space::shared, plan_.shared};
        plan_.shared += floats_of(node(id).type);
        if (!kernel->sums_batch) continue;
        slot_of_[id] = plan_.slot;
        plan_.slot += floats_of(node(id).type);
      }
    }
    const bool sums = std::any_of(plan_.kernels.begin(), plan_.kernels.end(),
                                  [&](const auto& k) { return k->sums_batch || k->transposed >= 0; });
    if (sums) {
      plan_.slots = kMaxSlots;
      while (plan_.slots > 4 && static_cast<std::size_t>(plan_.slots) * plan_.slot > kSlotBudget) plan_.slots /= 2;
    }
  }

  void place_batched_values() {
    batched_ = locate_batched(g_, plan_.kernels, kernel_phase_);
    for (const auto& [id, where] : batched_.lanes) location(id) = where;
    plan_.arena_values = std::move(batched_.arena_values);
    plan_.arena = batched_.arena;
    plan_.whole = std::move(batched_.whole);
  }

  Step step_of(const PlannedKernel& kernel) {
    Step step;
    step.kernel = &kernel;
    for (std::size_t i = 0; i < kernel.inputs.size(); ++i) {
      const NodeId id = source(kernel.inputs[i]);
      const bool folded = folded_where_read_.contains(id);
      step.in.push_back(folded                                     ? Location{Space::slots, slot_of_.at(id)}
                        : kernel.transposed == static_cast<int>(i) ? batched_.rows.at(id)
                                                                   : location(id));
    }
    for (const auto id : kernel.outputs) {
      step.out.push_back(kernel.sums_batch ? Location{Space::slots, slot_of_.at(id)} : location(id));
    }
    if (kernel.over_batch) {
      const auto floats = [&](const Location& at) { return at.space == Space::whole ? plan_.whole[at.offset] : 0; };
      std::transform(step.in.begin(), step.in.end(), std::back_inserter(step.in_step), floats);
      std::transform(step.out.begin(), step.out.end(), std::back_inserter(step.out_step), floats);
    }
    plan_.scratch = std::max(plan_.scratch, (kernel.scratch + 15) / 16 * 16);
    if (packs(kernel)) {
      step.packed = plan_.shared;
      plan_.shared += (kernel.packed + 15) / 16 * 16;
      plan_.packs.push_back({&kernel, location(kernel.pack_from), step.packed});
    }
    return step;
  }

  void make_batched_steps() {
    for (const auto& [id, index] : batched_inputs_) {
      for (const auto p : batched_.gather[id]) at_phase(p).gathers.push_back({index, location(id)});
      if (const auto rows = batched_.gather_rows.find(id); rows != batched_.gather_rows.end())
        at_phase(rows->second).gathers.push_back({index, batched_.rows.at(id), true});
    }
    for (const auto& [id, to] : batched_.rows) {
      if (batched_.gather_rows.contains(id)) continue;
      const Phase::Transposition transposition{elements(node(id).type.shape), location(id), to};
      at_phase(value_phase_[static_cast<std::size_t>(id)]).transpositions.push_back(transposition);
    }
    for (std::size_t k = 0; k < plan_.kernels.size(); ++k) {
      const auto& kernel = *plan_.kernels[k];
      if (!is_work(kernel)) continue;
      Phase& phase = at_phase(kernel_phase_[k]);
      phase.steps.push_back(step_of(kernel));
      phase.sums |= kernel.sums_batch;
    }
  }

  Phase& at_phase(int phase) { return plan_.phases[static_cast<std::size_t>(phase)]; }

  void add_item(Phase& phase, int wave, SharedItem item) {
    if (phase.waves.size() <= static_cast<std::size_t>(wave)) phase.waves.resize(static_cast<std::size_t>(wave) + 1);
    phase.waves[static_cast<std::size_t>(wave)].push_back(item);
  }

  void add_parts(Phase& phase, int wave, SharedItem item, std::size_t count, std::size_t part) {
    for (std::size_t begin = 0; begin < count; begin += part) {
      item.begin = begin;
      item.end = std::min(count, begin + part);
      item.all = count;
      add_item(phase, wave, item);
    }
  }

  /// The wave of its phase after which a shared value is there; −1: before the phase.
  int wave_after(NodeId id, int phase) const {
    id = source(id);
    const auto found = wave_of_.find(id);
    return found == wave_of_.end() || value_phase_[static_cast<std::size_t>(id)] != phase ? -1 : found->second;
  }

  /// Sums over samples that one kernel wants, and nobody else, are folded by that kernel if it can.
  void fold_where_read() {
    for (const auto& [id, slot] : slot_of_) {
      const auto [reader, input] = only_reader(g_, plan_.kernels, id);
      if (reader && !is_work(*reader) && reader->read_slots(input)) folded_where_read_.insert(id);
    }
  }

  void find_waves() {
    kernel_wave_.assign(plan_.kernels.size(), -1);
    for (const auto& [id, slot] : slot_of_) {
      if (!folded_where_read_.contains(id)) wave_of_[id] = 0;
    }
    for (std::size_t k = 0; k < plan_.kernels.size(); ++k) {
      const auto& kernel = *plan_.kernels[k];
      if (is_work(kernel)) continue;
      int wave = 0;
      for (const auto id : kernel.inputs) wave = std::max(wave, wave_after(id, kernel_phase_[k]) + 1);
      if (packs(kernel)) wave = std::max(wave, wave_after(kernel.pack_from, kernel_phase_[k]) + 2);
      kernel_wave_[k] = wave;
      for (const auto id : kernel.outputs) wave_of_[id] = wave;
    }
  }

  /// An update is made in place where its kernel runs after the guard and after all that reads the parameter.
  void update_in_place(const std::string& guard) {
    NodeId guarded = -1;
    for (const auto& [name, id] : g_.outputs()) {
      if (name == guard) guarded = source(id);
    }
    const int guard_phase = guarded < 0 ? -1 : value_phase_[static_cast<std::size_t>(guarded)];
    const int guard_wave = guarded < 0 ? -1 : wave_after(guarded, guard_phase);
    if (guarded >= 0) {
      plan_.guard = location(guarded);
      plan_.phases[static_cast<std::size_t>(guard_phase)].guard_wave = std::max(guard_wave, 0);
    }
    const int last_phase = phase_count_ - 1;
    for (const auto& [leaf, next] : g_.updates()) {
      const int k = made_by_[static_cast<std::size_t>(next)];
      if (k < 0 || in_place_.contains(next)) continue;
      if (kernel_phase_[static_cast<std::size_t>(k)] != last_phase || !node(next).op->kernels.value.sweep) continue;
      auto& wave = kernel_wave_[static_cast<std::size_t>(k)];
      const int earliest = guard_phase == last_phase ? std::max(wave, guard_wave + 1) : wave;
      if (!may_overwrite(leaf, next, static_cast<std::size_t>(k), earliest)) continue;
      wave = earliest;
      in_place_[next] = leaf;
    }
    for (const auto& [next, leaf] : in_place_) location(next) = location(leaf);
  }

  /// True if kernel k, run in this wave of the last phase, may write `next` over the parameter `leaf`.
  bool may_overwrite(NodeId leaf, NodeId next, std::size_t k, int wave) const {
    const auto& kernel = *plan_.kernels[k];
    for (const auto id : kernel.nodes) {  // the kernel goes through its nodes in order
      const auto& in = node(id).inputs;
      if (id > next && std::any_of(in.begin(), in.end(), [&](NodeId from) { return source(from) == leaf; }))
        return false;
    }
    const auto reads = [&](const PlannedKernel& reader, NodeId value) {
      return std::any_of(reader.inputs.begin(), reader.inputs.end(), [&](NodeId id) { return source(id) == value; });
    };
    for (std::size_t other = 0; other < plan_.kernels.size(); ++other) {
      const auto& reader = *plan_.kernels[other];
      if (other == k || kernel_phase_[other] != phase_count_ - 1) continue;
      const bool late = is_work(reader) || kernel_wave_[other] >= wave;
      if (late && reads(reader, leaf)) return false;
      if (wave == kernel_wave_[k]) continue;
      for (const auto made : kernel.outputs) {  // moved to a later wave: its readers would have to move too
        if (reads(reader, made)) return false;
      }
    }
    for (const auto& [other_leaf, other_next] : g_.updates()) {
      if (source(other_next) == leaf) return false;
    }
    return std::none_of(g_.outputs().begin(), g_.outputs().end(),
                        [&](const auto& output) { return source(output.second) == leaf; });
  }

  void make_shared_steps() {
    for (const auto& [id, slot] : slot_of_) {
      if (folded_where_read_.contains(id)) continue;
      const int p = value_phase_[static_cast<std::size_t>(id)];
      add_parts(at_phase(p), 0, {SharedItem::Kind::fold, 0, {Space::slots, slot}, location(id)},
                static_cast<std::size_t>(elements(node(id).type.shape)), kPart);
    }
    for (std::size_t k = 0; k < plan_.kernels.size(); ++k) {
      if (kernel_wave_[k] < 0) continue;
      const auto& kernel = *plan_.kernels[k];
      Phase& phase = at_phase(kernel_phase_[k]);
      add_parts(phase, kernel_wave_[k], {SharedItem::Kind::run, phase.shared_steps.size(), {}, {}}, kernel.parts,
                kernel.grain);
      phase.shared_steps.push_back(step_of(kernel));
    }
    for (std::size_t i = 0; i < plan_.packs.size(); ++i) {  // as soon as the weights are there
      const NodeId from = plan_.packs[i].kernel->pack_from;
      const int p = value_phase_[static_cast<std::size_t>(source(from))];
      add_item(at_phase(p), wave_after(from, p) + 1, {SharedItem::Kind::pack, i, {}, {}, 0, 1});
    }
    make_copies();
  }

  /// The other updates, all at once: what is copied from a parameter that changes itself goes through a temporary.
  void make_copies() {
    Phase& last = plan_.phases.back();
    std::vector<SharedItem> copies;
    for (const auto& [leaf, next] : g_.updates()) {
      const auto found = in_place_.find(next);
      if (found != in_place_.end() && found->second == leaf) continue;
      if (source(next) == leaf) continue;
      const std::size_t count = floats_of(node(leaf).type);
      Location from = location(next);
      if (from.space == Space::variable) {
        const Location temporary{Space::shared, plan_.shared};
        plan_.shared += count;
        if (last.waves.empty()) last.waves.emplace_back();
        const int wave = static_cast<int>(last.waves.size()) - 1;
        add_item(last, wave, {SharedItem::Kind::copy, 0, from, temporary, 0, count});
        from = temporary;
      }
      copies.push_back({SharedItem::Kind::copy, 0, from, location(leaf), 0, count});
    }
    if (copies.empty()) return;
    if (last.steps.empty() && last.gathers.empty()) {
      const int wave = static_cast<int>(last.waves.size());
      for (const auto& copy : copies) add_item(last, wave, copy);
    } else {  // microbatches of the last phase may still read the old values
      plan_.phases.emplace_back();
      for (const auto& copy : copies) add_item(plan_.phases.back(), 0, copy);
    }
  }

  void name_outputs() {
    for (const auto& [name, id] : g_.outputs()) {
      const Type& type = node(id).type;
      if (type.batched) {
        at_phase(batched_.deliver.at(source(id))).deliveries.push_back({plan_.outputs.size(), location(id)});
      }
      plan_.outputs.push_back({name, type, type.batched ? Location{} : location(id)});
    }
  }

  Plan& plan_;
  const Graph& g_;
  std::vector<Location> locations_;
  std::vector<int> made_by_;       // kernel that makes a value
  std::vector<int> kernel_phase_;  // in which it runs
  std::vector<int> value_phase_;   // from which on a value is there
  int phase_count_ = 1;
  BatchedLocations batched_;
  std::vector<std::pair<NodeId, std::size_t>> batched_inputs_;  // and their index in Plan::inputs
  std::map<NodeId, std::size_t> slot_of_;
  std::set<NodeId> folded_where_read_;  // of these: no fold of their own
  std::map<NodeId, int> wave_of_;
  std::vector<int> kernel_wave_;       // −1: not on shared values
  std::map<NodeId, NodeId> in_place_;  // next value → parameter it is written over
};

std::string print_location(const Location& location) {
  switch (location.space) {
    case Space::none:
      return "nowhere";
    case Space::arena:
      return str("arena+", location.offset);
    case Space::shared:
      return str("shared+", location.offset);
    case Space::slots:
      return str("slot+", location.offset);
    case Space::whole:
      return str("whole#", location.offset);
    case Space::variable:
      return str("variable#", location.offset);
  }
  return "";
}

}  // namespace

Plan make_plan(const Graph& graph, bool tuned, const std::string& guard) {
  Plan plan;
  auto phased = find_phases(graph, tuned);
  plan.graph = std::move(phased.graph);
  Planner(plan, phased, tuned).run(guard);
  return plan;
}

std::string Plan::print() const {
  std::string text;
  const auto reference = [&](NodeId id) {
    const auto& name = graph.node(id).name;
    return name.empty() ? str("%", id) : name;
  };
  const auto line = [&](const Step& step) {
    const auto& k = *step.kernel;
    text += "    " + k.name;
    for (std::size_t i = 0; i < k.inputs.size(); ++i)
      text += (i ? ", " : " (") + reference(k.inputs[i]) + "@" + print_location(step.in[i]);
    text += ") ->";
    for (std::size_t i = 0; i < k.outputs.size(); ++i)
      text += " " + reference(k.outputs[i]) + "@" + print_location(step.out[i]);
    text += "\n";
  };
  for (std::size_t p = 0; p < phases.size(); ++p) {
    text += str("phase ", p, "\n  shared, ", phases[p].waves.size(), " waves\n");
    for (const auto& step : phases[p].shared_steps) line(step);
    if (phases[p].steps.empty() && phases[p].gathers.empty()) continue;
    text += "  each microbatch of 16\n";
    for (const auto& step : phases[p].steps) line(step);
  }
  text += str("arena ", arena * 4, " B a thread, scratch ", scratch * 4, " B, shared ", shared * 4, " B, ", slots,
              " slots of ", slot * 4, " B\n");
  return text;
}

}  // namespace chalk

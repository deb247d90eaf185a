#include "src/derive/update.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/optimizers/optimizer.h"

namespace chalk::calculus {
namespace {

/// What is kept: its name in model files, what it is called here, and whether roots are taken of it.
struct Kept {
  std::string_view state, letter;
  bool positive = false;
};
constexpr std::array<Kept, 8> kKept{{{"momentum", "v"},
                                     {"mean", "m"},
                                     {"mean_square", "s", true},
                                     {"largest_mean_square", "z", true},
                                     {"mean_square_step", "q", true},
                                     {"sum", "s", true},
                                     {"largest", "u", true},
                                     {"mean_change", "c"}}};

}  // namespace

Subject update_of(const Optimizer& optimizer, bool ascends) {
  Subject s;
  Graph& g = s.graph;
  const Shape shape{3, 2};
  const Value w = g.parameter("w", shape, {}, /*trainable=*/true, ParameterRole::weight);
  const Value gradient = g.shared_input("g", shape);
  StepContext context{.lr = g.shared_input("lr"), .ascends = ascends};
  add_update(context, w, gradient, /*decays=*/true, optimizer);
  const auto call = [&](NodeId id, std::string name, std::string meaning) {
    while (std::ranges::any_of(s.names, [&](const auto& each) { return each.second == name; })) name += "_2";
    s.names[id] = std::move(name);
    s.meanings[id] = std::move(meaning);
  };
  s.input = gradient.id();
  call(w.id(), "w", "a parameter");
  call(gradient.id(), "g", ascends ? "the objective's gradient by w" : "∂L/∂w, the mean of the batch");
  call(context.lr.id(), "eta", "learning rate");
  int scalars = 0;
  for (const auto& scalar : context.scalars)
    call(g.find(scalar.name).id(), str("kappa_", ++scalars), scalar.name + ", a number that depends on the step alone");
  auto updates = g.updates();
  std::ranges::stable_sort(updates, {}, [&](const auto& each) { return each.first == w.id(); });
  for (const auto& [parameter, next] : updates) {
    if (parameter != w.id()) {
      const auto state = g.node(parameter).name.substr(2);
      const auto known = std::ranges::find(kKept, std::string_view(state), &Kept::state);
      const std::string letter(known == kKept.end() ? "h" : known->letter);
      call(parameter, letter, state + ", kept from step to step");
      if (known != kKept.end() && known->positive) s.given += s.names[parameter] + " in 0.1..2\n";
    }
    if (next == parameter || s.names.contains(next)) continue;
    call(next, s.names[parameter] + "'", s.names[parameter] + " after the step");
    s.values.push_back(next);
  }
  // What several values are made of gets a name, too.
  std::map<NodeId, int> users;
  std::vector<bool> needed(static_cast<std::size_t>(g.size()));
  for (const auto value : s.values) needed[static_cast<std::size_t>(value)] = true;
  for (NodeId id = g.size() - 1; id >= 0; --id) {
    if (!needed[static_cast<std::size_t>(id)]) continue;
    for (const auto input : g.node(id).inputs) {
      needed[static_cast<std::size_t>(input)] = true;
      ++users[input];
    }
  }
  int parts = 0;
  for (const auto& [id, count] : users) {
    if (count < 2 || s.names.contains(id) || is_leaf(*g.node(id).op)) continue;
    call(id, str("h_", ++parts), "on the way");
    s.values.push_back(id);
  }
  std::ranges::sort(s.values);
  return s;
}

}  // namespace chalk::calculus

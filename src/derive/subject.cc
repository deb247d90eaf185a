#include "src/derive/subject.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/derive/elements.h"
#include "src/derive/notation.h"
#include "src/ir/leaves.h"
#include "src/losses/ending.h"
#include "src/losses/loss.h"
#include "src/net/build.h"
#include "src/ops/attributes.h"
#include "src/ops/pool.h"
#include "src/ops/registry.h"
#include "src/passes/passes.h"
#include "src/train/objective.h"

namespace chalk::calculus {
namespace {

/// Rows of numbers that have become maps: what reads them by place would have to find it in the row.
bool makes_maps(const Graph& g, NodeId id) {
  const auto long_axes = [&](NodeId of) {
    auto shape = g.node(of).type.shape;
    std::erase(shape, 1);
    return shape;
  };
  return g.node(id).op == &op_reshape && g.node(id).type.shape.size() >= 3 &&
         long_axes(id) != long_axes(g.node(id).inputs[0]);
}

bool is_view(const Graph& g, NodeId id) {
  return (g.node(id).op == &op_reshape && !makes_maps(g, id)) || g.node(id).op == &op_batch_broadcast;
}

/// A copy of what the loss needs, in which ln softmax is a logarithm of the softmax, which is there once.
class Copy {
 public:
  explicit Copy(const Graph& from) : from_(from) {}

  NodeId of(NodeId loss, Subject& to) {
    std::vector<bool> needed(static_cast<std::size_t>(from_.size()));
    needed[static_cast<std::size_t>(loss)] = true;
    for (NodeId id = loss; id >= 0; --id) {
      if (!needed[static_cast<std::size_t>(id)]) continue;
      for (const auto input : from_.node(id).inputs) needed[static_cast<std::size_t>(input)] = true;
    }
    for (NodeId id = 0; id < from_.size(); ++id) {
      if (needed[static_cast<std::size_t>(id)] || from_.node(id).op == &op_input) to_[id] = copy(id, to).id();
    }
    return to_.at(loss);
  }
  NodeId now(NodeId id) const {
    const auto found = to_.find(id);
    return found == to_.end() ? -1 : found->second;
  }

 private:
  Value copy(NodeId id, Subject& to) {
    const Node& n = from_.node(id);
    Graph& g = to.graph;
    g.layer(n.layer);
    if (n.op == &op_input) {
      const auto& a = n.attributes.as<InputAttributes>();
      return a.noise     ? g.noise(n.name, a.shape)
             : a.batched ? g.input(n.name, a.shape, a.distribution)
                         : g.shared_input(n.name, a.shape);
    }
    if (n.op == &op_parameter) {
      const auto& a = n.attributes.as<ParameterAttributes>();
      return g.parameter(n.name, a.shape, a.init, a.trainable, a.role);
    }
    if (n.op == &op_constant) return g.constant(n.attributes.as<ConstantAttributes>().value, n.type.shape);
    if (n.op == &op_batch_size) return g.batch_size();
    std::vector<Value> inputs;
    for (const auto input : n.inputs) inputs.push_back(g.value(to_.at(input)));
    if (n.op == &op_log_softmax || n.op == &op_softmax) {
      const auto key = std::pair{inputs[0].id(), n.attributes.as<AxisAttributes>().axis};
      auto found = softmaxes_.find(key);
      if (found == softmaxes_.end()) found = softmaxes_.emplace(key, softmax(inputs[0], key.second).id()).first;
      const Value y = g.value(found->second);
      return n.op == &op_softmax ? y : log(y);
    }
    const Value place = n.op == &op_max_pool ? g.apply(op_pool_argmax, n.attributes, inputs) : Value();
    const Value y = g.apply(*n.op, n.attributes, inputs);
    if (place) to.places[y.id()] = place.id();
    return y;
  }

  const Graph& from_;
  std::map<NodeId, NodeId> to_;
  std::map<std::pair<NodeId, std::int64_t>, NodeId> softmaxes_;
};

bool couples_samples(const Graph& g) {
  for (NodeId id = 0; id < g.size(); ++id) {
    if (g.node(id).op == &op_batch_sum) return true;
  }
  return false;
}

// ---- names ----

class Naming {
 public:
  Naming(Subject& subject, const DerivedNotation& letters) : s_(subject), g_(subject.graph), letters_(letters) {}

  void run() {
    users_.resize(static_cast<std::size_t>(g_.size()));
    needed_.resize(static_cast<std::size_t>(g_.size()));
    need(s_.loss);
    for (const auto& [pool, place] : s_.places) {
      if (needed(pool)) need(place);
    }
    for (NodeId id = 0; id < g_.size(); ++id) {
      if (!needed(id)) continue;
      for (const auto input : g_.node(id).inputs) users_[static_cast<std::size_t>(seen(input))].push_back(id);
    }
    leaf_names();
    for (NodeId id = 0; id < g_.size(); ++id) {
      if (needed(id) && gets_name(id)) name(id);
    }
    for (NodeId id = 0; id < g_.size(); ++id) {
      if (g_.node(id).op == &op_parameter && needed(id)) parameter(id);
    }
  }

 private:
  bool needed(NodeId id) const { return needed_[static_cast<std::size_t>(id)]; }
  void need(NodeId id) {
    if (needed(id)) return;
    needed_[static_cast<std::size_t>(id)] = true;
    for (const auto input : g_.node(id).inputs) need(input);
  }
  /// What the value shows the same numbers of.
  NodeId seen(NodeId id) const {
    while (is_view(g_, id)) id = g_.node(id).inputs[0];
    return id;
  }
  bool computed(NodeId id) const { return !is_leaf(*g_.node(id).op); }
  bool depends_on_samples(NodeId id) const {
    if (g_.node(id).op == &op_input) return true;
    return std::ranges::any_of(g_.node(id).inputs,
                               [&](NodeId input) { return depends_on_samples_[static_cast<std::size_t>(input)]; });
  }

  bool gets_name(NodeId id) {
    if (depends_on_samples_.empty()) {
      for (NodeId each = 0; each < g_.size(); ++each) depends_on_samples_.push_back(depends_on_samples(each));
    }
    const Node& n = g_.node(id);
    if (!computed(id) || is_view(g_, id)) return false;
    if (makes_maps(g_, id)) return true;
    if (id == s_.loss || id == s_.output || s_.losses.contains(id) || s_.places.contains(id) || n.op == &op_softmax)
      return true;
    if (std::ranges::any_of(s_.places, [&](const auto& each) { return each.second == id; })) return true;
    if (!depends_on_samples_[static_cast<std::size_t>(id)]) return false;
    const auto& users = users_[static_cast<std::size_t>(id)];
    if (n.op == &op_greater || n.op == &op_equal) return false;  // a condition is read where it stands
    if (std::set<NodeId>(users.begin(), users.end()).size() > 1 && !is_scaled(id)) return true;
    for (const auto user : users) {
      const Node& u = g_.node(user);
      if (u.layer != n.layer) return true;
      if (reads_outside(*u.op)) return true;
      const bool smaller = elements(n.type.shape) < elements(u.type.shape) || (u.type.batched && !n.type.batched);
      const bool elementwise = u.op == &op_add || u.op == &op_sub || u.op == &op_mul || u.op == &op_div;
      if (smaller && elementwise) return true;  // a mean of what it is taken from
    }
    return false;
  }
  /// −x, 2·x and the like, which are as short as a name.
  bool is_scaled(NodeId id) const { return g_.node(id).op == &op_neg; }

  void leaf_names() {
    for (NodeId id = 0; id < g_.size(); ++id) {
      const Node& n = g_.node(id);
      if (n.op != &op_input) continue;
      if (is_noise(n)) {
        take(id, "u", "noise, uniform from 0 to 1");
      } else if (id == s_.target) {
        set(id, letters_.target, "target");
      } else if (id == s_.input) {
        set(id, letters_.input, "input");
      }
    }
  }

  void name(NodeId id) {
    const Node& n = g_.node(id);
    if (id == s_.loss) return set(id, letters_.loss, "loss");
    if (const auto part = s_.losses.find(id); part != s_.losses.end())
      return set(id, unused(str(letters_.loss, "_", letters_in(part->second))), "loss of the output " + part->second);
    const bool at_end = id == s_.output || n.layer == "loss";
    if (n.op == &op_softmax && at_end && free(letters_.output)) return set(id, letters_.output, "softmax, the output");
    if (std::ranges::any_of(s_.places, [&](const auto& each) { return each.second == id; }))
      return set(id, str("k", layer_), "place of the maximum in each window, row by row");
    const bool ends = is_end_of_layer(id);
    const auto linear = [&](const Node& node) {
      return node.op == &op_dense || node.op == &op_conv2d || node.op == &op_conv2d_input_grad || node.op == &op_matmul;
    };
    const bool sum_of_weights = linear(n) || (ends && std::ranges::any_of(n.inputs, [&](NodeId input) {
                                                const auto& in = g_.node(seen(input));
                                                return linear(in) && in.layer == n.layer;
                                              }));
    if (sum_of_weights) return take(id, letters_.sum, ends ? n.layer : "in " + n.layer, /*next=*/true);
    if (!ends) {
      const char* letter = n.op == &op_sqrt         ? "s"
                           : n.op == &op_sub        ? "c"
                           : n.op == &op_softmax    ? "y"
                           : is_mean_of_squares(id) ? "v"
                           : is_mean(n)             ? "m"
                                                    : "h";
      return take(id, letter, "in " + n.layer);
    }
    static constexpr std::array<std::pair<std::string_view, const char*>, 14> kLetters{{{"maxpool", "p"},
                                                                                        {"avgpool", "p"},
                                                                                        {"gap", "p"},
                                                                                        {"gmp", "p"},
                                                                                        {"adaptive", "p"},
                                                                                        {"batch_norm", "n"},
                                                                                        {"layer_norm", "n"},
                                                                                        {"group_norm", "n"},
                                                                                        {"instance_norm", "n"},
                                                                                        {"local_resp", "n"},
                                                                                        {"res", "r"},
                                                                                        {"cat", "q"},
                                                                                        {"drop", "v"},
                                                                                        {"up", "v"}}};
    for (const auto& [begin, letter] : kLetters) {
      if (n.layer.starts_with(begin)) return take(id, letter, n.layer);
    }
    take(id, letters_.activation, n.layer);
  }
  static bool is_mean(const Node& n) {
    return n.op == &op_mean || n.op == &op_sum || n.op == &op_batch_sum || n.op == &op_div;
  }

  /// Σ c·c/N, a variance.
  bool is_mean_of_squares(NodeId id) const {
    const Node& n = g_.node(id);
    if (n.op == &op_mul) return n.inputs[0] == n.inputs[1];
    return (is_mean(n) || is_view(g_, id)) && is_mean_of_squares(n.inputs[0]);
  }

  bool is_end_of_layer(NodeId id) const {
    if (id == s_.output) return true;
    const auto& users = users_[static_cast<std::size_t>(id)];
    return std::ranges::any_of(users, [&](NodeId user) { return g_.node(user).layer != g_.node(id).layer; });
  }

  void parameter(NodeId id) {
    const Node& n = g_.node(id);
    const auto word = n.name.substr(n.name.rfind('.') + 1);
    const bool scaled = std::ranges::any_of(parameters_of(g_), [&](NodeId other) {
      return g_.node(other).layer == n.layer && role_of(g_.value(other)) == ParameterRole::scale;
    });
    const std::string letter = word == "weight" ? (scaled ? letters_.scale : letters_.weight)
                               : word == "bias" ? (scaled ? letters_.shift : letters_.bias)
                                                : "theta";
    const auto owner = owner_of(id);
    const auto wanted = letter + (owner >= 0 ? digits_of(s_.names.at(owner)) : std::string());
    set(id, free(wanted) ? wanted : unused(letter + "_1"), n.name);
  }
  /// The name or, if it is taken, with the next number behind it.
  std::string unused(const std::string& wanted) const {
    if (free(wanted)) return wanted;
    const auto begin = wanted.substr(0, wanted.find_last_not_of("0123456789") + 1);
    for (int k = 2;; ++k) {
      if (auto next = begin + std::to_string(k); free(next)) return next;
    }
  }
  /// The first value with a name that is made with the parameter.
  NodeId owner_of(NodeId parameter) const {
    std::set<NodeId> made{parameter};
    for (NodeId id = 0; id < g_.size(); ++id) {
      if (!needed(id) || !std::ranges::any_of(g_.node(id).inputs, [&](NodeId in) { return made.contains(in); }))
        continue;
      if (s_.names.contains(id)) return id;
      made.insert(id);
    }
    return -1;
  }
  static std::string letters_in(std::string name) {
    std::erase_if(name,
                  [](char c) { return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')); });
    return name.empty() ? "1" : name;
  }
  static std::string digits_of(const std::string& name) {
    const auto at = name.find_first_of("0123456789");
    return at == std::string::npos ? "" : name.substr(at);
  }

  bool free(const std::string& name) const {
    return std::ranges::none_of(s_.names, [&](const auto& each) { return each.second == name; });
  }
  /// letter and number of the layer; each linear layer begins with the next number.
  void take(NodeId id, const std::string& letter, const std::string& meaning, bool next = false) {
    if (next || layer_ == 0) ++layer_;
    while (!free(str(letter, layer_))) ++layer_;
    set(id, str(letter, layer_), meaning);
  }
  void set(NodeId id, const std::string& name, const std::string& meaning) {
    s_.names[id] = name;
    s_.meanings[id] = meaning;
    if (computed(id)) s_.values.push_back(id);
  }

  Subject& s_;
  Graph& g_;
  const DerivedNotation& letters_;
  std::vector<std::vector<NodeId>> users_;
  std::vector<bool> needed_, depends_on_samples_;
  int layer_ = 0;
};

/// Whether the loss is of numbers in a range, and the output is not seen to be there.
bool may_leave_range(const Loss& loss, Value output) {
  return std::isfinite(definition_of(loss).outputs.least) && ending_of(output).kind == Ending::Kind::other;
}

/// What makes outputs small positive numbers, of most networks.
std::string small_positive(const Subject& s) {
  std::string given;
  for (const auto& [id, name] : s.names) {
    const Node& n = s.graph.node(id);
    const auto inputs = n.type.shape.size() > 1 ? elements(n.type.shape) / n.type.shape[0] : 0;
    if (n.op == &op_parameter && inputs > 0) {
      given += str(name, " in 0..", shortest(0.5 / static_cast<double>(inputs)), "\n");
    } else if (n.op == &op_parameter) {
      given += name + " in 0.1..0.4\n";
    } else if (id == s.input) {
      given += name + " in 0..1\n";
    }
  }
  return given;
}

}  // namespace

Subject subject_of(const Network& network, const Loss& loss, std::int64_t samples, const DerivedNotation& letters) {
  Graph g = training_form(trained_graph(network));
  const auto output = output_node(g, "y");
  const Value compared = of_softmax(loss) ? logits_of(g.value(output)) : g.value(output);
  const auto losses = add_losses(g, network, loss, target_shape(loss, compared.shape()));
  const bool weighed =
      std::ranges::any_of(losses, [](const auto& each) { return static_cast<bool>(each.of_sample.weight); });
  const bool mean = couples_samples(g) || weighed;
  Subject subject;
  subject.samples = mean || letters.batch ? samples : 1;
  Value value;
  if (mean) {
    value = objective(g, losses);
  } else {
    for (const auto& each : losses) {
      const Value part =
          each.output.weight == 1 ? each.of_sample.loss : g.constant(each.output.weight) * each.of_sample.loss;
      value = value ? value + part : part;
    }
    if (letters.batch) value = batch_sum(value);
  }
  Copy copy(g);
  subject.loss = copy.of(value.id(), subject);
  subject.output = copy.now(output);
  for (const auto& each : losses) {
    if (losses.size() > 1) subject.losses[copy.now(each.of_sample.loss.id())] = each.output.name;
  }
  for (NodeId id = 0; id < subject.graph.size(); ++id) {
    if (subject.graph.node(id).name == "t" && subject.graph.node(id).op == &op_input) subject.target = id;
    if (subject.graph.node(id).name == "x" && subject.graph.node(id).op == &op_input) subject.input = id;
  }
  Naming(subject, letters).run();
  rename(subject.names, letters);
  if (std::ranges::any_of(losses, [&](const auto& each) {
        return may_leave_range(each.loss, g.value(output_node(g, each.output.name)));
      }))
    subject.given = small_positive(subject);
  for (const auto& each : losses) {  // labels: no other number equals a class
    if (definition_of(each.loss).target.value != Target::places) continue;
    const auto classes = g.node(output_node(g, each.output.name)).type.shape[0];
    const auto labels = each.output.reconstructs ? subject.input : subject.target;
    subject.given += str(subject.names.at(labels), " in 0..", classes - 1, " whole\n");
  }
  return subject;
}

// ---- as a statement ----

namespace {

std::string shape_text(const Shape& shape) {
  std::string text;
  for (const auto extent : shape) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text;
}

class Statement {
 public:
  explicit Statement(const Subject& s) : s_(s) {}

  std::string run() {
    const Graph& g = s_.graph;
    std::string text = str("network ", s_.names.at(s_.input), ": ", shape_text(g.node(s_.input).type.shape), "\n");
    for (const auto& [id, name] : s_.names) {
      const Node& n = g.node(id);
      if (id == s_.input) continue;
      text += "  > " + name;
      if (n.op == &op_parameter) {
        text += str(": ", n.type.shape.empty() ? "1" : shape_text(n.type.shape));
      } else if (n.op == &op_input) {
        const auto& a = n.attributes.as<InputAttributes>();
        text += str(": ",
                    a.noise     ? "noise "
                    : a.batched ? "input "
                                : "shared ",
                    shape_text(n.type.shape), a.distribution ? " distribution" : "");
      } else {
        text += " = " + made(id);
      }
      text += '\n';
    }
    return text;
  }

 private:
  std::string operand(NodeId id) const {
    const auto name = s_.names.find(id);
    return name == s_.names.end() ? made(id) : name->second;
  }
  std::string made(NodeId id) const {
    const Node& n = s_.graph.node(id);
    if (n.op == &op_batch_size) return "batch_size()";
    if (n.op == &op_constant) {
      const auto& a = n.attributes.as<ConstantAttributes>();
      auto value = shortest(a.value);
      if (a.shape.empty()) return value;
      return str("broadcast(", value, ", shape=", list(a.shape), ")");
    }
    std::string text = str(n.op->name.value, "(");
    for (std::size_t k = 0; k < n.inputs.size(); ++k) text += (k > 0 ? ", " : "") + operand(n.inputs[k]);
    std::map<std::string, std::string, std::less<>> usual;
    each_field(n.op->attributes, [&](std::string_view name, const std::string& value) { usual.emplace(name, value); });
    each_field(n.attributes, [&](std::string_view name, const std::string& value) {
      if (usual.at(std::string(name)) != value) text += str(", ", name, "=", value);
    });
    return text + ")";
  }
  static std::string list(const std::vector<std::int64_t>& values) {
    std::string text;
    for (const auto value : values) text += (text.empty() ? "" : ",") + std::to_string(value);
    return "[" + text + "]";
  }
  static std::string word(std::int64_t v) { return std::to_string(v); }
  static std::string word(bool v) { return v ? "true" : "false"; }
  static std::string word(double v) { return shortest(v); }
  static std::string word(const std::string& v) { return v; }
  static std::string word(const std::vector<std::int64_t>& v) { return list(v); }
  static std::string word(const std::vector<double>& v) {
    std::string text;
    for (const auto value : v) text += (text.empty() ? "" : ",") + shortest(value);
    return "[" + text + "]";
  }
  template <class F>
  static void each_field(const Attributes& attributes, F f) {
    FieldFunction visitor([&](const Field& field, auto& value) { f(field.name, word(value)); });
    attributes.show(visitor);
  }

  const Subject& s_;
};

}  // namespace

std::string network_statement(const Subject& subject) { return Statement(subject).run() + subject.given; }

}  // namespace chalk::calculus

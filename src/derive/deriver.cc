// Chains of equations: a network's formulas, and its derivatives from the loss to the input.
#include "src/derive/deriver.h"

#include <algorithm>
#include <functional>

#include "src/base/text.h"
#include "src/derive/algebra.h"
#include "src/derive/elements.h"
#include "src/derive/matrix.h"
#include "src/derive/names.h"
#include "src/ir/leaves.h"
#include "src/math/print.h"
#include "src/ops/registry.h"

namespace chalk::calculus {
namespace {

constexpr int kShort = 4;  // factors of a closed form that may take the derivative's place

/// A chain as it comes about: indices have no letters yet.
struct Member {
  std::string rule;
  ExprPtr formula;
  bool closed = false;  // with the closed form of a derivative in its place
};
struct Chain {
  ExprPtr left;
  std::vector<Member> members;

  /// Leaves out what says the same as the last.
  void add(std::string rule, const ExprPtr& formula) {
    const auto& last = members.empty() ? left : members.back().formula;
    if (key(last) != key(formula)) members.push_back({std::move(rule), formula, false});
  }
};

struct Use {
  NodeId user;
  ExprPtr formula;               // of the element at these indices
  std::vector<ExprPtr> indices;  // of the user
};

class Deriver {
 public:
  Deriver(const Subject& subject, DerivativeOf derivative)
      : s_(subject),
        derivative_(derivative),
        elements_(subject.graph, subject.names, subject.samples, space_),
        algebra_(space_, facts_) {
    for (const auto& [id, name] : s_.names) {
      const Node& n = s_.graph.node(id);
      const bool sums_to_1 = n.op == &op_input && n.attributes.as<InputAttributes>().distribution;
      facts_[name] = {elements_.axes(id), sums_to_1 && n.type.shape.size() == 1};
    }
  }

  Derivation run() {
    Derivation all;
    all.network = network_statement(s_);
    all.samples = s_.samples;
    add_symbols(all);
    forward(all, {.title = "Forward", .kind = "forward"});
    backward(all);
    return all;
  }

  /// The formulas of all values, as a section.
  void forward(Derivation& all, DerivedSection section) {
    for (const auto id : s_.values) {
      const auto at = elements_.fresh(id, letters(id));
      const auto left = elements_.named(id, at);
      Chain chain{left, {}};
      const auto formula = plain(elements_.formula(id, at));
      const bool padded = s_.places.contains(id) && pads(id);
      if (!padded && !pads_place(id)) chain.add(meaning(id), formula);
      if (const auto chosen = by_place(id, at)) chain.add("the maximum by its place", plain(chosen));
      if (chain.members.empty()) continue;
      finish(section, chain);
      matrices(section, value(id, {}), formula, elements_.indices(id, at));
    }
    all.sections.push_back(std::move(section));
  }
  void add_symbols(Derivation& all) const {
    for (const auto& [id, name] : s_.names) all.symbols.push_back({name, s_.meanings.at(id), elements_.axes(id)});
  }

 private:
  std::string meaning(NodeId id) const { return s_.meanings.at(id); }

  /// Indices in their simplest form, sums over δ carried out, brackets left alone.
  ExprPtr plain(const ExprPtr& e) const {
    auto terms = algebra_.expand(e);
    sift_all(terms);
    algebra_.collect(terms);
    return algebra_.expression(terms);
  }

  bool pads(NodeId pool) const {
    bool any = false;
    FieldFunction visitor([&](const Field& field, auto& value) {
      if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::vector<std::int64_t>>)
        any = any || (field.name == "padding" && std::ranges::any_of(value, [](auto v) { return v != 0; }));
    });
    s_.graph.node(pool).attributes.show(visitor);
    return any;
  }
  bool pads_place(NodeId id) const {
    return std::ranges::any_of(s_.places, [&](const auto& each) { return each.second == id && pads(id); });
  }
  /// Σ [place = w·i + j]·x, of a max-pool; nothing of other values.
  ExprPtr by_place(NodeId id, const At& at) const {
    const auto found = s_.places.find(id);
    if (found == s_.places.end()) return nullptr;
    Node gather = s_.graph.node(id);
    gather.op = &op_pool_gather;
    gather.inputs.push_back(found->second);
    return element_formula(op_pool_gather)(gather, at, elements_);
  }

  static std::string_view letters_of(std::size_t axes) { return axes == 3 ? "fpq" : axes == 4 ? "fcij" : "ijkl"; }
  std::string_view letters(NodeId id) const { return letters_of(s_.graph.node(id).type.shape.size()); }

  // ---- backward ----

  void backward(Derivation& all) {
    std::map<NodeId, std::vector<NodeId>> last_use;  // parameters and inputs by the first value made with them
    for (const auto& [id, name] : s_.names) {
      const auto* op = s_.graph.node(id).op;
      const bool parameter = op == &op_parameter && s_.graph.node(id).attributes.as<ParameterAttributes>().trainable;
      if (!parameter && id != s_.input) continue;
      for (const auto user : s_.values) {
        if (!has_value(formula_of(user), name)) continue;
        last_use[user].push_back(id);
        break;
      }
    }
    for (auto value = s_.values.rbegin(); value != s_.values.rend(); ++value) {
      const NodeId id = *value;
      if (is_place(id)) continue;
      DerivedSection section{.title = str(s_.names.at(id), ": ", meaning(id)), .kind = "backward"};
      if (id != s_.loss) gradient(section, id);
      auto parameters = last_use[id];
      std::ranges::stable_sort(parameters, {}, [&](NodeId p) { return p == s_.input; });
      for (const auto parameter : parameters) gradient(section, parameter);
      if (!section.chains.empty()) all.sections.push_back(std::move(section));
    }
  }
  bool is_place(NodeId id) const {
    return std::ranges::any_of(s_.places, [&](const auto& each) { return each.second == id; });
  }

  /// The element's formula at indices of its own, as it is differentiated.
  const Use& use(NodeId user) {
    auto& found = uses_[user];
    if (found.formula) return found;
    const auto at = elements_.fresh(user, letters(user));
    const auto chosen = by_place(user, at);
    found = {user, plain(chosen ? chosen : elements_.formula(user, at)), elements_.indices(user, at)};
    return found;
  }
  const ExprPtr& formula_of(NodeId user) { return use(user).formula; }

  ExprPtr value(NodeId id, const std::vector<ExprPtr>& indices) const {
    Expr e;
    e.kind = Kind::name;
    e.name = s_.names.at(id);
    e.args = indices;
    e.indexed = !indices.empty();
    return math::node(std::move(e));
  }
  ExprPtr by(const ExprPtr& top, const ExprPtr& bottom, bool of_expression = false) const {
    Expr e;
    e.kind = Kind::derivative;
    e.args = {top, bottom};
    e.indexed = of_expression;
    return math::node(std::move(e));
  }
  ExprPtr loss_by(NodeId id, const std::vector<ExprPtr>& indices) const {
    return by(value(s_.loss, {}), value(id, indices));
  }

  /// Indices of the value by which is derived: plain ones or, where the only formula that uses it has digits there
  /// (2·p + i of a window, 16·c + 4·p + q of what has been flattened), such digits again.
  std::vector<ExprPtr> indices_of(NodeId id, const std::vector<NodeId>& users) {
    const auto& type = s_.graph.node(id).type;
    const bool map = type.shape.size() == 3;
    const auto at = elements_.fresh(id, map ? "cuv" : type.shape.size() == 4 ? "gcij" : "ijkl");
    auto all = elements_.indices(id, at);
    if (users.size() != 1) return all;
    std::vector<std::vector<ExprPtr>> places;
    occurrences(use(users[0]).formula, s_.names.at(id), places);
    if (places.empty()) return all;
    for (std::size_t k = 0; k < all.size(); ++k) {
      const auto first = digits(places[0][k], space_);
      const bool same =
          std::ranges::all_of(places, [&](const auto& place) { return key(place[k]) == key(places[0][k]); });
      if (!same || !first || first->size() < 2) continue;
      Linear l;
      for (const auto& [atom, factor] : *first)
        l.atoms.emplace_back(space_.fresh(atom->name[0], space_.range(atom->name)), factor);
      all[k] = expression(l);
    }
    return all;
  }
  static void occurrences(const ExprPtr& e, const std::string& name, std::vector<std::vector<ExprPtr>>& found) {
    if (e->kind == Kind::name && e->name == name) found.push_back(e->args);
    for (const auto& arg : e->args) occurrences(arg, name, found);
  }

  void gradient(DerivedSection& section, NodeId id) {
    std::vector<NodeId> users;
    for (const auto user : s_.values) {
      if (!is_place(user) && user != id && has_value(formula_of(user), s_.names.at(id))) users.push_back(user);
    }
    if (users.empty()) return;
    const auto indices = indices_of(id, users);
    const auto left = loss_by(id, indices);
    Chain chain{left, {}};
    if (users.size() == 1 && users[0] == s_.loss) {
      chain.add("the derivative of the loss", raw(s_.loss, id, indices));
      simplify(chain, chain.members.back().formula);
    } else {
      through(section, chain, id, indices, users);
    }
    remember(id, indices, chain);
    finish(section, chain);
    ExprPtr last;  // with derivatives by name, as the next layer has them
    for (const auto& member : chain.members) {
      if (!member.closed || !last) last = member.formula;
    }
    matrices(section, by(value(s_.loss, {}), value(id, {})), last, indices);
  }

  /// The same of whole vectors and matrices, if it has such a form.
  void matrices(DerivedSection& section, const ExprPtr& left, const ExprPtr& formula,
                const std::vector<ExprPtr>& indices) {
    auto terms = algebra_.expand(formula);
    algebra_.collect(terms);
    const auto form = as_matrices(terms, indices, space_, facts_);
    if (!form) return;
    Chain chain{left, {}};
    chain.add("as vectors and matrices", form);
    finish(section, chain);
  }

  /// The derivative of the user's formula as it comes, δ and all.
  ExprPtr raw(NodeId user, NodeId id, const std::vector<ExprPtr>& indices) {
    const auto d = derivative_(use(user).formula, s_.names.at(id), indices, space_);
    auto terms = algebra_.expand(d);
    algebra_.collect(terms);
    return algebra_.expression(terms);
  }

  /// ∂user/∂value: its chain, and what it comes to.
  /// Nothing is written where that would be no derivative: if the user depends on the value in other ways, too.
  ExprPtr local(DerivedSection& section, NodeId user, NodeId id, const std::vector<ExprPtr>& indices) {
    const auto& u = use(user);
    const auto first = raw(user, id, indices);
    const bool small = cheap(user, id);
    Chain chain{small ? by(value(user, u.indices), value(id, indices)) : by(u.formula, value(id, indices), true), {}};
    chain.add("derivative of the formula: δ where an index meets itself", first);
    auto terms = algebra_.expand(first);
    if (sift_all(terms)) chain.add("sifting of δ", algebra_.expression(terms));
    std::vector<std::string> own;
    for (const auto& index : u.indices) own.push_back(index->name);
    const auto name = [&](const std::vector<ExprPtr>& at) { return value(user, at); };
    if (algebra_.fold(terms, u.formula, own, name)) {
      algebra_.collect(terms);
      chain.add(str(s_.names.at(user), " by its name"), algebra_.expression(terms));
    }
    terms = algebra_.factored(terms);
    chain.add("what both terms have before the bracket", algebra_.expression(terms));
    const auto result = algebra_.expression(terms);
    if (!indirect(user, id)) finish(section, chain);
    return result;
  }
  /// Whether the user depends on a value that the other one goes into.
  bool indirect(NodeId user, NodeId id) {
    for (const auto between : s_.values) {
      if (between != user && between != id && depends(user, between) && depends(between, id)) return true;
    }
    return false;
  }
  bool depends(NodeId value, NodeId on) {
    if (value == on || is_leaf(*s_.graph.node(value).op)) return value == on;
    const auto [found, isnew] = depends_.try_emplace({value, on}, false);
    if (!isnew) return found->second;
    bool any = false;
    for (const auto& [id, name] : s_.names)
      any = any || (id < value && has_value(formula_of(value), name) && depends(id, on));
    return depends_[{value, on}] = any;
  }
  /// Whether the numbers of a Jacobian are few enough to be computed one row after the other.
  bool cheap(NodeId user, NodeId id) const {
    constexpr std::int64_t kRows = 64, kNumbers = 1 << 16;
    const auto rows = elements(elements_.axes(user)), columns = elements(elements_.axes(id));
    return rows <= kRows && columns <= kNumbers / rows && s_.graph.size() < 100;
  }

  void through(DerivedSection& section, Chain& chain, NodeId id, const std::vector<ExprPtr>& indices,
               const std::vector<NodeId>& users) {
    ExprPtr by_chain_rule, inserted, closed;
    bool all_cheap = true, any_closed = false;
    for (const auto user : users) {
      const auto& u = use(user);
      ExprPtr with_local, with_closed, as_rule;
      if (user == s_.loss) {
        auto terms = algebra_.expand(raw(user, id, indices));
        sift_all(terms);
        with_local = with_closed = as_rule = algebra_.expression(terms);
      } else {
        const auto d = local(section, user, id, indices);
        const auto outer = loss_by(user, u.indices);
        with_local = summed(u.indices, math::product(outer, d));
        as_rule = summed(u.indices, math::product(outer, by(value(user, u.indices), value(id, indices))));
        all_cheap = all_cheap && cheap(user, id) && !indirect(user, id);
        const auto known = closed_.find(user);
        any_closed = any_closed || known != closed_.end();
        with_closed =
            known == closed_.end() ? with_local : summed(u.indices, math::product(known->second(u.indices), d));
      }
      by_chain_rule = by_chain_rule ? math::sum_of(by_chain_rule, as_rule) : as_rule;
      inserted = inserted ? math::sum_of(inserted, with_local) : with_local;
      closed = closed ? math::sum_of(closed, with_closed) : with_closed;
    }
    const char* rule = users.size() > 1 ? "law of total derivatives: over each value that it goes into" : "chain rule";
    if (all_cheap) chain.add(rule, by_chain_rule);
    chain.add(all_cheap ? "with the local derivative" : rule, inserted);
    const bool parameter = s_.graph.node(id).op == &op_parameter;
    if (any_closed && !parameter && !sums_up(closed)) {
      chain.add("with what is known of the derivative before", closed);
      return simplify(chain, closed);
    }
    simplify(chain, inserted);
    if (any_closed && users.size() == 1) {
      const auto& last = chain.members.back().formula;
      const auto by_form = with_closed_form(last, users[0]);
      if (by_form) {
        chain.add(str("with ∂L/∂", s_.names.at(users[0]), " as found above"), *by_form);
        chain.members.back().closed = true;
      }
    }
  }
  /// Whether a sum is left when all is simplified.
  bool sums_up(const ExprPtr& e) {
    auto terms = algebra_.expand(e);
    sift_all(terms);
    algebra_.sum_up(terms);
    return std::ranges::any_of(terms, [](const Term& t) { return !t.sums.empty(); });
  }
  /// dL/d(user) replaced by what it is, if that is one bracket.
  std::optional<ExprPtr> with_closed_form(const ExprPtr& e, NodeId user) const {
    const auto known = closed_.find(user);
    if (known == closed_.end() || lengths_.at(user) > 1) return std::nullopt;
    const std::function<ExprPtr(const ExprPtr&)> in = [&](const ExprPtr& x) -> ExprPtr {
      if (x->kind == Kind::derivative && x->args[1]->name == s_.names.at(user)) return known->second(x->args[1]->args);
      if (x->args.empty()) return x;
      std::vector<ExprPtr> args;
      for (const auto& arg : x->args) args.push_back(in(arg));
      return math::like(*x, std::move(args));
    };
    return in(e);
  }

  ExprPtr summed(const std::vector<ExprPtr>& indices, const ExprPtr& body) const {
    return space_.over(math::Reduction::sum, indices, body);
  }

  bool sift_all(Terms& terms) const {
    bool any = false;
    for (bool again = true; again;) {
      again = algebra_.sift(terms);
      algebra_.collect(terms);
      any = any || again;
    }
    return any;
  }

  void simplify(Chain& chain, const ExprPtr& from) {
    auto terms = algebra_.expand(from);
    if (cancel(chain, from)) {
      algebra_.collect(terms);
      chain.add("the bracket opened", algebra_.expression(terms));
    }
    sift_all(terms);
    algebra_.collect(terms);
    chain.add("sifting of δ", algebra_.expression(terms));
    if (algebra_.shift(terms)) {
      algebra_.collect(terms);
      chain.add("the sum counted over the weights", algebra_.expression(terms));
    }
    if (algebra_.sum_up(terms)) {
      algebra_.collect(terms);
      chain.add("Σ t = 1", algebra_.expression(terms));
    }
    chain.add("what all terms have before the bracket", algebra_.expression(algebra_.factored(terms)));
  }

  /// (t/y)·y·(δ − y) is shorter before the bracket is opened.
  bool cancel(Chain& chain, const ExprPtr& from) const {
    if (!has_delta(from)) return false;
    Terms terms{algebra_.closed(from)};
    const auto& factors = terms[0].factors;
    const bool cancels = std::ranges::any_of(factors, [&](const Factor& f) {
      return f.exponent < 0 && std::ranges::any_of(factors, [&](const Factor& other) {
               return other.exponent > 0 && key(other.base) == key(f.base);
             });
    });
    if (!cancels) return false;
    algebra_.collect(terms);
    chain.add("what stands above and below cancels", algebra_.expression(terms));
    if (algebra_.sign_into_bracket(terms[0])) chain.add("the minus into the bracket", algebra_.expression(terms));
    return true;
  }

  /// A derivative that is known without those of later values may take its own place in what follows.
  void remember(NodeId id, const std::vector<ExprPtr>& indices, const Chain& chain) {
    const auto& last = chain.members.back().formula;
    if (has_derivative(last) || has_sum(last)) return;
    const bool plain_indices = std::ranges::all_of(indices, [](const auto& index) { return is_index(*index); });
    const auto terms = algebra_.expand(last);
    const auto length = terms.size() == 1 ? static_cast<int>(terms[0].factors.size()) : 1;
    if (!plain_indices || length > kShort) return;
    lengths_[id] = length;
    closed_[id] = [=](const std::vector<ExprPtr>& at) {
      std::map<std::string, ExprPtr> by;
      for (std::size_t k = 0; k < indices.size(); ++k) by[indices[k]->name] = at[k];
      return replaced(last, by);
    };
  }
  static bool has_sum(const ExprPtr& e) { return e->kind == Kind::reduce || std::ranges::any_of(e->args, has_sum); }

  void finish(DerivedSection& section, const Chain& chain) {
    std::vector<ExprPtr> all{chain.left};
    for (const auto& member : chain.members) all.push_back(member.formula);
    Letters letters(space_, facts_);
    const auto named = letters.give(all);
    DerivedChain made{.left = DerivedFormula(named[0]), .steps = {}, .ranges = letters.ranges()};
    for (std::size_t k = 0; k < chain.members.size(); ++k)
      made.steps.push_back({.rule = chain.members[k].rule, .formula = DerivedFormula(named[k + 1])});
    section.chains.push_back(std::move(made));
  }

  const Subject& s_;
  DerivativeOf derivative_;
  mutable IndexSpace space_;
  std::map<std::string, ValueFacts> facts_;
  Elements elements_;
  Algebra algebra_;
  std::map<NodeId, Use> uses_;
  std::map<NodeId, std::function<ExprPtr(const std::vector<ExprPtr>&)>> closed_;
  std::map<NodeId, int> lengths_;
  std::map<std::pair<NodeId, NodeId>, bool> depends_;
};

}  // namespace

Derivation written(const Subject& subject, DerivativeOf derivative) { return Deriver(subject, derivative).run(); }

void write_forward(Derivation& derivation, const Subject& subject, DerivedSection section) {
  Deriver deriver(subject, derivative_of);
  deriver.forward(derivation, std::move(section));
  deriver.add_symbols(derivation);
}

}  // namespace chalk::calculus

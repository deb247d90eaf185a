#include "src/math/substitute.h"

#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace chalk::math {
namespace {

/// Replaces leaves; a subtree that is shared stays shared.
template <class Leaf>
class Substitution {
 public:
  explicit Substitution(Leaf leaf) : leaf_(leaf) {}

  ExprPtr run(const ExprPtr& e) {
    if (auto replaced = leaf_(e)) return replaced;
    if (e->args.empty()) return e;
    const auto [place, isnew] = done_.try_emplace(e.get());
    if (!isnew) return place->second;
    std::vector<ExprPtr> args;
    args.reserve(e->args.size());
    bool same = true;
    for (const auto& arg : e->args) {
      args.push_back(run(arg));
      same = same && args.back() == arg;
    }
    return done_[e.get()] = same ? e : like(*e, std::move(args));
  }

 private:
  Leaf leaf_;
  std::unordered_map<const Expr*, ExprPtr> done_;
};

}  // namespace

ExprPtr substitute(const ExprPtr& e, const std::map<int, ExprPtr>& indices) {
  return Substitution([&](const ExprPtr& leaf) -> ExprPtr {
           if (leaf->kind != Kind::index) return nullptr;
           const auto found = indices.find(leaf->id);
           return found == indices.end() ? nullptr : found->second;
         })
      .run(e);
}

ExprPtr substitute(const ExprPtr& e, const Expr* hole, const ExprPtr& by) {
  return Substitution([&](const ExprPtr& leaf) { return leaf.get() == hole ? by : nullptr; }).run(e);
}

namespace {

/// Calls f(node) for each node of the formula once, however often it occurs.
template <class F>
void visit(const Expr& e, std::unordered_set<const Expr*>& seen, F f) {
  if (!seen.insert(&e).second) return;
  f(e);
  for (const auto& arg : e.args) visit(*arg, seen, f);
}

template <class F>
void visit(const Expr& e, F f) {
  std::unordered_set<const Expr*> seen;
  visit(e, seen, f);
}

}  // namespace

std::set<int> mentioned(const Expr& e) {
  std::set<int> symbols;
  visit(e, [&](const Expr& each) {
    if (each.kind == Kind::value || each.kind == Kind::jacobian) symbols.insert(each.id);
    if (each.kind == Kind::jacobian) symbols.insert(each.other);
  });
  return symbols;
}

bool is_constant(const Expr& e) {
  bool constant = true;
  visit(e, [&](const Expr& each) {
    switch (each.kind) {
      case Kind::name:
      case Kind::index:
      case Kind::value:
      case Kind::jacobian:
        constant = false;
        break;
      default:
        break;
    }
  });
  return constant;
}

}  // namespace chalk::math

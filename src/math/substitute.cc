#include "src/math/substitute.h"

#include <cmath>
#include <functional>
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
    ExprPtr& result = done_[e.get()];
    result = e;
    if (!same) result = like(*e, std::move(args));
    return result;
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

using Visitor = std::function<void(const Expr&)>;

void visit(const Expr& e, std::unordered_set<const Expr*>& seen, const Visitor& f) {
  if (!seen.insert(&e).second) return;
  f(e);
  for (const auto& arg : e.args) visit(*arg, seen, f);
}

/// Calls f(node) for each node of the formula once, however often it occurs.
void visit(const Expr& e, const Visitor& f) {
  std::unordered_set<const Expr*> seen;
  visit(e, seen, f);
}

}  // namespace

std::set<int> mentioned(const Expr& e) {
  std::set<int> symbols;
  visit(e, [&](const Expr& each) {
    if (each.kind == Kind::value || each.kind == Kind::jacobian) symbols.insert(each.id);
    if (each.kind == Kind::jacobian) symbols.insert(each.other);
    if (each.kind == Kind::jacobian && each.third >= 0) symbols.insert(each.third);
  });
  return symbols;
}

namespace {

/// Calls f(node) for each node of the formula, and of the definitions it goes back to.
void visit_all(const Expr& e, const Symbols& symbols, const Visitor& f) {
  visit(e, f);
  for (const int id : symbols.with_all_before(mentioned(e))) {
    if (symbols[id].kind == Symbol::Kind::defined) visit(*symbols[id].body, f);
  }
}

}  // namespace

bool has_corners(const Expr& e, const Symbols& symbols) {
  bool found = false;
  visit_all(e, symbols, [&](const Expr& each) {
    found = found || (each.kind == Kind::call && has_corner(each.name)) || each.kind == Kind::compare ||
            (each.kind == Kind::reduce && each.reduction != Reduction::sum && each.reduction != Reduction::product);
  });
  return found;
}

std::set<double> numbers_in(const Expr& a, const Expr& b, const Symbols& symbols) {
  std::set<double> numbers;
  for (const auto* formula : {&a, &b}) {
    visit_all(*formula, symbols, [&](const Expr& e) {
      const double size = e.kind == Kind::number ? std::abs(e.number) : 0;
      if (size > 1e-5 && size < 1e6) numbers.insert(size);
    });
  }
  return numbers;
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

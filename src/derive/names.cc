#include "src/derive/names.h"

#include <algorithm>

#include "src/base/text.h"

namespace chalk::calculus {
namespace {

void open_indices(const ExprPtr& e, std::set<std::string>& bound, std::vector<std::string>& found) {
  if (is_index(*e)) {
    const bool known = std::find(found.begin(), found.end(), e->name) != found.end();
    if (!known && !bound.contains(e->name)) found.push_back(e->name);
    return;
  }
  std::vector<std::string> mine;
  for (const auto& b : e->bounds) {
    if (bound.insert(b.name).second) mine.push_back(b.name);
  }
  for (const auto& arg : e->args) open_indices(arg, bound, found);
  for (const auto& name : mine) bound.erase(name);
}

/// Whether the index stands by itself in some value's brackets.
bool stands_alone(const ExprPtr& e, const std::string& index) {
  for (const auto& arg : e->args) {
    if (e->kind == Kind::name && is_index(*arg) && arg->name == index) return true;
    if (stands_alone(arg, index)) return true;
  }
  return false;
}

/// Whether it stands by itself where a value has another range.
bool is_part(const ExprPtr& e, const std::string& index, const Extent& range,
             const std::map<std::string, ValueFacts>& values) {
  const auto facts = e->kind == Kind::name ? values.find(e->name) : values.end();
  for (std::size_t k = 0; k < e->args.size(); ++k) {
    const auto& arg = e->args[k];
    const bool here = facts != values.end() && is_index(*arg) && arg->name == index;
    if (here && range != Extent{0, facts->second.axes[k] - 1}) return true;
    if (is_part(arg, index, range, values)) return true;
  }
  return false;
}

}  // namespace

std::string Letters::letter(const std::string& index, const std::set<std::string>& used) const {
  const auto good = [&](const std::string& name) { return !used.contains(name) && !values_.contains(name); };
  if (const std::string own(1, index[0]); good(own)) return own;
  constexpr std::string_view all = "ijklmnpqrscuvfghabeo";
  const auto at = all.find(index[0]);
  for (std::size_t k = 1; k <= all.size(); ++k) {
    const std::string next(1, all[((at == std::string_view::npos ? 0 : at) + k) % all.size()]);
    if (good(next)) return next;
  }
  for (int k = 1;; ++k) {
    if (const auto next = str("i_", k); good(next)) return next;
  }
}

ExprPtr Letters::renamed(const ExprPtr& e, std::map<std::string, std::string>& names, std::set<std::string>& used) {
  if (is_index(*e)) {
    Expr copy = *e;
    copy.name = names.at(e->name);
    return math::node(std::move(copy));
  }
  if (e->args.empty() && !(e->kind == Kind::name && e->name.ends_with('\''))) return e;
  Expr copy = *e;
  while (copy.kind == Kind::name && copy.name.ends_with('\'')) {
    copy.name.pop_back();
    ++copy.primes;
  }
  std::vector<std::pair<std::string, std::string>> before;
  for (auto& bound : copy.bounds) {
    const auto own = letter(bound.name, used);
    used.insert(own);
    if (const auto known = names.find(bound.name); known != names.end()) before.emplace_back(*known);
    names[bound.name] = own;
    bound.name = own;
  }
  for (auto& arg : copy.args) arg = renamed(arg, names, used);
  for (const auto& [index, name] : before) names[index] = name;
  return math::node(std::move(copy));
}

std::vector<ExprPtr> Letters::give(const std::vector<ExprPtr>& formulas) {
  std::vector<std::string> open;
  std::set<std::string> bound;
  for (const auto& formula : formulas) open_indices(formula, bound, open);
  std::map<std::string, std::string> names;
  std::set<std::string> used;
  for (const auto& index : open) {
    names[index] = letter(index, used);
    used.insert(names[index]);
    const bool alone = stands_alone(formulas[0], index) || (formulas.size() > 1 && stands_alone(formulas[1], index));
    const auto& range = space_.range(index);
    const bool part = std::ranges::any_of(formulas, [&](const auto& f) { return is_part(f, index, range, values_); });
    if (alone && !part) continue;
    ranges_ += str(ranges_.empty() ? " for " : ", ", names[index], "=", range.first, "..", range.second);
  }
  std::vector<ExprPtr> all;
  for (const auto& formula : formulas) {
    auto own_names = names;
    auto own = used;
    all.push_back(renamed(formula, own_names, own));
  }
  return all;
}

}  // namespace chalk::calculus

// Names for formulas that occur again: exp(z[i])/Σ exp(z[j]) is y[i].
#include <algorithm>
#include <cmath>

#include "src/derive/algebra.h"

namespace chalk::calculus {

using math::like;

namespace {

/// Whether `e` is the pattern with some index expressions in place of its indices.
bool matches(const ExprPtr& pattern, const ExprPtr& e, const std::vector<std::string>& free,
             std::map<std::string, ExprPtr>& found, std::map<std::string, std::string>& bound) {
  if (is_index(*pattern)) {
    if (const auto b = bound.find(pattern->name); b != bound.end()) return is_index(*e) && e->name == b->second;
    if (std::ranges::find(free, pattern->name) == free.end()) return is_index(*e) && e->name == pattern->name;
    const auto known = found.find(pattern->name);
    if (known != found.end()) return key(known->second) == key(e);
    if (!linear(e)) return false;
    found[pattern->name] = e;
    return true;
  }
  if (pattern->kind != e->kind || pattern->name != e->name || pattern->primes != e->primes ||
      pattern->number != e->number || pattern->reduction != e->reduction || pattern->comparison != e->comparison ||
      pattern->args.size() != e->args.size() || pattern->bounds.size() != e->bounds.size())
    return false;
  for (std::size_t k = 0; k < pattern->bounds.size(); ++k) {
    if (pattern->bounds[k].range != e->bounds[k].range) return false;
    bound[pattern->bounds[k].name] = e->bounds[k].name;
  }
  for (std::size_t k = 0; k < pattern->args.size(); ++k) {
    if (!matches(pattern->args[k], e->args[k], free, found, bound)) return false;
  }
  return true;
}

}  // namespace

bool Algebra::fold(Terms& terms, const ExprPtr& whole, const std::vector<std::string>& indices,
                   const std::function<ExprPtr(const std::vector<ExprPtr>&)>& name) const {
  auto pattern = expand(whole);
  collect(pattern);
  if (pattern.size() != 1 || !pattern[0].sums.empty() || !pattern[0].deltas.empty() || pattern[0].number != 1 ||
      pattern[0].factors.empty())
    return false;
  const auto& parts = pattern[0].factors;
  if (std::ranges::all_of(parts, [](const Factor& f) { return f.base->kind == Kind::name; })) return false;
  bool changed = false;
  const auto named = [&](std::map<std::string, ExprPtr>& found) -> ExprPtr {
    std::vector<ExprPtr> at;
    for (const auto& index : indices) {
      const auto each = found.find(index);
      if (each == found.end()) return nullptr;
      at.push_back(each->second);
    }
    return name(at);
  };
  if (parts.size() == 1 && parts[0].exponent != 1) {  // a root, and its powers
    for (auto& t : terms) {
      for (auto& f : t.factors) {
        const double times = f.exponent / parts[0].exponent;
        std::map<std::string, ExprPtr> found;
        std::map<std::string, std::string> bound;
        if (times != std::floor(times) || !matches(parts[0].base, f.base, indices, found, bound)) continue;
        if (auto by = named(found)) {
          f = {by, times};
          changed = true;
        }
      }
    }
    return changed;
  }
  if (parts.size() == 1) {  // anywhere within
    const std::function<ExprPtr(const ExprPtr&)> in = [&](const ExprPtr& e) -> ExprPtr {
      std::map<std::string, ExprPtr> found;
      std::map<std::string, std::string> bound;
      if (matches(parts[0].base, e, indices, found, bound)) {
        if (auto by = named(found)) {
          changed = true;
          return by;
        }
      }
      if (e->args.empty()) return e;
      std::vector<ExprPtr> args;
      bool same = true;
      for (const auto& arg : e->args) {
        args.push_back(in(arg));
        same = same && args.back() == arg;
      }
      return same ? e : like(*e, std::move(args));
    };
    for (auto& t : terms) {
      for (auto& f : t.factors) f.base = in(f.base);
    }
    return changed;
  }
  // A product: as often as all of its factors are there.
  for (auto& t : terms) {
    for (bool again = true; again;) {
      again = false;
      // The first factor may be found in several places, with different indices.
      for (std::size_t start = 0; start < t.factors.size() && !again; ++start) {
        std::map<std::string, ExprPtr> found;
        auto left = t.factors;
        bool all = true;
        for (std::size_t p = 0; p < parts.size() && all; ++p) {
          bool here = false;
          for (std::size_t k = 0; k < left.size() && !here; ++k) {
            const auto at = p == 0 ? (start + k) % left.size() : k;
            if (p == 0 && k > 0) break;
            const bool enough =
                left[at].exponent * parts[p].exponent > 0 && std::abs(left[at].exponent) >= std::abs(parts[p].exponent);
            auto tried = found;
            std::map<std::string, std::string> bound;
            if (!enough || !matches(parts[p].base, left[at].base, indices, tried, bound)) continue;
            found = std::move(tried);
            left[at].exponent -= parts[p].exponent;
            here = true;
          }
          all = here;
        }
        const auto by = all ? named(found) : nullptr;
        if (!by) continue;
        std::erase_if(left, [](const Factor& f) { return f.exponent == 0; });
        left.push_back({by});
        t.factors = std::move(left);
        again = changed = true;
      }
    }
  }
  return changed;
}

}  // namespace chalk::calculus

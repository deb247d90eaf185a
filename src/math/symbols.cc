#include "src/math/symbols.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>

#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"

namespace chalk::math {
namespace {

constexpr int kMostSymbols = 1000;

constexpr std::array<const char*, 7> kConventions{"abs'(0) = 0",
                                                  "activations in pieces: one of the slopes (docs/conventions.md)",
                                                  "max(i, …), min(i, …): the first of equals",
                                                  "max-pooling: the first of equals",
                                                  "relu'(0) = 0",
                                                  "ties of max(a, b), min(a, b): ½, ½",
                                                  "‖v‖ where v = 0: 0"};

struct Builtin {
  std::string_view name;
  double (*apply)(double);
  ExprPtr (*derivative)(const ExprPtr& x);
  bool corner = false;                    // at 0, or a jump
  Convention convention = kNoConvention;  // of its derivative there
};

ExprPtr call(std::string_view function, const ExprPtr& x) { return call_of(function, x, x->place); }
ExprPtr zero(const ExprPtr& x) { return number(0, x->place); }
ExprPtr one(const ExprPtr& x) { return number(1, x->place); }

/// √s of a sum of squares: s ↦ [s > 0] / (2 (√s + [s = 0]))
ExprPtr norm_derivative(const ExprPtr& s) {
  const auto root = sum_of(call(kNormFunction, s), compared(Comparison::equal, s, zero(s)));
  return ratio(compared(Comparison::greater, s, zero(s)), product(number(2, s->place), root));
}

constexpr std::array<Builtin, 15> kBuiltins{{
    {"exp", std::exp, [](const ExprPtr& x) { return call("exp", x); }},
    {"ln", std::log, [](const ExprPtr& x) { return ratio(one(x), x); }},
    {"sqrt", std::sqrt, [](const ExprPtr& x) { return ratio(one(x), product(number(2, x->place), call("sqrt", x))); },
     true},
    {"tanh", std::tanh, [](const ExprPtr& x) { return difference(one(x), product(call("tanh", x), call("tanh", x))); }},
    {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); },
     [](const ExprPtr& x) { return product(call("sigmoid", x), difference(one(x), call("sigmoid", x))); }},
    {"relu", [](double x) { return x > 0    ? x
                                   : x != x ? x
                                            : 0; }, [](const ExprPtr& x) { return call("step", x); },
     true, kRelu},
    {"step", [](double x) { return x > 0    ? 1.0
                                   : x != x ? x
                                            : 0; }, zero, true},
    {"linear", [](double x) { return x; }, one},
    {"abs", [](double x) { return std::abs(x); }, [](const ExprPtr& x) { return call("sign", x); }, true, kAbs},
    {"sign", [](double x) { return x > 0   ? 1.0
                                   : x < 0 ? -1.0
                                           : x; }, zero, true},
    {"floor", [](double x) { return std::floor(x); }, zero},
    {"sin", std::sin, [](const ExprPtr& x) { return call("cos", x); }},
    {"cos", std::cos, [](const ExprPtr& x) { return negated(call("sin", x)); }},
    {"erf", std::erf,
     [](const ExprPtr& x) {
       return product(number(2 / std::sqrt(std::numbers::pi), x->place), call("exp", negated(product(x, x))));
     }},
    {kNormFunction, std::sqrt, norm_derivative, true, kNorm},
}};
constexpr auto kNamed = std::span(kBuiltins).first<14>();  // the others are written with signs

constexpr std::array<std::string_view, 20> kReserved{
    "sum",  "prod",    "max",     "min",   "argmax", "delta", "diag",    "at",        "softmax",   "ones",
    "axis", "network", "samples", "given", "for",    "in",    "erratum", "corrected", "functions", "part"};

const Builtin* builtin(std::string_view name) {
  const auto found =
      std::find_if(kBuiltins.begin(), kBuiltins.end(), [&](const auto& each) { return each.name == canonical(name); });
  return found == kBuiltins.end() ? nullptr : found;
}

}  // namespace

std::vector<std::string> texts_of(unsigned conventions) {
  std::vector<std::string> texts;
  for (std::size_t k = 0; k < kConventions.size(); ++k) {
    if ((conventions >> k & 1U) != 0) texts.emplace_back(kConventions[k]);
  }
  return texts;
}

int Symbols::add(Symbol symbol, Place place) {
  if (is_reserved(symbol.name) || is_builtin(symbol.name))
    throw FormulaError(place, str(in_quotes(symbol.name), " is a word of the language; use another name"));
  if (ids_.count(symbol.name) != 0)
    throw FormulaError(place, str(in_quotes(symbol.name), " has a meaning already; use another name"));
  const int id = size();
  if (id == kMostSymbols) throw FormulaError(place, str("more than ", kMostSymbols, " names; begin a new part"));
  ids_.emplace(symbol.name, id);
  all_.push_back(std::move(symbol));
  return id;
}

int Symbols::find(std::string_view name, int primes) const {
  const auto found = ids_.find(std::string(name) + std::string(static_cast<std::size_t>(primes), '\''));
  return found == ids_.end() ? -1 : found->second;
}

int Symbols::find_value(std::string_view name, int primes) const {
  const int id = find(name, primes);
  return id >= 0 && (*this)[id].is_value() ? id : -1;
}

std::string Symbols::suggestion(std::string_view name) const {
  std::vector<std::string_view> known;
  for (const auto& symbol : all_) known.emplace_back(symbol.name);
  for (const auto& each : kNamed) known.push_back(each.name);
  known.insert(known.end(), kReserved.begin(), kReserved.begin() + 10);
  return did_you_mean(name, known);
}

std::set<int> Symbols::with_all_before(const std::set<int>& values) const {
  auto all = values;
  for (const int id : values) all.insert((*this)[id].from.begin(), (*this)[id].from.end());
  return all;
}

bool Symbols::depends(int value, int other) const { return value == other || (*this)[value].from.count(other) != 0; }

void Indices::step(Place place) {
  constexpr int kMost = 100'000;
  if (++steps_ > kMost)
    throw FormulaError(place, "written out, with its functions and derivatives, this is too long; use fewer of them");
}

std::string_view canonical(std::string_view name) { return name == "log" ? "ln" : name; }
bool is_builtin(std::string_view name) { return builtin(name) != nullptr; }
double apply_builtin(std::string_view name, double x) { return builtin(name)->apply(x); }
ExprPtr builtin_derivative(std::string_view name, const ExprPtr& x) { return builtin(name)->derivative(x); }

bool has_corner(std::string_view name) { return builtin(name)->corner; }
Convention convention(std::string_view name) { return builtin(name)->convention; }

std::string builtin_names() {
  std::string names;
  for (const auto& each : kNamed) names += (names.empty() ? "" : ", ") + std::string(each.name);
  return names;
}

bool is_reserved(std::string_view name) {
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

}  // namespace chalk::math

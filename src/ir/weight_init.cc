#include "chalkgrad/weight_init.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "chalkgrad/error.h"
#include "src/base/reading.h"
#include "src/base/shortest.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/ir/checks.h"

namespace chalk {
namespace {

using W = WeightInit;
constexpr double kAny = -std::numeric_limits<double>::infinity();

constexpr std::array kKinds{
    WeightInitKind{W::he, "he", "", 0, 0, "normal, σ² = 2 / fan_in", "He et al. 2015, eq. 10",
                   "`kaiming_normal_` | `HeNormal`, cut at ±2 σ"},
    WeightInitKind{W::he_uniform, "he_uniform", "", 0, 0, "uniform, within ±√(6 / fan_in)", "He et al. 2015",
                   "`kaiming_uniform_` | `HeUniform`"},
    WeightInitKind{W::glorot, "glorot", "", 0, 0, "uniform, within ±√(6 / (fan_in + fan_out))",
                   "Glorot & Bengio 2010, eq. 16", "`xavier_uniform_` | `GlorotUniform`"},
    WeightInitKind{W::glorot_normal, "glorot_normal", "", 0, 0, "normal, σ² = 2 / (fan_in + fan_out)",
                   "Glorot & Bengio 2010, eq. 12", "`xavier_normal_` | `GlorotNormal`, cut at ±2 σ"},
    WeightInitKind{W::lecun, "lecun", "", 0, 0, "normal, σ² = 1 / fan_in", "LeCun et al. 1998, section 4.6",
                   "`kaiming_normal_(nonlinearity=\"linear\")` | `LecunNormal`, cut at ±2 σ"},
    WeightInitKind{W::lecun_uniform, "lecun_uniform", "", 0, 0, "uniform, within ±√(3 / fan_in)",
                   "LeCun et al. 1998, section 4.6", "`kaiming_uniform_(nonlinearity=\"linear\")` | `LecunUniform`"},
    WeightInitKind{W::orthogonal, "orthogonal", "gain", 1, 0,
                   "W·Wᵀ = gain² · 1, or Wᵀ·W if there are fewer inputs than outputs; the first axis are the rows",
                   "Saxe et al. 2014", "`orthogonal_` | `Orthogonal`"},
    WeightInitKind{W::truncated_normal, "truncated_normal", "σ", 0.02, 0, "normal, drawn again beyond ±2 σ", "",
                   "`trunc_normal_`, which cuts at ±2 whatever σ is | `TruncatedNormal`"},
    WeightInitKind{W::normal, "normal", "σ", 0.05, 0, "normal", "", "`normal_` | `RandomNormal`"},
    WeightInitKind{W::uniform, "uniform", "bound", 0.05, 0, "uniform, within ±bound", "",
                   "`uniform_(-b, b)` | `RandomUniform`"},
    WeightInitKind{W::constant, "constant", "value", 0, kAny, "all the same; `zero` is `constant:0`", "",
                   "`constant_` | `Constant`"},
};

const WeightInitKind& about(W::Kind kind) { return *std::ranges::find(kKinds, kind, &WeightInitKind::kind); }

double checked(double number, const WeightInitKind& kind) {
  if (std::isfinite(number) && number > kind.least && std::abs(number) <= Init::kMost) return number;
  throw InputError(str("init ", in_quotes(str(kind.word, ":", shortest(number))), " needs a number",
                       kind.least == 0 ? " above 0 and at most " : str(" from -", shortest(Init::kMost), " to "),
                       shortest(Init::kMost), " as its ", kind.number, ", e.g. ", kind.word, ":",
                       shortest(kind.usual)));
}

}  // namespace

std::span<const WeightInitKind> weight_inits() { return kKinds; }

WeightInit::WeightInit(Kind kind) : WeightInit(kind, about(kind).usual) {}

WeightInit WeightInit::parse(std::string_view text) {
  if (text == "zero") return constant;
  const auto colon = std::min(text.find(':'), text.size());
  const auto word = text.substr(0, colon);
  const auto found = std::ranges::find(kKinds, word, &WeightInitKind::word);
  if (found == kKinds.end()) {
    std::vector<std::string_view> known;
    for (const auto& kind : kKinds) known.push_back(kind.word);
    const auto guess = did_you_mean(word, known);
    throw InputError(str("init ", in_quotes(text), " is not known",
                         guess.empty() ? str("; use ", alternatives({known.begin(), known.end()})) : guess));
  }
  if (colon == text.size()) return found->kind;
  if (found->number.empty())
    throw InputError(str("init ", in_quotes(text), " has a number, and ", word, " takes none; write ", word));
  const auto number = number_in<double>(text.substr(colon + 1));
  if (!number) {
    throw InputError(
        str("init ", in_quotes(text), " does not end with a number; write e.g. ", word, ":", shortest(found->usual)));
  }
  return {found->kind, checked(*number, *found)};
}

std::string WeightInit::text() const {
  const auto& kind = about(kind_);
  if (kind.number.empty() || number_ == kind.usual) return std::string(kind.word);
  return str(kind.word, ":", shortest(number_));
}

Init WeightInit::init(std::int64_t fan_in, std::int64_t fan_out) const {
  check_fan("fan_in", fan_in);
  check_fan("fan_out", fan_out);
  const auto in = static_cast<double>(fan_in), out = static_cast<double>(fan_out);
  const auto& kind = about(kind_);
  const double number = kind.number.empty() ? 0 : checked(number_, kind);
  switch (kind_) {
    case he:
      return Init::he(fan_in);
    case he_uniform:
      return {Init::Kind::uniform, std::sqrt(6 / in)};
    case glorot:
      return Init::glorot(fan_in, fan_out);
    case glorot_normal:
      return {Init::Kind::normal, std::sqrt(2 / (in + out))};
    case lecun:
      return {Init::Kind::normal, std::sqrt(1 / in)};
    case lecun_uniform:
      return {Init::Kind::uniform, std::sqrt(3 / in)};
    case orthogonal:
      return {Init::Kind::orthogonal, number};
    case truncated_normal:
      return {Init::Kind::truncated_normal, number};
    case normal:
      return {Init::Kind::normal, number};
    case uniform:
      return {Init::Kind::uniform, number};
    case constant:
      break;
  }
  return Init::constant(number);
}

}  // namespace chalk

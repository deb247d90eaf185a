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

Init normal_of(double variance) { return {Init::Kind::normal, std::sqrt(variance)}; }
/// Of a third of that variance.
Init uniform_of(double squared_bound) { return {Init::Kind::uniform, std::sqrt(squared_bound)}; }

constexpr WeightInitKind init_he{.formula = "normal, σ² = 2 / fan_in",
                                 .source = "He et al. 2015, eq. 10",
                                 .elsewhere = "`kaiming_normal_` | `HeNormal`, cut at ±2 σ",
                                 .init = [](double in, double, double) { return normal_of(2 / in); }};

constexpr WeightInitKind init_he_uniform{.formula = "uniform, within ±√(6 / fan_in)",
                                         .source = "He et al. 2015",
                                         .elsewhere = "`kaiming_uniform_` | `HeUniform`",
                                         .init = [](double in, double, double) { return uniform_of(6 / in); }};

constexpr WeightInitKind init_glorot{.formula = "uniform, within ±√(6 / (fan_in + fan_out))",
                                     .source = "Glorot & Bengio 2010, eq. 16",
                                     .elsewhere = "`xavier_uniform_` | `GlorotUniform`",
                                     .init = [](double in, double out, double) { return uniform_of(6 / (in + out)); }};

constexpr WeightInitKind init_glorot_normal{
    .formula = "normal, σ² = 2 / (fan_in + fan_out)",
    .source = "Glorot & Bengio 2010, eq. 12",
    .elsewhere = "`xavier_normal_` | `GlorotNormal`, cut at ±2 σ",
    .init = [](double in, double out, double) { return normal_of(2 / (in + out)); }};

constexpr WeightInitKind init_lecun{
    .formula = "normal, σ² = 1 / fan_in",
    .source = "LeCun et al. 1998, section 4.6",
    .elsewhere = "`kaiming_normal_(nonlinearity=\"linear\")` | `LecunNormal`, cut at ±2 σ",
    .init = [](double in, double, double) { return normal_of(1 / in); }};

constexpr WeightInitKind init_lecun_uniform{.formula = "uniform, within ±√(3 / fan_in)",
                                            .source = "LeCun et al. 1998, section 4.6",
                                            .elsewhere = "`kaiming_uniform_(nonlinearity=\"linear\")` | `LecunUniform`",
                                            .init = [](double in, double, double) { return uniform_of(3 / in); }};

/// What has a number of its own.
template <Init::Kind kKind>
Init as_given(double, double, double number) {
  return {kKind, number};
}

constexpr WeightInitKind init_orthogonal{
    .number = "gain",
    .usual = 1,
    .formula = "W·Wᵀ = gain² · 1, or Wᵀ·W if there are fewer inputs than outputs; the first axis are the rows",
    .source = "Saxe et al. 2014",
    .elsewhere = "`orthogonal_` | `Orthogonal`",
    .init = as_given<Init::Kind::orthogonal>};

constexpr WeightInitKind init_dirac{
    .number = "bound",
    .usual = 1,
    .least = kAny,
    .formula =
        "filter i passes channel i on: 1 in the middle, else 0. Filters beyond the channels: uniform, within "
        "±bound / √fan_in",
    .source = "Jordan 2024",
    .elsewhere = "`dirac_`, which is `dirac:0`; the others as its layers start by themselves | none",
    .init = [](double in, double, double number) -> Init {
      return {Init::Kind::dirac, number / std::sqrt(in)};
    }};

constexpr WeightInitKind init_whitening{
    .number = "ε",
    .usual = 5e-4,
    .formula =
        "filter k is the k-th eigenvector of the covariance of the data's patches, divided by √(eigenvalue + ε), "
        "largest eigenvalue first; then the same with the other sign",
    .source = "Page 2019; Jordan 2024",
    .elsewhere = "none | none",
    .init = as_given<Init::Kind::whitening>};

constexpr WeightInitKind init_truncated_normal{
    .number = "σ",
    .usual = 0.02,
    .formula = "normal, drawn again beyond ±2 σ",
    .elsewhere = "`trunc_normal_`, which cuts at ±2 whatever σ is | `TruncatedNormal`",
    .init = as_given<Init::Kind::truncated_normal>};

constexpr WeightInitKind init_normal{.number = "σ",
                                     .usual = 0.05,
                                     .formula = "normal",
                                     .elsewhere = "`normal_` | `RandomNormal`",
                                     .init = as_given<Init::Kind::normal>};

constexpr WeightInitKind init_uniform{.number = "bound",
                                      .usual = 0.05,
                                      .formula = "uniform, within ±bound",
                                      .elsewhere = "`uniform_(-b, b)` | `RandomUniform`",
                                      .init = as_given<Init::Kind::uniform>};

constexpr WeightInitKind init_constant{.number = "value",
                                       .least = kAny,
                                       .formula = "all the same; `zero` is `constant:0`",
                                       .elsewhere = "`constant_` | `Constant`",
                                       .init = as_given<Init::Kind::constant>};

constexpr WeightInitKind listed(WeightInitKind about, W::Kind kind, std::string_view word) {
  about.kind = kind;
  about.word = word;
  return about;
}

constexpr std::array kKinds{
#define CHALK_WEIGHT_INIT(name) listed(init_##name, W::name, #name),
#include "chalkgrad/weight_inits.inc"
#undef CHALK_WEIGHT_INIT
};

const WeightInitKind& about(W::Kind kind) { return kKinds[kind]; }

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
    if (text.ends_with(".safetensors")) {
      throw InputError(str("init ", in_quotes(text),
                           " is a model, and init is how weights are drawn; to begin with those of a model, train with "
                           "the option --init"));
    }
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
  const auto& kind = about(kind_);
  return kind.init(static_cast<double>(fan_in), static_cast<double>(fan_out),
                   kind.number.empty() ? 0 : checked(number_, kind));
}

}  // namespace chalk

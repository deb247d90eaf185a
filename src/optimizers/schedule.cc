#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "chalkgrad/error.h"
#include "chalkgrad/optimizer.h"
#include "src/base/shortest.h"
#include "src/base/text.h"

namespace chalk {
namespace {

[[noreturn]] void refuse(std::string_view text) {
  throw InputError(str(
      "schedule \"", text,
      "\" is not known; use constant, step:EPOCHS,FACTOR, cosine or one-cycle, each with +warmup:EPOCHS if wanted"));
}

/// The number that a part of the schedule is; `name` is what messages call it.
double number(std::string_view part, std::string_view name, std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
  if (error == std::errc::invalid_argument || end != part.data() + part.size()) refuse(text);
  if (error != std::errc() || !std::isfinite(value) || value <= 0)
    throw InputError(str("schedule \"", text, "\": ", name, " is ", part, "; it must be a number above 0"));
  return value;
}

/// cos πx for 0 <= x <= 1 by its series: C libraries differ in the last bit of theirs.
double cos_pi(double x) {
  if (x > 0.5) return -cos_pi(1 - x);
  const double z = std::numbers::pi * x * std::numbers::pi * x;
  double sum = 0;
  for (int k = 24; k > 0; k -= 2) sum = -z / (k * (k - 1)) * (1 + sum);
  return 1 + sum;
}

/// Half a cosine wave from 1 (at 0) to 0 (at 1).
double falling(double x) { return 0.5 * (1 + cos_pi(std::clamp(x, 0.0, 1.0))); }

double power(double base, std::int64_t exponent) {
  double product = 1;
  for (std::int64_t i = 0; i < exponent && product > 1e-300; ++i) product *= base;
  return product;
}

}  // namespace

double Schedule::factor(std::int64_t step, std::int64_t steps, std::int64_t steps_per_epoch) const {
  const double now = static_cast<double>(step), all = static_cast<double>(steps),
               epoch = static_cast<double>(steps_per_epoch);
  double rise = std::min(warmup * epoch, all);
  if (kind == Kind::one_cycle && warmup == 0) rise = 0.2 * all;
  if (now < rise) return (now + 1) / (rise + 1);
  switch (kind) {
    case Kind::constant:
      return 1;
    case Kind::step:
      return power(gamma, static_cast<std::int64_t>(now / (step_epochs * epoch)));
    case Kind::cosine:
      return falling((now - rise) / std::max(1.0, all - rise));
    case Kind::one_cycle:
      return 1 - (now - rise) / std::max(1.0, all - rise);
  }
  return 1;
}

bool Schedule::open_ended(std::int64_t epochs) const {
  return (kind == Kind::constant || kind == Kind::step) && warmup <= static_cast<double>(epochs);
}

Schedule Schedule::parse(std::string_view text) {
  Schedule schedule;
  std::string_view rest = text;
  if (const auto plus = rest.find('+'); plus != std::string_view::npos) {
    constexpr std::string_view kWarmup = "warmup:";
    const auto warm = rest.substr(plus + 1);
    if (!warm.starts_with(kWarmup)) refuse(text);
    schedule.warmup = number(warm.substr(kWarmup.size()), "EPOCHS of warmup", text);
    rest = rest.substr(0, plus);
  }
  if (rest == "constant") return schedule;
  if (rest == "cosine") {
    schedule.kind = Kind::cosine;
  } else if (rest == "one-cycle") {
    schedule.kind = Kind::one_cycle;
  } else if (rest.starts_with("step:")) {
    schedule.kind = Kind::step;
    rest.remove_prefix(5);
    const auto comma = rest.find(',');
    schedule.step_epochs = number(rest.substr(0, comma), "EPOCHS", text);
    if (comma != std::string_view::npos) schedule.gamma = number(rest.substr(comma + 1), "FACTOR", text);
  } else {
    refuse(text);
  }
  return schedule;
}

std::string Schedule::text() const {
  std::string base = "constant";
  if (kind == Kind::cosine) base = "cosine";
  if (kind == Kind::one_cycle) base = "one-cycle";
  if (kind == Kind::step) base = str("step:", shortest(step_epochs), ",", shortest(gamma));
  return warmup > 0 ? str(base, "+warmup:", shortest(warmup)) : base;
}

}  // namespace chalk

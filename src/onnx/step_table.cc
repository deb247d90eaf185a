#include "src/onnx/step_table.h"

#include <algorithm>
#include <vector>

#include "chalkgrad/error.h"
#include "src/base/text.h"

namespace chalk::onnx {
namespace {

constexpr std::int64_t kFar = std::int64_t{1} << 20;  // steps; with β₂ = 0.9999, √(1 − β₂ᵗ) is 1 in float after 170,000

}  // namespace

bool StepTables::has(const std::string& name) const {
  return std::ranges::find(scalars_, name, &StepContext::Scalar::name) != scalars_.end();
}

std::string StepTables::number(const std::string& name, const std::function<std::string()>& step) {
  const auto& scalar = *std::ranges::find(scalars_, name, &StepContext::Scalar::name);
  std::vector<float> numbers;
  for (std::int64_t i = 0; i < kFar; ++i) numbers.push_back(static_cast<float>(scalar.value(optimizer_.options(), i)));
  while (numbers.size() > 1 && numbers[numbers.size() - 2] == numbers.back()) numbers.pop_back();
  if (numbers.size() > kFar / 2) {
    throw InputError(
        str("the number ", name, " of ", optimizer_.name(),
            " is another one at every step, for ever, which a file cannot hold; choose options without it"));
  }
  if (step_.empty()) step_ = step();
  const auto count = std::ssize(numbers);
  const auto table = to_.initializer(floats(str(name, ".by_step"), {count}, numbers));
  const auto last = to_.reshape(to_.ints({count - 1}), {});
  return to_.call("Gather", {table, to_.call("Min", {step_, last})});
}

void StepTables::finish(const std::function<void(const std::string&)>& output) {
  if (!step_.empty()) output(to_.call("Add", {step_, to_.reshape(to_.ints({1}), {})}));
}

}  // namespace chalk::onnx

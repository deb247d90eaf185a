// What tests of kernels share: calling an operation's kernels on rows of samples, and comparing what they give.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "src/base/aligned.h"
#include "src/base/random.h"
#include "src/base/target.h"
#include "src/ir/op.h"

namespace chalk {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t kLanes = 16;

/// Values of one sample each: sixteen of them if batched, one if shared.
using Rows = std::vector<std::vector<float>>;

struct Operand {
  Type type;
  Rows rows;
  const std::vector<float>& row(std::size_t lane) const { return rows[type.batched ? lane : 0]; }
};

inline Operand draw(const Sample::Input& in, Random& random) {
  Operand operand{{in.shape, in.batched}, Rows(in.batched ? kLanes : 1)};
  for (auto& row : operand.rows) {
    row.resize(static_cast<std::size_t>(elements(in.shape)));
    for (auto& x : row) {
      x = static_cast<float>(in.low + (in.high - in.low) * random.uniform());
      if (in.grid > 0) x = static_cast<float>(std::round(static_cast<double>(x) / in.grid) * in.grid);
    }
  }
  return operand;
}

inline std::vector<Operand> draw(const Sample& sample, std::uint64_t seed) {
  std::vector<Operand> operands;
  Random random(seed, 0);
  for (const auto& in : sample.inputs) operands.push_back(draw(in, random));
  return operands;
}

/// An operation applied to operands.
struct Call {
  const Op& op;
  Attributes attributes;
  const std::vector<Operand>& in;
  std::vector<Type> types = types_of(in);
  Type type = op.infer.value(attributes, types);

  static std::vector<Type> types_of(const std::vector<Operand>& in) {
    std::vector<Type> types;
    for (const auto& operand : in) types.push_back(operand.type);
    return types;
  }
  std::size_t size() const { return static_cast<std::size_t>(elements(type.shape)); }

  /// One sample, in double or float.
  template <class T>
  std::vector<T> one(Kernel kernel, std::size_t lane, int shares = 1) const {
    std::vector<std::vector<T>> values;
    std::vector<const void*> pointers;
    for (const auto& operand : in) values.emplace_back(operand.row(lane).begin(), operand.row(lane).end());
    for (const auto& v : values) pointers.push_back(v.data());
    std::vector<T> out(size());
    for (int i = 0; i < shares; ++i) {
      kernel({&attributes, types, pointers, &type, out.data(), {.index = i, .count = shares}});
    }
    return out;
  }
  std::vector<double> reference(std::size_t lane) const { return one<double>(op.kernels.value.reference, lane); }
  std::vector<float> shared(std::size_t lane) const { return one<float>(op.kernels.value.shared, lane); }

  /// All samples at once, by so many threads' shares.
  Rows lanes(int shares = 1) const {
    std::vector<AlignedFloats> memory;
    std::vector<const void*> pointers;
    for (const auto& operand : in) memory.push_back(packed(operand));
    for (const auto& m : memory) pointers.push_back(m.data());
    const AlignedFloats out(size() * kLanes);
    for (int i = 0; i < shares; ++i) {
      op.kernels.value.lanes({&attributes, types, pointers, &type, out.data(), {.index = i, .count = shares}});
    }
    return unpacked(out, size());
  }

  static AlignedFloats packed(const Operand& operand) {
    const auto size = operand.rows[0].size(), width = operand.rows.size();
    AlignedFloats memory(size * width);
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t n = 0; n < width; ++n) memory.data()[i * width + n] = operand.rows[n][i];
    }
    return memory;
  }
  static Rows unpacked(const AlignedFloats& memory, std::size_t size) {
    Rows rows(kLanes, std::vector<float>(size));
    for (std::size_t i = 0; i < size * kLanes; ++i) rows[i % kLanes][i / kLanes] = memory.data()[i];
    return rows;
  }
};

inline std::uint32_t bits(float x) { return std::isnan(x) ? 0x7fc00000 : std::bit_cast<std::uint32_t>(x); }

inline testing::AssertionResult same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return testing::AssertionFailure() << a.size() << " values, not " << b.size();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (bits(a[i]) != bits(b[i]))
      return testing::AssertionFailure() << "element " << i << ": " << a[i] << " is not " << b[i];
  }
  return testing::AssertionSuccess();
}

/// `tolerance` is relative to 1 or the value, whichever is larger; 0: the exact value, rounded.
inline testing::AssertionResult close(const std::vector<float>& a, const std::vector<double>& b, double tolerance) {
  if (a.size() != b.size()) return testing::AssertionFailure() << a.size() << " values, not " << b.size();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool same = bits(a[i]) == bits(static_cast<float>(b[i])) || (a[i] == 0 && static_cast<float>(b[i]) == 0);
    if (!same && !(std::abs(static_cast<double>(a[i]) - b[i]) <= tolerance * std::max(1.0, std::abs(b[i])))) {
      return testing::AssertionFailure() << "element " << i << ": " << a[i] << " is not " << b[i];
    }
  }
  return testing::AssertionSuccess();
}

/// Every instruction set that this program has code for and this machine runs.
class Targets {
 public:
  Targets() = default;
  ~Targets() { use_target(choose_target()); }
  Targets(const Targets&) = delete;
  Targets& operator=(const Targets&) = delete;

  template <class F>
  void each(F f) const {
    for (const auto target : targets()) {
      use_target(target);
      SCOPED_TRACE(target_name(target));
      f();
    }
  }
};

}  // namespace chalk

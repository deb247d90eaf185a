#include "src/kernels/pool.h"

#include <gtest/gtest.h>
// After GoogleTest, which it needs.
#include <rapidcheck/gtest.h>

#include "src/kernels/conv_testing.h"

namespace chalk {
namespace {

RC_GTEST_PROP(Pool, ScattersToThePlaceThatTheIndexNames, ()) {
  const auto in = [](int first, int last) -> std::int64_t { return *rc::gen::inRange(first, last + 1); };
  const PoolShape s{in(1, 3), in(1, 9), in(1, 9), in(1, 3), in(1, 3)};
  const std::int64_t rows = s.height / s.pool_h, columns = s.width / s.pool_w;
  std::mt19937 random(1);
  const Guarded y(static_cast<std::size_t>(s.channels * rows * columns * 16), random), index(y.span().size());
  for (float& place : index.span()) place = static_cast<float>(random() % static_cast<unsigned>(s.pool_h * s.pool_w));
  if (!y.span().empty()) y[0] = -0.0f;
  std::vector<float> x(static_cast<std::size_t>(s.channels * s.height * s.width * 16), 0.0f);
  for (std::int64_t i = 0; i < s.channels * rows * columns * 16; ++i) {
    const std::int64_t n = i % 16, q = i / 16 % columns, p = i / 16 / columns % rows, c = i / 16 / columns / rows;
    const auto place = static_cast<std::int64_t>(index[i]);
    const std::int64_t h = p * s.pool_h + place / s.pool_w, w = q * s.pool_w + place % s.pool_w;
    x[static_cast<std::size_t>(((c * s.height + h) * s.width + w) * 16 + n)] += y[i];
  }
  on_every_target([&] {
    const Guarded result(x.size());
    pool_scatter(s, y.data(), index.data(), result.data());
    EXPECT_TRUE(result.intact());
    expect_same_bits(result.span(), x, "x");
  });
}

}  // namespace
}  // namespace chalk

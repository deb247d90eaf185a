// Winograd's transforms change the order of sums, so they are compared with plain loops in double, within a bound that
// is derived here; then every instruction set with the first, to the last bit.
#include "src/kernels/conv_winograd.h"

#include <gtest/gtest.h>
// After GoogleTest, which it needs.
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "src/kernels/conv_case_testing.h"

namespace chalk {
namespace {

Case any_case() {
  const auto in = [](int first, int last) -> std::int64_t {  // at full size from the first case on
    return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(first, last + 1));
  };
  ConvShape s{};
  s.channels = in(1, 40);
  s.filters = in(1, 40);
  s.kernel_h = s.kernel_w = 3;
  s.pad_h = in(0, 2);
  s.pad_w = in(0, 2);
  s.height = std::max<std::int64_t>(1, 3 - 2 * s.pad_h) + in(0, 9);
  s.width = std::max<std::int64_t>(1, 3 - 2 * s.pad_w) + in(0, 9);
  return with_output(s, static_cast<std::uint32_t>(in(0, 1 << 30)));
}

Case square(std::int64_t channels, std::int64_t filters, std::int64_t size) {
  return with_output({.channels = channels,
                      .height = size,
                      .width = size,
                      .filters = filters,
                      .kernel_h = 3,
                      .kernel_w = 3,
                      .out_h = 0,
                      .out_w = 0,
                      .pad_h = 1,
                      .pad_w = 1},
                     3);
}

Guarded forward(const Case& k, const ConvEpilogue& e, const Guarded& x, const Guarded& w, const Guarded& bias,
                Guarded* index = nullptr) {
  const ConvShape& s = k.s;
  Guarded packed(winograd_forward_packed(s));
  Guarded scratch(winograd_forward_scratch(s));
  Guarded y(static_cast<std::size_t>(s.filters * (s.out_h / e.pool_h) * (s.out_w / e.pool_w) * kLanes));
  if (index) *index = Guarded(y.span().size());
  winograd_forward_pack(s, w.data(), packed.data());
  winograd_forward(s, e, x.data(), packed.data(), e.bias ? bias.data() : nullptr, y.data(),
                   index ? index->data() : nullptr, scratch.data());
  EXPECT_TRUE(packed.intact() && scratch.intact() && y.intact() && (!index || index->intact()));
  return y;
}

Guarded input_grad(const Case& k, const Guarded& dz, const Guarded& w) {
  Guarded packed(winograd_input_grad_packed(k.s));
  Guarded scratch(winograd_input_grad_scratch(k.s));
  Guarded dx(k.x_size());
  winograd_input_grad_pack(k.s, w.data(), packed.data());
  winograd_input_grad(k.s, dz.data(), packed.data(), dx.data(), scratch.data());
  EXPECT_TRUE(packed.intact() && scratch.intact() && dx.intact());
  return dx;
}

void weight_grad(const Case& k, const Guarded& x, const Guarded& dz, const Guarded& dw, int valid, bool accumulate) {
  Guarded scratch(winograd_weight_grad_scratch(k.s));
  winograd_weight_grad(k.s, x.data(), dz.data(), dw.data(), valid, accumulate, scratch.data());
  EXPECT_TRUE(scratch.intact() && dw.intact());
}

// The bound. A sum in which a term passes through n roundings is wrong by at most n·ε/2·Σ|terms| (and terms of ε²).
// Here a term is a product A·G·w·G·B·x·B·A of entries of the transforms. It passes through 2 + 2 roundings in Bᵀ x B,
// one of G w Gᵀ (which is done in double), one for each summed channel, and 3 + 3 in Aᵀ m A: channels + 11.

constexpr double kB[6][6] = {{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
                             {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
constexpr double kG[6][3] = {{1. / 4, 0, 0},
                             {-1. / 6, -1. / 6, -1. / 6},
                             {-1. / 6, 1. / 6, -1. / 6},
                             {1. / 24, 1. / 12, 1. / 6},
                             {1. / 24, -1. / 12, 1. / 6},
                             {0, 0, 1}};
constexpr double kA[4][6] = {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}};

/// mᵀ
template <std::size_t kRows, std::size_t kColumns>
struct Transposed {
  explicit Transposed(const double (&m)[kRows][kColumns]) {
    for (std::size_t i = 0; i < kRows; ++i) {
      for (std::size_t j = 0; j < kColumns; ++j) rows[j][i] = m[i][j];
    }
  }
  double rows[kColumns][kRows];
};

/// |M| a |M|ᵀ
template <std::size_t kRows, std::size_t kColumns>
std::vector<double> magnitudes(const double (&m)[kRows][kColumns], const std::vector<double>& a) {
  std::vector<double> rows(kRows * kColumns, 0.0), result(kRows * kRows, 0.0);
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t j = 0; j < kColumns; ++j) {
      for (std::size_t n = 0; n < kColumns; ++n) rows[i * kColumns + j] += std::abs(m[i][n]) * a[n * kColumns + j];
    }
  }
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t j = 0; j < kRows; ++j) {
      for (std::size_t n = 0; n < kColumns; ++n) result[i * kRows + j] += rows[i * kColumns + n] * std::abs(m[j][n]);
    }
  }
  return result;
}

/// A map of planes that a kernel computes: forward, or the input gradient with rows, columns and weights reversed.
struct Map {
  std::int64_t in, height, width, out, out_h, out_w, pad_h, pad_w;
  std::vector<double> w;  // [out][in][9]
};

Map forward_map(const Case& k, const Guarded& w) {
  const ConvShape& s = k.s;
  return {
      s.channels, s.height, s.width, s.filters, s.out_h, s.out_w, s.pad_h, s.pad_w, {w.span().begin(), w.span().end()}};
}
Map input_grad_map(const Case& k, const Guarded& w) {
  const ConvShape& s = k.s;
  Map m{s.filters, s.out_h, s.out_w, s.channels, s.height, s.width, 2 - s.pad_h, 2 - s.pad_w, {}};
  for (std::int64_t c = 0; c < s.channels; ++c) {
    for (std::int64_t o = 0; o < s.filters; ++o) {
      for (std::int64_t i = 8; i >= 0; --i) m.w.push_back(w[(o * s.channels + c) * 9 + i]);
    }
  }
  return m;
}

/// Compares one lane of the kernel's result with loops in double.
void expect_within_bound(const Map& m, std::int64_t lane, const Guarded& x, const Guarded& y, const char* what) {
  std::vector<std::vector<double>> u;
  for (std::size_t i = 0; i < m.w.size(); i += 9) {
    std::vector<double> g;
    for (std::size_t j = 0; j < 9; ++j) g.push_back(std::abs(m.w[i + j]));
    u.push_back(magnitudes(kG, g));
  }
  const auto at = [&](std::int64_t c, std::int64_t row, std::int64_t column) -> double {
    const bool padding = row < 0 || row >= m.height || column < 0 || column >= m.width;
    return padding ? 0 : x[((c * m.height + row) * m.width + column) * kLanes + lane];
  };
  for (std::int64_t tile = 0; tile < (m.out_h + 3) / 4 * ((m.out_w + 3) / 4); ++tile) {
    const std::int64_t p0 = tile / ((m.out_w + 3) / 4) * 4, q0 = tile % ((m.out_w + 3) / 4) * 4;
    std::vector<std::vector<double>> v;
    for (std::int64_t c = 0; c < m.in; ++c) {
      std::vector<double> d;
      for (std::int64_t i = 0; i < 36; ++i) d.push_back(std::abs(at(c, p0 - m.pad_h + i / 6, q0 - m.pad_w + i % 6)));
      v.push_back(magnitudes(kB, d));
    }
    for (std::int64_t o = 0; o < m.out; ++o) {
      std::vector<double> products(36, 0.0);
      for (std::int64_t c = 0; c < m.in; ++c) {
        const auto& uc = u[static_cast<std::size_t>(o * m.in + c)];
        for (std::size_t i = 0; i < 36; ++i) products[i] += uc[i] * v[static_cast<std::size_t>(c)][i];
      }
      const auto magnitude = magnitudes(kA, products);
      for (std::int64_t p = p0; p < std::min(p0 + 4, m.out_h); ++p) {
        for (std::int64_t q = q0; q < std::min(q0 + 4, m.out_w); ++q) {
          double z = 0;
          for (std::int64_t c = 0; c < m.in; ++c) {
            for (std::int64_t i = 0; i < 9; ++i) {
              z += m.w[static_cast<std::size_t>((o * m.in + c) * 9 + i)] *
                   at(c, p - m.pad_h + i / 3, q - m.pad_w + i % 3);
            }
          }
          const std::int64_t place = ((o * m.out_h + p) * m.out_w + q) * kLanes + lane;
          const double bound =
              static_cast<double>(m.in + 19) * 0x1p-24 * magnitude[static_cast<std::size_t>((p - p0) * 4 + q - q0)];
          if (!(std::abs(y[place] - z) <= bound)) fail(what, static_cast<std::size_t>(place), y[place], z);
        }
      }
    }
  }
}

/// Compares dw, to which the first `valid` lanes were added, with loops in double, for filter o.
void expect_weights_within_bound(const Case& k, std::int64_t o, const Guarded& x, const Guarded& dz, int valid,
                                 const Guarded& start, const Guarded& dw) {
  const ConvShape& s = k.s;
  const Transposed a(kA);
  const Transposed g(kG);
  const std::int64_t across = (s.out_w + 3) / 4, tiles = (s.out_h + 3) / 4 * across;
  for (std::int64_t c = 0; c < s.channels; ++c) {
    std::vector<double> sums(36, 0.0), exact(9, 0.0);
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      const std::int64_t p0 = tile / across * 4, q0 = tile % across * 4;
      for (std::int64_t n = 0; n < valid; ++n) {
        std::vector<double> d, z;
        for (std::int64_t i = 0; i < 36; ++i) {
          const auto from = k.x_at(o, c, p0 - s.pad_h + i / 6, q0 - s.pad_w + i % 6);
          d.push_back(from < 0 ? 0 : x[from * kLanes + n]);
        }
        for (std::int64_t i = 0; i < 16; ++i) {
          const bool none = p0 + i / 4 >= s.out_h || q0 + i % 4 >= s.out_w;
          z.push_back(none ? 0 : dz[k.z_at(o, p0 + i / 4, q0 + i % 4) * kLanes + n]);
        }
        for (std::size_t w = 0; w < 9; ++w) {
          for (std::size_t i = 0; i < 16; ++i) exact[w] += z[i] * d[(i / 4 + w / 3) * 6 + i % 4 + w % 3];
        }
        for (auto* values : {&d, &z}) {
          for (double& value : *values) value = std::abs(value);
        }
        const auto v = magnitudes(kB, d), u = magnitudes(a.rows, z);
        for (std::size_t i = 0; i < 36; ++i) sums[i] += u[i] * v[i];
      }
    }
    const auto magnitude = magnitudes(g.rows, sums);
    for (std::int64_t i = 0; i < 9; ++i) {
      const std::int64_t at = (o * s.channels + c) * 9 + i;
      const auto w = static_cast<std::size_t>(i);
      const double expected = exact[w] + start[at];
      const double bound =
          static_cast<double>(tiles + (tiles + 31) / 32 + 24) * 0x1p-24 * (magnitude[w] + std::abs(start[at]));
      if (!(std::abs(dw[at] - expected) <= bound)) fail("dw", static_cast<std::size_t>(at), dw[at], expected);
    }
  }
}

RC_GTEST_PROP(Winograd, AgreesWithLoopsInDouble, ()) {
  const Case k = any_case();
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), w(k.w_size(), random), bias(1);
  const std::int64_t lane = *rc::gen::inRange<std::int64_t>(0, kLanes);
  expect_within_bound(forward_map(k, w), lane, x, forward(k, {}, x, w, bias), "z");
  expect_within_bound(input_grad_map(k, w), lane, dz, input_grad(k, dz, w), "dx");
}

RC_GTEST_PROP(Winograd, WeightGradAddsValidLanesOnEveryTarget, ()) {
  const Case k = any_case();
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), start(k.w_size(), random), zero(k.w_size());
  std::fill(zero.span().begin(), zero.span().end(), 0.0f);
  const int valid = *rc::gen::inRange(1, 17);
  for (const Guarded* values : {&x, &dz}) {  // a lane without a sample may hold anything
    for (std::size_t i = 0; i < values->span().size(); ++i) {
      if (static_cast<int>(i % 16) >= valid) values->span()[i] = NAN;
    }
  }
  const Guarded set(k.w_size()), added(k.w_size());
  weight_grad(k, x, dz, set, valid, false);
  std::copy(start.span().begin(), start.span().end(), added.data());
  weight_grad(k, x, dz, added, valid, true);
  const auto o = *rc::gen::inRange<std::int64_t>(0, k.s.filters);
  expect_weights_within_bound(k, o, x, dz, valid, zero, set);
  expect_weights_within_bound(k, o, x, dz, valid, start, added);
  for (std::size_t i = 0; i < k.w_size(); ++i) {
    if (added.span()[i] != start.span()[i] + set.span()[i]) fail("dw", i, added.span()[i], set.span()[i]);
  }
  on_every_target([&] {
    const Guarded dw(k.w_size());
    weight_grad(k, x, dz, dw, valid, false);
    expect_same_bits(dw.span(), set.span(), "dw");
    std::copy(start.span().begin(), start.span().end(), dw.data());
    weight_grad(k, x, dz, dw, valid, true);
    expect_same_bits(dw.span(), added.span(), "dw");
  });
}

TEST(Winograd, WeightGradOfManyChannelsAndBands) {
  const Case k = square(70, 5, 25);  // 49 tiles
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), zero(k.w_size()), dw(k.w_size());
  std::fill(zero.span().begin(), zero.span().end(), 0.0f);
  weight_grad(k, x, dz, dw, 11, false);
  expect_weights_within_bound(k, 3, x, dz, 11, zero, dw);
  on_every_target([&] {
    const Guarded again(k.w_size());
    weight_grad(k, x, dz, again, 11, false);
    expect_same_bits(again.span(), dw.span(), "dw");
  });
}

RC_GTEST_PROP(Winograd, SameBitsOnEveryTarget, ()) {
  const Case k = any_case();
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), w(k.w_size(), random), bias(1);
  const Guarded z = forward(k, {}, x, w, bias), dx = input_grad(k, dz, w);
  on_every_target([&] {
    expect_same_bits(forward(k, {}, x, w, bias).span(), z.span(), "z");
    expect_same_bits(input_grad(k, dz, w).span(), dx.span(), "dx");
  });
}

RC_GTEST_PROP(Winograd, BiasReluAndPoolingFollowAsIfByThemselves, ()) {
  Case k = any_case();
  k.s.channels = std::min<std::int64_t>(k.s.channels, 3);
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), w(k.w_size(), random), none(1);
  const Guarded bias(static_cast<std::size_t>(k.s.filters), random);
  if (*rc::gen::arbitrary<bool>()) x[*rc::gen::inRange<std::int64_t>(0, kLanes)] = NAN;
  const auto window = [](std::int64_t n) -> std::int64_t {
    const std::int64_t size = *rc::gen::element(1, 2, 4);
    return size <= n ? size : 1;
  };
  const ConvEpilogue e{.bias = *rc::gen::arbitrary<bool>(),
                       .relu = *rc::gen::arbitrary<bool>(),
                       .pool_h = window(k.s.out_h),
                       .pool_w = window(k.s.out_w)};
  RC_ASSERT(winograd_pools(e.pool_h, e.pool_w));
  const Guarded z = forward(k, {}, x, w, none);
  std::vector<float> y, places;
  finish(k, e, {z.span().begin(), z.span().end()}, bias, y, places);
  on_every_target([&] {
    Guarded index(0);
    const bool pooled = e.pool_h * e.pool_w > 1;
    expect_same_bits(forward(k, e, x, w, bias, pooled ? &index : nullptr).span(), y, "y");
    if (pooled) expect_same_bits(index.span(), places, "index");
  });
}

TEST(Winograd, ManyChannelsAreSummedInPiecesInOrder) {
  const Case k = square(133, 70, 7);
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), w(k.w_size(), random), bias(1);
  const Guarded z = forward(k, {}, x, w, bias), dx = input_grad(k, dz, w);
  expect_within_bound(forward_map(k, w), 7, x, z, "z");
  expect_within_bound(input_grad_map(k, w), 7, dz, dx, "dx");
  on_every_target([&] {
    expect_same_bits(forward(k, {}, x, w, bias).span(), z.span(), "z");
    expect_same_bits(input_grad(k, dz, w).span(), dx.span(), "dx");
  });
}

TEST(Winograd, ErrsByTwoMillionthsOfTheLargestSumOfProducts) {
  const Case k = square(64, 16, 8);
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), w(k.w_size(), random), bias(1);
  const Guarded z = forward(k, {}, x, w, bias);
  std::vector<Sum> exact(k.z_size());
  k.each_weight([&](auto o, auto c, auto a, auto b) {
    k.each_place([&](auto p, auto q) {
      const auto from = k.x_at(o, c, k.row(p, a), k.column(q, b)), to = k.z_at(o, p, q);
      for (std::int64_t n = 0; n < kLanes && from >= 0; ++n) {
        exact[static_cast<std::size_t>(to * kLanes + n)].add(double{w[k.w_at(o, c, a, b)]} * x[from * kLanes + n]);
      }
    });
  });
  double error = 0, largest = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    error = std::max(error, std::abs(z.span()[i] - exact[i].value));
    largest = std::max(largest, exact[i].magnitude);
  }
  EXPECT_LT(error, 2e-6 * largest);
  EXPECT_GT(error, 1e-9 * largest) << "nothing was transformed";
}

TEST(Winograd, NanInOneLaneStaysThere) {
  const Case k = square(3, 5, 7);
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), w(k.w_size(), random), bias(1);
  for (std::size_t i = 5; i < x.span().size(); i += 16) x.span()[i] = NAN;
  for (std::size_t i = 5; i < dz.span().size(); i += 16) dz.span()[i] = NAN;
  on_every_target([&] {
    const Guarded z = forward(k, {}, x, w, bias), dx = input_grad(k, dz, w);
    for (std::size_t i = 0; i < z.span().size(); ++i) EXPECT_EQ(std::isnan(z.span()[i]), i % 16 == 5);
    for (std::size_t i = 0; i < dx.span().size(); ++i) EXPECT_EQ(std::isnan(dx.span()[i]), i % 16 == 5);
  });
}

TEST(Winograd, FitsKernelsOfThreeByThree) {
  const ConvShape fits = square(64, 64, 8).s;
  EXPECT_TRUE(winograd_fits(fits));
  const auto but = [&](auto change) {
    ConvShape s = fits;
    change(s);
    return winograd_fits(s) || winograd_forward_pays(s) || winograd_input_grad_pays(s) || winograd_weight_grad_pays(s);
  };
  EXPECT_FALSE(but([](ConvShape& s) { s.kernel_h = 5; }));
  EXPECT_FALSE(but([](ConvShape& s) { s.kernel_w = 1; }));
  EXPECT_FALSE(but([](ConvShape& s) { s.stride_h = 2; }));
  EXPECT_FALSE(but([](ConvShape& s) { s.stride_w = 2; }));
  EXPECT_FALSE(but([](ConvShape& s) { s.dilation_h = 2; }));
  EXPECT_FALSE(but([](ConvShape& s) { s.dilation_w = 2; }));
  EXPECT_FALSE(but([](ConvShape& s) { s.groups = 2; }));
  EXPECT_FALSE(but([](ConvShape& s) { s.pad_h = 3; }));
  EXPECT_FALSE(but([](ConvShape& s) { s.pad_w = 3; }));
}

TEST(Winograd, PaysForManyChannelsAndFiltersAndFullTiles) {
  const auto pays = [](const ConvShape& s) {
    bool same = true;
    const bool forward = winograd_forward_pays(s), weights = winograd_weight_grad_pays(s);
    on_every_target([&] { same &= winograd_forward_pays(s) == forward && winograd_weight_grad_pays(s) == weights; });
    EXPECT_TRUE(same) << "the choice depends on the instruction set";
    EXPECT_EQ(winograd_input_grad_pays(s), forward);  // of squares with padding 1
    return forward;
  };
  for (const std::int64_t size : {4, 7, 8, 14, 28, 32}) EXPECT_TRUE(pays(square(64, 64, size).s)) << size;
  EXPECT_TRUE(pays(square(16, 16, 32).s));
  EXPECT_FALSE(pays(square(8, 8, 32).s));
  EXPECT_FALSE(pays(square(3, 64, 32).s));
  EXPECT_FALSE(pays(square(64, 4, 32).s));
  EXPECT_FALSE(pays(square(64, 64, 5).s)) << "25 of 64 places";
  EXPECT_FALSE(pays(square(256, 256, 2).s)) << "4 of 16 places";
  for (const std::int64_t size : {7, 8, 14, 28, 32}) EXPECT_TRUE(winograd_weight_grad_pays(square(64, 64, size).s));
  EXPECT_FALSE(winograd_weight_grad_pays(square(64, 64, 4).s)) << "one tile: 36 sums are folded for 16 places";
  EXPECT_FALSE(winograd_weight_grad_pays(square(8, 64, 32).s));
}

}  // namespace
}  // namespace chalk

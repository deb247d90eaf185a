// Winograd's transforms change the order of sums, so they are compared with plain loops in double, within a bound that
// is derived here; then every instruction set with the first, to the last bit.
#include "src/kernels/conv_winograd.h"

#include <gtest/gtest.h>
// After GoogleTest, which it needs.
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "src/kernels/conv_case_testing.h"

namespace chalk {
namespace {

Case any_winograd_case() {
  const ConvShape s = any_winograd_shape(pick(1, 40), pick(1, 40), 9);
  return with_output(s, static_cast<std::uint32_t>(pick(0, 1 << 30)));
}

Case square_case(std::int64_t channels, std::int64_t filters, std::int64_t size, std::int64_t kernel = 3,
                 std::int64_t stride = 1) {
  return with_output({.channels = channels,
                      .height = size,
                      .width = size,
                      .filters = filters,
                      .kernel_h = kernel,
                      .kernel_w = kernel,
                      .out_h = 0,
                      .out_w = 0,
                      .stride_h = stride,
                      .stride_w = stride,
                      .pad_h = kernel / 2,
                      .pad_w = kernel / 2},
                     3);
}

// The bound. A sum in which a term passes through n roundings is wrong by at most n·ε/2·Σ|terms| (and terms of ε²).
// Here a term is a product A·G·w·G·B·x·B·A of entries of the transforms; a line of them rounds each of its terms up to
// `roundings` times, those of G among them, and each summed channel or tile once more.

using Matrix = std::vector<std::vector<double>>;

struct Transforms {
  Matrix b, g, a;  // Bᵀ, G, Aᵀ
  int roundings;   // of a term, in all lines that it passes through in one map
};

const Transforms& transforms(std::int64_t kernel, std::int64_t stride) {
  static const Transforms three{{{4, 0, -5, 0, 1, 0},
                                 {0, -4, -4, 1, 1, 0},
                                 {0, 4, -4, -1, 1, 0},
                                 {0, -2, -1, 2, 1, 0},
                                 {0, 2, -1, -2, 1, 0},
                                 {0, 4, 0, -5, 0, 1}},
                                {{1. / 4, 0, 0},
                                 {-1. / 6, -1. / 6, -1. / 6},
                                 {-1. / 6, 1. / 6, -1. / 6},
                                 {1. / 24, 1. / 12, 1. / 6},
                                 {1. / 24, -1. / 12, 1. / 6},
                                 {0, 0, 1}},
                                {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}},
                                19};
  static const Transforms five{
      {{1, 0, -5.25, 0, 5.25, 0, -1, 0},
       {0, 1, 1, -4.25, -4.25, 1, 1, 0},
       {0, -1, 1, 4.25, -4.25, -1, 1, 0},
       {0, 0.5, 0.25, -2.5, -1.25, 2, 1, 0},
       {0, -0.5, 0.25, 2.5, -1.25, -2, 1, 0},
       {0, 2, 4, -2.5, -5, 0.5, 1, 0},
       {0, -2, 4, 2.5, -5, -0.5, 1, 0},
       {0, -1, 0, 5.25, 0, -5.25, 0, 1}},
      {{1, 0, 0, 0, 0},
       {-2. / 9, -2. / 9, -2. / 9, -2. / 9, -2. / 9},
       {-2. / 9, 2. / 9, -2. / 9, 2. / 9, -2. / 9},
       {1. / 90, 1. / 45, 2. / 45, 4. / 45, 8. / 45},
       {1. / 90, -1. / 45, 2. / 45, -4. / 45, 8. / 45},
       {4. / 45, 2. / 45, 1. / 45, 1. / 90, 1. / 180},
       {4. / 45, -2. / 45, 1. / 45, -1. / 90, 1. / 180},
       {0, 0, 0, 0, 1}},
      {{1, 1, 1, 1, 1, 8, 8, 0}, {0, 1, -1, 2, -2, 4, -4, 0}, {0, 1, 1, 4, 4, 2, 2, 0}, {0, 1, -1, 8, -8, 1, -1, 1}},
      26};
  // Of the nine points of a line, the first five are those of the even places of x, and the last four the odd places.
  static const Transforms strided{{{2, 0, -1, 0, -2, 0, 1, 0, 0},
                                   {0, 0, -2, 0, -1, 0, 1, 0, 0},
                                   {0, 0, 2, 0, -3, 0, 1, 0, 0},
                                   {0, 0, -1, 0, 0, 0, 1, 0, 0},
                                   {0, 0, 2, 0, -1, 0, -2, 0, 1},
                                   {0, 1, 0, 0, 0, 0, 0, 0, 0},
                                   {0, 0, 0, 1, 0, 0, 0, 0, 0},
                                   {0, 0, 0, 0, 0, 1, 0, 0, 0},
                                   {0, 0, 0, 0, 0, 0, 0, 1, 0}},
                                  {{1. / 2, 0, 0},
                                   {-1. / 2, 0, -1. / 2},
                                   {-1. / 6, 0, 1. / 6},
                                   {1. / 6, 0, 1. / 3},
                                   {0, 0, 1},
                                   {0, 1, 0},
                                   {0, 1, 0},
                                   {0, 1, 0},
                                   {0, 1, 0}},
                                  {{1, 1, 1, 1, 0, 1, 0, 0, 0},
                                   {0, 1, -1, 2, 0, 0, 1, 0, 0},
                                   {0, 1, 1, 4, 0, 0, 0, 1, 0},
                                   {0, 1, -1, 8, 1, 0, 0, 0, 1}},
                                  19};
  return stride == 2 ? strided : kernel == 3 ? three : five;
}

Matrix transposed(const Matrix& m) {
  Matrix t(m[0].size(), std::vector<double>(m.size()));
  for (std::size_t i = 0; i < m.size(); ++i) {
    for (std::size_t j = 0; j < m[i].size(); ++j) t[j][i] = m[i][j];
  }
  return t;
}

/// |M| a |M|ᵀ
std::vector<double> magnitudes(const Matrix& m, const std::vector<double>& a) {
  const std::size_t rows = m.size(), columns = m[0].size();
  std::vector<double> half(rows * columns, 0.0), result(rows * rows, 0.0);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      for (std::size_t n = 0; n < columns; ++n) half[i * columns + j] += std::abs(m[i][n]) * a[n * columns + j];
    }
  }
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < rows; ++j) {
      for (std::size_t n = 0; n < columns; ++n) result[i * rows + j] += half[i * columns + n] * std::abs(m[j][n]);
    }
  }
  return result;
}

/// A map of planes that a kernel computes: forward, or the input gradient with rows, columns and weights reversed,
/// where the places of z lie `spread` apart, and between them are zeros.
struct Map {
  std::int64_t in, height, width, out, out_h, out_w, pad_h, pad_w, kernel, stride, spread;
  std::vector<double> w;  // [out][in][kernel²]
};

Map forward_map(const Case& k, const Guarded& w) {
  const ConvShape& s = k.s;
  return {s.channels, s.height, s.width,    s.filters,  s.out_h, s.out_w,
          s.pad_h,    s.pad_w,  s.kernel_h, s.stride_h, 1,       {w.span().begin(), w.span().end()}};
}
Map input_grad_map(const Case& k, const Guarded& w) {
  const ConvShape& s = k.s;
  Map m{s.filters,
        s.out_h,
        s.out_w,
        s.channels,
        s.height,
        s.width,
        s.kernel_h - 1 - s.pad_h,
        s.kernel_w - 1 - s.pad_w,
        s.kernel_h,
        1,
        s.stride_h,
        {}};
  const std::int64_t size = s.kernel_h * s.kernel_w;
  for (std::int64_t c = 0; c < s.channels; ++c) {
    for (std::int64_t o = 0; o < s.filters; ++o) {
      for (std::int64_t i = size; i-- > 0;) m.w.push_back(w[(o * s.channels + c) * size + i]);
    }
  }
  return m;
}

double value_at(const Map& m, const Guarded& x, std::int64_t lane, std::int64_t c, std::int64_t row,
                std::int64_t column) {
  const bool padding = row < 0 || row >= m.height || column < 0 || column >= m.width;
  return padding ? 0 : x[((c * m.height + row) * m.width + column) * kLanes + lane];
}

/// |G| |w| |G|ᵀ of each pair of planes.
std::vector<std::vector<double>> weight_magnitudes(const Map& m) {
  std::vector<std::vector<double>> u;
  const auto size = static_cast<std::size_t>(m.kernel * m.kernel);
  for (std::size_t i = 0; i < m.w.size(); i += size) {
    std::vector<double> g;
    for (std::size_t j = 0; j < size; ++j) g.push_back(std::abs(m.w[i + j]));
    u.push_back(magnitudes(transforms(m.kernel, m.stride * m.spread).g, g));
  }
  return u;
}

/// Σ over `in` of u[out · in_count + in] ⊙ v[in].
std::vector<double> product_magnitudes(const std::vector<std::vector<double>>& u, std::size_t out,
                                       const std::vector<std::vector<double>>& v) {
  std::vector<double> products(v[0].size(), 0.0);
  for (std::size_t c = 0; c < v.size(); ++c) {
    for (std::size_t i = 0; i < products.size(); ++i) products[i] += u[out * v.size() + c][i] * v[c][i];
  }
  return products;
}

/// Σ|terms| for each place of the result: z's tiles, by the forward map.
std::vector<double> forward_magnitudes(const Map& m, std::int64_t lane, const Guarded& x) {
  const Transforms& t = transforms(m.kernel, m.stride);
  const std::int64_t patch = 3 * m.stride + m.kernel, across = (m.out_w + 3) / 4;
  const auto u = weight_magnitudes(m);
  std::vector<double> result(static_cast<std::size_t>(m.out * m.out_h * m.out_w));
  for (std::int64_t tile = 0; tile < (m.out_h + 3) / 4 * across; ++tile) {
    const std::int64_t p0 = tile / across * 4, q0 = tile % across * 4;
    std::vector<std::vector<double>> v;
    for (std::int64_t c = 0; c < m.in; ++c) {
      std::vector<double> d;
      for (std::int64_t i = 0; i < patch * patch; ++i) {
        d.push_back(std::abs(
            value_at(m, x, lane, c, p0 * m.stride - m.pad_h + i / patch, q0 * m.stride - m.pad_w + i % patch)));
      }
      v.push_back(magnitudes(t.b, d));
    }
    for (std::int64_t o = 0; o < m.out; ++o) {
      const auto z = magnitudes(t.a, product_magnitudes(u, static_cast<std::size_t>(o), v));
      for (std::int64_t i = 0; i < 16; ++i) {
        const std::int64_t p = p0 + i / 4, q = q0 + i % 4;
        if (p >= m.out_h || q >= m.out_w) continue;
        result[static_cast<std::size_t>((o * m.out_h + p) * m.out_w + q)] = z[static_cast<std::size_t>(i)];
      }
    }
  }
  return result;
}

/// Σ|terms| for each place of the result: patches of it that the tiles of the transposed map add to.
std::vector<double> transposed_magnitudes(const Map& m, std::int64_t lane, const Guarded& dz) {
  const Transforms& t = transforms(m.kernel, m.spread);
  const Matrix a = transposed(t.a), b = transposed(t.b);
  const std::int64_t patch = 3 * m.spread + m.kernel, across = (m.width + 3) / 4;
  const std::int64_t pad_h = m.kernel - 1 - m.pad_h, pad_w = m.kernel - 1 - m.pad_w;
  Map forwards = m;  // its kernels run forwards
  for (std::size_t i = 0, size = static_cast<std::size_t>(m.kernel * m.kernel); i < m.w.size(); i += size) {
    std::reverse(forwards.w.begin() + static_cast<std::ptrdiff_t>(i),
                 forwards.w.begin() + static_cast<std::ptrdiff_t>(i + size));
  }
  const auto u = weight_magnitudes(forwards);
  std::vector<double> result(static_cast<std::size_t>(m.out * m.out_h * m.out_w));
  for (std::int64_t tile = 0; tile < (m.height + 3) / 4 * across; ++tile) {
    const std::int64_t p0 = tile / across * 4, q0 = tile % across * 4;
    std::vector<std::vector<double>> v;
    for (std::int64_t c = 0; c < m.in; ++c) {
      std::vector<double> d;
      for (std::int64_t i = 0; i < 16; ++i) d.push_back(std::abs(value_at(m, dz, lane, c, p0 + i / 4, q0 + i % 4)));
      v.push_back(magnitudes(a, d));
    }
    for (std::int64_t o = 0; o < m.out; ++o) {
      const auto dx = magnitudes(b, product_magnitudes(u, static_cast<std::size_t>(o), v));
      for (std::int64_t i = 0; i < patch * patch; ++i) {
        const std::int64_t p = p0 * m.spread - pad_h + i / patch, q = q0 * m.spread - pad_w + i % patch;
        if (p < 0 || q < 0 || p >= m.out_h || q >= m.out_w) continue;
        result[static_cast<std::size_t>((o * m.out_h + p) * m.out_w + q)] += dx[static_cast<std::size_t>(i)];
      }
    }
  }
  return result;
}

/// Compares one lane of the kernel's result with loops in double.
void expect_within_bound(const Map& m, std::int64_t lane, const Guarded& x, const Guarded& y, bool transposed,
                         const char* what) {
  const auto magnitude = transposed ? transposed_magnitudes(m, lane, x) : forward_magnitudes(m, lane, x);
  const auto terms =
      static_cast<double>(m.in + transforms(m.kernel, m.stride * m.spread).roundings + (transposed ? 6 : 0));
  const std::int64_t size = m.kernel * m.kernel;
  for (std::int64_t o = 0; o < m.out; ++o) {
    for (std::int64_t place = 0; place < m.out_h * m.out_w; ++place) {
      const std::int64_t p = place / m.out_w, q = place % m.out_w, at = (o * m.out_h + p) * m.out_w + q;
      double z = 0;
      for (std::int64_t c = 0; c < m.in; ++c) {
        for (std::int64_t i = 0; i < size; ++i) {
          const std::int64_t row = p * m.stride - m.pad_h + i / m.kernel,
                             column = q * m.stride - m.pad_w + i % m.kernel;
          if (row % m.spread != 0 || column % m.spread != 0) continue;
          z += m.w[static_cast<std::size_t>((o * m.in + c) * size + i)] *
               value_at(m, x, lane, c, row / m.spread, column / m.spread);
        }
      }
      const float found = y[at * kLanes + lane];
      const double bound = terms * 0x1p-24 * magnitude[static_cast<std::size_t>(at)];
      if (!(std::abs(found - z) <= bound)) fail(what, static_cast<std::size_t>(at * kLanes + lane), found, z);
    }
  }
}

void expect_input_grad_within_bound(const Case& k, std::int64_t lane, const Guarded& dz, const Guarded& w,
                                    const Guarded& dx) {
  const auto tiles = [](std::int64_t height, std::int64_t width) { return (height + 3) / 4 * ((width + 3) / 4); };
  const bool transposed = k.s.stride_h > 1 || tiles(k.s.out_h, k.s.out_w) < tiles(k.s.height, k.s.width);
  expect_within_bound(input_grad_map(k, w), lane, dz, dx, transposed, "dx");
}

/// Compares dw, to which the first `valid` lanes were added, with loops in double, for filter o.
void expect_weights_within_bound(const Case& k, std::int64_t o, const Guarded& x, const Guarded& dz, int valid,
                                 const Guarded& start, const Guarded& dw) {
  const ConvShape& s = k.s;
  const Transforms& t = transforms(s.kernel_h, s.stride_h);
  const Matrix a = transposed(t.a), g = transposed(t.g);
  const std::int64_t kernel = s.kernel_h, size = kernel * kernel, stride = s.stride_h, patch = 3 * stride + kernel;
  const std::int64_t merged = stride == 2 ? 16 : 1;  // points whose sums are one, at most
  const auto points = static_cast<std::size_t>(patch * patch);
  const std::int64_t across = (s.out_w + 3) / 4, tiles = (s.out_h + 3) / 4 * across;
  for (std::int64_t c = 0; c < s.channels; ++c) {
    std::vector<double> sums(points, 0.0), exact(static_cast<std::size_t>(size), 0.0);
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      const std::int64_t p0 = tile / across * 4, q0 = tile % across * 4;
      for (std::int64_t n = 0; n < valid; ++n) {
        std::vector<double> d, z;
        for (std::int64_t i = 0; i < patch * patch; ++i) {
          const auto from = k.x_at(o, c, p0 * stride - s.pad_h + i / patch, q0 * stride - s.pad_w + i % patch);
          d.push_back(from < 0 ? 0 : x[from * kLanes + n]);
        }
        for (std::int64_t i = 0; i < 16; ++i) {
          const bool none = p0 + i / 4 >= s.out_h || q0 + i % 4 >= s.out_w;
          z.push_back(none ? 0 : dz[k.z_at(o, p0 + i / 4, q0 + i % 4) * kLanes + n]);
        }
        for (std::int64_t w = 0; w < size; ++w) {
          for (std::int64_t i = 0; i < 16; ++i) {
            const std::int64_t from = (i / 4 * stride + w / kernel) * patch + i % 4 * stride + w % kernel;
            exact[static_cast<std::size_t>(w)] += z[static_cast<std::size_t>(i)] * d[static_cast<std::size_t>(from)];
          }
        }
        for (auto* values : {&d, &z}) {
          for (double& value : *values) value = std::abs(value);
        }
        const auto v = magnitudes(t.b, d), u = magnitudes(a, z);
        for (std::size_t i = 0; i < points; ++i) sums[i] += u[i] * v[i];
      }
    }
    const auto magnitude = magnitudes(g, sums);
    for (std::int64_t i = 0; i < size; ++i) {
      const std::int64_t at = (o * s.channels + c) * size + i;
      const auto w = static_cast<std::size_t>(i);
      const double expected = exact[w] + start[at];
      const double bound = static_cast<double>(merged * tiles * valid + 1 + t.roundings) * 0x1p-24 *
                           (magnitude[w] + std::abs(start[at]));
      if (!(std::abs(dw[at] - expected) <= bound)) fail("dw", static_cast<std::size_t>(at), dw[at], expected);
    }
  }
}

RC_GTEST_PROP(Winograd, AgreesWithLoopsInDouble, ()) {
  const Case k = any_winograd_case();
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), w(k.w_size(), random), bias(1);
  const std::int64_t lane = *rc::gen::inRange<std::int64_t>(0, kLanes);
  expect_within_bound(forward_map(k, w), lane, x, forward(kWinogradConv, k, {}, x, w, bias), false, "z");
  expect_input_grad_within_bound(k, lane, dz, w, input_grad(kWinogradConv, k, dz, w));
}

RC_GTEST_PROP(Winograd, WeightGradAddsValidLanesOnEveryTarget, ()) {
  const Case k = any_winograd_case();
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
  weight_grad(kWinogradConv, k, x, dz, set, valid, false);
  std::copy(start.span().begin(), start.span().end(), added.data());
  weight_grad(kWinogradConv, k, x, dz, added, valid, true);
  const auto o = *rc::gen::inRange<std::int64_t>(0, k.s.filters);
  expect_weights_within_bound(k, o, x, dz, valid, zero, set);
  expect_weights_within_bound(k, o, x, dz, valid, start, added);
  for (std::size_t i = 0; i < k.w_size(); ++i) {
    if (added.span()[i] != start.span()[i] + set.span()[i]) fail("dw", i, added.span()[i], set.span()[i]);
  }
  on_every_target([&] {
    const Guarded dw(k.w_size());
    weight_grad(kWinogradConv, k, x, dz, dw, valid, false);
    expect_same_bits(dw.span(), set.span(), "dw");
    std::copy(start.span().begin(), start.span().end(), dw.data());
    weight_grad(kWinogradConv, k, x, dz, dw, valid, true);
    expect_same_bits(dw.span(), added.span(), "dw");
  });
}

TEST(Winograd, WeightGradOfManyChannelsAndBands) {
  const Case k = square_case(70, 5, 25);  // 49 tiles
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), zero(k.w_size()), dw(k.w_size());
  std::fill(zero.span().begin(), zero.span().end(), 0.0f);
  weight_grad(kWinogradConv, k, x, dz, dw, 11, false);
  expect_weights_within_bound(k, 3, x, dz, 11, zero, dw);
  on_every_target([&] {
    const Guarded again(k.w_size());
    weight_grad(kWinogradConv, k, x, dz, again, 11, false);
    expect_same_bits(again.span(), dw.span(), "dw");
  });
}

RC_GTEST_PROP(Winograd, SameBitsOnEveryTarget, ()) {
  const Case k = any_winograd_case();
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), w(k.w_size(), random), bias(1);
  const Guarded z = forward(kWinogradConv, k, {}, x, w, bias), dx = input_grad(kWinogradConv, k, dz, w);
  on_every_target([&] {
    expect_same_bits(forward(kWinogradConv, k, {}, x, w, bias).span(), z.span(), "z");
    expect_same_bits(input_grad(kWinogradConv, k, dz, w).span(), dx.span(), "dx");
  });
}

RC_GTEST_PROP(Winograd, BiasReluAndPoolingFollowAsIfByThemselves, ()) {
  Case k = any_winograd_case();
  k.s.channels = std::min<std::int64_t>(k.s.channels, 3);
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), w(k.w_size(), random), none(1);
  const Guarded bias(static_cast<std::size_t>(k.s.filters), random);
  if (*rc::gen::arbitrary<bool>()) x[*rc::gen::inRange<std::int64_t>(0, kLanes)] = NAN;
  const auto window = [](std::int64_t n) -> std::int64_t {
    const std::int64_t size = *rc::gen::element(1, 2, 4);
    return size <= n ? size : 1;
  };
  const ConvEpilogue e = any_epilogue(window(k.s.out_h), window(k.s.out_w));
  RC_ASSERT(winograd_pools(e.pool_h, e.pool_w));
  const Guarded z = forward(kWinogradConv, k, {}, x, w, none);
  std::vector<float> y, places;
  finish(k, e, {z.span().begin(), z.span().end()}, bias, y, places);
  on_every_target([&] {
    Guarded index(0);
    const bool pooled = e.pool_h * e.pool_w > 1;
    expect_same_bits(forward(kWinogradConv, k, e, x, w, bias, pooled ? &index : nullptr).span(), y, "y");
    if (pooled) expect_same_bits(index.span(), places, "index");
  });
}

TEST(Winograd, ManyChannelsAreSummedInPiecesInOrder) {
  const Case k = square_case(133, 70, 7);
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), w(k.w_size(), random), bias(1);
  const Guarded z = forward(kWinogradConv, k, {}, x, w, bias), dx = input_grad(kWinogradConv, k, dz, w);
  expect_within_bound(forward_map(k, w), 7, x, z, false, "z");
  expect_input_grad_within_bound(k, 7, dz, w, dx);
  on_every_target([&] {
    expect_same_bits(forward(kWinogradConv, k, {}, x, w, bias).span(), z.span(), "z");
    expect_same_bits(input_grad(kWinogradConv, k, dz, w).span(), dx.span(), "dx");
  });
}

TEST(Winograd, ErrsByTwoMillionthsOfTheLargestSumOfProducts) {
  const Case k = square_case(64, 16, 8);
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), w(k.w_size(), random), bias(1);
  const Guarded z = forward(kWinogradConv, k, {}, x, w, bias);
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
  const Case k = square_case(3, 5, 7);
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), w(k.w_size(), random), bias(1);
  for (std::size_t i = 5; i < x.span().size(); i += 16) x.span()[i] = NAN;
  for (std::size_t i = 5; i < dz.span().size(); i += 16) dz.span()[i] = NAN;
  on_every_target([&] {
    const Guarded z = forward(kWinogradConv, k, {}, x, w, bias), dx = input_grad(kWinogradConv, k, dz, w);
    for (std::size_t i = 0; i < z.span().size(); ++i) EXPECT_EQ(std::isnan(z.span()[i]), i % 16 == 5);
    for (std::size_t i = 0; i < dx.span().size(); ++i) EXPECT_EQ(std::isnan(dx.span()[i]), i % 16 == 5);
  });
}

TEST(Winograd, FitsSquareKernelsOfThreeAndFive) {
  const ConvShape fits = square_case(64, 64, 8).s;
  EXPECT_TRUE(winograd_fits(fits));
  const auto but = [&](auto change) {
    ConvShape s = fits;
    change(s);
    return winograd_fits(s) || winograd_forward_pays(s) || winograd_input_grad_pays(s) || winograd_weight_grad_pays(s);
  };
  EXPECT_TRUE(winograd_fits(square_case(64, 64, 8, 5).s));
  EXPECT_FALSE(but([](ConvShape& s) { s.kernel_h = 5; }));
  EXPECT_FALSE(but([](ConvShape& s) { s.kernel_h = s.kernel_w = 4; }));
  EXPECT_FALSE(but([](ConvShape& s) { s.kernel_h = s.kernel_w = 7; }));
  EXPECT_FALSE(but([](ConvShape& s) { s.kernel_w = 1; }));
  EXPECT_TRUE(winograd_fits(square_case(64, 64, 8, 3, 2).s));
  EXPECT_FALSE(winograd_fits(square_case(64, 64, 8, 5, 2).s));
  EXPECT_FALSE(but([](ConvShape& s) { s.stride_h = s.stride_w = 3; }));
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
  for (const std::int64_t size : {4, 7, 8, 14, 28, 32}) EXPECT_TRUE(pays(square_case(64, 64, size).s)) << size;
  EXPECT_TRUE(pays(square_case(16, 16, 32).s));
  EXPECT_FALSE(pays(square_case(8, 8, 32).s));
  EXPECT_FALSE(pays(square_case(3, 64, 32).s));
  EXPECT_FALSE(pays(square_case(64, 4, 32).s));
  EXPECT_FALSE(pays(square_case(64, 64, 5).s)) << "25 of 64 places";
  EXPECT_FALSE(pays(square_case(256, 256, 2).s)) << "4 of 16 places";
  for (const std::int64_t size : {4, 7, 8, 14, 28, 32})
    EXPECT_TRUE(winograd_weight_grad_pays(square_case(64, 64, size).s));
  for (const std::int64_t size : {8, 16, 32, 56}) EXPECT_TRUE(pays(square_case(64, 128, size, 3, 2).s)) << size;
  EXPECT_TRUE(pays(square_case(16, 32, 32, 3, 2).s));
  EXPECT_FALSE(pays(square_case(8, 16, 32, 3, 2).s));
  EXPECT_FALSE(pays(square_case(256, 512, 14, 3, 2).s)) << "49 of 64 places";
  for (const std::int64_t size : {4, 8, 14, 28}) EXPECT_TRUE(pays(square_case(16, 32, size, 5).s)) << size;
  EXPECT_FALSE(pays(square_case(1, 20, 28, 5).s));
  EXPECT_FALSE(winograd_weight_grad_pays(square_case(1, 20, 28, 5).s));
  EXPECT_FALSE(winograd_weight_grad_pays(square_case(3, 64, 32).s));
}

TEST(ConvAlgorithms, AreTheFirstThatPay) {
  for (const Case& k : {square_case(64, 64, 32), square_case(3, 64, 32), square_case(64, 64, 5),
                        square_case(64, 64, 8, 7), square_case(64, 64, 8, 3, 2)}) {
    const auto name = [](const char* map, bool winograd) { return std::string(map) + (winograd ? "_winograd" : ""); };
    EXPECT_EQ(conv_forward_algorithm(k.s).name, name("conv2d", winograd_forward_pays(k.s)));
    EXPECT_EQ(conv_input_grad_algorithm(k.s).name, name("conv2d_input_grad", winograd_input_grad_pays(k.s)));
    EXPECT_EQ(conv_weight_grad_algorithm(k.s).name, name("conv2d_weight_grad", winograd_weight_grad_pays(k.s)));
  }
}

}  // namespace
}  // namespace chalk

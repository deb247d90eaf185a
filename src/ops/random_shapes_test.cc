// What the kernels compute against plain loops, on random shapes.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>

#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/ops/attributes.h"
#include "src/ops/conv2d.h"
#include "src/ops/kernel_testing.h"
#include "src/ops/pool.h"
#include "src/ops/reduce.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

/// Uniform, from the first case on (RapidCheck starts with small ones).
std::int64_t pick(std::int64_t low, std::int64_t high) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(low, high + 1));
}

/// Operands of these shapes, some batched and some shared, at least one batched.
std::vector<Operand> random_operands(const std::vector<Shape>& shapes) {
  Random random(static_cast<std::uint64_t>(*rc::gen::inRange(0, 1 << 30)), 1);
  std::vector<Operand> operands;
  for (const auto& shape : shapes) {
    const bool batched = operands.empty() || *rc::gen::arbitrary<bool>();
    operands.push_back(draw(Sample::Input{shape, batched}, random));
  }
  return operands;
}

/// Checks all lanes of an operation against f(values of one sample…), which returns y.
void check_against(const Op& op, const Attributes& attributes, const std::vector<Operand>& operands,
                   const std::function<std::vector<double>(const std::vector<std::vector<float>>&)>& f) {
  const Call call{op, attributes, operands};
  const auto lanes = call.lanes();
  for (std::size_t n = 0; n < kLanes; n += 5) {
    std::vector<std::vector<float>> in;
    for (const auto& operand : operands) in.push_back(operand.row(n));
    const auto expected = f(in);
    const auto fits = close(lanes[n], expected, 1e-5);
    if (!fits)
      RC_FAIL(str(op.name.value, " ", to_string(attributes), " -> ", to_string(call.type), ": ", fits.message()));
  }
}

struct Window {  // of a random convolution or pooling
  Shape x;
  std::int64_t kernel[2], stride[2], padding[2], dilation[2], out[2];
};

Window random_window(std::int64_t channels, bool pooling) {
  Window w{{channels, 0, 0}, {}, {}, {}, {}, {}};
  for (std::size_t d = 0; d < 2; ++d) {
    w.kernel[d] = pick(1, 4);
    w.stride[d] = pick(1, 4);
    w.dilation[d] = pooling ? 1 : pick(1, 2);
    w.padding[d] = pick(0, pooling ? w.kernel[d] - 1 : 3);
    const auto reach = (w.kernel[d] - 1) * w.dilation[d] + 1;
    w.x[d + 1] = std::max<std::int64_t>(1, reach - 2 * w.padding[d]) + pick(0, 5);
    w.out[d] = (w.x[d + 1] + 2 * w.padding[d] - reach) / w.stride[d] + 1;
  }
  return w;
}

TEST(RandomShapes, Convolution) {
  EXPECT_TRUE(rc::check([] {
    const auto groups = pick(1, 2), channels = pick(1, 3), filters = pick(1, 3);
    const auto s = random_window(groups * channels, false);
    const Conv2dOptions options{
        {s.stride[0], s.stride[1]}, {s.padding[0], s.padding[1]}, {s.dilation[0], s.dilation[1]}, groups};
    const Shape w{groups * filters, channels, s.kernel[0], s.kernel[1]}, y{groups * filters, s.out[0], s.out[1]};
    const auto size = [](const Shape& shape) { return static_cast<std::size_t>(elements(shape)); };
    // f(place of y, of w, of x) for each product, by the definition in ops.h.
    const auto products = [&](auto f) {
      for (std::int64_t o = 0; o < y[0]; ++o)
        for (std::int64_t p = 0; p < y[1]; ++p)
          for (std::int64_t q = 0; q < y[2]; ++q)
            for (std::int64_t c = 0; c < channels; ++c)
              for (std::int64_t a = 0; a < w[2]; ++a)
                for (std::int64_t b = 0; b < w[3]; ++b) {
                  const auto row = p * s.stride[0] + a * s.dilation[0] - s.padding[0];
                  const auto column = q * s.stride[1] + b * s.dilation[1] - s.padding[1];
                  if (row < 0 || column < 0 || row >= s.x[1] || column >= s.x[2]) continue;
                  const auto channel = o / filters * channels + c;
                  f(static_cast<std::size_t>((o * y[1] + p) * y[2] + q),
                    static_cast<std::size_t>(((o * channels + c) * w[2] + a) * w[3] + b),
                    static_cast<std::size_t>((channel * s.x[1] + row) * s.x[2] + column));
                }
    };
    const auto times = [](float a, float b) { return static_cast<double>(a) * static_cast<double>(b); };
    check_against(op_conv2d, conv2d_attributes(options), random_operands({s.x, w}), [&](const auto& in) {
      std::vector<double> z(size(y));
      products([&](auto i, auto j, auto k) { z[i] += times(in[1][j], in[0][k]); });
      return z;
    });
    check_against(op_conv2d_input_grad, conv2d_attributes(options, s.x), random_operands({y, w}), [&](const auto& in) {
      std::vector<double> dx(size(s.x));
      products([&](auto i, auto j, auto k) { dx[k] += times(in[0][i], in[1][j]); });
      return dx;
    });
    check_against(op_conv2d_weight_grad, conv2d_attributes(options, w), random_operands({s.x, y}), [&](const auto& in) {
      std::vector<double> dw(size(w));
      products([&](auto i, auto j, auto k) { dw[j] += times(in[1][i], in[0][k]); });
      return dw;
    });
  }));
}

TEST(RandomShapes, Pooling) {
  EXPECT_TRUE(rc::check([] {
    const auto s = random_window(pick(1, 3), true);
    const PoolOptions options{{s.kernel[0], s.kernel[1]}, {s.stride[0], s.stride[1]}, {s.padding[0], s.padding[1]}};
    const Shape y{s.x[0], s.out[0], s.out[1]};
    const auto size = [](const Shape& shape) { return static_cast<std::size_t>(elements(shape)); };
    // f(place of y, place in the window, place of x), window after window.
    const auto places = [&](auto f) {
      for (std::int64_t c = 0; c < y[0]; ++c)
        for (std::int64_t p = 0; p < y[1]; ++p)
          for (std::int64_t q = 0; q < y[2]; ++q)
            for (std::int64_t a = 0; a < s.kernel[0]; ++a)
              for (std::int64_t b = 0; b < s.kernel[1]; ++b) {
                const auto row = p * s.stride[0] + a - s.padding[0], column = q * s.stride[1] + b - s.padding[1];
                if (row < 0 || column < 0 || row >= s.x[1] || column >= s.x[2]) continue;
                f(static_cast<std::size_t>((c * y[1] + p) * y[2] + q), static_cast<double>(a * s.kernel[1] + b),
                  static_cast<std::size_t>((c * s.x[1] + row) * s.x[2] + column));
              }
    };
    const auto count = static_cast<double>(s.kernel[0] * s.kernel[1]);
    auto coarse = random_operands({s.x});  // so that ties occur
    for (auto& row : coarse[0].rows) {
      for (auto& x : row) x = std::round(x * 2);
    }
    const auto firsts = [&](const auto& in) {  // maximum and place of each window
      std::vector<double> most(size(y), -1e9), place(size(y));
      places([&](auto i, auto at, auto k) {
        if (in[0][k] <= most[i]) return;
        most[i] = in[0][k];
        place[i] = at;
      });
      return std::pair(most, place);
    };
    check_against(op_max_pool, pool_attributes(options), coarse, [&](const auto& in) { return firsts(in).first; });
    check_against(op_pool_argmax, pool_attributes(options), coarse, [&](const auto& in) { return firsts(in).second; });

    auto chosen = random_operands({s.x, y});
    for (auto& row : chosen[1].rows) {
      for (auto& x : row) x = std::floor(std::abs(x) * static_cast<float>(count));
    }
    check_against(op_pool_gather, pool_attributes(options), chosen, [&](const auto& in) {
      std::vector<double> z(size(y));
      places([&](auto i, auto at, auto k) {
        z[i] += at == static_cast<double>(in[1][i]) ? static_cast<double>(in[0][k]) : 0;
      });
      return z;
    });
    auto spread = random_operands({y});
    spread.push_back(chosen[1]);
    check_against(op_pool_scatter, pool_attributes(options, s.x), spread, [&](const auto& in) {
      std::vector<double> x(size(s.x));
      places([&](auto i, auto at, auto k) {
        x[k] += at == static_cast<double>(in[1][i]) ? static_cast<double>(in[0][i]) : 0;
      });
      return x;
    });
    check_against(op_average_pool, pool_attributes(options), random_operands({s.x}), [&](const auto& in) {
      std::vector<double> z(size(y));
      places([&](auto i, auto, auto k) { z[i] += static_cast<double>(in[0][k]) / count; });
      return z;
    });
    check_against(op_average_pool_grad, pool_attributes(options, s.x), random_operands({y}), [&](const auto& in) {
      std::vector<double> x(size(s.x));
      places([&](auto i, auto, auto k) { x[k] += static_cast<double>(in[0][i]) / count; });
      return x;
    });
  }));
}

TEST(RandomShapes, Matrices) {
  EXPECT_TRUE(rc::check([] {
    const auto rows = pick(1, 5), depth = pick(1, 6), columns = pick(1, 5);
    const bool ta = *rc::gen::arbitrary<bool>(), tb = *rc::gen::arbitrary<bool>();
    const auto m = static_cast<std::size_t>(rows), k = static_cast<std::size_t>(depth),
               n = static_cast<std::size_t>(columns);
    const auto product = [=](const std::vector<float>& a, bool a_transposed, const std::vector<float>& b,
                             bool b_transposed) {
      std::vector<double> y(m * n);
      for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < n; ++j)
          for (std::size_t l = 0; l < k; ++l) {
            y[i * n + j] += static_cast<double>(a[a_transposed ? l * m + i : i * k + l]) *
                            static_cast<double>(b[b_transposed ? j * k + l : l * n + j]);
          }
      return y;
    };
    check_against(op_matmul, MatmulAttributes{ta, tb},
                  random_operands({ta ? Shape{depth, rows} : Shape{rows, depth},
                                   tb ? Shape{columns, depth} : Shape{depth, columns}}),
                  [&](const auto& in) { return product(in[0], ta, in[1], tb); });
    if (columns == 1) {
      check_against(op_dense, DenseAttributes{ta},
                    random_operands({{depth}, ta ? Shape{depth, rows} : Shape{rows, depth}}),
                    [&](const auto& in) { return product(in[1], ta, in[0], false); });
    }
    if (depth == 1) {
      check_against(op_outer, {}, random_operands({{rows}, {columns}}),
                    [&](const auto& in) { return product(in[0], false, in[1], false); });
    }
  }));
}

TEST(RandomShapes, ReductionsAndSoftmax) {
  EXPECT_TRUE(rc::check([] {
    Shape shape(static_cast<std::size_t>(pick(1, 4)));
    for (auto& extent : shape) extent = pick(1, 4);
    std::vector<std::int64_t> axes;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (*rc::gen::arbitrary<bool>()) axes.push_back(static_cast<std::int64_t>(d));
    }
    // Which group a place belongs to: its index with the reduced axes left out.
    const auto group = [&](std::size_t at, const std::vector<std::int64_t>& reduced) {
      std::size_t id = 0, step = 1;
      for (auto d = shape.size(); d-- > 0;) {
        const auto extent = static_cast<std::size_t>(shape[d]), index = at % extent;
        at /= extent;
        if (reduced.empty() || std::count(reduced.begin(), reduced.end(), static_cast<std::int64_t>(d))) continue;
        id += index * step;
        step *= extent;
      }
      return id;
    };
    const auto size = static_cast<std::size_t>(elements(shape));
    const auto groups = group(size - 1, axes) + 1;
    const bool keep = *rc::gen::arbitrary<bool>();
    const auto operands = random_operands({shape});
    const auto total = [&](const std::vector<float>& x, double scale) {
      std::vector<double> y(groups);
      for (std::size_t i = 0; i < size; ++i) y[group(i, axes)] += static_cast<double>(x[i]) * scale;
      return y;
    };
    check_against(op_sum, ReduceAttributes{axes, keep}, operands, [&](const auto& in) { return total(in[0], 1); });
    check_against(op_mean, ReduceAttributes{axes, keep}, operands, [&](const auto& in) {
      return total(in[0], static_cast<double>(groups) / static_cast<double>(size));
    });
    check_against(op_max, ReduceAttributes{axes, keep}, operands, [&](const auto& in) {
      std::vector<double> y(groups, -1e9);
      for (std::size_t i = 0; i < size; ++i)
        y[group(i, axes)] = std::max(y[group(i, axes)], static_cast<double>(in[0][i]));
      return y;
    });
    const auto axis = pick(0, static_cast<std::int64_t>(shape.size()) - 1);
    check_against(op_softmax, AxisAttributes{axis}, operands, [&](const auto& in) {
      std::vector<double> sums(size), y(size);
      for (std::size_t i = 0; i < size; ++i) sums[group(i, {axis})] += std::exp(static_cast<double>(in[0][i]));
      for (std::size_t i = 0; i < size; ++i) y[i] = std::exp(static_cast<double>(in[0][i])) / sums[group(i, {axis})];
      return y;
    });
  }));
}

TEST(RandomShapes, MovesOfElements) {
  EXPECT_TRUE(rc::check([] {
    const auto rank = static_cast<std::size_t>(pick(1, 4));
    Shape shape(rank), start(rank), stop(rank), after(rank), small(rank);
    std::vector<std::int64_t> permutation(rank);
    for (std::size_t d = 0; d < rank; ++d) {
      shape[d] = pick(1, 4);
      start[d] = pick(0, shape[d] - 1);
      stop[d] = pick(start[d] + 1, shape[d]);
      after[d] = shape[d] - stop[d];
      small[d] = stop[d] - start[d];
      permutation[d] = static_cast<std::int64_t>(d);
      std::swap(permutation[d], permutation[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(d)))]);
    }
    const auto index_of = [&](std::size_t at, const Shape& in) {
      std::vector<std::int64_t> index(rank);
      for (auto d = rank; d-- > 0; at /= static_cast<std::size_t>(in[d])) {
        index[d] = static_cast<std::int64_t>(at % static_cast<std::size_t>(in[d]));
      }
      return index;
    };
    const auto place_of = [&](const std::vector<std::int64_t>& index, const Shape& in) {
      std::int64_t at = 0;
      for (std::size_t d = 0; d < rank; ++d) at = at * in[d] + index[d];
      return static_cast<std::size_t>(at);
    };
    const auto size = static_cast<std::size_t>(elements(shape)), part = static_cast<std::size_t>(elements(small));
    const auto whole = random_operands({shape});
    check_against(op_slice, SliceAttributes{start, stop}, whole, [&](const auto& in) {
      std::vector<double> y(part);
      for (std::size_t i = 0; i < part; ++i) {
        auto index = index_of(i, small);
        for (std::size_t d = 0; d < rank; ++d) index[d] += start[d];
        y[i] = static_cast<double>(in[0][place_of(index, shape)]);
      }
      return y;
    });
    check_against(op_pad, PadAttributes{start, after}, random_operands({small}), [&](const auto& in) {
      std::vector<double> y(size);
      for (std::size_t i = 0; i < part; ++i) {
        auto index = index_of(i, small);
        for (std::size_t d = 0; d < rank; ++d) index[d] += start[d];
        y[place_of(index, shape)] = static_cast<double>(in[0][i]);
      }
      return y;
    });
    check_against(op_transpose, TransposeAttributes{permutation}, whole, [&](const auto& in) {
      std::vector<double> y(size);
      Shape permuted(rank);
      for (std::size_t d = 0; d < rank; ++d) permuted[d] = shape[static_cast<std::size_t>(permutation[d])];
      for (std::size_t i = 0; i < size; ++i) {
        const auto from = index_of(i, shape);
        std::vector<std::int64_t> to(rank);
        for (std::size_t d = 0; d < rank; ++d) to[d] = from[static_cast<std::size_t>(permutation[d])];
        y[place_of(to, permuted)] = static_cast<double>(in[0][i]);
      }
      return y;
    });
    std::vector<std::int64_t> turned;
    for (std::size_t d = 0; d < rank; ++d) {
      if (*rc::gen::arbitrary<bool>()) turned.push_back(static_cast<std::int64_t>(d));
    }
    check_against(op_reverse, AxesAttributes{turned}, whole, [&](const auto& in) {
      std::vector<double> y(size);
      for (std::size_t i = 0; i < size; ++i) {
        auto to = index_of(i, shape);
        for (std::size_t d = 0; d < rank; ++d) {
          const bool turns = turned.empty() || std::count(turned.begin(), turned.end(), static_cast<std::int64_t>(d));
          if (turns) to[d] = shape[d] - 1 - to[d];
        }
        y[place_of(to, shape)] = static_cast<double>(in[0][i]);
      }
      return y;
    });
    const auto axis = static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(rank) - 1));
    Shape other = shape, joined = shape;
    other[axis] = pick(1, 3);
    joined[axis] += other[axis];
    check_against(op_concat, AxisAttributes{static_cast<std::int64_t>(axis)}, random_operands({shape, other}),
                  [&](const auto& in) {
                    std::vector<double> y(static_cast<std::size_t>(elements(joined)));
                    for (std::size_t i = 0; i < y.size(); ++i) {
                      auto index = index_of(i, joined);
                      const bool second = index[axis] >= shape[axis];
                      if (second) index[axis] -= shape[axis];
                      y[i] =
                          static_cast<double>(second ? in[1][place_of(index, other)] : in[0][place_of(index, shape)]);
                    }
                    return y;
                  });
    Shape stretched = shape;
    for (auto& extent : stretched) extent = extent == 1 ? pick(1, 3) : extent;
    check_against(op_broadcast, ShapeAttributes{stretched}, whole, [&](const auto& in) {
      std::vector<double> y(static_cast<std::size_t>(elements(stretched)));
      for (std::size_t i = 0; i < y.size(); ++i) {
        auto index = index_of(i, stretched);
        for (std::size_t d = 0; d < rank; ++d) index[d] %= shape[d];
        y[i] = static_cast<double>(in[0][place_of(index, shape)]);
      }
      return y;
    });
  }));
}

}  // namespace
}  // namespace chalk

#include "src/ops/pool.h"

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/ir/checks.h"

namespace chalk {

PoolAttributes pool_attributes(const PoolOptions& o, Shape shape) {
  return {{o.window[0], o.window[1]}, {o.stride[0], o.stride[1]}, {o.padding[0], o.padding[1]}, std::move(shape)};
}

PoolOptions pool_options(const PoolAttributes& a) {
  return {{a.window[0], a.window[1]}, {a.stride[0], a.stride[1]}, {a.padding[0], a.padding[1]}};
}

bool pools_down_columns(const Attributes& attributes) {
  const auto& a = attributes.as<PoolAttributes>();
  return a.window[1] == 1 && a.stride[1] == 1 && a.padding[1] == 0;
}

Shape pool_shape(const PoolAttributes& a, const Shape& x) {
  static constexpr std::int64_t kMost = 4096;  // the number of a place in a window, < 2^24, is exact as a float
  const auto pair = [](const std::vector<std::int64_t>& v, std::string_view name, std::int64_t least) {
    if (v.size() != 2 || v[0] < least || v[1] < least || v[0] > kMost || v[1] > kMost) {
      throw ShapeError(str(name, " must be two numbers from ", least, " to ", kMost, ", {vertical, horizontal}"));
    }
  };
  pair(a.window, "window", 1);
  pair(a.stride, "stride", 1);
  pair(a.padding, "padding", 0);
  if (x.size() != 3) throw ShapeError(not_a_map(x));
  Shape y{x[0], 0, 0};
  for (std::size_t d = 0; d < 2; ++d) {
    if (a.padding[d] >= a.window[d]) {
      throw ShapeError(str("padding ", a.padding[0], "×", a.padding[1], " leaves windows of ", a.window[0], "×",
                           a.window[1], " without any input; use padding smaller than the window"));
    }
    const auto room = x[d + 1] + 2 * a.padding[d];
    if (a.window[d] > room) {
      throw ShapeError(str("window ", a.window[0], "×", a.window[1], " does not fit an input of ", x[1], "×", x[2],
                           "; use a smaller window or padding=", (a.window[d] - x[d + 1] + 1) / 2));
    }
    y[d + 1] = (room - a.window[d]) / a.stride[d] + 1;
  }
  return y;
}

void check_pool_index(const Shape& index, const Shape& y) {
  if (index != y) {
    throw ShapeError(str("an index of ", to_string(index), " does not name one place for each of ", to_string(y),
                         " windows; use what pool_argmax gives with the same options"));
  }
}

void check_pool_result(const Shape& pooled, const Shape& x, const Shape& y) {
  if (pooled != y) {
    throw ShapeError(str("pooling ", to_string(x), " gives ", to_string(y), ", not ", to_string(pooled),
                         "; use the shape and options that the input was pooled with"));
  }
}

}  // namespace chalk

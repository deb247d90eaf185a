// The formula of each operation, element by element. Letters of indices are those that textbooks use.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "src/derive/elements.h"
#include "src/ops/attributes.h"
#include "src/ops/conv2d.h"
#include "src/ops/pool.h"
#include "src/ops/reduce.h"
#include "src/ops/registry.h"

namespace chalk::calculus {

using math::compared;
using math::make;

namespace {

ExprPtr number(std::int64_t value) { return math::number(static_cast<double>(value)); }
ExprPtr plus(const ExprPtr& a, const ExprPtr& b) { return make(Kind::add, {}, {a, b}); }
ExprPtr minus(const ExprPtr& a, const ExprPtr& b) { return make(Kind::subtract, {}, {a, b}); }
ExprPtr times(const ExprPtr& a, const ExprPtr& b) { return make(Kind::multiply, {}, {a, b}); }
ExprPtr over(const ExprPtr& a, const ExprPtr& b) { return make(Kind::divide, {}, {a, b}); }
ExprPtr call(std::string_view f, const ExprPtr& x) { return math::call_of(f, x, {}); }
ExprPtr delta(const ExprPtr& a, const ExprPtr& b) { return make(Kind::delta, {}, {a, b}); }

ExprPtr sum(const std::vector<ExprPtr>& indices, const ExprPtr& body, const Elements& of) {
  return of.space().over(math::Reduction::sum, indices, body);
}

/// An index of an axis; of one of extent 1 it is 0.
ExprPtr index(const Elements& of, char letter, std::int64_t extent, std::vector<ExprPtr>& all) {
  if (extent == 1) return number(0);
  all.push_back(of.space().fresh(letter, extent));
  return all.back();
}

const Shape& shape(const Node& n, const Elements& of, std::size_t k) { return of.node(n.inputs[k]).type.shape; }

/// Operand k where its shape broadcasts to the result's.
ExprPtr operand(const Node& n, const At& at, const Elements& of, std::size_t k) {
  const Shape& own = shape(n, of, k);
  At there{.sample = at.sample};
  const auto skipped = at.place.size() - own.size();
  for (std::size_t axis = 0; axis < own.size(); ++axis)
    there.place.push_back(own[axis] == 1 ? number(0) : at.place[axis + skipped]);
  return of.element(n.inputs[k], there);
}
ExprPtr operand(const Node& n, const At& at, const Elements& of, std::size_t k, std::vector<ExprPtr> place) {
  for (auto& each : place) each = simple_index(each, of.space());
  return of.element(n.inputs[k], {at.sample, std::move(place)});
}

// ---- elementwise ----

template <ExprPtr (*f)(const ExprPtr&, const ExprPtr&)>
ExprPtr binary(const Node& n, const At& at, const Elements& of) {
  return f(operand(n, at, of, 0), operand(n, at, of, 1));
}
template <ExprPtr (*f)(const ExprPtr&)>
ExprPtr unary(const Node& n, const At& at, const Elements& of) {
  return f(operand(n, at, of, 0));
}

ExprPtr f_neg(const ExprPtr& x) { return math::negated(x); }
ExprPtr f_expm1(const ExprPtr& x) { return minus(call("exp", x), number(1)); }
ExprPtr f_softplus(const ExprPtr& x) { return call("ln", plus(number(1), call("exp", x))); }
template <const char* name>
ExprPtr f_call(const ExprPtr& x) {
  return call(name, x);
}
constexpr char kRelu[] = "relu", kAbs[] = "abs", kSigmoid[] = "sigmoid", kTanh[] = "tanh", kErf[] = "erf",
               kExp[] = "exp", kLn[] = "ln", kSqrt[] = "sqrt";
ExprPtr f_greater(const ExprPtr& a, const ExprPtr& b) { return compared(math::Comparison::greater, a, b); }
ExprPtr f_equal(const ExprPtr& a, const ExprPtr& b) { return compared(math::Comparison::equal, a, b); }
ExprPtr f_maximum(const ExprPtr& a, const ExprPtr& b) { return math::pair_of(math::Reduction::maximum, a, b); }
ExprPtr f_minimum(const ExprPtr& a, const ExprPtr& b) { return math::pair_of(math::Reduction::minimum, a, b); }

/// [a > b]·yes + [a ≤ b]·no
ExprPtr select(const Node& n, const At& at, const Elements& of) {
  const auto condition = operand(n, at, of, 0), yes = operand(n, at, of, 1), no = operand(n, at, of, 2);
  ExprPtr when = compared(math::Comparison::not_equal, condition, number(0)),
          otherwise = compared(math::Comparison::equal, condition, number(0));
  const auto &a = condition->args.empty() ? condition : condition->args[0],
             &b = condition->args.size() < 2 ? condition : condition->args[1];
  if (condition->kind == Kind::compare && condition->comparison == math::Comparison::greater) {
    when = condition;
    otherwise = compared(math::Comparison::less_equal, a, b);
  } else if (condition->kind == Kind::compare && condition->comparison == math::Comparison::equal) {
    when = condition;
    otherwise = compared(math::Comparison::not_equal, a, b);
  } else if (condition->kind == Kind::call && condition->name == "relu") {
    when = compared(math::Comparison::greater, condition->args[0], number(0));
    otherwise = compared(math::Comparison::less_equal, condition->args[0], number(0));
  }
  return math::sum_of(math::product(when, yes), math::product(otherwise, no));
}

// ---- linear maps ----

/// s·p + d·i − P
ExprPtr tap(const Conv2dAttributes& a, std::size_t axis, const ExprPtr& p, const ExprPtr& i) {
  return minus(plus(times(number(a.stride[axis]), p), times(number(a.dilation[axis]), i)), number(a.padding[axis]));
}

/// y[f,p,q] = Σ W[f,c,i,j]·x[c, s·p + d·i − P, s·q + d·j − P]; in groups, c counts the channels of the filter's group.
ExprPtr conv2d(const Node& n, const At& at, const Elements& of) {
  const auto& a = n.attributes.as<Conv2dAttributes>();
  const Shape &x = shape(n, of, 0), &w = shape(n, of, 1);
  std::vector<ExprPtr> all;
  const auto c = index(of, 'c', w[1], all), i = index(of, 'i', w[2], all), j = index(of, 'j', w[3], all);
  const auto filters = w[0] / a.groups, channels = x[0] / a.groups;
  const auto channel = plus(times(number(channels), floor_of(at.place[0], filters, of.space())), c);
  const auto weight = operand(n, at, of, 1, {at.place[0], c, i, j});
  return sum(all, times(weight, operand(n, at, of, 0, {channel, tap(a, 0, at.place[1], i), tap(a, 1, at.place[2], j)})),
             of);
}

/// x[c,u,v] = Σ W[f,c,i,j]·a[f,p,q]·δ(u, s·p + d·i − P)·δ(v, …)
ExprPtr conv2d_input_grad(const Node& n, const At& at, const Elements& of) {
  const auto& a = n.attributes.as<Conv2dAttributes>();
  const Shape &y = shape(n, of, 0), &w = shape(n, of, 1);
  const auto filters = w[0] / a.groups, channels = n.type.shape[0] / a.groups;
  std::vector<ExprPtr> all;
  const auto f = index(of, 'f', filters, all), p = index(of, 'p', y[1], all), q = index(of, 'q', y[2], all);
  const auto i = index(of, 'i', w[2], all), j = index(of, 'j', w[3], all);
  const auto group = floor_of(at.place[0], channels, of.space());
  const auto filter = plus(times(number(filters), group), f);
  const auto channel = minus(at.place[0], times(number(channels), group));
  const auto hits = times(delta(at.place[1], tap(a, 0, p, i)), delta(at.place[2], tap(a, 1, q, j)));
  return sum(all,
             times(times(operand(n, at, of, 1, {filter, channel, i, j}), operand(n, at, of, 0, {filter, p, q})), hits),
             of);
}

/// W[f,c,i,j] = Σ b[f,p,q]·a[c, s·p + d·i − P, …]
ExprPtr conv2d_weight_grad(const Node& n, const At& at, const Elements& of) {
  const auto& a = n.attributes.as<Conv2dAttributes>();
  const Shape &x = shape(n, of, 0), &y = shape(n, of, 1);
  std::vector<ExprPtr> all;
  const auto p = index(of, 'p', y[1], all), q = index(of, 'q', y[2], all);
  const auto group = floor_of(at.place[0], y[0] / a.groups, of.space());
  const auto channel = plus(times(number(x[0] / a.groups), group), at.place[1]);
  return sum(all,
             times(operand(n, at, of, 1, {at.place[0], p, q}),
                   operand(n, at, of, 0, {channel, tap(a, 0, p, at.place[2]), tap(a, 1, q, at.place[3])})),
             of);
}

ExprPtr matmul(const Node& n, const At& at, const Elements& of) {
  const auto& a = n.attributes.as<MatmulAttributes>();
  std::vector<ExprPtr> all;
  const auto k = index(of, 'k', shape(n, of, 0)[a.transpose_a ? 0 : 1], all);
  const auto &i = at.place[0], &j = at.place[1];
  using Two = std::vector<ExprPtr>;
  return sum(all,
             times(operand(n, at, of, 0, a.transpose_a ? Two{k, i} : Two{i, k}),
                   operand(n, at, of, 1, a.transpose_b ? Two{j, k} : Two{k, j})),
             of);
}

ExprPtr dense(const Node& n, const At& at, const Elements& of) {
  const bool transposed = n.attributes.as<DenseAttributes>().transposed;
  std::vector<ExprPtr> all;
  const auto j = index(of, 'j', shape(n, of, 0)[0], all);
  const auto& i = at.place[0];
  using Two = std::vector<ExprPtr>;
  return sum(all, times(operand(n, at, of, 1, transposed ? Two{j, i} : Two{i, j}), operand(n, at, of, 0, {j})), of);
}

ExprPtr outer(const Node& n, const At& at, const Elements& of) {
  return times(operand(n, at, of, 0, {at.place[0]}), operand(n, at, of, 1, {at.place[1]}));
}

// ---- softmax ----

ExprPtr exponentials(const Node& n, const At& at, const Elements& of, std::size_t axis) {
  std::vector<ExprPtr> all;
  auto place = at.place;
  place[axis] = index(of, 'j', n.type.shape[axis], all);
  return sum(all, call("exp", operand(n, at, of, 0, place)), of);
}
ExprPtr softmax(const Node& n, const At& at, const Elements& of) {
  const auto axis = static_cast<std::size_t>(n.attributes.as<AxisAttributes>().axis);
  return over(call("exp", operand(n, at, of, 0)), exponentials(n, at, of, axis));
}
ExprPtr log_softmax(const Node& n, const At& at, const Elements& of) {
  const auto axis = static_cast<std::size_t>(n.attributes.as<AxisAttributes>().axis);
  return minus(operand(n, at, of, 0), call("ln", exponentials(n, at, of, axis)));
}

// ---- pooling ----

struct Window {
  const PoolAttributes& a;
  std::vector<ExprPtr> all;
  ExprPtr i, j;

  Window(const Node& n, const Elements& of) : a(n.attributes.as<PoolAttributes>()) {
    i = index(of, 'i', a.window[0], all);
    j = index(of, 'j', a.window[1], all);
  }
  /// s·p + i − P: where its element i is, of window p.
  ExprPtr place(std::size_t axis, const ExprPtr& p) const {
    return minus(plus(times(number(a.stride[axis]), p), axis == 0 ? i : j), number(a.padding[axis]));
  }
  ExprPtr element(const Node& n, const At& at, const Elements& of) const {
    return operand(n, at, of, 0, {at.place[0], place(0, at.place[1]), place(1, at.place[2])});
  }
  /// Whether (i, j) is the place that an index operand names.
  ExprPtr is_place(const ExprPtr& which) const {
    return compared(math::Comparison::equal, which, expression(*linear(plus(times(number(a.window[1]), i), j))));
  }
  ExprPtr mean_of(const ExprPtr& total) const {
    return times(over(number(1), number(a.window[0] * a.window[1])), total);
  }
};

/// Of a maximum, padding never wins: with it, the formula is that of the places that pool_argmax finds.
template <math::Reduction reduction>
ExprPtr over_window(const Node& n, const At& at, const Elements& of) {
  const Window w(n, of);
  return of.space().over(reduction, w.all, w.element(n, at, of));
}

ExprPtr pool_gather(const Node& n, const At& at, const Elements& of) {
  const Window w(n, of);
  return sum(w.all, times(w.is_place(operand(n, at, of, 1, at.place)), w.element(n, at, of)), of);
}
ExprPtr average_pool(const Node& n, const At& at, const Elements& of) {
  const Window w(n, of);
  return w.mean_of(sum(w.all, w.element(n, at, of), of));
}

/// To each window's elements, what stands for the window: to all of them, or to the one that an index operand names.
ExprPtr spread(const Node& n, const At& at, const Elements& of, const Window& w, bool chosen) {
  const Shape& y = shape(n, of, 0);
  std::vector<ExprPtr> all;
  const auto p = index(of, 'p', y[1], all), q = index(of, 'q', y[2], all);
  all.insert(all.end(), w.all.begin(), w.all.end());
  auto body = times(operand(n, at, of, 0, {at.place[0], p, q}),
                    times(delta(at.place[1], w.place(0, p)), delta(at.place[2], w.place(1, q))));
  if (chosen) body = times(w.is_place(operand(n, at, of, 1, {at.place[0], p, q})), body);
  return sum(all, body, of);
}
ExprPtr pool_scatter(const Node& n, const At& at, const Elements& of) {
  return spread(n, at, of, Window(n, of), /*chosen=*/true);
}
ExprPtr average_pool_grad(const Node& n, const At& at, const Elements& of) {
  const Window w(n, of);
  return w.mean_of(spread(n, at, of, w, /*chosen=*/false));
}

// ---- reductions ----

std::vector<std::int64_t> reduced_axes(const std::vector<std::int64_t>& said, const Shape& x) {
  if (!said.empty()) return said;
  std::vector<std::int64_t> all(x.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

ExprPtr reduction(const Node& n, const At& at, const Elements& of, math::Reduction kind,
                  std::int64_t* count = nullptr) {
  constexpr std::string_view letters = "ijklm";
  const auto& a = n.attributes.as<ReduceAttributes>();
  const Shape& x = shape(n, of, 0);
  const auto axes = reduced_axes(a.axes, x);
  std::vector<ExprPtr> all, place;
  std::size_t kept = 0;
  for (std::size_t axis = 0; axis < x.size(); ++axis) {
    if (std::ranges::find(axes, static_cast<std::int64_t>(axis)) != axes.end()) {
      place.push_back(index(of, letters[std::min(all.size(), letters.size() - 1)], x[axis], all));
      if (count) *count *= x[axis];
      if (a.keep) ++kept;
    } else {
      place.push_back(at.place[kept++]);
    }
  }
  return of.space().over(kind, all, operand(n, at, of, 0, place));
}
ExprPtr sum(const Node& n, const At& at, const Elements& of) { return reduction(n, at, of, math::Reduction::sum); }
ExprPtr mean(const Node& n, const At& at, const Elements& of) {
  std::int64_t count = 1;
  const auto all = reduction(n, at, of, math::Reduction::sum, &count);
  return count == 1 ? all : times(over(number(1), number(count)), all);
}
ExprPtr max(const Node& n, const At& at, const Elements& of) { return reduction(n, at, of, math::Reduction::maximum); }
ExprPtr first_max(const Node& n, const At& at, const Elements& of) {
  constexpr std::string_view letters = "ijklm";
  const Shape& x = shape(n, of, 0);
  const auto axes = reduced_axes(n.attributes.as<AxesAttributes>().axes, x);
  std::vector<ExprPtr> all;
  auto place = at.place;
  ExprPtr rank = number(0);  // of the element among those that are reduced with it
  for (const auto axis : axes) {
    const auto k = static_cast<std::size_t>(axis);
    place[k] = index(of, letters[std::min(all.size(), letters.size() - 1)], x[k], all);
    rank = plus(times(number(x[k]), rank), at.place[k]);
  }
  return compared(math::Comparison::equal, of.space().over(math::Reduction::argmax, all, operand(n, at, of, 0, place)),
                  simple_index(rank, of.space()));
}

// ---- shapes ----

ExprPtr broadcast(const Node& n, const At& at, const Elements& of) { return operand(n, at, of, 0); }

/// The same numbers row by row: x's place is found by Σ δ(place in the row of y, place in the row of x)·x, unless the
/// shapes differ in axes of extent 1 alone.
ExprPtr reshape(const Node& n, const At& at, const Elements& of) {
  const Shape &x = shape(n, of, 0), &y = n.type.shape;
  Shape own, result;
  std::ranges::copy_if(x, std::back_inserter(own), [](auto extent) { return extent > 1; });
  std::ranges::copy_if(y, std::back_inserter(result), [](auto extent) { return extent > 1; });
  std::vector<ExprPtr> place;
  if (own == result) {
    std::size_t k = 0;
    for (const auto extent : x) {
      while (extent > 1 && y[k] == 1) ++k;
      place.push_back(extent == 1 ? number(0) : at.place[k++]);
    }
    return operand(n, at, of, 0, place);
  }
  constexpr std::string_view letters = "cpqr";
  std::vector<ExprPtr> all;
  ExprPtr left = number(0), right = number(0);
  for (std::size_t k = 0; k < y.size(); ++k) left = plus(times(number(y[k]), left), at.place[k]);
  for (std::size_t k = 0; k < x.size(); ++k) {
    place.push_back(index(of, letters[std::min(k, letters.size() - 1)], x[k], all));
    right = plus(times(number(x[k]), right), place.back());
  }
  const auto same = delta(simple_index(left, of.space()), simple_index(right, of.space()));
  return sum(all, times(same, operand(n, at, of, 0, place)), of);
}

ExprPtr transpose(const Node& n, const At& at, const Elements& of) {
  const auto& permutation = n.attributes.as<TransposeAttributes>().permutation;
  std::vector<ExprPtr> place(at.place.size());
  for (std::size_t k = 0; k < place.size(); ++k)
    place[permutation.empty() ? place.size() - 1 - k : static_cast<std::size_t>(permutation[k])] = at.place[k];
  return operand(n, at, of, 0, place);
}
ExprPtr reverse(const Node& n, const At& at, const Elements& of) {
  auto place = at.place;
  for (const auto axis : reduced_axes(n.attributes.as<AxesAttributes>().axes, n.type.shape)) {
    const auto k = static_cast<std::size_t>(axis);
    place[k] = minus(number(n.type.shape[k] - 1), place[k]);
  }
  return operand(n, at, of, 0, place);
}
ExprPtr pad(const Node& n, const At& at, const Elements& of) {
  const auto& attributes = n.attributes.as<PadAttributes>();
  auto place = at.place;
  std::vector<ExprPtr> own;
  ExprPtr here = number(1);
  for (std::size_t k = 0; k < place.size(); ++k) {
    if (attributes.before[k] == 0 && attributes.after[k] == 0) continue;
    place[k] = index(of, 'c', shape(n, of, 0)[k], own);
    here =
        math::product(here, delta(at.place[k], simple_index(plus(number(attributes.before[k]), place[k]), of.space())));
  }
  return sum(own, math::product(here, operand(n, at, of, 0, place)), of);
}
ExprPtr slice(const Node& n, const At& at, const Elements& of) {
  const auto& start = n.attributes.as<SliceAttributes>().start;
  auto place = at.place;
  for (std::size_t k = 0; k < place.size(); ++k) place[k] = plus(place[k], number(start[k]));
  return operand(n, at, of, 0, place);
}
ExprPtr concat(const Node& n, const At& at, const Elements& of) {
  const auto axis = static_cast<std::size_t>(n.attributes.as<AxisAttributes>().axis);
  ExprPtr all;
  std::int64_t before = 0;
  for (std::size_t k = 0; k < n.inputs.size(); ++k) {
    std::vector<ExprPtr> own;
    auto place = at.place;
    place[axis] = index(of, 'c', shape(n, of, k)[axis], own);
    const auto here = delta(at.place[axis], simple_index(plus(number(before), place[axis]), of.space()));
    const auto each = sum(own, times(here, operand(n, at, of, k, place)), of);
    all = all ? plus(all, each) : each;
    before += shape(n, of, k)[axis];
  }
  return all;
}

// ---- over the samples ----

ExprPtr batch_sum(const Node& n, const At& at, const Elements& of) {
  if (of.samples() == 1) return operand(n, at, of, 0);
  const auto m = of.space().fresh('m', of.samples());
  return sum({m}, of.element(n.inputs[0], {m, at.place}), of);
}

constexpr ElementFormula formula_add = binary<plus>, formula_sub = binary<minus>, formula_mul = binary<times>,
                         formula_div = binary<over>, formula_neg = unary<f_neg>, formula_relu = unary<f_call<kRelu>>,
                         formula_abs = unary<f_call<kAbs>>, formula_sigmoid = unary<f_call<kSigmoid>>,
                         formula_softplus = unary<f_softplus>, formula_tanh = unary<f_call<kTanh>>,
                         formula_erf = unary<f_call<kErf>>, formula_exp = unary<f_call<kExp>>,
                         formula_expm1 = unary<f_expm1>, formula_log = unary<f_call<kLn>>,
                         formula_sqrt = unary<f_call<kSqrt>>, formula_greater = binary<f_greater>,
                         formula_equal = binary<f_equal>, formula_maximum = binary<f_maximum>,
                         formula_minimum = binary<f_minimum>, formula_select = select, formula_conv2d = conv2d,
                         formula_conv2d_input_grad = conv2d_input_grad, formula_conv2d_weight_grad = conv2d_weight_grad,
                         formula_matmul = matmul, formula_dense = dense, formula_outer = outer,
                         formula_softmax = softmax, formula_log_softmax = log_softmax,
                         formula_max_pool = over_window<math::Reduction::maximum>,
                         formula_pool_argmax = over_window<math::Reduction::argmax>, formula_pool_gather = pool_gather,
                         formula_pool_scatter = pool_scatter, formula_average_pool = average_pool,
                         formula_average_pool_grad = average_pool_grad, formula_sum = sum, formula_mean = mean,
                         formula_max = max, formula_amax = max, formula_first_max = first_max,
                         formula_broadcast = broadcast, formula_reshape = reshape, formula_transpose = transpose,
                         formula_reverse = reverse, formula_pad = pad, formula_slice = slice, formula_concat = concat,
                         formula_batch_sum = batch_sum, formula_batch_broadcast = broadcast;

}  // namespace

ElementFormula element_formula(const Op& op) {
#define CHALK_OP(name) \
  if (&op == &op_##name) return formula_##name;
#include "src/ops/ops.inc"
#undef CHALK_OP
  return nullptr;
}

bool reads_outside(const Op& op) {
  return &op == &op_conv2d || &op == &op_conv2d_weight_grad || &op == &op_max_pool || &op == &op_pool_argmax ||
         &op == &op_pool_gather || &op == &op_average_pool || &op == &op_pad || &op == &op_concat;
}

}  // namespace chalk::calculus

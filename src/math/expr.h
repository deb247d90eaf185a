// Formulas as trees.
//
// What people write (vectors, matrices, dS/dW, f', sums without ranges) is parsed to a tree that prints as it was
// written. elaborate.h rewrites it to *index form*, in which every value carries all its indices and every index its
// range; only that is differentiated (derive.h) and evaluated (evaluate.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chalk::math {

/// How many steps aside a limit is taken from.
constexpr std::int64_t kSteps = 3;

/// Where something is in a text: line and column count from 1, columns in characters (not bytes).
struct Place {
  int line = 1, column = 1, length = 1;
};

enum class Kind : std::uint8_t {
  number,      // 2.5
  name,        // W1, W1[d-b,e-c], an index, a parameter of a function: name, args are the indices
  call,        // f(x), f'(x), f[j]'(x): name, primes; the last arg is the argument, one before it the index of f
  element,     // (expression)[i,j]: args[0] the expression, then the indices
  negate,      // -a
  add,         // a + b
  subtract,    // a - b
  multiply,    // a * b, at least one of them a number
  divide,      // a / b
  power,       // a ^ b
  matmul,      // a @ b
  hadamard,    // a .* b
  quotient,    // a ./ b
  transpose,   // a^T
  diag,        // diag(v): the matrix with v on its diagonal
  axis_sum,    // sum(A, axis=0): number is the axis
  reduce,      // sum(i, j, body): reduction, bounds, args[0]
  delta,       // delta(i, j): 1 where they are equal
  compare,     // [a = b], [a <= b] …: 1 where it holds, else 0
  derivative,  // d(args[0])/d(args[1]), args[1] a name
  at,          // at(expression, w := replacement): args[0], name w, args[1]
  ones,        // ones(N): a vector of ones
  // in index form only
  index,     // id
  value,     // symbol id, args are all its indices
  jacobian,  // d(symbol id)/d(symbol other), args are the indices of the first, then of the second; if `third` is a
             // symbol, derived once more by that, with its indices behind the others
  limit,     // a derivative, args[0]; args[1] is the same at some steps aside, which the index `id` counts
};

enum class Reduction : std::uint8_t { sum, product, maximum, minimum, argmax };
enum class Comparison : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal };

struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;

/// An index that a sum runs over: `i`, or `i=1..3`.
struct Bound {
  std::string name;
  std::optional<std::pair<std::int64_t, std::int64_t>> range{};  // first and last
  int id = -1;                                                   // in index form
  Place place{};
};

struct Expr {
  Kind kind = Kind::number;
  Place place{};
  double number = 0;
  std::string name{};
  int primes = 0;
  bool indexed = false;  // a name that was written with brackets, a derivative whose numerator was: d(a)/db
  std::vector<ExprPtr> args{};
  std::vector<Bound> bounds{};
  Reduction reduction = Reduction::sum;
  Comparison comparison = Comparison::equal;
  int id = -1, other = -1, third = -1;
  int depth = 1;  // of the tree; node() counts
};

/// Every tree is put together by this. Throws FormulaError if it grows too deep to walk through.
ExprPtr node(Expr e);
ExprPtr make(Kind kind, Place place, std::vector<ExprPtr> args = {});
ExprPtr number(double value, Place place = {});
bool is_number(const Expr& expr, double value);
/// max(a, b), min(a, b)
ExprPtr pair_of(Reduction reduction, const ExprPtr& a, const ExprPtr& b);
bool is_pair(const Expr& expr);
/// Σ, or another reduction, over these indices.
ExprPtr over(Reduction reduction, std::vector<Bound> bounds, const ExprPtr& body);
/// 1 where a and b compare so, else 0.
ExprPtr compared(Comparison comparison, const ExprPtr& a, const ExprPtr& b);
bool holds(Comparison comparison, double a, double b);
/// The expression with other arguments.
ExprPtr like(const Expr& e, std::vector<ExprPtr> args);
ExprPtr call_of(std::string_view function, const ExprPtr& x, Place place);
/// The function of a sum of squares that makes it a norm; ‖v‖ is written as a call of it.
constexpr std::string_view kNormFunction = "‖‖";
/// In index form: the sum of `body` over the index `id`.
ExprPtr sum_over(int id, const ExprPtr& body, Place place, const std::string& name = {});

// Arithmetic that leaves out what is 0 or 1.
ExprPtr sum_of(const ExprPtr& a, const ExprPtr& b);
ExprPtr difference(const ExprPtr& a, const ExprPtr& b);
ExprPtr product(const ExprPtr& a, const ExprPtr& b);
ExprPtr ratio(const ExprPtr& a, const ExprPtr& b);
ExprPtr negated(const ExprPtr& a);

}  // namespace chalk::math

// From formulas as written to index form: every value with all its indices, every index with its range, vectors and
// matrices as sums over indices, functions in place, derivatives carried out (derive.h). Shapes are checked here.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/shape.h"
#include "src/math/expr.h"
#include "src/math/symbols.h"

namespace chalk::math {

/// A formula in index form. `axes` are the indices that are the axes of a vector or matrix, in order; −1 is an
/// axis of extent 1 (of a row or a column). Other free indices are those that the formula names.
struct Indexed {
  ExprPtr body;
  std::vector<int> axes;
};

/// All formulas of one statement, so that an index means the same in each.
class Elaborator {
 public:
  Elaborator(const Symbols& symbols, Indices& indices) : symbols_(symbols), indices_(indices) {}

  Indexed run(const ExprPtr& formula);
  /// The index of that name, made if need be.
  int free_index(const std::string& name, Place place);
  const std::map<std::string, int, std::less<>>& free() const { return free_; }

  /// Gives ranges to indices that only occur in delta(…); throws FormulaError where a range remains unknown.
  void settle();

  /// The same values with b's axes renamed to a's. Throws FormulaError at `place` if the shapes differ; axes of extent
  /// 1 do not count.
  Indexed aligned(const Indexed& a, const Indexed& b, Place place);

 private:
  class InFunction;
  Indexed name(const Expr& e);
  Indexed value(const Expr& e, int symbol, const std::vector<ExprPtr>& args, bool indexed);
  Indexed element(const Expr& e);
  Indexed elementwise(const ExprPtr& e);
  Indexed multiply(const ExprPtr& e);
  Indexed matmul(const Indexed& a, const Indexed& b, Place place);
  Indexed transpose(const Expr& e);
  Indexed diag(const Expr& e);
  Indexed axis_sum(const Expr& e);
  Indexed reduce(const Expr& e);
  Indexed call(const Expr& e);
  Indexed user_function(const Expr& e, const Symbol& function, const Indexed& argument);
  ExprPtr applied(const Expr& e, ExprPtr body, const ExprPtr& hole, const ExprPtr& argument);
  ExprPtr limit(const ExprPtr& derivative, const std::function<ExprPtr(const ExprPtr& step)>& beside);
  ExprPtr beside(const ExprPtr& e, const Expr& value, ExprPtr step);
  Indexed softmax(const Expr& e, const Indexed& argument);
  static Indexed norm(const Expr& e, const Indexed& argument);
  Indexed derivative(const Expr& e);
  Indexed at(const Expr& e);
  ExprPtr scalar(const ExprPtr& e, std::string_view what);
  ExprPtr index_expression(const ExprPtr& e);
  void check_constant(const ExprPtr& i, std::int64_t extent, std::string_view name, const std::vector<ExprPtr>& args,
                      const Shape& extents);

  int lookup(const std::string& name) const;
  ExprPtr index(int id, Place place) const;
  void unify(int id, std::int64_t first, std::int64_t last, Place place);
  std::string shape(const std::vector<int>& axes) const;
  std::int64_t extent(int axis) const { return axis < 0 ? 1 : indices_[axis].extent(); }

  const Symbols& symbols_;
  Indices& indices_;
  std::map<std::string, int, std::less<>> free_;
  std::vector<std::pair<std::string, int>> bound_;
  std::vector<int> all_;              // indices named in this statement
  const Symbol* function_ = nullptr;  // whose body is being read,
  ExprPtr argument_;                  // and the value of its parameter
  int depth_ = 0;                     // functions within functions
};

}  // namespace chalk::math

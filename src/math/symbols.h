// What names mean: values (of a network, given, or defined by a formula), functions, and indices with their ranges.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/shape.h"
#include "src/math/expr.h"

namespace chalk::math {

/// What derivatives go by where there is none; several of them are a sum.
enum Convention : unsigned {
  kNoConvention = 0,
  kAbs = 1,
  kActivation = 2,
  kReduction = 4,
  kPooling = 8,
  kRelu = 16,
  kPair = 32,
  kNorm = 64
};
/// "relu'(0) = 0", of each.
std::vector<std::string> texts_of(unsigned conventions);

/// How a value is drawn that nothing computes.
struct Domain {
  double low = -1, high = 1;
  bool distribution = false;  // positive, sums to 1 along the last axis
  bool one_hot = false;       // one 1 along the last axis, else 0
  double zeros = -1;          // 0 with this probability, else 1; negative: not so
  bool whole = false;         // whole numbers, up to `high`
  bool small = false;         // a number that ≈ lets go to 0
  bool chosen = false;        // its range was said
};

struct Symbol {
  enum class Kind : std::uint8_t {
    drawn,      // a network's input or parameter, or given
    computed,   // by the network
    defined,    // by a formula
    function,   // f(x) := …
    functions,  // a family f[0], f[1], …
  };
  std::string name{};  // with its primes
  Kind kind = Kind::drawn;
  Shape extents{};           // of a value; axes of extent 1 are not there
  Domain domain{};           // drawn
  bool network = false;      // it is a value of the network,
  unsigned conventions = 0;  // whose layers up to it have these
  std::set<int> from{};      // values that it depends on, directly or not; not itself
  ExprPtr body{};            // defined: in index form over `axes`; function: as written
  std::vector<int> axes{};
  std::string parameter{};           // function
  std::vector<std::string> names{};  // functions: of each

  bool is_value() const { return kind == Kind::drawn || kind == Kind::computed || kind == Kind::defined; }
};

class Symbols {
 public:
  /// Throws FormulaError at `place` if the name is taken or means something else.
  int add(Symbol symbol, Place place);
  const Symbol& operator[](int id) const { return all_[static_cast<std::size_t>(id)]; }
  Symbol& operator[](int id) { return all_[static_cast<std::size_t>(id)]; }
  int size() const { return static_cast<int>(all_.size()); }

  /// −1 if there is none.
  int find(std::string_view name, int primes = 0) const;
  int find_value(std::string_view name, int primes = 0) const;
  /// `; did you mean "z3"?` among all names, or nothing.
  std::string suggestion(std::string_view name) const;

  /// These values, and all that they depend on.
  std::set<int> with_all_before(const std::set<int>& values) const;
  /// Whether `value` changes if `other` does.
  bool depends(int value, int other) const;

 private:
  std::vector<Symbol> all_;
  std::map<std::string, int, std::less<>> ids_;
};

/// Functions that need no definition: exp, ln, tanh, … with the formula of their derivative.
bool is_builtin(std::string_view name);
std::string_view canonical(std::string_view name);  // "log" is ln, "sigma" is not known
double apply_builtin(std::string_view name, double x);
/// f'(x) in terms of x.
ExprPtr builtin_derivative(std::string_view name, const ExprPtr& x);
/// Whether it has a corner or a jump at 0.
bool has_corner(std::string_view name);
/// What its derivative goes by there.
Convention convention(std::string_view name);
/// exp, ln, sqrt, …, for messages.
std::string builtin_names();

/// Names that are part of the language.
bool is_reserved(std::string_view name);

struct Index {
  std::string name{};
  std::optional<std::pair<std::int64_t, std::int64_t>> range{};  // first and last
  bool written = false;  // the range was; it may be narrower than an axis. Else it is that of all axes it runs along
  std::vector<int> partners{};  // indices it is compared with by delta: they share a range if it has none
  Place place{};
  std::int64_t extent() const { return range->second - range->first + 1; }
};

/// All indices of a document; ids are never used twice.
class Indices {
 public:
  int add(Index index) {
    all_.push_back(std::move(index));
    return static_cast<int>(all_.size()) - 1;
  }
  int fresh(std::int64_t extent) { return add({.range = std::pair{std::int64_t{0}, extent - 1}}); }
  Index& operator[](int id) { return all_[static_cast<std::size_t>(id)]; }
  const Index& operator[](int id) const { return all_[static_cast<std::size_t>(id)]; }
  int size() const { return static_cast<int>(all_.size()); }

  /// Counts what writing out a statement takes, as functions and derivatives may make a short one very long. Throws
  /// FormulaError at some point.
  void step(Place place);
  void begin_statement() { steps_ = 0; }

  /// Derivatives of this document go by these where there is none.
  void go_by(unsigned conventions) { conventions_ |= conventions; }
  unsigned conventions() const { return conventions_; }

  /// What there is now, so that what comes later, for something that is only tried, can be forgotten.
  std::pair<int, unsigned> mark() const { return {size(), conventions_}; }
  void forget(const std::pair<int, unsigned>& mark) {
    all_.resize(static_cast<std::size_t>(mark.first));
    conventions_ = mark.second;
  }

 private:
  std::vector<Index> all_;
  int steps_ = 0;
  unsigned conventions_ = 0;
};

}  // namespace chalk::math

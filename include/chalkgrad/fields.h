// Options and attributes as fields: a struct declares each of its fields once, by name, with its range and a sentence,
// and whatever reads, writes, checks or describes the struct visits them.
//
//   struct Adagrad {
//     double lr = 0.01, epsilon = 1e-10;
//     void visit(FieldVisitor& v) {
//       v.field({"lr", Range::above(0), "learning rate"}, lr);
//       v.field({"epsilon", Range::at_least(0), "keeps the division from one by zero"}, epsilon);
//     }
//   };
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chalk {

/// The numbers that a field takes. Infinities and NaN are in no range.
struct Range {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool without_least = false, without_most = false;  ///< the ends themselves are excluded

  static Range above(double least) { return {.least = least, .without_least = true}; }
  static Range at_least(double least) { return {.least = least}; }
  static Range from_to(double least, double most) { return {.least = least, .most = most}; }
  /// least <= x < most
  static Range from_below(double least, double most) { return {.least = least, .most = most, .without_most = true}; }

  bool contains(double value) const;
  /// "a number above 0", "a number of at least 0", "at least 0 and below 1", "from 0 to 1": after "must be".
  std::string text() const;
};

/// What a field is called, which numbers it takes, and what it is for. The name is the key in TOML and JSON; on the
/// command line weight_decay is --weight-decay.
struct Field {
  Field(const char* name_, Range range_ = {}, std::string_view help_ = {})  // NOLINT: a name alone is a field
      : name(name_), range(range_), help(help_) {}
  /// A text; `check_` throws InputError if it cannot be read.
  Field(const char* name_, void (*check_)(const std::string& text), std::string_view help_)
      : name(name_), check_text(check_), help(help_) {}

  /// A field that must be given where the struct is read from text, as in `example` (which messages show if it is not
  /// empty).
  Field required(std::string_view as_in = {}) const {
    Field field = *this;
    field.must_be_given = true;
    field.example = as_in;
    return field;
  }
  /// A field that files of earlier programs lack. There it is 0, false or empty, and where it is, files do not name it.
  Field added_later() const {
    Field field = *this;
    field.may_be_absent = true;
    return field;
  }

  std::string_view name;
  Range range{};
  void (*check_text)(const std::string& text) = nullptr;
  std::string_view help;  ///< in the style of --help: no full stop; may be empty
  bool must_be_given = false;
  bool may_be_absent = false;  ///< in model files
  std::string_view example{};
};

/// One of the words that a field takes. "true" and "false" stand for themselves; others are text.
struct Word {
  std::string_view word;
  std::string_view meaning{};  ///< in a few words; may be empty
};

/// Sees each field of a struct. A printer reads the fields, a reader of text sets them.
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;
  virtual void field(const Field& field, std::int64_t& value) = 0;
  virtual void field(const Field& field, bool& value) = 0;
  virtual void field(const Field& field, double& value) = 0;
  virtual void field(const Field& field, std::string& value) = 0;
  virtual void field(const Field& field, std::vector<std::int64_t>& value) = 0;
  virtual void field(const Field& field, std::vector<double>& value) = 0;

  // Kinds that only some structs have. A visitor without a form of its own for them sees one of the kinds above.

  /// {vertical, horizontal}. `word`, if it is not null, takes a word that was given in place of numbers.
  virtual void pair(const Field& field, std::array<std::int64_t, 2>& value, std::string* word);
  /// One of `words`: its index.
  virtual void choice(const Field& field, std::span<const Word> words, std::size_t& index);
  /// A list of words, or nothing to a visitor that knows no such lists.
  virtual void words(const Field& field, std::vector<std::string>& value);
  /// Called by a struct whose fields do not go together: "NAME MESSAGE". Throws InputError.
  virtual void refuse(std::string_view name, const std::string& message);
};

/// A visitor that does the same with fields of every type: f(const Field&, auto& value).
template <class F>
class FieldFunction : public FieldVisitor {
 public:
  explicit FieldFunction(F f) : f_(std::move(f)) {}
  void field(const Field& field, std::int64_t& value) override { f_(field, value); }
  void field(const Field& field, bool& value) override { f_(field, value); }
  void field(const Field& field, double& value) override { f_(field, value); }
  void field(const Field& field, std::string& value) override { f_(field, value); }
  void field(const Field& field, std::vector<std::int64_t>& value) override { f_(field, value); }
  void field(const Field& field, std::vector<double>& value) override { f_(field, value); }

 private:
  F f_;
};

}  // namespace chalk

// Reads the fields of a TOML table, remembers which were asked for, and complains about all others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/ops.h"
#include "src/ir/op.h"
#include "src/net/toml_plus_plus.h"

namespace chalk {

/// Where messages say the text is from.
struct TomlOrigin {
  std::string name;

  /// Throws InputError "NAME: line 7, column 3: MESSAGE".
  [[noreturn]] void fail(const toml::source_region& place, const std::string& message) const;
  std::string line(const toml::source_region& place) const;
};

/// The text as a table. Throws InputError.
toml::table parse_toml(std::string_view text, const TomlOrigin& origin);

class TableReader {
 public:
  /// `what` is how messages call the table: "a conv layer".
  TableReader(const toml::table& table, const TomlOrigin& origin, std::string what)
      : table_(table), origin_(origin), what_(std::move(what)) {}

  const std::string& what() const { return what_; }
  void what(std::string text) { what_ = std::move(text); }
  bool has(std::string_view key);

  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<double> number(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::string> text(std::string_view key);
  /// A list of whole numbers.
  std::optional<std::vector<std::int64_t>> integers(std::string_view key, std::int64_t least, std::int64_t most);
  /// A whole number, for both directions, or a list of two.
  std::optional<Pair> pair(std::string_view key, std::int64_t least, std::int64_t most);
  /// A text or a list of texts.
  std::optional<std::vector<std::string>> texts(std::string_view key);
  /// A list of tables, [[key]]; empty if it is not there.
  std::vector<const toml::table*> tables(std::string_view key);
  /// The node itself.
  const toml::node* node(std::string_view key);

  /// Each field of `defaults` that the table has.
  Attributes attributes(const Attributes& defaults);

  std::int64_t required_integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::string required_text(std::string_view key);

  /// Throws InputError if the table has a key that has not been read.
  void finish() const;

  [[noreturn]] void fail(const std::string& message) const { origin_.fail(table_.source(), message); }
  /// "KEY MESSAGE", at its place.
  [[noreturn]] void fail(std::string_view key, const std::string& message) const;
  /// The message alone, at the key's place.
  [[noreturn]] void fail_at(std::string_view key, const std::string& message) const;

 private:
  friend class FieldReader;
  [[noreturn]] void missing(std::string_view key, std::string_view example = {}) const;
  std::int64_t checked(const toml::node& node, std::string_view key, std::int64_t least, std::int64_t most) const;

  const toml::table& table_;
  const TomlOrigin& origin_;
  std::string what_;
  std::vector<std::string> asked_;
};

/// Sets the fields that a table has.
class FieldReader : public FieldVisitor {
 public:
  explicit FieldReader(TableReader& reader) : reader_(reader) {}
  void field(const Field& field, std::int64_t& value) override;
  void field(const Field& field, bool& value) override;
  void field(const Field& field, double& value) override;
  void field(const Field& field, std::string& value) override;
  void field(const Field& field, std::vector<std::int64_t>& value) override;
  void field(const Field& field, std::vector<double>& value) override;
  void pair(const Field& field, Pair& value, std::string* word) override;
  void choice(const Field& field, std::span<const Word> words, std::size_t& index) override;
  void words(const Field& field, std::vector<std::string>& value) override;
  void refuse(std::string_view name, const std::string& message) override { reader_.fail(name, message); }

 private:
  /// Complains about a field that must be there and is not.
  void require(const Field& field);

  TableReader& reader_;
};

}  // namespace chalk

// Tables of text as samples: which columns are what, and the numbers in them.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/data.h"
#include "src/data/class_words.h"
#include "src/files/csv.h"

namespace chalk {

/// What a source says of its table behind the path.
struct TableOptions {
  std::string label, target, drop, shape, test;
  std::size_t header = 0;     ///< 0: decided by what is there; 1: yes; 2: no
  std::size_t separator = 0;  ///< 0: decided by the first line; comma, semicolon, tab
  std::size_t missing = 0;    ///< 0: an error; 1: the line is left out; 2: the column's mean

  void visit(FieldVisitor& v);
};

/// A number as tables have it: decimal, with blanks around it, a plus before it, an exponent; or nothing. Infinite for
/// what is beyond a float, and for "inf".
std::optional<float> number_of_table(std::string_view text);
/// Empty, NA, NaN, nan, null, NULL or ?, with blanks around it.
bool is_missing(std::string_view text);

struct Column {
  enum class Role : std::uint8_t { feature, label, target, dropped };
  std::string name;  ///< of the first line, or its number from 1
  Role role = Role::feature;
  bool of_words = false;  ///< its first value is no number; then each word is an input of its own, 0 or 1
  std::map<std::string, std::size_t, std::less<>> words{};  ///< and their places
  double sum = 0;                                           ///< of its numbers in the training part
  std::int64_t numbers = 0;
};

/// One file, read once for each pass over it.
class TableFile {
 public:
  TableFile(const std::filesystem::path& path, const TableOptions& own);
  /// The contents of a file, plain or gzipped; `name` is what messages call it.
  TableFile(std::vector<std::uint8_t> bytes, std::string name, const TableOptions& own);

  CsvReader records() const { return {text(), path_, separator_}; }
  /// Whether the first record names the columns; these names, or the fields of the first record.
  bool has_names() const { return has_names_; }
  const std::vector<std::string>& first() const { return first_; }
  const std::string& path() const { return path_; }
  char separator() const { return separator_; }

 private:
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }
  std::vector<std::uint8_t> bytes_;
  std::string path_;
  char separator_;
  bool has_names_ = false;
  std::vector<std::string> first_;
};

/// The columns of a table, as its training part decides them.
class Table {
 public:
  /// Reads the training part once.
  Table(const TableFile& train, const TableOptions& own, const LoadOptions& options);

  /// The samples of a file, in its order; classes and categories are those of the training part.
  Dataset samples(const TableFile& file, bool is_training, Split& split);
  /// What a person should know of it.
  void tell(const TableFile& train, Split& split) const;

 private:
  /// One record as numbers; false if it is left out without an error.
  struct Sample {
    std::vector<float> values, targets;
    std::int32_t label = 0;
  };
  void choose_roles(const TableFile& train);
  void meet(const std::vector<std::string_view>& fields, const std::string& where);
  bool read(const std::vector<std::string_view>& fields, const std::string& where, Sample& sample);
  std::size_t column(const std::string& name, const char* option, const TableFile& train) const;
  void check_count(std::size_t fields, const std::string& where) const;
  std::string in_column(const std::string& where, const Column& column) const;

  const TableOptions& own_;
  const LoadOptions& options_;
  std::vector<Column> columns_;
  ClassWords classes_;
  Shape sample_, target_;
  bool bytes_ = false;  // the samples are images of whole numbers from 0 to 255
  bool labelled_ = false, last_is_empty_ = false;
  std::int64_t left_out_ = 0;  // lines with missing values
  std::string path_;
};

}  // namespace chalk

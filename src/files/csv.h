// Tables as text: comma-separated values, RFC 4180, record by record.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace chalk {

/// Reads a text that outlives it. A record is a line; a field that begins with a double quote ends with one, may hold
/// separators and line ends, and "" in it is a quote. Lines end with LF, CRLF or CR; empty ones are no records; a mark
/// of UTF-8 at the beginning is left out.
class CsvReader {
 public:
  /// `name` is the file's name for messages. Throws InputError if the text is UTF-16 or holds a NUL byte.
  CsvReader(std::string_view text, std::string name, char separator);

  /// The next record's fields, valid until the next call; false if there is none. Throws InputError naming the line for
  /// a quote that is not closed, or one that is followed by something else than a separator.
  bool next(std::vector<std::string_view>& fields);

  /// The line on which the record begins, from 1.
  std::size_t line() const { return line_; }
  /// "FILE: line 3", for messages.
  std::string where() const;

 private:
  std::string_view quoted();
  void take_line_end();

  std::string_view rest_;
  std::string name_;
  char separator_;
  std::size_t line_ = 0, next_line_ = 1;
  std::deque<std::string> unescaped_;  // fields with "" in them; they stay where they are
};

/// The separator that the first line has most of, outside of quotes: a comma, a semicolon or a tab. A comma if it has
/// none of them.
char guess_separator(std::string_view text);

}  // namespace chalk

// Building messages without a formatting library: str("conv1: ", 5, "×", 5).
#pragma once

#include <sstream>
#include <string>
#include <tuple>

namespace chalk {

/// Whatever the locale.
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// What numbers are written to: they look the same whatever locale the program has chosen (std::locale::global). A
/// plain std::ostringstream would write 0,5 or 1.000.
class TextStream : public std::ostringstream {
 public:
  TextStream();
};

/// While it lives, C functions on this thread read and write numbers with a point, whatever setlocale() has chosen: for
/// libraries that use them.
class PlainNumbers {
 public:
  PlainNumbers();
  ~PlainNumbers();
  PlainNumbers(const PlainNumbers&) = delete;
  PlainNumbers& operator=(const PlainNumbers&) = delete;

 private:
  void* before_;  // a locale_t
};

namespace detail {

/// What write(out, parts) writes to out. Out of line, and without the lengths of literals in the types: there are
/// hundreds of messages.
std::string written(void (*write)(std::ostream&, const void*), const void* parts);

template <class... Parts>
std::string written(const std::tuple<Parts...>& parts) {
  const auto write = [](std::ostream& out, const void* all) {
    std::apply([&](const auto&... part) { (out << ... << part); }, *static_cast<const std::tuple<Parts...>*>(all));
  };
  return written(write, &parts);
}

template <class Part>
const Part& part(const Part& p) {
  return p;
}
inline const char* part(const char* literal) { return literal; }

}  // namespace detail

template <class... Parts>
std::string str(const Parts&... parts) {
  return detail::written(std::tuple<decltype(detail::part(parts))...>(detail::part(parts)...));
}

}  // namespace chalk

#include "src/math/tex_macros.h"

#include <algorithm>
#include <array>
#include <utility>

namespace chalk::math {

std::string_view braced(std::string_view text, std::size_t& at) {
  while (at < text.size() && is_space(text[at])) ++at;
  if (at >= text.size() || text[at] != '{') return {};
  const auto begin = at + 1;
  int depth = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '{') {
      ++depth;
    } else if (text[at] == '}' && --depth == 0) {
      ++at;
      return text.substr(begin, at - 1 - begin);
    }
  }
  at = begin;
  return {};
}

std::size_t name_length(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && is_letter(text[n])) ++n;
  return n;
}

std::size_t read_macro(std::string_view text, TexMacros& macros) {
  TexMacro macro;
  std::size_t at = 0;
  std::string name;
  const auto skip = [&] {
    while (at < text.size() && is_space(text[at])) ++at;
  };
  const auto take_name = [&] {
    skip();
    if (at < text.size() && text[at] == '{') {
      std::size_t end = at;
      name = braced(text, end);
      at = end;
      while (!name.empty() && is_space(name.back())) name.pop_back();
      if (!name.empty()) name.erase(0, 1);
    } else if (at < text.size() && text[at] == '\\') {
      const auto n = name_length(text.substr(at + 1));
      name = text.substr(at + 1, n);
      at += n + 1;
    }
    return !name.empty() && name_length(name) == name.size();
  };
  bool op = false;
  if (text.starts_with("\\newcommand") || text.starts_with("\\renewcommand") || text.starts_with("\\providecommand")) {
    at = 1 + name_length(text.substr(1));
    if (at < text.size() && text[at] == '*') ++at;
    if (!take_name()) return 0;
    skip();
    if (at + 2 < text.size() && text[at] == '[' && is_digit(text[at + 1]) && text[at + 2] == ']') {
      macro.parameters = text[at + 1] - '0';
      at += 3;
      skip();
      if (at < text.size() && text[at] == '[') {
        const auto end = text.find(']', at);
        if (end == std::string_view::npos) return 0;
        macro.optional = true;
        macro.first = text.substr(at + 1, end - at - 1);
        at = end + 1;
      }
    }
  } else if (text.starts_with("\\def\\")) {
    at = 4;
    if (!take_name()) return 0;
    while (at + 1 < text.size() && text[at] == '#' && text[at + 1] == static_cast<char>('1' + macro.parameters))
      ++macro.parameters, at += 2;
  } else if (text.starts_with("\\DeclareMathOperator")) {
    at = 1 + name_length(text.substr(1));
    if (at < text.size() && text[at] == '*') ++at;
    op = true;
    if (!take_name()) return 0;
  } else if (text.starts_with("\\DeclarePairedDelimiter")) {
    at = 1 + name_length(text.substr(1));
    if (!take_name()) return 0;
    const auto open = braced(text, at), close = braced(text, at);
    if (open.empty() || close.empty()) return 0;
    macros[name] = {.parameters = 1, .body = std::string(open) + " #1 " + std::string(close)};
    return at;
  } else if (text.starts_with("\\NewDocumentCommand") || text.starts_with("\\RenewDocumentCommand")) {
    at = 1 + name_length(text.substr(1));
    if (!take_name()) return 0;
    for (const char c : braced(text, at)) {
      if (c != 'm' && !is_space(c)) return 0;  // optional arguments of many kinds
      macro.parameters += c == 'm' ? 1 : 0;
    }
  } else {
    return 0;
  }
  skip();
  if (at >= text.size() || text[at] != '{') return 0;
  macro.body = braced(text, at);
  if (op) macro.body = "\\operatorname{" + macro.body + "}";
  macros[name] = std::move(macro);
  return at;
}

const TexMacro* usual_macro(std::string_view name) {
  static const std::array<std::pair<std::string_view, TexMacro>, 8> kUsual{
      {{"pdv", {.parameters = 2, .body = "\\frac{\\partial #1}{\\partial #2}"}},
       {"dv", {.parameters = 2, .body = "\\frac{d #1}{d #2}"}},
       {"dd", {.parameters = 1, .body = "d #1"}},
       {"norm", {.parameters = 1, .body = "\\lVert #1 \\rVert"}},
       {"abs", {.parameters = 1, .body = "\\lvert #1 \\rvert"}},
       {"argmax", {.body = "\\operatorname{argmax}"}},
       {"indicator", {.body = "\\mathbb{1}"}},
       {"ind", {.body = "\\mathbb{1}"}}}};
  const auto found = std::ranges::find_if(kUsual, [&](const auto& each) { return each.first == name; });
  return found == kUsual.end() ? nullptr : &found->second;
}

}  // namespace chalk::math

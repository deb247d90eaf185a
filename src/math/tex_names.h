// Names in LaTeX: what W^{(2)T}_{ji} is, with its layer, its transpose, its indices.
#pragma once

#include "src/math/tex_reader.h"

namespace chalk::math {

/// Whether the letter stands somewhere in them.
bool mentions(const TexNodes& nodes, std::string_view letter);

/// A node's superscripts, told apart.
struct TexSupers {
  std::string label{};  // canonical: "(1)", "*", "(conv)"; of digits alone "2", which may be a power
  TexNodes power{};     // whatever else is above
  bool transposed = false;
  int primes = 0;
};

/// What stands for a layer number, as a letter or written out.
class TexNaming {
 public:
  TexNaming(const TexRules& rules, std::pair<std::string, int> layer) : rules_(rules), layer_(std::move(layer)) {}

  /// The number that a letter stands for.
  std::optional<int> layer(std::string_view letter) const;
  /// The number that l−1, (l), l=4 or 3 is; `lettered` becomes true if a letter stands in it.
  std::optional<int> number(const TexNodes& nodes, bool& lettered) const;
  TexSupers supers(const TexNode& node) const;
  /// The node with all that hangs on it, so that what is written differently and means the same is the same; without
  /// indices if `bare`.
  std::string canonical(const TexNode& node, bool bare = false) const;
  std::string canonical(const TexNodes& nodes) const;
  /// Indices: "ifg" is three, "d-b,e-c" two.
  static std::vector<TexNodes> indices(const TexNodes& below);

  std::map<std::string, int, std::less<>> bound;          // letters within a sum or product over layers
  std::map<std::string, std::string, std::less<>> names;  // what indices are called, by their canonical form

 private:
  const TexRules& rules_;
  std::pair<std::string, int> layer_;
};

}  // namespace chalk::math

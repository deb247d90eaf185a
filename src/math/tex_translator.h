// LaTeX's nodes to words of the language, from left to right: what each sign, name and fraction becomes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/math/tex_names.h"
#include "src/math/tex_reader.h"

namespace chalk::math {

bool is_relation(const TexNode& node);
inline bool opens(const TexNode& node) { return node.is("(") || node.is("[") || node.is("{") || node.is("langle"); }
inline bool closes(const TexNode& node) { return node.is(")") || node.is("]") || node.is("}") || node.is("rangle"); }
/// The function that a word names: \operatorname{ReLU} is relu; nothing if it names none.
std::string function_named(std::string_view word);
/// sum, prod, max, min, argmax
bool is_reduction(std::string_view word);
/// ∂, or the d of a derivative.
bool is_d(const TexNode& node);
/// "if", "for", "where": what follows says when something holds.
bool begins_condition(const TexNode& node);
/// \cdots and the like
bool is_dots(const TexNode& node);

/// Sums and products with dots in them as \sum and \prod, derivatives as all that are left out. Those that are not
/// understood stay.
TexNodes without_dots(const TexNodes& nodes, const TexNaming& naming);

class TexTranslator {
 public:
  /// Words are put behind those in `out`.
  TexTranslator(const Symbols& symbols, const TexRules& rules, TexNaming& naming, std::vector<Token>& out,
                int depth = 0)
      : symbols_(symbols), rules_(rules), naming_(naming), out_(out), depth_(depth) {}

  /// One formula.
  void all(const TexNodes& nodes);
  /// a = b = …; nothing may stand before the first sign.
  void relations(const TexNodes& nodes);
  /// A name that a value gets; its indices if it has any.
  void defined(const TexNode& node);
  /// Whether the name means something already.
  bool known(const TexNode& node);
  /// What a rule reads all of it as, if that is a value with its indices that is not known yet; else nothing.
  std::vector<Token> unknown_reading(const TexNodes& nodes) const;
  /// Whether what it is after a step is known, as w'.
  bool becomes(const TexNode& node);
  std::string parameter;  // of a function that is being defined

 private:
  // words

  void begin(const TexNodes& nodes);
  const TexNode* peek(std::size_t ahead = 0) const {
    return at_ + ahead < nodes_->size() ? &(*nodes_)[at_ + ahead] : nullptr;
  }
  bool at(std::string_view sign) const { return peek() && peek()->is(sign); }
  void emit(std::string_view symbol, Place place, bool implied = false);
  void emit_name(std::string_view name, Place place, int primes = 0);
  void emit_number(double value, Place place);
  [[noreturn]] void unexpected() const;
  TexTranslator within(std::vector<Token>& out) const;
  /// The nodes in brackets.
  void in_brackets(const TexNodes& nodes, Place place);

  // sums, products, brackets
  void sum();
  bool ends_term() const;
  /// Factors next to each other bind tighter than ⊙ between them.
  void term();
  void factor();
  /// A factor, with what values become where it is meant, which stands behind a bar: \left. L \right|_{w=0}. A factor
  /// without a group around it must be the `first` of its term.
  void evaluated(bool first);
  /// w=0 behind such a bar
  void replaced(const TexNodes& nodes, Place place);
  /// What `base` writes, with the node's indices, and its superscripts as power and transpose.
  void powered(const TexNode& node, const std::function<void()>& base);
  /// The node's subscripts as indices of what has been written.
  void element(const TexNode& node);
  /// Power and transpose of what stands behind out_[run].
  void raised(std::size_t run, const TexSupers& supers);
  /// Whether a power of it needs no brackets: a name with indices, or brackets.
  bool atom(std::size_t run) const;
  /// ( … ), [ … ], \{ … \}; [a = b] is 1 where it holds.
  void bracket();
  /// \langle a, b \rangle of the nodes within; without a comma they are brackets.
  void inner_product(const TexNodes& nodes, Place place);
  /// a < b < c as what is 1 where it holds.
  void condition(const TexNodes& nodes, Place place);
  /// \mathbb{1}[a = b], \mathbb{1}_{a = b}
  void indicator();
  /// \begin{cases}: the value of the first case that holds.
  void cases(const TexNode& node);
  std::optional<std::size_t> relation_in(const TexNodes& nodes) const;
  std::size_t close_of(std::size_t begin) const;
  TexNodes slice(std::size_t begin, std::size_t end) const {
    return {nodes_->begin() + static_cast<std::ptrdiff_t>(begin), nodes_->begin() + static_cast<std::ptrdiff_t>(end)};
  }
  /// |x| and ‖x‖
  void bars();

  // what rules say
  const TexRules::Pattern* matching_pattern(const TexNodes& nodes, std::size_t from) const;
  /// In brackets, unless it is a name with its indices.
  void by_pattern(const TexRules::Pattern& pattern);
  /// Of a name with a power, what a rule says of the name alone.
  bool raised_pattern();
  void append(const std::vector<Token>& words, Place place);
  static bool is_plain_name(const std::vector<Token>& words);
  /// What a rule says of the name, its subscripts left aside; `primes` of its primes are not part of that.
  const Token* rule_for(const TexNode& node, const TexSupers& supers, int& primes) const;
  const Token* rule_for(const TexNode& node) const;
  bool exists(const std::string& name, int primes) const {
    return symbols_.find(name, primes) >= 0 || symbols_.find(name, 0) >= 0;
  }

  // names and their indices
  /// The name as the language has it. Sets taken_ to how many indices are part of it, power_ to whether a
  /// superscript is a power. `any`: it need not be known.
  Token name_token(const TexNode& node, const TexSupers& supers, bool any);
  /// f_2, w_out: a subscript that is part of a name.
  void below_word(const TexNode& node, Token& token);
  /// A word of single letters that names a function, as ln(…) typed without its backslash; its length, or 0.
  std::size_t spelled(std::string& word) const;
  void named();
  /// At the last node of the name.
  void named(const TexNode& node);
  /// x^{(i)}_j with i among its indices, if i is declared to be one.
  std::optional<TexNode> with_argument_below(const TexNode& node) const;
  /// Whether "(t)" follows and t is declared to be an index.
  const std::string* argument_follows() const;
  /// Whether what follows the value is (w, b), which it depends on: L(w, b) is L. Moves behind it.
  void skip_arguments(int id);
  /// Returns the superscripts of an argument: y_i(t)^2.
  TexSupers value_indices(const TexNode& node, int id);
  /// An index: a letter, with whatever hangs on it, or arithmetic.
  void index(const TexNodes& nodes);
  /// i, k', m^{(1)}, k_n: a name that no other index of this statement has.
  void index_atom(const TexNode& node);
  bool kronecker(const TexNode& node);

  // functions, and sums over indices
  /// f(x), \log x, f'_j(x), \tanh^2 x; at the function's name.
  void call(const TexNode& node, const Token& token, const TexSupers& supers);
  void reduction(std::string_view word);
  void reduction(const TexNode& node);
  void signed_number(int value, Place place);
  /// A sum reaches to the end of the term; a product over its bracket, or to the end of the term; a maximum over a
  /// factor.
  void body(std::string_view word);
  /// Over layers: written out.
  void unrolled(const TexNode& node, const TexNodes& names, int first, int last);
  void skip_term(std::string_view word);
  /// max(a, b)
  void pair(const TexNode& node);
  /// \text{sum}(A, \text{axis} = 0)
  void whole_sum(const TexNode& node);

  // fractions and derivatives
  void command();
  /// \frac{\partial a}{\partial b}, with an index behind it that belongs to b; \frac{\partial^2 a}{\partial b \partial
  /// c}.
  void fraction(const TexNode& node);
  /// d(what)/d(by[0])…, of what stands in words.
  void differentiate(std::vector<Token> what, const std::vector<TexNodes>& by, Place place);
  /// \partial S / \partial W_{ij}, \partial_{W_{ij}} S
  void partial();
  /// \nabla_W J
  void nabla();
  void by_subscript(const TexNode& node, const TexNodes& by);

  const Symbols& symbols_;
  const TexRules& rules_;
  TexNaming& naming_;
  std::vector<Token>& out_;
  int depth_;
  const TexNodes* nodes_ = nullptr;
  TexNodes written_out_;  // if there were dots
  std::size_t at_ = 0;
  bool power_ = false;
  int taken_ = 0;  // indices that are part of the name
};

}  // namespace chalk::math

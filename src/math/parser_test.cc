#include "src/math/parser.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "src/math/error.h"
#include "src/math/print.h"

namespace chalk::math {
namespace {

/// Values S, W, v, x, y, z, d1 and dz; functions rho and the family f.
Symbols known() {
  Symbols symbols;
  const auto add = [&](std::string name, Shape extents) {
    Symbol s;
    s.name = std::move(name);
    s.extents = std::move(extents);
    symbols.add(std::move(s), {});
  };
  add("S", {});
  add("a", {});
  add("b", {});
  add("W", {3, 4});
  add("W1", {3, 4});
  add("v", {3});
  add("v'", {3});
  add("x", {4});
  add("y", {3});
  add("d1", {});
  add("z", {3});
  Symbol rho;
  rho.name = "rho";
  rho.kind = Symbol::Kind::function;
  symbols.add(rho, {});
  Symbol family;
  family.name = "f";
  family.kind = Symbol::Kind::functions;
  symbols.add(family, {});
  return symbols;
}

std::string again(std::string_view text) { return to_text(*parse_formula(text, known())); }

/// The tree in brackets, by kinds.
std::string tree(const Expr& e) {
  constexpr std::array<const char*, 25> kNames{
      "",  "",     "call", "element", "neg",   "+",  "-",     "*",  "/",    "^",     "@",     ".*",      "./",
      "T", "diag", "axis", "reduce",  "delta", "[]", "deriv", "at", "ones", "index", "value", "jacobian"};
  if (e.kind == Kind::number) return to_text(e);
  std::string text = e.kind == Kind::name ? to_text(e) : kNames[static_cast<std::size_t>(e.kind)];
  if (e.kind == Kind::name) return text;
  text = "(" + text;
  for (const auto& arg : e.args) text += " " + tree(*arg);
  return text + ")";
}
std::string tree(std::string_view text) { return tree(*parse_formula(text, known())); }

std::string parser_refusal(std::string_view text) {
  return refusal([&] { parse_formula(text, known()); });
}

TEST(Parser, KnowsWhatBindsTighter) {
  EXPECT_EQ(tree("a + b*a^2"), "(+ a (* b (^ a 2)))");
  EXPECT_EQ(tree("a - b - 1"), "(- (- a b) 1)");
  EXPECT_EQ(tree("a/b/2*a"), "(* (/ (/ a b) 2) a)");
  EXPECT_EQ(tree("-a^2"), "(neg (^ a 2))");
  EXPECT_EQ(tree("-a*b + 1"), "(+ (neg (* a b)) 1)");
  EXPECT_EQ(tree("a*-b"), "(* a (neg b))");
  EXPECT_EQ(tree("--a"), "(neg (neg a))");
  EXPECT_EQ(tree("2^-1"), "(^ 2 (neg 1))");
  EXPECT_EQ(tree("a^b^2"), "(^ a (^ b 2))") << "powers group to the right";
  EXPECT_EQ(tree("W^T @ v .* y"), "(.* (@ (T W) v) y)");
  EXPECT_EQ(tree("(v + y)^T"), "(T (+ v y))");
  EXPECT_EQ(tree("(W @ x)[i]"), "(element (@ W x) i)");
}

TEST(Parser, TellsDerivativesFromQuotients) {
  EXPECT_EQ(tree("dS/dW[i,j]"), "(deriv S W[i,j])");
  EXPECT_EQ(tree("dS/dW"), "(deriv S W)");
  EXPECT_EQ(tree("∂S/∂W1[0,j-1]"), "(deriv S W1[0,j - 1])");
  EXPECT_EQ(tree("dv'[i]/dx[j]"), "(deriv v'[i] x[j])");
  EXPECT_EQ(tree("a/dS/dW"), "(/ a (deriv S W))");
  EXPECT_EQ(tree("dS/dW/a"), "(/ (deriv S W) a)");
  EXPECT_EQ(tree("dS/dW^2"), "(^ (deriv S W) 2)");
  EXPECT_EQ(tree("dS/dy[h]*dy[h]/dz[i]"), "(* (deriv S y[h]) (deriv y[h] z[i]))");
  EXPECT_EQ(tree("d(a*b)/da"), "(deriv (* a b) a)");
  EXPECT_EQ(tree("d1/a"), "(/ d1 a)") << "a value whose name begins with d";
  EXPECT_EQ(tree("d1/da"), "(/ d1 da)") << "of no value 1";
  EXPECT_EQ(tree("dd1/da"), "(deriv d1 a)");
  EXPECT_EQ(tree("delta(d,i)"), "(delta d i)") << "d may be an index";
}

TEST(Parser, ReadsSumsAndTheirIndices) {
  EXPECT_EQ(again("sum(i,j=0..2,W[i,j])"), "sum(i, j=0..2, W[i,j])");
  EXPECT_EQ(again("2*||a*v + ‖v‖*v‖^2"), "2*‖a*v + ‖v‖*v‖^2");
  EXPECT_EQ(again("Σ(i=-1..2, v[i])"), "sum(i=-1..2, v[i])");
  EXPECT_EQ(again("sum(W,axis=0)+sum(v)"), "sum(W, axis=0) + sum(v)");
  EXPECT_EQ(again("max(a,b)*max(i,v[i])*max(v)"), "max(a, b)*max(i, v[i])*max(v)");
  EXPECT_EQ(again("argmax(i, v[i]) + prod(i, v[i]) + min(i, v[i])"), "argmax(i, v[i]) + prod(i, v[i]) + min(i, v[i])");
}

TEST(Parser, ReadsFunctionsFamiliesAndChanges) {
  EXPECT_EQ(again("log(a) + rho''(a) + f[j](v[j]) + f'[j](v[j]) + f'(v)"),
            "ln(a) + rho''(a) + f[j](v[j]) + f'[j](v[j]) + f'(v)");
  EXPECT_EQ(again("at(S, W[p,q] := W[p,q] - a*dS/dW[p,q], a := 2)"), "at(S, W[p,q] := W[p,q] - a*dS/dW[p,q], a := 2)");
  EXPECT_EQ(again("δ(i,j) + δ[i,j] + [i<=2*j] + [a==b] + [a≠b]"),
            "delta(i,j) + delta(i,j) + [i <= 2*j] + [a = b] + [a != b]");
  EXPECT_EQ(again("softmax(z)[i] + W[:,k] @ diag(v) @ ones(3)"), "softmax(z)[i] + W[:,k] @ diag(v) @ ones(3)");
}

TEST(Parser, TextReadsBackAsTheSameTree) {
  for (const std::string text : {"sum(b, c, W1[d - b,e - c]*x[b]) + S",
                                 "-(a + b)",
                                 "-a*b",
                                 "(-a)*b",
                                 "a*(-b)",
                                 "(a + b)*(a - b)",
                                 "a - (b - 1)",
                                 "a/(b*a)",
                                 "(a/b)/a",
                                 "a/(dS/dW)",
                                 "(a^b)^2",
                                 "a^(b^2)",
                                 "(-a)^2",
                                 "(dS/dW)^2",
                                 "(dS/dW)[i,j]",
                                 "d(a*b)/da*2",
                                 "d(a)/db",
                                 "d(i)/db",
                                 "(v + y)^T @ W",
                                 "W^T^T",
                                 "(2*W)^T",
                                 "(W .* W) ./ W",
                                 "W .* (W ./ W)",
                                 "softmax(W^T)[i,j]",
                                 "rho'(a)^2",
                                 "1e-05*a",
                                 "[a + 1 < b*2]",
                                 "max(a + 1, -b)",
                                 "sum(i, v[i])^2",
                                 "-sum(i, -v[i])",
                                 "a - -b",
                                 "v'[i]"}) {
    const auto once = again(text);
    EXPECT_EQ(again(once), once) << text;
    EXPECT_EQ(tree(once), tree(text)) << text << " became " << once;
  }
}

// ---- any formula

rc::Gen<ExprPtr> formulas(int depth) {
  const auto leaf = [](std::string name, std::vector<ExprPtr> args, bool indexed = true) {
    Expr e;
    e.kind = Kind::name;
    e.name = std::move(name);
    e.indexed = indexed;
    e.args = std::move(args);
    return node(std::move(e));
  };
  const auto i = leaf("i", {}, false), j = leaf("j", {}, false);
  const auto leaves = rc::gen::element(number(2), number(0.5), number(1e-7), leaf("a", {}, false), leaf("v", {i}),
                                       leaf("W", {i, make(Kind::subtract, {}, {j, number(1)})}), i,
                                       make(Kind::derivative, {}, {leaf("S", {}, false), leaf("W", {i, j})}));
  if (depth == 0) return leaves;
  return rc::gen::mapcat(rc::gen::inRange(0, 17), [=](int kind) -> rc::Gen<ExprPtr> {
    const auto one = [&](auto f) { return rc::gen::map(formulas(depth - 1), f); };
    const auto two = [&](auto f) {
      return rc::gen::map(rc::gen::pair(formulas(depth - 1), formulas(depth - 1)),
                          [f](const std::pair<ExprPtr, ExprPtr>& p) { return f(p.first, p.second); });
    };
    constexpr std::array kBinary{Kind::add,    Kind::subtract, Kind::multiply, Kind::divide,
                                 Kind::matmul, Kind::hadamard, Kind::quotient, Kind::power};
    if (kind < 8) {
      return two([=](const ExprPtr& a, const ExprPtr& b) {
        return make(kBinary[static_cast<std::size_t>(kind)], {}, {a, b});
      });
    }
    switch (kind) {
      case 8:
        return one([](const ExprPtr& a) { return make(Kind::negate, {}, {a}); });
      case 9:
        return one([](const ExprPtr& a) { return make(Kind::transpose, {}, {a}); });
      case 10:
        return one([](const ExprPtr& a) {
          Expr e;
          e.kind = Kind::call;
          e.name = "rho";
          e.primes = 1;
          e.args = {a};
          return node(std::move(e));
        });
      case 11:
        return one([](const ExprPtr& a) {
          Expr e;
          e.kind = Kind::reduce;
          e.bounds = {{.name = "k"}, {.name = "l", .range = std::pair{std::int64_t{-1}, std::int64_t{2}}}};
          e.args = {a};
          return node(std::move(e));
        });
      case 12:
        return two([](const ExprPtr& a, const ExprPtr& b) {
          Expr e;
          e.kind = Kind::compare;
          e.comparison = Comparison::less_equal;
          e.args = {a, b};
          return node(std::move(e));
        });
      case 13:
        return two([](const ExprPtr& a, const ExprPtr& b) { return make(Kind::delta, {}, {a, b}); });
      case 14:
        return one([=](const ExprPtr& a) {
          Expr e;
          e.kind = Kind::derivative;
          e.indexed = true;
          e.args = {a, leaf("W", {i, j})};
          return node(std::move(e));
        });
      case 15:
        return one([=](const ExprPtr& a) { return make(Kind::at, {}, {a, leaf("v", {i}), leaf("y", {i})}); });
      default:
        return one([](const ExprPtr& a) { return make(Kind::diag, {}, {a}); });
    }
  });
}

RC_GTEST_PROP(Parser, AnyFormulaReadsBackAsItself, ()) {
  const auto e = *formulas(*rc::gen::inRange(0, 4));
  const auto text = to_text(*e);
  const auto back = parse_formula(text, known());
  RC_ASSERT(to_text(*back) == text);
  RC_ASSERT(tree(*back) == tree(*e));
}

/// Braces and brackets are in pairs, and nothing has two exponents.
std::string latex_fault(const std::string& text) {
  std::vector<char> open;
  bool raised = false;  // the atom just ended has an exponent
  std::vector<bool> groups;
  int left = 0;
  for (std::size_t k = 0; k < text.size(); ++k) {
    const auto rest = std::string_view(text).substr(k);
    if (rest.starts_with("\\left") && !rest.starts_with("\\leftarrow")) ++left;
    if (rest.starts_with("\\right") && --left < 0) return "\\right without \\left";
    const char c = text[k];
    if (c == '\\' && k + 1 < text.size() && std::string_view("{}%$&#_").find(text[k + 1]) != std::string_view::npos) {
      ++k, raised = false;
      continue;
    }
    if (c == '^' || c == '\'') {
      if (raised && !(c == '\'' && k > 0 && text[k - 1] == '\'')) return "two exponents at " + text.substr(0, k + 1);
    }
    if (c == '{') {
      const bool exponent = k > 0 && text[k - 1] == '^', below = k > 0 && text[k - 1] == '_';
      groups.push_back(exponent || (below && raised));
    } else if (c == '}') {
      if (groups.empty()) return "} without {";
      raised = groups.back();
      groups.pop_back();
    } else if (c != '^' && c != '_') {
      raised = false;
    }
  }
  return !groups.empty() ? "{ without }" : left != 0 ? "\\left without \\right" : "";
}

TEST(Latex, TheFaultsAreFound) {
  EXPECT_NE(latex_fault("x^{2}^{3}"), "");
  EXPECT_NE(latex_fault("x^{(1)}'"), "");
  EXPECT_NE(latex_fault("x^{(1)}_{i}^{2}"), "");
  EXPECT_NE(latex_fault("\\left(x"), "");
  EXPECT_NE(latex_fault("{x"), "");
  EXPECT_EQ(latex_fault("{x^{(1)}}'\\left(y_{i}^{2}\\right)"), "");
}

RC_GTEST_PROP(Latex, OfAnyFormulaIsBalanced, ()) {
  const auto e = *formulas(*rc::gen::inRange(0, 4));
  RC_ASSERT(latex_fault(to_latex(*e)) == "");
}

TEST(Latex, LooksLikeTheFormula) {
  const auto latex = [](std::string_view text) { return to_latex(*parse_formula(text, known())); };
  EXPECT_EQ(latex("sum(b, c, W1[d-b,e-c]*x[b])"), "\\sum_{b,c} W^{(1)}_{d - b,e - c}\\, x_{b}");
  EXPECT_EQ(latex("dS/dW[i,j]"), "\\frac{\\partial S}{\\partial W_{i,j}}");
  EXPECT_EQ(latex("d(a*b)/da"), "\\frac{\\partial \\left[a\\, b\\right]}{\\partial a}");
  EXPECT_EQ(latex("a*2"), "a \\cdot 2");
  EXPECT_EQ(latex("(a + b)/b"), "\\frac{a + b}{b}");
  EXPECT_EQ(latex("a*sum(i, v[i])"), "a\\, \\sum_{i} v_{i}");
  EXPECT_EQ(latex("W1^T"), "{W^{(1)}}^{\\mathsf{T}}");
  EXPECT_EQ(latex("((a/b)^T)^2"), "\\left(\\left(\\frac{a}{b}\\right)^{\\mathsf{T}}\\right)^{2}");
  EXPECT_EQ(latex("W1[i,j]^2"), "\\left(W^{(1)}_{i,j}\\right)^{2}");
  EXPECT_EQ(latex("exp(a)^2"), "\\left(e^{a}\\right)^{2}");
  EXPECT_EQ(latex("sqrt(a) + sigmoid'(a) + relu(a)"),
            "\\sqrt{a} + \\sigma'\\left(a\\right) + \\operatorname{relu}\\left(a\\right)");
  EXPECT_EQ(latex("2*||a*v + ‖v‖*v‖"), "2\\, \\left\\lVert a\\, v + \\left\\lVert v\\right\\rVert\\, v\\right\\rVert");
  EXPECT_EQ(latex("max(i=0..2, v[i]) + max(a, 0)"), "\\max_{i=0\\ldots 2} v_{i} + \\max\\left(a, 0\\right)");
  EXPECT_EQ(latex("[i != j]*δ(i,j)"), "\\left[i \\neq j\\right]\\, \\delta_{i,j}");
  EXPECT_EQ(latex("at(S, a := 2*a)"), "\\left.S\\right|_{a \\to 2\\, a}");
  EXPECT_EQ(latex("abs(a) + floor(a)*erf(a)"),
            "\\left\\lvert a\\right\\rvert + "
            "\\left\\lfloor a\\right\\rfloor\\, \\operatorname{erf}\\left(a\\right)");
  EXPECT_EQ(latex("f'[j](v[j])"), "f'_{j}\\left(v_{j}\\right)");
}

/// Elements are in pairs, each has as many children as MathML demands, and all text is in a token element.
std::string mathml_fault(const std::string& text) {
  const std::map<std::string, int> children{{"mrow", -1},  {"mfrac", 2}, {"msup", 2},   {"msub", 2},
                                            {"munder", 2}, {"mover", 2}, {"msqrt", -1}, {"msubsup", 3}};
  std::vector<std::pair<std::string, int>> open{{"math", 0}};
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '<') {
      const bool token = open.back().first[0] == 'm' && children.count(open.back().first) == 0 && open.size() > 1;
      if (!token) return "text outside of a token at " + text.substr(at, 10);
      at = text.find('<', at);
      continue;
    }
    const auto end = text.find('>', at);
    if (end == std::string::npos) return "< without >";
    const auto name = text.substr(at + 1, text.find_first_of(" >", at) - at - 1);
    at = end + 1;
    if (name[0] != '/') {
      ++open.back().second;
      open.emplace_back(name, 0);
      continue;
    }
    const auto [opened, count] = open.back();
    if ("/" + opened != name) return name + " closes " + opened;
    const auto wanted = children.find(opened);
    if (wanted != children.end() && wanted->second >= 0 && count != wanted->second)
      return opened + " of " + std::to_string(count);
    open.pop_back();
  }
  return open.size() == 1 ? "" : open.back().first + " is not closed";
}

TEST(MathMl, TheFaultsAreFound) {
  EXPECT_EQ(mathml_fault("<mfrac><mn>1</mn><mrow></mrow></mfrac>"), "");
  EXPECT_EQ(mathml_fault("<mfrac><mn>1</mn></mfrac>"), "mfrac of 1");
  EXPECT_EQ(mathml_fault("<mrow>1</mrow>"), "text outside of a token at 1</mrow>");
  EXPECT_EQ(mathml_fault("<mn>1</mo>"), "/mo closes mn");
  EXPECT_EQ(mathml_fault("<mrow><mn>1</mn>"), "mrow is not closed");
}

RC_GTEST_PROP(MathMl, OfAnyFormulaIsWellFormed, ()) {
  const auto e = *formulas(*rc::gen::inRange(0, 4));
  RC_ASSERT(mathml_fault(to_mathml(*e)) == "");
}

TEST(MathMl, LooksLikeTheFormula) {
  const auto mathml = [](std::string_view text) { return to_mathml(*parse_formula(text, known())); };
  EXPECT_EQ(mathml("a + 2"), "<mrow><mi>a</mi><mo>+</mo><mn>2</mn></mrow>");
  EXPECT_EQ(mathml("-a"), "<mrow><mo>−</mo><mi>a</mi></mrow>");
  EXPECT_EQ(mathml("a*b"), "<mrow><mi>a</mi><mo lspace=\"0.1em\" rspace=\"0.1em\">\u2062</mo><mi>b</mi></mrow>");
  EXPECT_EQ(mathml("a*2"), "<mrow><mi>a</mi><mo>·</mo><mn>2</mn></mrow>");
  EXPECT_EQ(mathml("(a + b)/b"),
            "<mfrac><mrow><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow></mrow><mrow><mi>b</mi></mrow></mfrac>");
  EXPECT_EQ(mathml("(a + b)^2"),
            "<msup><mrow><mo>(</mo><mrow><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow></mrow><mo>)</mo></mrow>"
            "<mrow><mn>2</mn></mrow></msup>");
  EXPECT_EQ(mathml("W1[i,j]"),
            "<msubsup><mi>W</mi><mrow><mi>i</mi><mo>,</mo><mi>j</mi></mrow>"
            "<mrow><mo>(</mo><mn>1</mn><mo>)</mo></mrow></msubsup>");
  EXPECT_EQ(mathml("sum(i, v[i])"),
            "<mrow><munder><mo>∑</mo><mrow><mi>i</mi></mrow></munder>"
            "<msub><mi>v</mi><mrow><mi>i</mi></mrow></msub></mrow>");
  EXPECT_EQ(mathml("dS/da"), "<mfrac><mrow><mo>∂</mo><mi>S</mi></mrow><mrow><mo>∂</mo><mi>a</mi></mrow></mfrac>");
  EXPECT_EQ(mathml("[a < b]"), "<mrow><mo>[</mo><mrow><mi>a</mi><mo>&lt;</mo><mi>b</mi></mrow><mo>]</mo></mrow>");
  EXPECT_EQ(mathml("sqrt(a) + relu'(a)"),
            "<mrow><msqrt><mi>a</mi></msqrt><mo>+</mo><mrow><msup><mi>relu</mi><mrow><mo>′</mo></mrow></msup>"
            "<mo>\u2061</mo><mrow><mo>(</mo><mrow><mi>a</mi></mrow><mo>)</mo></mrow></mrow></mrow>");
}

TEST(MathMl, NamesAreTypeset) {
  EXPECT_EQ(mathml_name("a"), "<mi>a</mi>");
  EXPECT_EQ(mathml_name("alpha"), "<mi>α</mi>");
  EXPECT_EQ(mathml_name("Deltaw"), "<mrow><mi>Δ</mi><mi>w</mi></mrow>");
  EXPECT_EQ(mathml_name("loss"), "<mi mathvariant=\"italic\">loss</mi>");
  EXPECT_EQ(mathml_name("z_out", 1),
            "<msubsup><mi>z</mi><mrow><mtext>out</mtext></mrow><mrow><mo>′</mo></mrow></msubsup>");
  EXPECT_EQ(mathml_name("m_hat"), "<mover><mi>m</mi><mo>^</mo></mover>");
  EXPECT_EQ(mathml_words("a < b & c"), "<mtext>a &lt; b &amp; c</mtext>");
}

TEST(Latex, NamesAreTypeset) {
  EXPECT_EQ(latex_name("W1"), "W^{(1)}");
  EXPECT_EQ(latex_name("alpha"), "\\alpha");
  EXPECT_EQ(latex_name("delta3"), "\\delta^{(3)}");
  EXPECT_EQ(latex_name("Deltaw"), "\\Delta w");
  EXPECT_EQ(latex_name("z_out"), "z_{out}");
  EXPECT_EQ(latex_name("loss"), "\\mathit{loss}");
  EXPECT_EQ(latex_name("pixel"), "\\mathit{pixel}") << "is no pi";
  EXPECT_EQ(latex_name("a_b_c"), "a_{b\\_c}");
  EXPECT_EQ(latex_name("m_hat"), "\\hat{m}");
  EXPECT_EQ(latex_name("x1_bar", 1), "{\\bar{x}^{(1)}}'");
  EXPECT_EQ(latex_words("50% of a_b \\ {x}^2"), "\\text{50\\% of a\\_b \\textbackslash{} \\{x\\}\\^{}2}");
}

TEST(Parser, ReadsShapes) {
  const auto shape = [](std::string_view text) {
    Tokens tokens(lex(text));
    return read_shape(tokens);
  };
  EXPECT_EQ(shape("5"), Shape({5}));
  EXPECT_EQ(shape("1x8x8"), Shape({1, 8, 8}));
  EXPECT_EQ(shape("1×8×8"), Shape({1, 8, 8}));
  EXPECT_EQ(shape("8 > y"), Shape({8}));
}

TEST(Parser, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(parser_refusal("α + "), "5 a value, number or \"(\" expected, not the end");
  EXPECT_EQ(parser_refusal("(a + b"), "7 \")\" to close the one at character 1 expected, not the end");
  EXPECT_EQ(parser_refusal("2 a"), "3 an operator is missing between \"2\" and \"a\"; write *");
  EXPECT_EQ(parser_refusal("a(b)"), "2 an operator is missing between \"a\" and \"(\"; write *");
  EXPECT_EQ(parser_refusal("tanj(b)"), "1 \"tanj\" is not a function; did you mean \"tanh\"?");
  EXPECT_EQ(parser_refusal("β*gauss(b)").substr(0, 42), "3 \"gauss\" is not a function; there are exp");
  EXPECT_EQ(parser_refusal("q'"),
            "1 \"q'\" is neither a value nor a function's derivative; write q'(…), or define it with :=");
  EXPECT_EQ(parser_refusal("W2[i,j]"), "1 \"W2\" is not a value that is known here; did you mean \"W\"?");
  EXPECT_EQ(parser_refusal("quantity[i]"), "1 \"quantity\" is not a value that is known here; declare it above");
  EXPECT_EQ(parser_refusal("v[i"), "4 \",\" or \"]\" after an index expected, not the end");
  EXPECT_EQ(parser_refusal("[a + b]"), "7 a comparison expected: [a = b], [a < b] … is 1 where it holds, else 0");
  EXPECT_EQ(parser_refusal("[a < b"), "7 \"]\" after the comparison expected, not the end");
  EXPECT_EQ(parser_refusal("d(a*b)"), "7 \"/d\" and a value expected after d(…), as in d(a*b)/da");
  EXPECT_EQ(parser_refusal("sum(i=2..1, a)"), "5 the range is empty; write first..last");
  EXPECT_EQ(parser_refusal("sum(i=0..2000000, a)"), "5 the range is too large; at most 1,000,000");
  EXPECT_EQ(parser_refusal("sum(i, i, a)"), "8 \"i\" stands here twice");
  EXPECT_EQ(parser_refusal("sum(a*b, 2)"), "10 an index, or axis=0, expected here; sums are written sum(i, …)");
  EXPECT_EQ(parser_refusal("sum(v, axis=a)"), "13 the axis expected, a whole number, not \"a\"");
  EXPECT_EQ(parser_refusal("delta(i)"), "8 \",\" and a second index expected, not \")\"");
  EXPECT_EQ(parser_refusal("at(S)"), "1 at(…) needs a value that changes: at(L, w := 2*w)");
  EXPECT_EQ(parser_refusal("at(S, q := 2)"), "7 \"q\" is not a value; write at(…, w := …)");
  EXPECT_EQ(parser_refusal("at(S, a = 2)"), "9 \":=\" and what the value becomes expected, not \"=\"");
  EXPECT_EQ(parser_refusal("f[i,j](a)"), "1 f[…] takes one index");
  EXPECT_EQ(parser_refusal("f[i]"), "5 \"(\" and the argument of \"f\" expected, not the end");
  EXPECT_EQ(parser_refusal("a + b)"), "6 nothing may follow the formula, but \")\" does");
  EXPECT_EQ(parser_refusal(std::string(300, '(')), "201 more than 200 brackets within brackets; name a part with :=");
}

}  // namespace
}  // namespace chalk::math

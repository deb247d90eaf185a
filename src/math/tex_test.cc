// Documents in LaTeX and Markdown: how formulas are read, what is refused, and where.
#include "src/base/text.h"
#include "src/math/test_support.h"

namespace chalk::math {
namespace {

constexpr std::string_view kNetwork =
    "% chalk: network x: 5\n"
    "% chalk:   > z1 = dense(W1: 4 outputs, bias b1) > a1 = sigmoid\n"
    "% chalk:   > z2 = dense(W2: 3 outputs, bias b2) > y = softmax\n"
    "% chalk: given t: 3 distribution\n"
    "% chalk: given k, n in 1..2\n"
    "% chalk: given s\n"
    "% chalk: given T: 3\n"
    "% chalk: functions f = sigmoid, tanh, relu, linear\n"
    "% chalk: sigma(u) := sigmoid(u)\n"
    "% chalk: read y^* as t\n";

CheckReport latex(const std::string& text, std::string_view name = "paper.tex", const std::string& notes = {}) {
  CheckOptions options;
  options.notes = notes;
  return check_latex(text, name, options);
}

/// How the formula is read, or why it is not: the last line's text or, if it cannot be read, "COLUMN message".
std::string read_as(const std::string& formula) {
  const auto report = latex(str(kNetwork, "\\[ ", formula, " \\]\n"));
  const auto& line = report.lines.back();
  if (line.verdict != Verdict::failed || line.column == 0) return line.text;
  return std::to_string(line.column) + " " + line.message;
}

struct Reading {
  std::string latex, text;
};
void PrintTo(const Reading& reading, std::ostream* out) { *out << reading.latex; }

class LatexIsReadAs : public testing::TestWithParam<Reading> {};

TEST_P(LatexIsReadAs, OneWould) { EXPECT_EQ(read_as(GetParam().latex), GetParam().text); }

const std::vector<Reading> kReadings{
    {"y_i", "y[i]"},
    {"W^{(2)}_{ij}", "W2[i,j]"},
    {"W_{ij}^{(2)}", "W2[i,j]"},
    {"\\mathbf{W}^{(2)}_{i,j}", "W2[i,j]"},
    {"z_i^{(1)\\prime}", "4 \"z_{i}^{(1)}'\" is not known; define z1', or say: read z_{i}^{(1)}' as …"},
    {"\\frac{\\partial y_h}{\\partial z^{(2)}_i}", "dy[h]/dz2[i]"},
    {"\\frac{dy_h}{dz^{(2)}_i}", "dy[h]/dz2[i]"},
    {"\\partial y_h / \\partial z^{(2)}_i", "dy[h]/dz2[i]"},
    {"\\partial_{z^{(2)}_i} y_h", "dy[h]/dz2[i]"},
    {"\\frac{\\partial y_h}{\\partial z^{(2)}}_i", "dy[h]/dz2[i]"},
    {"\\frac{\\partial}{\\partial z^{(2)}_i} \\left( y_h t_h \\right)", "d(y[h]*t[h])/dz2[i]"},
    {"\\frac{\\partial \\ln y_h}{\\partial z^{(2)}_i}", "d(ln(y[h]))/dz2[i]"},
    {"\\frac{\\partial^2 s^3}{\\partial s^2}", "d(d(s^3)/ds)/ds"},
    {"\\nabla_{W^{(2)}} y", "dy/dW2"},
    {"\\sum_{i} y_i t_i + s", "sum(i, y[i]*t[i]) + s"},
    {"\\sum_{i=1}^{N} y_i t_i - s", "sum(i, y[i]*t[i]) - s"},
    {"\\sum_{ij} W^{(2)}_{ij}", "sum(i, j, W2[i,j])"},
    {"\\sum_{j \\neq i} W^{(2)}_{ij}", "sum(j, [j != i]*W2[i,j])"},
    {"\\sum_{k'=1}^K y_{k'} t_k", "sum(k1, y[k1]*t[k])"},
    {"\\prod_i y_i^{t_i}", "prod(i, y[i]^t[i])"},
    {"\\max_j y_j", "max(j, y[j])"},
    {"\\max(0, s)", "max(0, s)"},
    {"\\arg\\max_j y_j", "argmax(j, y[j])"},
    {"\\delta_{ij} y_i y_j", "delta(i,j)*y[i]*y[j]"},
    {"s^2 (1-s)", "s^2*(1 - s)"},
    {"(s+1)^2", "(s + 1)^2"},
    {"k(1-k)", "k*(1 - k)"},
    {"k_n", "4 k is a number and takes no index"},
    {"e^{-s}", "exp(-s)"},
    {"\\exp(s)^2", "exp(s)^2"},
    {"\\tanh^2 s", "tanh(s)^2"},
    {"\\log s + 1", "ln(s) + 1"},
    {"\\sqrt{s}", "sqrt(s)"},
    {"\\sqrt[3]{s}", "s^(1/3)"},
    {"\\operatorname{ReLU}(s)", "relu(s)"},
    {"\\mathrm{softmax}(z^{(2)})_i", "softmax(z2)[i]"},
    {"\\text{softmax}_i(z^{(2)})", "softmax(z2)[i]"},
    {"\\sigma'(s)", "sigma'(s)"},
    {"f'_j(z^{(1)}_j)", "f'[j](z1[j])"},
    {"y^*_i", "t[i]"},
    {"y_i^*", "t[i]"},
    {"W^{(2)} a^{(1)} + b^{(2)}", "W2 @ a1 + b2"},
    {"W^{(2)\\top} y", "W2^T @ y"},
    {"y^T t", "y^T @ t"},
    {"y \\odot W^{(2)} a^{(1)}", "y .* (W2 @ a1)"},
    {"s\\, y", "s*y"},
    {"\\frac{s}{k n}", "s/(k*n)"},
    {"\\frac{1}{2} s", "1/2*s"},
    {"|s|", "abs(s)"},
    {"\\|y\\|", "‖y‖"},
    {"\\lVert y - t \\rVert_2^2", "‖y - t‖^2"},
    {"[s > 0]", "[s > 0]"},
    {"\\boxed{s k} n", "s*k*n"},
    {"2 s \\cdot k", "2*s*k"},
    {"-s", "-s"},
    {"ln(s)", "ln(s)"},
    {"\\hat{m} = s", "m_hat := s"},
    {"\\Delta w = s", "Deltaw := s"},
    {"\\delta_i = y_i - t_i", "delta_[i] := y[i] - t[i]"},
    {"L := s^2", "L := s^2"},
    {"g(v) = v^2 + s", "g(v) := v^2 + s"},
    {"q_i = \\text{what it should be}", "\"q_{i} is what it should be\""},
    {"S = s = s", "= s"},
    {"s^2 =", "s^2"},
    {"δ_{ij} y_i y_j", "delta(i,j)*y[i]*y[j]"},
    {"\\dfrac{\\mathrm{d} y_h}{\\mathrm{d} z^{(2)}_i}", "dy[h]/dz2[i]"},
    {"\\pdv{y_h}{z^{(2)}_i}", "dy[h]/dz2[i]"},
    {"{\\partial y_h \\over \\partial z^{(2)}_i}", "dy[h]/dz2[i]"},
    {"\\left. \\frac{\\partial s^3}{\\partial s} \\right|_{s=2}", "at(d(s^3)/ds, s := 2)"},
    {"y_i \\big|_{s=2, k=n}", "at(y[i], s := 2, k := n)"},
    {"\\left( s \\right. + \\left. k \\right)", "s + k"},
    {"\\left[ \\left( s + k \\right)^2 \\right] n", "(s + k)^2*n"},
    {"z^{[2]} = W^{[2]} a^{[1]}", "z2 = W2 @ a1"},
    {"(W^{(2)} a^{(1)})_i", "(W2 @ a1)[i]"},
    {"[W^{(2)} {W^{(2)}}^\\top]_{ij}", "(W2 @ W2^T)[i,j]"},
    {"\\operatorname{softmax}(z^{(2)})_i^2", "softmax(z2)[i]^2"},
    {"(y - t)_{N \\times K} \\odot y", "(y - t) .* y"},
    {"\\|y\\|_1", "sum(abs(y))"},
    {"\\norm{y - t}_F^2", "‖y - t‖^2"},
    {"\\lfloor s \\rfloor", "floor(s)"},
    {".5 s", "0.5*s"},
    {"\\mathbb{1}[i = j]\\, y_i y_j", "[i = j]*y[i]*y[j]"},
    {"\\mathbf{1}_{\\{s > 0\\}}", "[s > 0]"},
    {"[0 < s \\leq 1]", "[0 < s]*[s <= 1]"},
    {"\\begin{cases} s & \\text{if } s > 0 \\\\ 0 & \\text{otherwise} \\end{cases}", "[s > 0]*s + (1 - [s > 0])*0"},
    {"\\begin{cases} s^2, & |s| \\le k, \\\\ n \\quad s > k. \\end{cases}",
     "[abs(s) <= k]*s^2 + (1 - [abs(s) <= k])*[s > k]*n"},
    {"\\begin{cases} s \\text{ if $s > 0$} \\\\ k \\text{ else} \\end{cases}", "[s > 0]*s + (1 - [s > 0])*k"},
    {"\\underbrace{s + k}_{\\text{both}} n", "(s + k)*n"},
    {"\\underset{j}{\\max}\\, y_j", "max(j, y[j])"},
    {"L \\overset{\\text{def}}{=} s^2", "L := s^2"},
    {"L \\leftarrow s^2", "L := s^2"},
    {"y_i t_j = t_j y_i \\quad (i \\neq j)", "[i != j]*(y[i]*t[j]) = [i != j]*(t[j]*y[i])"},
    {"y_i t_j = y_j t_i \\text{ for } i = j", "[i = j]*(y[i]*t[j]) = [i = j]*(y[j]*t[i])"},
    {"{\\bf y}_i", "y[i]"},
    {"\\frac{\\partial y_h}{\\partial {{\\bm z}}^{(2)}_i}", "dy[h]/dz2[i]"},
    {"\\langle y, t \\rangle", "sum(y .* t)"},
    {"\\langle y_i \\rangle^2", "y[i]^2"},
    {"\\nabla_{W^{(2)}} y(W^{(2)}, b^{(2)})", "dy/dW2"},
    {"y_i(x) + s(k)", "y[i] + s*k"},
    {"\\mathop{\\mathrm{max}}_j y_j", "max(j, y[j])"},
    {"\\sum_{j=1, j \\neq i}^{K} W^{(2)}_{ij}", "sum(j, [j != i]*W2[i,j])"},
    {"\\left\\{ \\begin{array}{ll} s & s > 0 \\\\ 0 & s \\leq 0 \\end{array} \\right.",
     "[s > 0]*s + (1 - [s > 0])*[s <= 0]*0"},
    {"y := \\operatorname{softmax}(z^{(2)})", "y = softmax(z2)"},
    {"s = k, \\quad W \\in \\mathbb{R}^{3 \\times 4}", "s = k"},
    {"(y - t) y^\\top \\rightarrow K \\times K", "(y - t) @ y^T"},
};

INSTANTIATE_TEST_SUITE_P(Formulas, LatexIsReadAs, testing::ValuesIn(kReadings),
                         [](const auto& each) { return spoken(each.param.latex, each.index); });

struct Refused {
  std::string latex, message;
};
void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.latex; }

class LatexIsRefused : public testing::TestWithParam<Refused> {};

TEST_P(LatexIsRefused, WhereItIsNotUnderstood) { EXPECT_EQ(read_as(GetParam().latex), GetParam().message); }

const std::vector<Refused> kRefused{
    {"W^{(3)}_{ij}", "4 \"W^{(3)}\" is not known as W3; say what it is: read W^{(3)} as NAME"},
    {"q_i", "4 \"q_{i}\" is not known; declare q, or say: read q_{i} as …"},
    {"q(s)", "4 \"q\" is not known: a function is defined by q(u) := …, a value is given or read as one"},
    {"\\text{loss} + s", "4 \"loss\" is not known; say what it is: read \\text{loss} as NAME"},
    {"s / k n", "10 is this below the \"/\" or behind the fraction? write \\frac{…}{…}, or brackets"},
    {"y_1", "6 does 1 count from 0 or from 1? say: indices from 1"},
    {"W^{(2)}_{ij+1}", "14 are these two indices, or a product? separate indices by commas"},
    {"s + \\cdots + k", "8 dots leave out what they mean; write it out"},
    {"y_i t_i \\cdots y_j", "12 dots leave out what they mean; write it out"},
    {"s k \\big|_{s=2}", "12 is all that stands before this bar meant? write \\left. … \\right|"},
    {"s \\big|_{2}", "10 behind this bar stand values and what they become: \\right|_{w=0}"},
    {"\\mathbb{1}(s)",
     "12 of which condition? write \\mathbb{1}[a = b]; or say how many ones: read \\mathbf{1} as ones(4)"},
    {"\\begin{cases} s \\\\ 0 \\end{cases}", "18 a case without its condition"},
    {"\\begin{cases} & s > 0 \\end{cases}", "20 a case without its value"},
    {"\\begin{cases} s & k \\end{cases}", "22 a condition expected here, such as x > 0"},
    {"\\begin{cases} \\end{cases}", "4 cases without any"},
    {"s := s - k", "6 what \"s\" becomes is not known; an optimizer makes it, or name it: read … as …"},
    {"s \\leftarrow s - k", "6 what \"s\" becomes is not known; an optimizer makes it, or name it: read … as …"},
    {"\\left", "9 a bracket is missing behind \\left"},
    {"2_i", "6 an index of something that is not a name; name it first"},
    {"\\sum y_i", "4 over which index? write \\sum_i"},
    {"\\sum_{i \\in S} y_i", "12 a condition on the index of a sum: only i \\neq j is understood here"},
    {"\\nabla s", "4 by what? write \\nabla_W"},
    {"\\frac{\\partial y_i}{\\partial (s k)}",
     "24 below a derivative stand values with their indices, each behind a \\partial; name the rest first"},
    {"\\frac{\\partial y_i}{\\partial q}", "33 a derivative by \"q\", which is not a value"},
    {"(s + k", "4 this \"(\" is not closed"},
    {"(s + k]", "10 \"]\" closes a \"(\""},
    {"\\frac{s}", "12 an argument in braces is missing here"},
    {"\\langle s, k)", "16 \")\" closes a \"\\langle\""},
    {"{s", "4 a \"{\" that is not closed"},
    {"s^{2}^{3}", "9 a second superscript; put all of it into one pair of braces"},
    {"s^", "5 nothing follows the \"^\""},
    {"=", "4 nothing follows this sign"},
    {"s = k, s = ", "13 nothing follows this sign"},
    {"s \\leq k", "6 \"<=\" is not understood here"},
    {"\\sigma^{-1}(s)", "4 is this the inverse function, or 1 divided by it? write \\frac{1}{…}"},
    {"\\sigma + 1", "4 \"sigma\" is a function; write its argument: sigma(…)"},
    {"\\begin{pmatrix} s & k \\\\ k & s \\end{pmatrix}",
     "4 a pmatrix that is written out is not understood; write its elements as an equation"},
    {"s \\# k", "6 \"\\#\" is not understood in a formula"},
    {"s ? k", "6 \"?\" is not understood in a formula"},
    {"\\begin{cases} s", "4 \\begin{cases} without its \\end"},
    {"|s", "4 this \"|\" is not closed"},
    {"\\max(s)", "4 over which index? write \\max_i, or \\max(a, b)"},
};

INSTANTIATE_TEST_SUITE_P(Formulas, LatexIsRefused, testing::ValuesIn(kRefused),
                         [](const auto& each) { return spoken(each.param.latex, each.index); });

TEST(Latex, NothingIsTooDeepForTheStack) {
  const auto times = [](std::string_view text, int count) {
    std::string all;
    for (int k = 0; k < count; ++k) all += text;
    return all;
  };
  EXPECT_EQ(read_as(times("{", 61) + "s" + times("}", 61)),
            "64 more than 60 groups within groups; name a part of the formula");
  EXPECT_EQ(read_as(times("(", 130) + "s" + times(")", 130)),
            "64 more than 120 groups within groups; name a part of it");
  EXPECT_EQ(read_as("s " + times("\\log ", 2000) + "s"), "606 more than 120 groups within groups; name a part of it");
  EXPECT_EQ(read_as("s \\cdot " + times("-", 2000) + "s"), "132 more than 120 groups within groups; name a part of it");
  EXPECT_EQ(read_as(times("\\sum_i ", 2000) + "s"), "844 more than 120 groups within groups; name a part of it");
  EXPECT_EQ(read_as(times("s", 10'001)), "10005 a formula of more than 10,000 signs; name parts of it");
}

TEST(Latex, TransposedWeightsAreFalse) {
  const std::string square =
      "% chalk: network x: 3 > z = dense(W: 3 outputs) > y = tanh\n"
      "\\[ z_i = \\sum_j W_{ij} x_j \\]\n\\[ z_i = \\sum_j W_{ji} x_j \\]\n";
  EXPECT_EQ(verdicts(latex(square)), "vF");
}

TEST(Latex, ChainsLabelsAndConditions) {
  const auto report = latex(
      "% chalk: network x: 3 > s = dense(w: 2 outputs) > o = sigmoid\n"
      "\\begin{align}\n"
      "  \\frac{\\partial o_i}{\\partial s_i} &= o_i (1 - o_i), \\label{eq:slope} \\\\\n"
      "  &= o_i - o_i^2 \\tag{7} \\\\\n"
      "  % chalk: erratum the square is lost\n"
      "  &= o_i - o_i \\nonumber \\\\\n"
      "  o_i &= \\sigma_i \\quad \\text{if } i > 0\n"
      "\\end{align}\n");
  ASSERT_EQ(report.lines.size(), 4u);
  EXPECT_EQ(report.lines[0].label, "eq:slope");
  EXPECT_EQ(report.lines[0].source, "\\frac{\\partial o_i}{\\partial s_i} = o_i (1 - o_i),");
  EXPECT_EQ(report.lines[1].label, "7");
  EXPECT_EQ(report.lines[1].text, "= o[i] - o[i]^2");
  EXPECT_EQ(report.lines[1].verdict, Verdict::failed);  // an erratum is about the line above it
  EXPECT_EQ(report.lines[1].message, "is called an erratum, but holds as it stands");
  EXPECT_EQ(report.lines[2].line, 6);
  EXPECT_EQ(report.lines[3].line, 7);
}

TEST(Latex, AConditionIsNotReadAndSaysSo) {
  const auto report = latex(
      "% chalk: network x: 3 > s = dense(w: 2 outputs) > o = tanh\n"
      "$$ \\frac{do_i}{ds_i} = 1 - o_i^2 \\quad \\text{if } o = \\tanh(s) $$\n");
  EXPECT_EQ(verdicts(report), "v");
  EXPECT_EQ(report.lines[0].message, "what follows \"if\" is not read");
}

TEST(Latex, SeveralStatementsOfALine) {
  const auto report = latex("% chalk: given a, b\n\\[ c = a + b, \\quad d = a - b \\Rightarrow c + d = 2a \\]\n");
  EXPECT_EQ(verdicts(report), "ddv");
  EXPECT_EQ(report.lines[0].source, "c = a + b, \\quad d = a - b \\Rightarrow c + d = 2a");
  EXPECT_EQ(report.lines[1].source, "");
}

TEST(Latex, LayersStandForEachOfThem) {
  const std::string network =
      "% chalk: network x: 5\n"
      "% chalk:   > z1 = dense(W1: 4 outputs, bias b1) > a1 = sigmoid\n"
      "% chalk:   > z2 = dense(W2: 3 outputs, bias b2) > a2 = sigmoid\n"
      "% chalk: sigma(u) := sigmoid(u)\n% chalk: read a^{(0)} as x\n% chalk: layers l = 1, 2\n% chalk: layers L = 2\n";
  const auto report = latex(network +
                            "\\[ z^{(l)} = W^{(l)} a^{(l-1)} + b^{(l)} \\]\n"
                            "\\[ = b^{l} + W^l a^{l-1} \\]\n"
                            "\\[ a^L = \\sigma(z^{l=2}) \\]\n"
                            "\\[ \\prod_{k=1}^{L} z^{(k)}_i \\]\n");
  EXPECT_EQ(verdicts(report), "dvvvvvvF");
  EXPECT_EQ(report.lines[2].text, "z2 = W2 @ a1 + b2");
  EXPECT_EQ(report.lines[4].text, "= b2 + W2 @ a1");
  EXPECT_EQ(report.lines[7].text, "z1[i]*z2[i]");
}

TEST(Latex, IndicesCountFromOneIfThatIsSaid) {
  const std::string text =
      "% chalk: indices from 1\n"
      "% chalk: network x: 6 > y = conv(W: 1 filter 1x3)\n";
  const std::string one =
      "% chalk: given x: 6\n% chalk: given w: 3\n% chalk: indices from 1\n"
      "% chalk: y[i] := sum(k, w[k]*x[i+k]) for i=0..3\n"
      "\\[ y_i = \\sum_{k=1}^{K} w_k x_{i+k-1} \\]\n"
      "\\[ y_1 = w_1 x_1 + w_2 x_2 + w_3 x_3 \\]\n"
      "\\[ y_i = \\sum_{k=1}^{3} w_k x_{i+k-1} \\]\n"
      "\\[ y_i = \\sum_{k=1}^{2} w_k x_{i+k-1} \\]\n";
  const auto report = latex(one);
  EXPECT_EQ(verdicts(report), "dvvvF");
  EXPECT_EQ(report.lines[1].text, "y[i] = sum(k, w[k]*x[i + k - 1 + 1])");
  EXPECT_EQ(report.lines[3].text, "y[i] = sum(k=0..2, w[k]*x[i + k - 1 + 1])");
  EXPECT_THROW(latex(text + "\\[ y_i = x_i \\]\n"), InputError);  // a kernel of one row on no image
}

TEST(Latex, MacrosAreWrittenOut) {
  const auto report = latex(
      "\\newcommand{\\pd}[2]{\\frac{\\partial #1}{\\partial #2}}\n"
      "\\newcommand{\\half}[1][2]{\\frac{1}{#1}}\n\\def\\out#1{o_{#1}}\n\\DeclareMathOperator{\\act}{sigmoid}\n"
      "% chalk: network x: 3 > s = dense(w: 2 outputs) > o = sigmoid\n"
      "\\[ \\pd{o_i}{s_i} = \\out{i} (1 - \\out i) \\]\n"
      "\\[ \\out i = \\act(s_i) \\]\n"
      "\\[ \\half + \\half[3] = \\frac{5}{6} \\]\n"
      "\\DeclarePairedDelimiter{\\length}{\\lVert}{\\rVert}\n\\NewDocumentCommand{\\twice}{m}{2 #1}\n"
      "\\[ \\length*{x}^2 = \\twice{\\frac{1}{2}} x^\\top x \\]\n");
  EXPECT_EQ(verdicts(report), "vvvv");
  const auto looping = latex("\\newcommand{\\a}{\\a}\n\\[ \\a = 1 \\]\n");
  EXPECT_EQ(looping.lines[0].message, "more than 60 groups within groups; name a part of the formula");
}

TEST(Latex, DotsStandForWhatTheyLeaveOut) {
  const std::string text =
      "% chalk: given u, v: 4\n% chalk: indices from 1\n"
      "\\[ u_1 v_1 + u_2 v_2 + \\cdots + u_n v_n = u^\\top v \\]\n"
      "\\[ u_1 + \\dots + u_3 + 1 = 1 + \\sum_i u_i - u_4 \\]\n"
      "\\[ \\exp(u_1 u_2 \\cdots u_4) = \\exp(\\prod_i u_i) \\]\n"
      "\\[ u_1 + u_3 + \\cdots + u_4 = 0 \\]\n";
  const auto report = latex(text);
  EXPECT_EQ(verdicts(report), "vvvF");
  EXPECT_EQ(report.lines[0].text, "sum(k, u[k]*v[k]) = u^T @ v");
  EXPECT_EQ(report.lines[1].text, "sum(k=0..2, u[k]) + 1 = 1 + sum(i, u[i]) - u[3]");
  EXPECT_EQ(report.lines[3].message, "dots leave out what they mean; write it out") << "u_2 is not there";
  // From layer to layer, also where nothing is left out.
  const auto layers = latex(
      "% chalk: network x: 1 > s1 = dense(w1: 1 output) > o1 = tanh > s2 = dense(w2: 1 output) > o2 = tanh\n"
      "% chalk:   > s3 = dense(w3: 1 output) > o3 = tanh\n% chalk: layers i = 1, 2, 3\n% chalk: layers n = 3\n"
      "\\[ \\frac{\\partial o^{(n)}}{\\partial w^{(i)}} = \\frac{\\partial o^{(n)}}{\\partial o^{(n-1)}} \\cdots "
      "\\frac{\\partial o^{(i)}}{\\partial w^{(i)}} \\]\n");
  EXPECT_EQ(verdicts(layers), "vvv");
  EXPECT_EQ(layers.lines[0].text, "do3/dw1 = do3/do2*do2/do1*do1/dw1");
  EXPECT_EQ(layers.lines[2].text, "do3/dw3 = do3/dw3");
}

TEST(Latex, UpdatesAreOfWhatTheOptimizerMakes) {
  const auto report = latex(
      "% chalk: network x: 3 > y = dense(W: 2 outputs) > L = loss(t: squared-error)\n"
      "% chalk: optimizer sgd(rate eta, momentum v, momentum=0.9) of W\n"
      "\\begin{align} v &\\leftarrow 0.9 v + \\nabla_W L \\\\ W &\\gets W - \\eta v \\end{align}\n"
      "% chalk: read v_t as v'\n% chalk: read v_{t-1} as v\n% chalk: read W_{t+1} as W'\n% chalk: read W_t as W\n"
      "\\[ v_t = 0.9 v_{t-1} + \\nabla_W L, \\quad W_{t+1} = W_t - \\eta v_t, \\quad \\|v_t\\|^2 = \\sum_{ij} "
      "(v_t^\\top)_{ij}^2 \\]\n");
  EXPECT_EQ(verdicts(report), "vFvvv") << "the second line means the new v";
  EXPECT_EQ(report.lines[0].text, "v' = 0.9*v + dL/dW");
}

TEST(Latex, ALineMayGoOnFromTheOneAbove) {
  const auto report = latex(
      "% chalk: given s, k, n\n"
      "\\begin{multline} s + k \\\\ + n \\\\ = n + k + s \\end{multline}\n"
      "\\begin{align} s &= s + k \\\\ &\\quad - k \\\\ &= s - n \\\\ &+ n = \\\\ & s \\end{align}\n"
      "\\begin{align} s k &= \\left( k \\right. \\\\ & \\left. \\cdot s \\right) \\end{align}\n"
      "\\begin{eqnarray} s & = & k + s \\\\ & & - k \\end{eqnarray}\n"
      "\\begin{alignat}{2} s &= s &&+ 0 \\end{alignat}\n"
      "\\[ \\begin{array}{rcl} s &=& s + 0 \\\\ &=& s \\end{array} \\]\n");
  EXPECT_EQ(verdicts(report), "vvvvvvvv");
  EXPECT_EQ(report.lines[0].text, "s + k + n = n + k + s");
  EXPECT_EQ(report.lines[2].text, "= s - n + n = s");
}

TEST(Latex, RulesSayWhereAnEquationHoldsAndWhatItDefines) {
  const auto report = latex(
      "% chalk: network x: 3 > o = softmax\n% chalk: where i \\neq j\n"
      "\\[ \\frac{\\partial o_i}{\\partial x_j} = -o_i o_j \\]\n\\[ \\frac{\\partial o_i}{\\partial x_j} = -o_i o_j "
      "\\]\n"
      "% chalk: read p(o_i|x) as p[i]\n\\[ p(o_i|x) = o_i^2 = o_i o_i \\]\n\\[ p(o_i|x) = o_i \\]\n");
  EXPECT_EQ(verdicts(report), "vFdvF");
  EXPECT_EQ(report.lines[2].text, "p[i] := o[i]^2");
  EXPECT_EQ(latex("% chalk: given s\n\\[ s = \\]\n").lines[0].message, "nothing follows its \"=\"");
}

TEST(Latex, SamplesMayStandAbove) {
  EXPECT_EQ(verdicts(latex("% chalk: samples 2\n% chalk: network x: 3 > z = dense(W: 2 outputs)\n"
                           "% chalk: argument i first\n"
                           "\\[ z^{(i)}_k = \\sum_j W_{kj} x^{(i)}_j \\]\n\\[ x_j(i)^2 = x_j(i) x_j^{(i)} \\]\n")),
            "vv");
}

TEST(Latex, MarkdownHasItsOwnComments) {
  const std::string text =
      "# A note: 95 % of it is prose\n\n"
      "<!-- chalk:\nnetwork x: 3 > s = dense(w: 2 outputs)\n  > o = tanh\n-->\n"
      "The derivative, $$\\frac{do_i}{ds_i} = 1 - o_i^2$$ and\n\n"
      "```\n$$ not = read $$\n```\n\n"
      "```math\no_i = \\tanh(s_i)\n```\n\n(2) $$o_i = o_i$$\n\n"
      "$o_i = \\tanh(s_i)$ (3)\n\n$o_i = o_i$ in a sentence, 5 $ and 6 $.\n\n$$o_i = s_i$$\n(4)\n";
  const auto report = latex(text, "note.md");
  EXPECT_EQ(verdicts(report), "vvvvF");
  EXPECT_EQ(report.lines[0].line, 7);
  EXPECT_EQ(report.lines[1].line, 14);
  EXPECT_EQ(report.lines[2].label, "2");
  EXPECT_EQ(report.lines[3].label, "3");
  EXPECT_EQ(report.lines[4].label, "4");
}

TEST(Latex, NotesStandBesideTheDocument) {
  const std::string text = "\\[ L = s^2 \\]\n\\[ \\frac{dL}{ds} = 3 s \\]\n\\[ dL/ds = 2 q \\]\n";
  const std::string notes =
      "repair 3: 2 q -> 2 s\n"
      "given s\n"
      "after line 2\nerratum a slip\ncorrected dL/ds = 2*s\n"
      "before equation 3\nread dL/ds as dL/ds\n";
  EXPECT_EQ(verdicts(latex(text, "paper.tex", notes)), "dev");
}

std::string complaint_of(const std::string& text, const std::string& notes = {}) {
  try {
    latex(text, "paper.tex", notes);
  } catch (const InputError& e) {
    return e.what();
  }
  return "nothing";
}

TEST(Latex, SaysWhereADocumentOrItsNotesAreWrong) {
  EXPECT_EQ(complaint_of("text\n  % chalk: network x\n"),
            "paper.tex: line 2, character 21: \":\" and the shape of the input, as in x: 1x8x8, expected, not the end");
  EXPECT_EQ(complaint_of("\n$$ a = b\n"), "paper.tex: line 2, character 1: the \"$$\" here is not closed by \"$$\"");
  EXPECT_EQ(complaint_of("% chalk: read W\n"),
            "paper.tex: line 1, character 10: a reading is written: read W^{(1)} as W1");
  EXPECT_EQ(complaint_of("% chalk: where n\n"),
            "paper.tex: line 1, character 10: where indices are compared: where i \\neq j");
  EXPECT_EQ(complaint_of("% chalk: indices from 2\n"),
            "paper.tex: line 1, character 18: indices count from 0 or from 1");
  EXPECT_EQ(complaint_of("% chalk: layers l is 2\n"),
            "paper.tex: line 1, character 19: \"=\" and its number, as in layers l = 1, 2, expected, not \"is\"");
  EXPECT_EQ(
      complaint_of("% chalk: argument t second\n"),
      "paper.tex: line 1, character 10: an argument is the first or the last index, or dropped: argument t first");
  EXPECT_EQ(complaint_of("", "repair x: a -> b\n"),
            "paper.tex: notes: line 1, character 1: a number expected, not \"x\"");
  EXPECT_EQ(complaint_of("a\n", "repair 1: q -> b\n"),
            "paper.tex: notes: line 1, character 1: line 1 of the document has no \"q\"");
  EXPECT_EQ(complaint_of("a\n", "repair 1 q\n"),
            "paper.tex: notes: line 1, character 1: a repair is written: repair LINE: OLD -> NEW");
  EXPECT_EQ(complaint_of("a\n", "before 3\n"),
            "paper.tex: notes: line 1, character 1: \"before line N\" or \"before equation N\" expected");
  EXPECT_EQ(
      complaint_of("\\[ 1 = 1 \\]", "\nnetwork x: 3\n"),
      "paper.tex: notes: line 2, character 13: a layer expected after the input: > z = dense(W: 3 outputs, bias b)");
  EXPECT_EQ(complaint_of("\xff"), "paper.tex: line 1, character 1: this is not UTF-8; save the text in that encoding");
}

}  // namespace
}  // namespace chalk::math

#include "src/math/statements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/math/error.h"
#include "src/math/lexer.h"

namespace chalk::math {
namespace {

using testing::ElementsAre;

std::vector<std::string> texts(std::string_view text) {
  std::vector<std::string> all;
  for (const auto& s : split_statements(text)) all.push_back(s.text);
  return all;
}

std::string statements_refusal(std::string_view text) {
  try {
    split_statements(text);
  } catch (const FormulaError& e) {
    return std::to_string(e.place().line) + ":" + std::to_string(e.place().column) + " " + e.what();
  }
  return "nothing";
}

TEST(Statements, AreLinesAndPiecesBetweenSemicolons) {
  EXPECT_THAT(texts("a = b\nc = d; e = f;\n\n g = h\n"), ElementsAre("a = b", "c = d", "e = f", "g = h"));
  EXPECT_THAT(texts(""), ElementsAre());
  EXPECT_THAT(texts("\n \t\n;;\n"), ElementsAre());
}

TEST(Statements, GoOnWhileBracketsAreOpenOrAnOperatorStandsAtTheBreak) {
  EXPECT_THAT(texts("a = sum(i,\n  b[i])\nc = d"), ElementsAre("a = sum(i,\n  b[i])", "c = d"));
  EXPECT_THAT(texts("a =\nb +\nc\nd = e"), ElementsAre("a =\nb +\nc", "d = e"));
  EXPECT_THAT(texts("a = b\n@ d\n.* e"), ElementsAre("a = b\n@ d\n.* e"));
  EXPECT_THAT(texts("network x: 3\n  > y = tanh\n  > z = relu"),
              ElementsAre("network x: 3\n  > y = tanh\n  > z = relu"));
  EXPECT_THAT(texts("a\n = b"), ElementsAre("a", "= b")) << "a chain is a statement a line";
  EXPECT_THAT(texts("a\n - b"), ElementsAre("a", "- b")) << "a minus may begin a statement";
}

TEST(Statements, AnEmptyLineEndsWhateverIsOpen) {
  EXPECT_THAT(texts("a = (b\n\nc = d"), ElementsAre("a = (b", "c = d"));
  EXPECT_THAT(texts("a = (b; c = d"), ElementsAre("a = (b", "c = d")) << "and a semicolon does";
}

TEST(Statements, LeaveOutCommentsAndLinesOfThem) {
  EXPECT_THAT(texts("a = b # (c\n# d\ne = f#"), ElementsAre("a = b", "e = f"));
  EXPECT_THAT(texts("network x: 3\n  # the first layer\n  > tanh # and\n  > relu"),
              ElementsAre("network x: 3\n\n  > tanh\n  > relu"));
  EXPECT_THAT(texts("\"a # b\" # c"), ElementsAre("\"a # b\""));
  EXPECT_THAT(texts("\"a ; b\"; c"), ElementsAre("\"a ; b\"", "c"));
}

TEST(Statements, KeepProseWhole) {
  EXPECT_THAT(texts("erratum the sign; see (3 # and above,\nc = d"),
              ElementsAre("erratum the sign; see (3 # and above,", "c = d"));
  EXPECT_THAT(texts("part 3: a (b\nc"), ElementsAre("part 3: a (b", "c"));
  EXPECT_THAT(texts("partial = 1; b"), ElementsAre("partial = 1", "b"));
}

TEST(Statements, HaveLabels) {
  const auto s = split_statements("(10) a = b\n(49a)  c\n(3.2) d\n(1+2)*x = 3\n(2)*x = y\n(a) = b");
  ASSERT_EQ(s.size(), 6u);
  EXPECT_EQ(s[0].label, "10");
  EXPECT_EQ(s[0].text, "a = b");
  EXPECT_EQ(s[0].place.column, 6);
  EXPECT_EQ(s[1].label, "49a");
  EXPECT_EQ(s[1].place.column, 8);
  EXPECT_EQ(s[2].label, "3.2");
  EXPECT_EQ(s[3].label, "");
  EXPECT_EQ(s[4].label, "");
  EXPECT_EQ(s[5].label, "");
  EXPECT_EQ(statements_refusal("a\n(7)"), "2:1 nothing follows the label (7)");
}

TEST(Statements, CarryWhatTheDocumentPrints) {
  const auto s = split_statements("% y = \\sigma(x)\n%  (sic)\n%\na = b\nc = d");
  ASSERT_EQ(s.size(), 2u);
  EXPECT_THAT(s[0].source, ElementsAre("y = \\sigma(x)", " (sic)", ""));
  EXPECT_TRUE(s[1].source.empty());
  EXPECT_EQ(statements_refusal("a = b\n% left over"), "2:1 the document is quoted (%) here, but no statement follows");
}

TEST(Statements, KnowTheirPlaces) {
  const auto s = split_statements("a\n  ∂b = c ; δ = (\n  d)");
  ASSERT_EQ(s.size(), 3u);
  EXPECT_EQ(s[1].place.line, 2);
  EXPECT_EQ(s[1].place.column, 3);
  EXPECT_EQ(s[2].place.column, 12);
  const auto tokens = lex(s[2].text, s[2].place.line, s[2].place.column);
  EXPECT_EQ(tokens[3].text, "d");
  EXPECT_EQ(tokens[3].place.line, 3);
  EXPECT_EQ(tokens[3].place.column, 3);
}

TEST(Statements, EndInAnyWayLinesEnd) {
  EXPECT_THAT(texts("a = (b +\r\n c)\r\n\r\nerratum why\r\nd"), ElementsAre("a = (b +\n c)", "erratum why", "d"));
  EXPECT_THAT(texts("\xEF\xBB\xBF"
                    "a = b"),
              ElementsAre("a = b"));
}

TEST(Statements, RefuseWhatIsNoText) {
  const std::string encoding = " this is not UTF-8; save the text in that encoding";
  const std::string control = " a control character cannot stand in a derivation; remove it";
  EXPECT_EQ(statements_refusal("a\nδ\xff"), "2:2" + encoding);
  EXPECT_EQ(statements_refusal("erratum \xc0\x80"), "1:9" + encoding) << "longer than it need be";
  EXPECT_EQ(statements_refusal("\xed\xa0\x80"), "1:1" + encoding) << "half of a pair";
  EXPECT_EQ(statements_refusal("\xe2\x89"), "1:1" + encoding) << "cut";
  EXPECT_EQ(statements_refusal(std::string("a\0b", 3)), "1:2" + control);
  EXPECT_EQ(statements_refusal("# \x1b[31m"), "1:3" + control);
  EXPECT_EQ(statements_refusal("a\xc2\x9b"), "1:2" + control);
  EXPECT_EQ(statements_refusal("𝛅 ≈ é"), "nothing");
}

TEST(Statements, HaveLimits) {
  EXPECT_EQ(statements_refusal(std::string((1 << 20) + 1, ' ')),
            "1:1 the text has 1,048,577 bytes; at most 1,048,576 are read");
  EXPECT_EQ(statements_refusal("a\n" + std::string(20'001, 'x')),
            "2:1 a statement of more than 20,000 bytes; name parts of it with :=");
  EXPECT_EQ(statements_refusal(std::string(1 << 20, '\n')), "nothing");
}

}  // namespace
}  // namespace chalk::math

// Copies of parameters, and programs that use what is assigned to.
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "chalkgrad/error.h"
#include "chalkgrad/program.h"
#include "src/base/test_support.h"

namespace chalk {
namespace {

using testing_support::input_error;

Graph with_parameter(const Shape& shape, double value) {
  Graph g;
  g.output("w", g.parameter("w", shape, Init::constant(value)));
  return g;
}

std::vector<float> values(const Variables& variables) {
  const auto span = variables.at("w").values();
  return {span.begin(), span.end()};
}

TEST(Variables, ACopyHasNumbersOfItsOwn) {
  const Variables original(with_parameter({2, 3}, 1), 1);
  Variables copy = original;
  copy.at("w").values()[4] = 7;
  EXPECT_EQ(values(original), (std::vector<float>{1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(values(copy), (std::vector<float>{1, 1, 1, 1, 7, 1}));
  EXPECT_EQ(copy.at("w").shape(), (Shape{2, 3}));
}

TEST(Variables, AProgramSeesWhatIsAssigned) {
  const Graph g = with_parameter({2}, 1);
  Variables variables(g, 1);
  Program program(g, variables, {.threads = 1});
  const auto output = [&] {
    program.run(1);
    return std::vector<float>(program.output("w").begin(), program.output("w").end());
  };
  EXPECT_EQ(output(), (std::vector<float>{1, 1}));
  const Tensor* const before = &variables.at("w");
  variables = Variables(with_parameter({2}, 5), 1);
  EXPECT_EQ(output(), (std::vector<float>{5, 5}));
  EXPECT_EQ(&variables.at("w"), before);
  variables = std::as_const(variables);
  EXPECT_EQ(output(), (std::vector<float>{5, 5}));
}

TEST(Variables, AssignedHaveTheSameNamesAndShapes) {
  Variables variables(with_parameter({2}, 1), 1);
  Graph other;
  other.parameter("v", {3});
  variables.add(other, 1);
  variables = Variables(with_parameter({4}, 2), 1);
  EXPECT_EQ(values(variables), (std::vector<float>{2, 2, 2, 2}));
  EXPECT_FALSE(variables.contains("v"));
}

TEST(Variables, OfAnotherGraphAreRefused) {  // the program would read and write beyond the end
  Variables variables(with_parameter({2}, 1), 1);
  EXPECT_EQ(input_error([&] {
              Program(with_parameter({2, 3}, 1), variables, {});
            }),
            "parameter \"w\" is 2×3, but its variable is 2; make Variables of this graph");
}

TEST(Tensor, TakesTheValuesOfAnother) {
  Tensor a({2}), b({2});
  b.values()[1] = 3;
  const auto* const place = std::as_const(a).values().data();
  a = b;
  b.values()[1] = 4;
  EXPECT_EQ(std::as_const(a).values()[1], 3);
  EXPECT_EQ(std::as_const(a).values().data(), place);
  EXPECT_EQ(input_error([&] { a = Tensor({1, 2}); }), "a tensor of 2 cannot take the values of one of 1×2");
}

}  // namespace
}  // namespace chalk

// Products of shared matrices: the tuned kernel against the operation's own, which goes through one element after the
// other.
#include <gtest/gtest.h>

#include <cstring>

#include "chalkgrad/ops.h"
#include "chalkgrad/program.h"
#include "src/base/text.h"

namespace chalk {
namespace {

struct MatmulSizes {
  std::int64_t rows, depth, columns;
};

std::vector<float> product(const MatmulSizes& c, bool transpose_a, bool transpose_b, int threads, bool tuned) {
  Graph g;
  const Value a = g.parameter("a", transpose_a ? Shape{c.depth, c.rows} : Shape{c.rows, c.depth}, Init::constant(0.5));
  const Value b =
      g.parameter("b", transpose_b ? Shape{c.columns, c.depth} : Shape{c.depth, c.columns}, Init::constant(1));
  g.output("y", matmul(a, b * g.shared_input("s"), transpose_a, transpose_b));
  Variables variables(g, 1);
  int k = 0;
  for (const char* name : {"a", "b"}) {
    for (auto& value : variables.at(name).values()) value = static_cast<float>(++k * 7919 % 1009) / 1009 - 0.5F;
  }
  CompileOptions options{.threads = threads};
  if (!tuned) options.disabled_passes = {"fuse"};
  Program program(g, variables, options);
  program.set("s", 1.25F);
  program.run(1);
  const auto y = program.output("y");
  return {y.begin(), y.end()};
}

TEST(Matmul, OfSharedMatricesHasTheBitsOfItsOperation) {
  for (const MatmulSizes& c :
       {MatmulSizes{1, 1, 1}, {2, 3, 5}, {33, 16, 17}, {40, 31, 16}, {7, 65, 100}, {70, 48, 3}}) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        const auto expected = product(c, transpose_a, transpose_b, 1, false);
        ASSERT_EQ(expected.size(), static_cast<std::size_t>(c.rows * c.columns));
        for (const int threads : {1, 3}) {
          const auto found = product(c, transpose_a, transpose_b, threads, true);
          ASSERT_EQ(found.size(), expected.size());
          EXPECT_EQ(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)), 0)
              << str(c.rows, "×", c.depth, "×", c.columns, " ", transpose_a, " ", transpose_b, ", threads ", threads);
        }
      }
    }
  }
}

}  // namespace
}  // namespace chalk

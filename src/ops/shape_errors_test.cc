// What is said about inputs that do not fit: what is wrong, where, and what to do.
#include <gtest/gtest.h>

#include <functional>

#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "src/base/text.h"

namespace chalk {
namespace {

class ShapeErrors : public testing::Test {
 protected:
  ShapeErrors() { g.layer("conv2"); }
  Value x(Shape shape) { return g.input("", std::move(shape)); }

  /// The message, in which each of `parts` (what is wrong, what to do) must stand, after the layer.
  static void expect(const std::function<void()>& build, const std::vector<std::string>& parts) {
    try {
      build();
      ADD_FAILURE() << "no error: " << testing::PrintToString(parts);
    } catch (const ShapeError& e) {
      const std::string text = e.what();
      EXPECT_EQ(text.find("conv2: "), 0U) << text;
      for (const auto& part : parts)
        EXPECT_NE(text.find(part), std::string::npos) << text << "\ndoes not say: " << part;
      EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    }
  }

  Graph g;
};

TEST_F(ShapeErrors, OfConvolutions) {
  g.layer("maxpool1");
  const Value image = max_pool(x({3, 6, 6}));
  g.layer("conv2");
  const auto w = [&](Shape shape) { return g.parameter(str("w", g.size()), std::move(shape)); };
  expect(
      [&] {
        conv2d(image, w({8, 3, 5, 5}));
      },
      {"kernel 5×5 does not fit an input of 3×3", "(from maxpool1", "padding=1"});
  expect(
      [&] {
        conv2d(image, w({8, 4, 3, 3}));
      },
      {"weights for 4 channels do not fit an input of 3×3×3", "give the kernel 3 channels"});
  expect(
      [&] {
        conv2d(image, w({8, 3, 3, 3}), {.groups = 2});
      },
      {"2 groups do not divide 3 channels", "use a divisor of both"});
  expect([&] { conv2d(x({9}), w({8, 3, 3, 3})); }, {"takes channels × rows × columns, not 9", "reshape the input"});
  expect([&] { conv2d(image, w({3, 3})); }, {"weights must be filters × channels × rows × columns, not 3×3"});
  expect([&] { conv2d(image, w({8, 3, 3, 3}), {.stride = {0, 1}}); }, {"stride must be two numbers of at least 1"});
  expect([&] { conv2d(image, w({8, 3, 3, 3}), {.padding = {0, -1}}); }, {"padding must be two numbers of at least 0"});
  expect(
      [&] {
        conv2d_input_grad(x({8, 2, 2}), w({8, 3, 3, 3}), {3, 6, 6});
      },
      {"a gradient of 8×2×2 is not that of an input of 3×6×6"});
  expect(
      [&] {
        conv2d_weight_grad(image, x({8, 2, 2}), {8, 3, 3, 3});
      },
      {"a gradient of 8×2×2 is not that of weights of 8×3×3×3"});
}

TEST_F(ShapeErrors, OfPooling) {
  expect([&] { max_pool(x({1, 1, 4})); }, {"window 2×2 does not fit an input of 1×4", "padding=1"});
  expect([&] { max_pool(x({16})); }, {"takes channels × rows × columns, not 16", "reshape"});
  expect(
      [&] {
        max_pool(x({1, 4, 4}), {.padding = {2, 0}});
      },
      {"padding 2×0 leaves windows of 2×2 without any input", "use padding smaller"});
  expect([&] { average_pool(x({1, 4, 4}), {.stride = {1, 0}}); }, {"stride must be two numbers from 1"});
  expect([&] { max_pool(x({1, 5000, 4}), {.window = {5000, 1}}); }, {"window must be two numbers from 1 to 4096"});
  expect(
      [&] {
        pool_gather(x({1, 4, 4}), x({1, 4, 4}));
      },
      {"an index of 1×4×4 does not name one place for each of 1×2×2 windows", "pool_argmax"});
  expect(
      [&] {
        pool_scatter(x({1, 2, 2}), x({1, 2, 2}), {1, 8, 8});
      },
      {"pooling 1×8×8 gives 1×4×4, not 1×2×2", "use the shape and options"});
  expect([&] { average_pool_grad(x({1, 2, 2}), {1, 8, 8}); }, {"pooling 1×8×8 gives 1×4×4, not 1×2×2"});
}

TEST_F(ShapeErrors, OfMatricesAndVectors) {
  expect(
      [&] {
        matmul(x({2, 3}), x({4, 5}));
      },
      {"2×3 times 4×5 meets 3 columns with 4 rows", "make them equal, or transpose"});
  expect([&] { matmul(x({2, 3}), x({2, 5}), false, true); }, {"2×3 times 2×5 transposed meets 3 columns with 5 rows"});
  expect([&] { matmul(x({3}), x({3, 2})); }, {"multiplies two matrices, not 3 by 3×2", "use dense"});
  expect([&] { dense(x({20, 4, 4}), x({10, 320})); }, {"takes a vector, not 20×4×4", "reshape it to 320"});
  expect(
      [&] {
        dense(x({300}), x({10, 320}));
      },
      {"weights of 10×320 take a vector of 320, not 300", "give the weights 300 columns"});
  expect(
      [&] {
        dense(x({300}), x({10, 320}), true);
      },
      {"transposed weights of 10×320 take a vector of 10", "300 rows"});
  expect([&] { dense(x({3}), x({3})); }, {"weights must be outputs × inputs, not 3"});
  expect([&] { outer(x({3}), x({3, 1})); }, {"multiplies two vectors, not 3 by 3×1", "reshape"});
}

TEST_F(ShapeErrors, OfElementwiseOperations) {
  expect(
      [&] {
        add(x({2, 3}), x({2, 4}));
      },
      {"2×3 and 2×4 do not fit together (3 against 4)", "make the extents equal, or 1"});
  expect([&] { select(x({2}), x({3}), x({})); }, {"2 and 3 do not fit together"});
  expect([&] { relu(x(Shape(9, 1))); }, {"at most 8 axes are supported", "reshape neighbouring axes into one"});
}

TEST_F(ShapeErrors, OfAxes) {
  expect([&] { sum(x({2, 3}), {2}); }, {"2×3 has no axis 2", "use one of 0 … 1"});
  expect([&] { sum(x({2, 3}), {-1}); }, {"2×3 has no axis -1", "counted from the left"});
  expect([&] { mean(x({2, 3}), {1, 0}); }, {"axis 0 stands after axis 1", "in increasing order"});
  expect([&] { max(x({2, 3}), {1, 1}); }, {"axis 1 stands after axis 1", "name each axis once"});
  expect([&] { first_max(x({}), {0}); }, {"scalar has no axis 0"});
  expect([&] { softmax(x({5}), 1); }, {"5 has no axis 1"});
  expect([&] { log_softmax(x({}), 0); }, {"scalar has no axis 0"});
  expect([&] { sum(x(Shape(9, 1))); }, {"at most 8 axes"});
}

TEST_F(ShapeErrors, OfMoves) {
  expect([&] { broadcast(x({3}), {4}); }, {"3 and 4 do not fit together"});
  expect([&] { broadcast(x({2, 3}), {3}); }, {"2×3 does not stretch to 3", "must be 1 or the same"});
  expect([&] { reshape(x({2, 3}), {7}); }, {"2×3 has 6 elements and 7 has 7", "make them equal"});
  expect([&] { transpose(x({2, 3}), {0, 0}); }, {"permutation=[0, 0] of 2×3", "name each of its 2 axes once"});
  expect([&] { transpose(x({2, 3}), {0}); }, {"permutation=[0] of 2×3"});
  expect([&] { reverse(x({2, 3}), {2}); }, {"2×3 has no axis 2", "use one of 0 … 1"});
  expect([&] { reverse(x({2, 3}), {1, 0}); }, {"axis 0 stands after axis 1"});
  expect(
      [&] {
        pad(x({2, 3}), {1}, {1, 1});
      },
      {"padding of 1 axes before and 2 after does not fit 2×3", "one number for each of its 2 axes"});
  expect([&] { pad(x({2}), {-1}, {0}); }, {"padding of axis 0 by -1 and 0", "at least 0"});
  expect([&] { pad(x({2}), {std::int64_t{1} << 62}, {0}); }, {"padding of axis 0"});
  expect([&] { slice(x({2, 3}), {0, 0}, {2, 4}); }, {"[0, 4) is no part of axis 1 of 2×3", "0 ≤ start < stop ≤ 3"});
  expect([&] { slice(x({2}), {1}, {1}); }, {"[1, 1) is no part of axis 0"});
  expect([&] { slice(x({2, 3}), {0}, {1}); }, {"1 starts and 1 stops do not fit 2×3"});
  expect(
      [&] {
        concat(std::vector{x({2, 3}), x({2, 4})});
      },
      {"2×3 and 2×4 cannot be joined along axis 0", "other extents equal"});
  expect([&] { concat(std::vector{x({2, 3}), x({2})}, 1); }, {"2×3 and 2 cannot be joined along axis 1"});
  expect([&] { concat(std::vector{x({2, 3})}, 2); }, {"2×3 has no axis 2"});
}

TEST_F(ShapeErrors, OfTheBatch) {
  expect([&] { batch_sum(g.constant(1)); }, {"shared by all samples already", "multiply by the batch size"});
  expect([&] { batch_broadcast(x({2})); }, {"one per sample already", "use it as it is"});
}

TEST(Concat, OfNothingIsRefused) { EXPECT_THROW(concat({}), ShapeError); }

TEST(Norm, OfNothingIsRefused) {
  try {
    norm(std::span<const Value>());
    ADD_FAILURE() << "no error";
  } catch (const ShapeError& e) {
    EXPECT_EQ(std::string(e.what()), "norm: nothing to measure; give it at least one value");
  }
}

}  // namespace
}  // namespace chalk

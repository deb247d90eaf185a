// Every operation of ops.inc on every one of its samples: its kernels against each other, on every instruction set; and
// the values that tend to go wrong.
#include "chalkgrad/ops.h"

#include <gtest/gtest.h>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/program.h"
#include "src/base/document_testing.h"
#include "src/base/text.h"
#include "src/kernels/chain.h"
#include "src/ops/attributes.h"
#include "src/ops/kernel_testing.h"
#include "src/ops/pool.h"
#include "src/ops/reduce.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

/// What the results may differ from the reference by.
double tolerance_of(const Op& op) { return op.exact ? 0 : 2e-6; }

struct SampleOf {
  const Op* op;
  std::size_t index;
};
void PrintTo(const SampleOf& s, std::ostream* out) { *out << to_string(s.op->samples.value[s.index].attributes); }

std::vector<SampleOf> samples_with_kernels() {
  std::vector<SampleOf> all;
  for (const Op* op : all_ops()) {
    for (std::size_t i = 0; op->kernels.value.lanes && i < op->samples.value.size(); ++i) all.push_back({op, i});
  }
  return all;
}

class Operation : public testing::TestWithParam<SampleOf> {
 protected:
  const Op& op = *GetParam().op;
  const Sample& sample = op.samples.value[GetParam().index];
  std::vector<Operand> operands = draw(sample, 11);
  Call call{op, sample.attributes, operands};
};

TEST_P(Operation, TakesAsManyInputsAsItSays) {
  const int arity = op.arity.value;
  EXPECT_EQ(sample.inputs.size(), arity < 0 ? sample.inputs.size() : static_cast<std::size_t>(arity));
}

TEST_P(Operation, ComputesInLanesWhatTheReferenceDoesSampleBySample) {
  const auto lanes = call.lanes();
  for (std::size_t n = 0; n < kLanes; ++n)
    EXPECT_TRUE(close(lanes[n], call.reference(n), tolerance_of(op))) << "lane " << n;
}

TEST_P(Operation, GivesASharedValueTheBitsOfALane) {
  const auto lanes = call.lanes();
  for (std::size_t n = 0; n < kLanes; ++n) EXPECT_TRUE(same_bits(call.shared(n), lanes[n])) << "lane " << n;
}

TEST_P(Operation, GivesTheSameBitsOnEveryInstructionSet) {
  Rows first, first_shared(1);
  Targets().each([&] {
    const auto lanes = call.lanes();
    const auto shared = call.shared(3);
    if (first.empty()) {
      first = lanes;
      first_shared[0] = shared;
    }
    for (std::size_t n = 0; n < kLanes; ++n) EXPECT_TRUE(same_bits(lanes[n], first[n])) << "lane " << n;
    EXPECT_TRUE(same_bits(shared, first_shared[0]));
  });
}

// A lane is a sample: whatever the others hold, even NaN, it comes out the same.
TEST_P(Operation, KeepsLanesApart) {
  const auto lanes = call.lanes();
  auto spoilt = operands;
  for (auto& operand : spoilt) {
    for (std::size_t n = 0; n < operand.rows.size() && operand.type.batched; ++n) {
      if (n != 5) std::fill(operand.rows[n].begin(), operand.rows[n].end(), kNaN);
    }
  }
  EXPECT_TRUE(same_bits(Call({op, sample.attributes, spoilt}).lanes()[5], lanes[5]));
}

INSTANTIATE_TEST_SUITE_P(Ops, Operation, testing::ValuesIn(samples_with_kernels()),
                         [](const auto& s) { return str(s.param.op->name.value, "_", s.param.index); });

// Elementwise operations also come as sweeps.

std::vector<const Op*> elementwise_ops() {
  std::vector<const Op*> some;
  for (const Op* op : all_ops()) {
    if (op->kernels.value.sweep) some.push_back(op);
  }
  return some;
}

class Elementwise : public testing::TestWithParam<const Op*> {
 protected:
  /// All combinations of values that tend to go wrong, over the lanes and elements of each operand.
  static std::vector<Operand> difficult(std::size_t count) {
    static const std::vector<float> kValues{0.0f, -0.0f, 1.0f,  -1.0f,  0.3f,  -2.5f, 1e-45f, -1e-39f,
                                            kInf, -kInf, 3e38f, -3e38f, 88.5f, -90.f, -103.f, kNaN};
    const std::size_t n = kValues.size();
    std::vector<Operand> operands(count, Operand{{{static_cast<std::int64_t>(n * n)}, true}, Rows(kLanes)});
    for (std::size_t k = 0; k < count; ++k) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        for (std::size_t i = 0; i < n * n; ++i) {
          operands[k].rows[lane].push_back(kValues[k == 0 ? lane % n : k == 1 ? i % n : i / n]);
        }
      }
    }
    return operands;
  }
};

TEST_P(Elementwise, SweepsToTheBitsOfItsKernel) {
  const Op& op = *GetParam();
  const auto operands = difficult(static_cast<std::size_t>(op.arity.value));
  const Call call{op, {}, operands};
  Targets().each([&] {
    std::vector<AlignedFloats> memory;
    std::vector<const float*> pointers;
    for (const auto& operand : operands) memory.push_back(Call::packed(operand));
    for (const auto& m : memory) pointers.push_back(m.data());
    const AlignedFloats out(call.size() * kLanes);
    op.kernels.value.sweep()(pointers.data(), out.data(), call.size());
    const auto swept = Call::unpacked(out, call.size()), lanes = call.lanes();
    for (std::size_t n = 0; n < kLanes; ++n) EXPECT_TRUE(same_bits(swept[n], lanes[n])) << "lane " << n;
  });
}

TEST_P(Elementwise, KnowsZerosInfinitiesAndNaN) {
  const Op& op = *GetParam();
  const auto operands = difficult(static_cast<std::size_t>(op.arity.value));
  const Call call{op, {}, operands};
  const auto lanes = call.lanes();
  for (std::size_t n = 0; n < kLanes; ++n) {
    EXPECT_TRUE(close(lanes[n], call.reference(n), tolerance_of(op))) << "lane " << n;
    EXPECT_TRUE(same_bits(call.shared(n), lanes[n])) << "lane " << n;
  }
}

/// What a chain makes of the operands: it loads one, goes through the link, and stores.
Rows linked(const std::vector<Operand>& operands, std::size_t size, std::size_t place, LinkKind kind) {
  std::vector<AlignedFloats> memory;
  std::vector<float*> at;
  for (const auto& operand : operands) memory.push_back(Call::packed(operand));
  memory.emplace_back(size * kLanes);
  for (const auto& m : memory) at.push_back(m.data());
  std::vector<std::uint16_t> others;
  for (std::size_t k = 0; k < 3; ++k) {
    if (k != place) others.push_back(static_cast<std::uint16_t>(k < operands.size() ? k : 0));
  }
  const Link links[] = {{LinkKind::load, static_cast<std::uint16_t>(place)},
                        {kind, others[0], others[1]},
                        {LinkKind::store, static_cast<std::uint16_t>(operands.size())}};
  run_chain(links, at.data(), size);
  return Call::unpacked(memory.back(), size);
}

// Whichever operand the chain's value is.
TEST_P(Elementwise, IsTheLinkThatItNames) {
  const Op& op = *GetParam();
  const auto& by_place = op.links.by_place;
  const bool links = by_place[0].has_value();
  const auto arity = static_cast<std::size_t>(op.arity.value);
  const auto operands = difficult(arity);
  const std::vector<Operand> equals(arity, operands[0]);
  const Call call{op, {}, operands}, of_equals{op, {}, equals};
  for (std::size_t place = 0; place < 3; ++place) {
    EXPECT_EQ(by_place[place].has_value(), links && place < arity) << "operand " << place;
  }
  Targets().each([&] {
    const auto expect = [](const Rows& chained, const Rows& lanes) {
      for (std::size_t n = 0; n < kLanes; ++n) EXPECT_TRUE(same_bits(chained[n], lanes[n])) << "lane " << n;
    };
    for (std::size_t place = 0; links && place < arity; ++place) {
      SCOPED_TRACE(str("operand ", place));
      expect(linked(operands, call.size(), place, *by_place[place]), call.lanes());
    }
    if (op.links.of_equals) expect(linked(equals, call.size(), 0, *op.links.of_equals), of_equals.lanes());
  });
}

INSTANTIATE_TEST_SUITE_P(Ops, Elementwise, testing::ValuesIn(elementwise_ops()),
                         [](const auto& op) { return std::string(op.param->name.value); });

/// One operation on one value in all lanes.
float apply(const Op& op, float x) {
  const std::vector<Operand> operands{{{{}, true}, Rows(kLanes, {x})}};
  return Call{op, {}, operands}.lanes()[3][0];
}

TEST(OperationsByChannel, GiveTheSameBitsInShares) {
  for (const Op* op : all_ops()) {
    if (!op->by_channel) continue;
    SCOPED_TRACE(op->name.value);
    for (const auto& sample : op->samples.value) {
      const auto operands = draw(sample, 11);
      const Call call{*op, sample.attributes, operands};
      const auto lanes = call.lanes();
      for (const int shares : {2, 3, 5}) {
        const auto shared = call.lanes(shares);
        for (std::size_t n = 0; n < kLanes; ++n)
          EXPECT_TRUE(same_bits(shared[n], lanes[n])) << shares << ", lane " << n;
        EXPECT_TRUE(same_bits(call.one<float>(op->kernels.value.shared, 1, shares), lanes[1])) << shares;
      }
    }
  }
}

TEST(Softplus, NeitherOverflowsNorLosesItsTails) {
  EXPECT_FLOAT_EQ(apply(op_softplus, 0), 0.69314718f);
  EXPECT_EQ(apply(op_softplus, kInf), kInf);
  EXPECT_EQ(apply(op_softplus, -kInf), 0);
  EXPECT_EQ(apply(op_softplus, 200), 200);
  EXPECT_FLOAT_EQ(apply(op_softplus, -12), 6.1441935e-6f);
  EXPECT_FLOAT_EQ(apply(op_softplus, -80), 1.8048513e-35f);
}

// y + 1 instead of a second exponential: an error that is small beside 1, the slope of elu's other side, not beside
// e^x.
TEST(Expm1, HasADerivativeThatIsOffByNoMoreThanItSays) {
  Graph g;
  const Value x = g.input("x", {}), y = expm1(x);
  g.output("dx", differentiate(y, g.constant(1), {{x}})[0]);
  std::vector<float> at;
  for (float v = -90; v < 80; v += 0.37F) at.push_back(v);
  Variables none;
  Program program(g, none, {.threads = 1});
  program.feed("x", {.values = at.data()});
  program.run(at.size());
  const auto dx = program.output("dx");
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double exact = std::exp(static_cast<double>(at[i]));
    const double bound = at[i] < 0 ? 0x1p-24 : 4 * 6e-8 * exact;
    EXPECT_NEAR(static_cast<double>(dx[i]), exact, bound) << "at " << at[i];
    EXPECT_TRUE(at[i] > -17.4F || dx[i] == 0) << "at " << at[i];
  }
}

TEST(Reverse, TurnsAllAxesByDefault) {
  const std::vector<Operand> operands{{{{2, 2}, false}, {{1, 2, 3, 4}}}};
  EXPECT_EQ(Call({op_reverse, AxesAttributes{}, operands}).shared(0), (std::vector<float>{4, 3, 2, 1}));
  EXPECT_EQ(Call({op_reverse, AxesAttributes{{1}}, operands}).shared(0), (std::vector<float>{2, 1, 4, 3}));
}

TEST(Sigmoid, NeitherOverflowsNorLosesItsTails) {
  EXPECT_EQ(apply(op_sigmoid, 0), 0.5f);
  EXPECT_EQ(apply(op_sigmoid, kInf), 1);
  EXPECT_EQ(apply(op_sigmoid, -kInf), 0);
  EXPECT_EQ(apply(op_sigmoid, 200), 1);
  EXPECT_EQ(apply(op_sigmoid, -200), 0);
  EXPECT_GT(apply(op_sigmoid, -100), 0) << "a subnormal";
  EXPECT_TRUE(std::isnan(apply(op_sigmoid, kNaN)));
  for (float x = -87; x < 87; x += 0.37f) {
    const double exact = 1 / (1 + std::exp(-static_cast<double>(x)));
    EXPECT_NEAR(static_cast<double>(apply(op_sigmoid, x)) / exact, 1, 4 * 6e-8) << "at " << x;
  }
}

TEST(Relu, KeepsNaN) {
  EXPECT_TRUE(std::isnan(apply(op_relu, kNaN)));
  EXPECT_EQ(apply(op_relu, -kInf), 0);
  EXPECT_EQ(apply(op_relu, kInf), kInf);
}

TEST(Softmax, DoesNotOverflow) {
  const std::vector<Operand> operands{{{{3}, false}, {{1000, 999, -1000}}}};
  const auto y = Call{op_softmax, AxisAttributes{0}, operands}.shared(0);
  EXPECT_NEAR(y[0], 1 / (1 + std::exp(-1.0)), 1e-6);
  EXPECT_NEAR(y[1], 1 / (1 + std::exp(1.0)), 1e-6);
  EXPECT_EQ(y[2], 0);
  const auto l = Call{op_log_softmax, AxisAttributes{0}, operands}.shared(0);
  EXPECT_NEAR(l[0], -std::log1p(std::exp(-1.0)), 1e-4);
  EXPECT_NEAR(l[2], -2000.3133, 1e-3);
}

TEST(Softmax, HandsNaNOn) {
  const std::vector<Operand> operands{{{{3}, false}, {{0, kNaN, 1}}}};
  for (const float y : Call{op_softmax, AxisAttributes{0}, operands}.shared(0)) EXPECT_TRUE(std::isnan(y));
  for (const float y : Call{op_log_softmax, AxisAttributes{0}, operands}.shared(0)) EXPECT_TRUE(std::isnan(y));
}

TEST(Maximum, IsTheFirstOfEqualOnes) {
  const std::vector<Operand> operands{{{{1, 2, 4}, false}, {{-kInf, -kInf, 2, 3, -kInf, -kInf, 3, 3}}}};
  EXPECT_EQ(Call({op_pool_argmax, PoolAttributes{}, operands}).shared(0), (std::vector<float>{0, 1}));
  EXPECT_EQ(Call({op_first_max, AxesAttributes{{2}}, operands}).shared(0),
            (std::vector<float>{0, 0, 0, 1, 0, 0, 1, 0}));
  EXPECT_EQ(Call({op_first_max, AxesAttributes{}, operands}).shared(0), (std::vector<float>{0, 0, 0, 1, 0, 0, 0, 0}));
}

TEST(Maximum, IsTheFirstNaNIfThereIsOne) {
  const std::vector<Operand> operands{{{{1, 2, 4}, false}, {{1, kNaN, 2, 9, kNaN, 5, 3, kNaN}}}};
  const Call max_pool{op_max_pool, PoolAttributes{}, operands};
  for (const float y : max_pool.shared(0)) EXPECT_TRUE(std::isnan(y));
  for (const auto& row : max_pool.lanes()) EXPECT_TRUE(std::isnan(row[0]) && std::isnan(row[1]));
  for (const auto& row : Call{op_pool_argmax, PoolAttributes{}, operands}.lanes()) {
    EXPECT_EQ(row, (std::vector<float>{1, 3}));
  }
  EXPECT_TRUE(std::isnan(Call({op_max, ReduceAttributes{}, operands}).shared(0)[0]));
  EXPECT_EQ(Call({op_first_max, AxesAttributes{}, operands}).shared(0), (std::vector<float>{0, 1, 0, 0, 0, 0, 0, 0}));
}

TEST(Pooling, NeverChoosesPadding) {
  const std::vector<Operand> operands{{{{1, 2, 2}, false}, {{-1, -2, -3, -4}}}};
  const auto options = pool_attributes({.window = {3, 3}, .stride = {1, 1}, .padding = {1, 1}});
  EXPECT_EQ(Call({op_max_pool, options, operands}).shared(0), (std::vector<float>{-1, -1, -1, -1}));
  EXPECT_EQ(Call({op_pool_argmax, options, operands}).shared(0), (std::vector<float>{4, 3, 1, 0}));
  const std::vector<Operand> lowest{{{{1, 1, 1}, false}, {{-kInf}}}};
  EXPECT_EQ(Call({op_pool_argmax, options, lowest}).shared(0), std::vector<float>{4});
}

TEST(Pooling, CountsPaddingAsZerosInAnAverage) {
  const std::vector<Operand> operands{{{{1, 1, 1}, false}, {{9}}}};
  const auto options = pool_attributes({.window = {3, 3}, .stride = {1, 1}, .padding = {1, 1}});
  EXPECT_EQ(Call({op_average_pool, options, operands}).shared(0), std::vector<float>{1});
}

// The worked examples of derivation 002 ("Max Pooling", "Average Pooling"): 4×4 by 2×2.
TEST(Pooling, GivesTheWorkedExamplesOfDerivation002) {
  const auto options = pool_attributes({});
  const auto pooled = [&](const Op& op, float corner) {
    const std::vector<float> x{corner, 15, 28, 184, 0, 100, 70, 38, 12, 12, 7, 2, 12, 12, 45, 6};
    const std::vector<Operand> operands{{{{1, 4, 4}, false}, {x}}};
    return Call({op, options, operands}).shared(0);
  };
  EXPECT_EQ(pooled(op_max_pool, 29), (std::vector<float>{100, 184, 12, 45}));
  // The slide prints 36, 80, 12, 15, but (31 + 15 + 0 + 100) / 4 is 36.5. With the 29 of its other slide it is 36.
  EXPECT_EQ(pooled(op_average_pool, 31), (std::vector<float>{36.5, 80, 12, 15}));
  EXPECT_EQ(pooled(op_average_pool, 29), (std::vector<float>{36, 80, 12, 15}));
}

TEST(Transpose, ReversesTheAxesByDefault) {
  Graph g;
  EXPECT_EQ(transpose(g.input("x", {2, 3, 4})).shape(), (Shape{4, 3, 2}));
}

/// The formula with the operands' names.
std::string latex_of(const Op& op) {
  std::string text(op.formula.value.latex);
  for (char k = '1'; k <= '3'; ++k) {
    for (auto at = text.find({'#', k}); at != std::string::npos; at = text.find({'#', k})) {
      text.replace(at, 2, op.arity == 1 ? "x" : std::string(1, static_cast<char>(k - '1' + 'a')));
    }
  }
  return text;
}

TEST(Documents, ListTheOperations) {
  std::string table =
      "| operation | operands | attributes | value | by convention | ONNX |\n|---|---|---|---|---|---|\n";
  for (const Op* op : all_ops()) {
    const auto attributes = to_string(op->attributes);
    const auto code = [](std::string_view text) { return text.empty() ? "" : str("`", text, "`"); };
    table += str("| [`", op->name.value, "`](reference/operations/", op->name.value, ".md) | ",
                 op->arity < 0 ? "one or more" : str(op->arity), " | ", code(attributes), " | $`", latex_of(*op),
                 "`$ | ", op->kink.convention, " | ", op->onnx.value, " |\n");
  }
  testing_support::expect_generated("docs/networks.md", "operations", table);
}

TEST(AllOps, AreFoundByName) {
  for (const Op* op : all_ops()) EXPECT_EQ(find_op(op->name.value), op);
  EXPECT_EQ(find_op("no such operation"), nullptr);
}

}  // namespace
}  // namespace chalk

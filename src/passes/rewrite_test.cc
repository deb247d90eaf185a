#include "src/passes/rewrite.h"

#include <gtest/gtest.h>

#include "chalkgrad/ops.h"
#include "src/ir/op.h"

namespace chalk {
namespace {

Graph example() {
  Graph g;
  const Value x = g.input("x", {3}), w = g.parameter("w", {3});
  g.layer("one");
  const Value y = x * w;
  g.name(y, "y");
  tanh(y);
  g.output("y", y);
  g.update(w, batch_sum(y));
  return g;
}

TEST(Rewriter, CopiesEverything) {
  const Graph old = example();
  Rewriter r(old);
  for (NodeId id = 0; id < old.size(); ++id) r.map(id, r.append(r.translated(id)));
  Graph copy = r.finish();
  copy.verify();
  EXPECT_EQ(copy.print(), old.print());
  EXPECT_EQ(copy.find("y").id(), 2);
  EXPECT_EQ(copy.layer(), "one");
}

TEST(Rewriter, TakesBackWhatWasAppendedLast) {
  const Graph old = example();
  Rewriter r(old);
  const NodeId x = r.append(r.translated(0));
  relu(tanh(r.graph().value(x)));
  const auto taken = r.take_back(1);
  EXPECT_EQ(r.graph().size(), 1);
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[1].op->name.value, "relu");
}

TEST(Rewriter, RefusesAnOperandThatWasLeftOut) {
  const Graph old = example();
  Rewriter r(old);
  r.map(0, r.append(r.translated(0)));
  EXPECT_THROW(r.translated(2), std::logic_error);
}

TEST(WithoutDeadNodes, KeepsWhatResultsNeedAndWhatIsFed) {
  const Graph old = example(), live = without_dead_nodes(old);
  live.verify();
  EXPECT_EQ(live.size(), old.size() - 1);
  EXPECT_EQ(live.print().find("tanh"), std::string::npos);
}

}  // namespace
}  // namespace chalk

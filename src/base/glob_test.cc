#include "src/base/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace chalk {
namespace {

TEST(Glob, MatchesAllOfAName) {
  for (const char* pattern :
       {"conv1.weight", "*", "conv*", "*weight", "conv?.weight", "c*1*t", "**", "*.*", "conv1.weight*", "conv[1-3]*",
        "conv[21].weight", "[!a-b]onv1*", "con[v]*[st]", "conv1[.]weight"})
    EXPECT_TRUE(matches_glob("conv1.weight", pattern)) << pattern;
  for (const char* pattern : {"", "conv1", "weight", "conv?weight", "conv??.weight", "*bias", "?", "c*2*t",
                              "conv1.weight?", "conv[2-9]*", "conv[!1].weight", "conv[1-3].bias", "conv[.weight", "[c"})
    EXPECT_FALSE(matches_glob("conv1.weight", pattern)) << pattern;
  EXPECT_TRUE(matches_glob("", ""));
  EXPECT_TRUE(matches_glob("", "*"));
  EXPECT_TRUE(matches_glob("a[b", "a[b")) << "nothing closes it";
  EXPECT_TRUE(matches_glob("a]b", "a[]]b")) << "the first one is among those";
  EXPECT_TRUE(matches_glob("aab", "*ab")) << "the star tries again";
}

TEST(Glob, TakesNoLongerThanItMust) {
  const std::string name(2000, 'a');
  EXPECT_FALSE(matches_glob(name, "*a*a*a*a*a*a*a*a*b"));
}

}  // namespace
}  // namespace chalk

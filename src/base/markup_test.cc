#include "src/base/markup.h"

#include <gtest/gtest.h>

namespace chalk {
namespace {

TEST(Markup, WritesMarksAsEntities) {
  EXPECT_EQ(markup_text("a < b && \"c\" > d"), "a &lt; b &amp;&amp; \"c\" &gt; d");
  EXPECT_EQ(markup_text("a < b > \"c\"", "<\""), "a &lt; b > &quot;c&quot;");
  EXPECT_EQ(markup_text("×…"), "×…");
}

}  // namespace
}  // namespace chalk

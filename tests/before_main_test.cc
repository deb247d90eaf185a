// An object at namespace scope may be made before the library's tables are filled; it is told so.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "chalkgrad/network.h"
#include "chalkgrad/ops.h"

namespace chalk {
namespace {

/// What is said of a use before main(), earlier than any other object is made.
struct Early {
  Early() {
    const auto attempt = [](char(&said)[80], auto use) {
      try {
        use();
      } catch (const std::logic_error& error) {
        std::string(error.what()).copy(said, sizeof said - 1);
      }
    };
    attempt(of_network, [] { network("4c3-relu-mp2-10n", {1, 8, 8}); });
    attempt(of_graph, [] {
      Graph g;
      relu(g.input("x", {3}));
    });
  }
  char of_network[80] = {}, of_graph[80] = {};
};
[[gnu::init_priority(101)]] const Early early;

TEST(BeforeMain, ANetworkIsRefused) {
  EXPECT_STREQ(early.of_network, "a network or graph is made before main() begins; make it in a function");
  EXPECT_STREQ(early.of_graph, early.of_network);
}

/// As advised.
Network& made_in_a_function() {
  static Network net = network("4c3-relu-mp2-10n", {1, 8, 8});
  return net;
}

TEST(BeforeMain, AFunctionsOwnObjectIsNot) { EXPECT_EQ(made_in_a_function().output_shape(), Shape{10}); }

}  // namespace
}  // namespace chalk

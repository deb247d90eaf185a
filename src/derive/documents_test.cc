// Finished derivations in docs/derivations.
#include <gtest/gtest.h>

#include "chalkgrad/derive.h"
#include "src/base/document_testing.h"

namespace chalk {
namespace {

/// Without how closely each equation held, which depends on the machine.
std::string without_residuals(std::string page) {
  const auto cut = [&](const std::string& begin, const std::string& end) {
    for (std::size_t at = 0; (at = page.find(begin, at)) != std::string::npos; at += begin.size()) {
      const auto first = at + begin.size();
      page.erase(first, page.find(end, first) - first);
    }
  };
  cut("title=\"verified", "\"");
  cut("<p class=\"soft how-closely\">", "</p>");
  return page;
}

void expect_page(const std::string& name, const std::string& net, const Shape& input, const Loss& loss,
                 const DeriveOptions& options = {}) {
  testing_support::expect_found_by_dev_docs();
  const auto path = std::filesystem::path(CHALKGRAD_SOURCE_DIR) / "docs" / "derivations" / (name + ".html");
  const auto page = without_residuals(to_html(derive(network(net, input), loss, options)));
  if (std::getenv("CHALKGRAD_WRITE_DOCS") != nullptr) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << page;
  }
  std::stringstream contents;
  contents << std::ifstream(path).rdbuf();
  EXPECT_TRUE(contents.str() == page) << path << " is stale; ./dev docs writes it";
}

TEST(Documents, HaveFinishedDerivations) {
  DeriveOptions options;
  options.optimizer = Optimizer::named("sgd");
  expect_page("nielsen", "30n-sigmoid-10n-sigmoid", {784}, Loss::squared_error, options);
  options.optimizer = Optimizer::named("adam");
  expect_page("convolution", "2c3-relu-mp2-3c3-relu-2n", {1, 10, 10}, Loss::cross_entropy, options);
  options.optimizer.reset();
  options.brief = true;
  expect_page("residual", "2c3z-bn-relu-res(2c3z-bn-relu-2c3z-bn)-relu-gap-2n", {1, 4, 4}, Loss::cross_entropy,
              options);
}

}  // namespace
}  // namespace chalk

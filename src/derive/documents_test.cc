// Finished derivations in docs/derivations.
#include <gtest/gtest.h>

#include "chalkgrad/derive.h"
#include "src/base/document_testing.h"

namespace chalk {
namespace {

/// Without how closely each equation held, which depends on the machine, and the picture, which depends on its zlib.
std::string without_residuals(std::string page) {
  const auto cut = [&](const std::string& begin, const std::string& end) {
    for (std::size_t at = 0; (at = page.find(begin, at)) != std::string::npos; at += begin.size()) {
      const auto first = at + begin.size();
      page.erase(first, page.find(end, first) - first);
    }
  };
  cut("title=\"verified", "\"");
  cut("<p class=\"soft how-closely\">", "</p>");
  if (const auto at = page.find("<img "); at != std::string::npos) page.erase(at, page.find('>', at) + 1 - at);
  return page;
}

void expect_page(const std::string& name, const Network& net, const Loss& loss, const DeriveOptions& options = {}) {
  testing_support::expect_found_by_dev_docs();
  const auto path = std::filesystem::path(CHALKGRAD_SOURCE_DIR) / "docs" / "derivations" / (name + ".html");
  const auto page = without_residuals(to_html(derive(net, loss, options)));
  if (std::getenv("CHALKGRAD_WRITE_DOCS") != nullptr) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << page;
  }
  std::stringstream contents;
  contents << std::ifstream(path).rdbuf();
  EXPECT_TRUE(contents.str() == page) << path << " is stale; ./dev docs writes it";
}

/// A network whose weights, and a sample whose numbers, have one digit.
Network of_small_numbers(const std::string& line, const Shape& input, Dataset& data) {
  auto net = network(line, input);
  for (const auto& [name, tensor] : net.variables().all()) {
    std::vector<float> numbers(tensor.values().size());
    for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] = static_cast<float>(k * 7 % 5) - 2;
    net.variables().at(name).assign(numbers);
  }
  data.name = "small numbers";
  data.sample = input;
  data.values.resize(static_cast<std::size_t>(elements(input)));
  for (std::size_t k = 0; k < data.values.size(); ++k) data.values[k] = static_cast<float>(k * 5 % 7 % 4);
  data.labels = {1};
  data.class_names = {"no", "yes"};
  return net;
}

TEST(Documents, HaveFinishedDerivations) {
  DeriveOptions options;
  options.optimizer = Optimizer::named("sgd");
  expect_page("nielsen", network("30n-sigmoid-10n-sigmoid", {784}), Loss::squared_error, options);
  options.optimizer = Optimizer::named("adam");
  Dataset data;
  options.data = &data;
  expect_page("convolution", of_small_numbers("2c3-relu-mp2-2c2-relu-2n", {1, 8, 8}, data), Loss::cross_entropy,
              options);
  options.data = nullptr;
  options.optimizer.reset();
  options.brief = true;
  expect_page("residual", network("2c3z-bn-relu-res(2c3z-bn-relu-2c3z-bn)-relu-gap-2n", {1, 4, 4}), Loss::cross_entropy,
              options);
}

}  // namespace
}  // namespace chalk

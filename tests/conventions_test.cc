// docs/conventions.md: derivatives at kinks and ties, ours beside those of other libraries. Ours are computed here;
// those of others were recorded by tools/record_conventions.py. Where PyTorch's is another, the row says why that is
// meant.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/losses.h"
#include "chalkgrad/ops.h"
#include "src/base/document_testing.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/ops/registry.h"
#include "src/run/reference.h"
#include "tests/number.h"

namespace chalk {
namespace {

using Numbers = std::vector<double>;
const double kNaN = std::nan("");

struct Row {
  const char* name;      // in the files of what was recorded
  const char* function;  // for people to read
  const char* place;
  Value (*build)(Value x);
  Numbers at;              // x
  const char* meant = "";  // why it is another than PyTorch's
};

Value numbers(Value x, double c) { return x.graph().constant(c, x.shape()); }
Value element(Value x, std::int64_t i) { return slice(x, {i}, {i + 1}); }

const char* const kFirst = "`max` chooses one place, as an index does and PyTorch's `max` along an axis; `amax` shares";
const char* const kSlope = "it is the slope of the loss, −ln y or −ln(1 − y); PyTorch divides by at least 1e-12";

const Row kRows[] = {
    {"relu", "`relu(x)`", "0", [](Value x) { return relu(x); }, {0}},
    {"relu_nan",
     "`relu(x)`",
     "NaN",
     [](Value x) { return relu(x); },
     {kNaN},
     "it is 1 where y > 0, which NaN is not; the value stays NaN in both"},
    {"leaky_relu", "`leaky_relu(x, 0.1)`", "0", [](Value x) { return leaky_relu(x, 0.1); }, {0}},
    {"prelu", "`prelu(x)`, a = 0.1", "0", [](Value x) { return prelu_layer(x, {.start = 0.1}); }, {0}},
    {"relu6", "`relu6(x)`", "0; 6", relu6, {0, 6}},
    {"elu", "`elu(x)`: smooth", "0", [](Value x) { return elu(x); }, {0}},
    {"elu_2", "`elu(x, 2)`", "0", [](Value x) { return elu(x, 2); }, {0}},
    {"celu", "`celu(x)`: smooth", "0", [](Value x) { return celu(x); }, {0}},
    {"selu", "`selu(x)`", "0", selu, {0}},
    {"hard_tanh", "`hard_tanh(x)`", "−1; 1", hard_tanh, {-1, 1}},
    {"hard_sigmoid", "`hard_sigmoid(x)`", "−3; 3", hard_sigmoid, {-3, 3}},
    {"hard_swish", "`hard_swish(x)`", "−3; 3", hard_swish, {-3, 3}},
    {"abs", "`abs(x)`", "0", [](Value x) { return abs(x); }, {0}},
    {"maximum_x_0", "`maximum(x, 0)`", "0", [](Value x) { return maximum(x, number(x, 0)); }, {0}},
    {"maximum_0_x", "`maximum(0, x)`", "0", [](Value x) { return maximum(number(x, 0), x); }, {0}},
    {"maximum", "`maximum(a, b)`", "a = b", [](Value x) { return maximum(element(x, 0), element(x, 1)); }, {1, 1}},
    {"minimum", "`minimum(a, b)`", "a = b", [](Value x) { return minimum(element(x, 0), element(x, 1)); }, {1, 1}},
    {"clamp",
     "`minimum(maximum(x, -1), 1)`; theirs: `clamp`, `clip`",
     "−1; 1",
     [](Value x) { return minimum(maximum(x, number(x, -1)), number(x, 1)); },
     {-1, 1},
     "ours is made of two operations that give half at a tie; PyTorch's `clamp` gave 1 up to version 2.13"},
    {"max_all", "`max(x)` over all", "x = 1, 0, 1", [](Value x) { return max(x); }, {1, 0, 1}, kFirst},
    {"max_axis", "`max(x, axes)`", "x = 1, 0, 1", [](Value x) { return max(x, {0}); }, {1, 0, 1}},
    {"amax", "`amax(x, axes)`; theirs: `amax`, `max`", "x = 1, 0, 1", [](Value x) { return amax(x, {0}); }, {1, 0, 1}},
    {"max_pool",
     "`max_pool(x)`",
     "x = 0, 1, 1, 0",
     [](Value x) {
       return max_pool(reshape(x, {1, 2, 2}));
     },
     {0, 1, 1, 0}},
    {"mean_absolute_error",
     "`mean_absolute_error(y, t)`",
     "y = t",
     [](Value x) { return mean_absolute_error(x, numbers(x, 2)); },
     {2}},
    {"hinge", "`hinge(y, t)`", "y = t = 1", [](Value x) { return hinge(x, numbers(x, 1)); }, {1}},
    {"multi_class_margin",
     "`multi_class_margin(y, t)`",
     "y = 2, 1, t = 1, 0",
     [](Value x) { return multi_class_margin(x, pad(x.graph().constant(1, {1}), {0}, {1})); },
     {2, 1}},
    {"binary_cross_entropy_right",
     "`binary_cross_entropy(y, t)`",
     "y = 0, t = 0",
     [](Value x) { return binary_cross_entropy(x, numbers(x, 0)); },
     {0},
     kSlope},
    {"binary_cross_entropy_wrong",
     "`binary_cross_entropy(y, t)`",
     "y = 0, t = 1",
     [](Value x) { return binary_cross_entropy(x, numbers(x, 1)); },
     {0},
     kSlope},
    {"norm", "`norm(x)`", "x = 0, 0", [](Value x) { return norm(x); }, {0, 0}},
    {"root_of_squares", "`sqrt(sum(x * x))`", "x = 0, 0", [](Value x) { return sqrt(sum(x * x)); }, {0, 0}},
    {"standard_deviation",
     "`norm(x - mean(x)) / √n`; theirs: `std`",
     "x = 2, 2",
     [](Value x) { return norm(x - mean(x)) / sqrt(number(x, static_cast<double>(elements(x.shape())))); },
     {2, 2}},
    {"sqrt", "`sqrt(x)`", "0", [](Value x) { return sqrt(x); }, {0}},
    {"log", "`log(x)`", "0", [](Value x) { return log(x); }, {0}},
    {"reciprocal", "`1 / x`", "0", [](Value x) { return number(x, 1) / x; }, {0}},
};

/// The row's function at its place.
struct Place {
  explicit Place(const Row& row) : x(graph.shared_input("x", {static_cast<std::int64_t>(row.at.size())})) {
    y = row.build(x);
    for (NodeId id = 0; id < graph.size(); ++id) ops.insert(graph.node(id).op);
    const Value dx = differentiate(y, broadcast(graph.constant(1), y.shape()), {{x}})[0];
    Reference reference(graph, 1);
    reference.set(x.id(), row.at);
    for (const Value& p : graph.parameters())
      reference.set(p.id(), {graph.node(p.id()).attributes.as<ParameterAttributes>().init.value});
    reference.run({{dx.id()}});
    derivative = reference.value(dx.id());
  }
  Graph graph;
  Value x, y;
  std::set<const Op*> ops;
  Numbers derivative;
};

/// What one library gave.
struct Recorded {
  struct Line {
    Numbers x, derivative;
  };
  explicit Recorded(const std::string& library) {
    std::ifstream file(std::filesystem::path(CHALKGRAD_SOURCE_DIR) / "tests" / "conventions" / (library + ".txt"));
    std::string text;
    std::getline(file, text);
    title = text.substr(2, text.find(':') - 2);
    while (std::getline(file, text)) {
      std::vector<std::string> parts;
      for (std::size_t at = 0, end = 0; end != std::string::npos; at = end + 3) {
        end = text.find(" | ", at);
        parts.push_back(text.substr(at, end - at));
      }
      if (parts.size() == 4) lines[parts[0]] = {of(parts[1]), of(parts[3])};
    }
  }
  static Numbers of(const std::string& text) {
    Numbers all;
    std::istringstream in(text);
    for (std::string word; in >> word;) all.push_back(std::strtod(word.c_str(), nullptr));
    return all;
  }
  std::string title;  // with the version
  std::map<std::string, Line> lines;
};

bool equal_numbers(const Numbers& a, const Numbers& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double v, double w) {
    if (std::isfinite(v) && std::isfinite(w)) return std::abs(v - w) <= 1e-5 * std::abs(w);
    return v == w || (std::isnan(v) && std::isnan(w));
  });
}

std::string shown(const Numbers& all) {
  std::string text;
  for (const double v : all) {
    std::array<char, 32> digits{};
    std::snprintf(digits.data(), digits.size(), "%.6g", std::abs(v));
    const std::string_view magnitude = std::isnan(v) ? "NaN" : std::isinf(v) ? "∞" : digits.data();
    text += str(text.empty() ? "" : ", ", v < 0 ? "−" : "", magnitude);
  }
  return text;
}

TEST(Documents, ListTheConventionsBesideThoseOfOthers) {
  const Recorded all[] = {Recorded("pytorch"), Recorded("jax"), Recorded("tensorflow"), Recorded("mlx"),
                          Recorded("tinygrad")};
  std::string table = "| function | at | chalkgrad |", rule = "\n|---|---|---|", versions;
  for (const auto& library : all) {
    ASSERT_FALSE(library.lines.empty());
    table += str(" ", library.title.substr(0, library.title.find(' ')), " |");
    rule += "---|";
    versions += str(versions.empty() ? "" : ", ", library.title);
  }
  table += rule + "\n";
  std::string differences;
  for (const Row& row : kRows) {
    const Place here(row);
    table += str("| ", row.function, " | ", row.place, " | ", shown(here.derivative), " |");
    for (const auto& library : all) {
      const auto found = library.lines.find(row.name);
      const bool ran = found != library.lines.end();
      table += str(" ", ran ? shown(found->second.derivative) : "–", " |");
      EXPECT_TRUE(!ran || equal_numbers(found->second.x, row.at)) << row.name << " was recorded for another x";
    }
    table += "\n";
    ASSERT_TRUE(all[0].lines.contains(row.name)) << row.name << ": add it to tools/record_conventions.py";
    const bool same = equal_numbers(here.derivative, all[0].lines.at(row.name).derivative);
    EXPECT_EQ(same, std::string_view(row.meant).empty())
        << row.name << (same ? " is as in PyTorch" : " is another than in PyTorch; say why, or change it");
    if (!same) differences += str("- ", row.function, " at ", row.place, ": ", row.meant, ".\n");
  }
  testing_support::expect_generated("docs/conventions.md", "conventions",
                                    str(table, "\nSeen in float32 on a CPU: ", versions, ".\n"));
  testing_support::expect_generated("docs/conventions.md", "differences", differences);
}

TEST(Conventions, OfEveryOperationAreInTheTable) {
  std::set<const Op*> there;
  for (const Row& row : kRows) there.merge(Place(row).ops);
  for (const Op* op : all_ops()) {
    EXPECT_TRUE(op->kink.convention.empty() || there.contains(op))
        << op->name.value << " has a kink; give it a row, here and in tools/record_conventions.py";
  }
}

TEST(Conventions, ThatDifferUnnoticedAreNoticed) {
  EXPECT_FALSE(equal_numbers({0.5, 0}, {0.5, 0.5}));
  EXPECT_FALSE(equal_numbers({0}, {kNaN}));
  EXPECT_FALSE(equal_numbers({kNaN}, {0}));
  EXPECT_FALSE(equal_numbers({HUGE_VAL}, {-HUGE_VAL}));
  EXPECT_FALSE(equal_numbers({1}, {1, 1}));
  EXPECT_TRUE(equal_numbers({kNaN, HUGE_VAL, 0.1}, {kNaN, HUGE_VAL, 0.1F}));
}

}  // namespace
}  // namespace chalk

// What each operation, and the derivative of each, makes of NaN, infinity, −0 and a subnormal number: the engine, as it
// compiles a graph (simplified, fused), against the reference kernels in double on the graph as it is written. The
// instruction set is that of CHALKGRAD_TARGET.
//
//   special_values FILE [--write]
//
// Prints the matrix, which FILE has too: docs/special-values.md. Exit code 1 if the engine differs from the reference
// where kExceptions does not say so, or the matrix from the file; 77 if this machine does not have the instruction set.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "chalkgrad/chalkgrad.h"
#include "src/base/random.h"
#include "src/base/text.h"
#include "src/ops/attributes.h"
#include "src/ops/conv2d.h"
#include "src/ops/registry.h"
#include "src/run/reference.h"

namespace {

using chalk::str;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
struct Special {
  const char* name;
  float value;
};
constexpr std::array<Special, 5> kSpecials{{{"NaN", std::numeric_limits<float>::quiet_NaN()},
                                            {"∞", kInfinity},
                                            {"−∞", -kInfinity},
                                            {"−0", -0.0F},
                                            {"1e-40", 1e-40F}}};

/// Where the engine may differ from the reference, and why.
struct Exception {
  const char* op;
  std::vector<std::string> specials;
  const char* why;
};
const std::vector<Exception> kExceptions{
    {"div",
     {"−0", "1e-40"},
     "x / c for a c that all samples share is (1/c) · x: ∞ for a c below 2^−128, where x / c may be finite"},
    {"conv2d", {"NaN", "∞", "−∞"}, "weights are multiplied by the zeros of the padding too, which gives NaN"},
    {"conv2d_input_grad", {"NaN", "∞", "−∞"}, "the same, for weights and for what is convolved with them"},
};

constexpr std::size_t kBatch = 5, kSpoilt = 3;  // samples, and the one that a special value is put in

/// The number of the exception, from 1, or 0.
std::size_t exception_for(std::string_view op, const char* special) {
  for (std::size_t i = 0; i < kExceptions.size(); ++i) {
    const auto& specials = kExceptions[i].specials;
    if (kExceptions[i].op == op && std::ranges::find(specials, special) != specials.end()) return i + 1;
  }
  return 0;
}

/// Words for a number; a double is seen as the float it would be.
std::string kind(double x) {
  const auto f = static_cast<float>(x);
  if (std::isnan(f)) return "NaN";
  if (std::isinf(f)) return f > 0 ? "∞" : "−∞";
  return "";
}

/// Kinds of numbers that a value has, in words.
std::string words(const std::set<std::string>& kinds) {
  std::string text;
  for (const auto& k : kinds) {
    if (!k.empty()) text += (text.empty() ? "" : ", ") + k;
  }
  return text.empty() ? "finite" : text;
}

/// An operation on one of its samples, with its vector-Jacobian product for a random cotangent.
class Probe {
 public:
  /// `spreads`: a result that is finite may become NaN, but not the other way round.
  Probe(const chalk::Op& op, const chalk::Sample& sample, bool spreads = false)
      : op_(op), sample_(sample), spreads_(spreads) {
    std::vector<chalk::Value> inputs, wrt;
    for (std::size_t k = 0; k < sample.inputs.size(); ++k) {
      const auto& in = sample.inputs[k];
      inputs.push_back(leaf(str("x", k), in.shape, in.batched, in));
      if (in.differentiable && op.derivative.value) wrt.push_back(inputs.back());
    }
    const auto y = graph_.apply(op, sample.attributes, inputs);
    graph_.output("y", y);
    if (wrt.empty()) return;
    const auto dy = leaf("dy", y.shape(), y.batched(), {.shape = {}, .low = 0.5, .high = 1.5});
    std::size_t k = 0;
    for (const auto d : chalk::differentiate(y, dy, wrt)) {
      if (d) graph_.output(str("dx", k++), d);
    }
  }

  /// Index inputs hold whole numbers in a range of their own, and nothing else ever.
  bool may_be_special(std::size_t k) const {
    return sample_.inputs[k].differentiable || op_.kernels.value.sweep != nullptr;
  }

  /// Puts the special value in the middle of input k and compares. Adds to the kinds seen, forward and backward.
  void run(std::size_t k, const Special& special, std::set<std::string>& forward, std::set<std::string>& backward,
           std::vector<std::string>& wrong) {
    auto values = values_;
    auto& spoilt = values[str("x", k)];
    const auto one = spoilt.size() / (sample_.inputs[k].batched ? kBatch : 1);
    spoilt[(sample_.inputs[k].batched ? kSpoilt * one : 0) + one / 2] = special.value;
    chalk::Reference reference(graph_, kBatch);
    for (const auto& [name, numbers] : values)
      reference.set(graph_.find(name).id(), std::vector<double>(numbers.begin(), numbers.end()));
    std::vector<chalk::NodeId> wanted;
    for (const auto& [name, id] : graph_.outputs()) wanted.push_back(id);
    reference.run(wanted);

    chalk::Variables variables(graph_, 1);
    chalk::Program program(graph_, variables, {.threads = 1});
    for (const auto& [name, numbers] : values) {
      if (graph_.find(name).batched()) {
        program.feed(name, {.values = numbers.data()});
      } else {
        variables.at(name).assign(numbers);
      }
    }
    program.run(kBatch);
    for (const auto& [name, id] : graph_.outputs()) {
      const auto got = program.output(name);
      const auto& expected = reference.value(id);
      auto& kinds = name == "y" ? forward : backward;
      for (std::size_t i = 0; i < got.size(); ++i) {
        kinds.insert(kind(expected[i]));
        if (agree(got[i], expected[i]) || (spreads_ && spread(got[i], expected[i]))) continue;
        wrong.push_back(str(op_.name.value, " ", chalk::to_string(sample_.attributes), " with ", special.name,
                            " in input ", k, ": ", name, "[", i, "] is ", got[i], ", by the reference ", expected[i]));
        break;
      }
    }
  }

 private:
  chalk::Value leaf(const std::string& name, const chalk::Shape& shape, bool batched,
                    const chalk::Sample::Input& range) {
    chalk::Random random(1, chalk::hash_name(str(op_.name.value, name)));
    auto& numbers = values_[name];
    numbers.resize(static_cast<std::size_t>(chalk::elements(shape)) * (batched ? kBatch : 1));
    for (auto& x : numbers) {
      double v = range.low + (range.high - range.low) * random.uniform();
      if (range.grid > 0) v = std::round(v / range.grid) * range.grid;
      x = static_cast<float>(v);
    }
    return batched ? graph_.input(name, shape) : graph_.parameter(name, shape);
  }

  static bool agree(float got, double expected) {
    if (!kind(got).empty() || !kind(expected).empty()) return kind(got) == kind(expected);
    return std::abs(got - expected) <= 1e-5 * (1 + std::abs(expected));
  }

  static bool spread(float got, double expected) {
    return std::isnan(got) || (kind(got).empty() && kind(expected).empty());
  }

  const chalk::Op& op_;
  const chalk::Sample& sample_;
  const bool spreads_;
  chalk::Graph graph_;
  std::map<std::string, std::vector<float>> values_;
};

struct Matrix {
  std::string table;
  std::vector<std::string> wrong;
};

/// What becomes of the special value in any input and sample of the operation.
std::string cell(const chalk::Op& op, const Special& special, std::vector<std::string>& wrong) {
  std::set<std::string> forward, backward;
  std::vector<std::string> here;
  for (const auto& sample : op.samples.value) {
    Probe probe(op, sample);
    for (std::size_t k = 0; k < sample.inputs.size(); ++k) {
      if (probe.may_be_special(k)) probe.run(k, special, forward, backward, here);
    }
  }
  const auto exception = exception_for(op.name.value, special.name);
  if (exception == 0) wrong.insert(wrong.end(), here.begin(), here.end());
  return str(words(forward), backward.empty() ? "" : str(" / ", words(backward)),
             exception == 0 ? "" : str(" (", exception, ")"));
}

Matrix matrix() {
  Matrix made;
  made.table = "| operation |";
  for (const auto& special : kSpecials) made.table += str(" ", special.name, " |");
  made.table += "\n|---|---|---|---|---|---|\n";
  for (const chalk::Op* op : chalk::all_ops()) {
    if (!op->kernels.value.lanes) continue;
    made.table += str("| `", op->name.value, "` |");
    for (const auto& special : kSpecials) made.table += str(" ", cell(*op, special, made.wrong), " |");
    made.table += "\n";
  }
  made.table += "\n";
  for (std::size_t i = 0; i < kExceptions.size(); ++i)
    made.table += str(i + 1, ". `", kExceptions[i].op, "`: ", kExceptions[i].why, ".\n");
  return made;
}

/// A convolution wide enough for Winograd's transforms, where NaN spreads over a tile and ∞ becomes NaN.
void try_winograd(std::vector<std::string>& wrong) {
  const chalk::Op& conv = chalk::op_conv2d;
  auto sample = conv.samples.value.front();
  chalk::Conv2dAttributes same_size;
  same_size.padding = {1, 1};
  sample.attributes = same_size;
  sample.inputs = {{{12, 8, 8}}, {{12, 12, 3, 3}, false}};
  std::set<std::string> kinds;
  std::vector<std::string> spread;
  for (const auto& special : kSpecials) {
    for (const std::size_t k : {0, 1}) {
      Probe(conv, sample).run(k, special, kinds, kinds, spread);
      Probe(conv, sample, true).run(k, special, kinds, kinds, wrong);
    }
  }
  if (spread.empty())
    wrong.push_back("nothing spreads: a convolution of this size no longer uses Winograd's transforms");
}

int run(int argc, char** argv) {
  const bool write = argc == 3 && argv[2] == std::string("--write");
  if (argc < 2 || (argc > 2 && !write)) {
    std::fprintf(stderr, "usage: special_values FILE [--write]\n");
    return 2;
  }
  try {
    std::printf("on %s:\n\n", chalk::instruction_set().c_str());
  } catch (const chalk::InputError& e) {
    std::printf("SKIPPED: %s\n", e.what());
    return 77;
  }
  auto [table, wrong] = matrix();
  try_winograd(wrong);
  std::printf("%s", table.c_str());
  for (const auto& line : wrong) std::printf("WRONG: %s\n", line.c_str());

  std::stringstream file;
  file << std::ifstream(argv[1]).rdbuf();
  auto text = file.str();
  const std::string opening = "<!-- begin matrix (generated) -->\n", closing = "<!-- end matrix -->";
  const auto begin = text.find(opening) + opening.size(), end = text.find(closing);
  if (begin < opening.size() || end == std::string::npos || end < begin) {
    std::printf("WRONG: %s has no lines %sand %s\n", argv[1], opening.c_str(), closing.c_str());
    return 1;
  }
  const bool stale = text.substr(begin, end - begin) != table;
  if (stale && write) std::ofstream(argv[1]) << text.replace(begin, end - begin, table);
  if (stale && !write) std::printf("WRONG: %s has another matrix; --write mends it\n", argv[1]);
  return wrong.empty() && (!stale || write) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "special_values: %s\n", e.what());
    return 1;
  }
}

// Derivations of random networks: branches, shared weights, strides, groups, normalisations, every activation and loss.
#include "src/base/random.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "chalkgrad/check.h"
#include "chalkgrad/derive.h"
#include "chalkgrad/layers.h"
#include "src/base/test_support.h"
#include "src/base/text.h"
#include "src/layers/layer.h"
#include "src/layers/registry.h"
#include "src/losses/loss.h"

namespace chalk {
namespace {

class RandomNetwork {
 public:
  explicit RandomNetwork(std::uint64_t seed) : random_(seed, 1) {
    for (const auto* layer : all_layers()) {
      if (layer->activation && layer->activation != Activation::linear) activations_.push_back(layer->line.word);
    }
  }

  /// Layers that fit each other, which end with `outputs` numbers.
  std::string line(bool map, std::string_view end) {
    std::string text = map ? str(first_map(), "-") : str(2 + random_.below(3), "n-");
    const auto layers = 1 + random_.below(3);
    for (std::uint32_t k = 0; k < layers; ++k) text += (map ? of_map() : of_vector()) + "-";
    return text + std::string(end);
  }
  std::string activation() {
    return std::string(activations_[random_.below(static_cast<std::uint32_t>(activations_.size()))]);
  }
  std::uint32_t below(std::uint32_t n) { return random_.below(n); }

 private:
  std::string first_map() { return below(2) == 0 ? "4c3z" : "4c3zs2"; }
  /// Of 4 channels, and again 4.
  std::string of_map() {
    static constexpr std::string_view kLayers[] = {
        "4c3zg2",        "4c1",           "bn",    "mp3s1z", "ap3s1z",
        "res(4c3z-bn)",  "res(#)",        "ln",    "gn2",    "cat(2c1-#)-4c1",
        "res(4c3zg4-#)", "4c3z-drop0.25", "prelu", "in"};
    auto text = std::string(kLayers[below(14)]);
    if (const auto at = text.find('#'); at != std::string::npos) text.replace(at, 1, activation());
    return below(3) == 0 ? text : text + "-" + activation();
  }
  std::string of_vector() {
    static constexpr std::string_view kLayers[] = {"3n", "4n-drop0.5", "res(#)", "cat(2n-#)", "bn", "2n-res(2n-#)"};
    auto text = std::string(kLayers[below(6)]);
    if (const auto at = text.find('#'); at != std::string::npos) text.replace(at, 1, activation());
    return text + "-" + activation();
  }

  Random random_;
  std::vector<std::string_view> activations_;
};

/// A dense layer's weights twice, the second time backwards.
std::string with_shared_weights(RandomNetwork& random) {
  const auto first = random.activation(), second = random.activation();
  return str(
      "layer = [{name = \"into\", chain = \"3n\"}, {name = \"u\", type = \"op\", op = \"dense\", from = [\"into\", "
      "\"w\"]}, {chain = \"",
      first, "\"}, {name = \"v\", chain = \"", second,
      "\"}, {name = \"back\", type = \"op\", op = \"dense\", transposed = true, from = [\"v\", \"w\"]}, {name = "
      "\"sum\", type = \"add\", from = [\"back\", \"into\"]}, {chain = \"3n\"}]\n",
      "parameter = [{name = \"w\", shape = [4, 3], init = \"glorot\"}]\n");
}

/// Derives, and has chalkgrad check judge what was written: it verifies each equation.
void expect_true(const std::string& net, const Shape& input, const Loss& loss) {
  const std::string what = str(net, ", ", name_of(loss));
  try {
    const auto d = derive(network(net, input), loss);
    const auto report = check_derivation(to_check(d), what, {.trials = 2});
    for (const auto& line : report.lines) {
      if (line.verdict == Verdict::failed) ADD_FAILURE() << what << ": " << line.text << ": " << line.message;
    }
    EXPECT_EQ(report.verified + report.excepted, d.equations) << what << ": an equation was skipped";
  } catch (const Error& e) {
    ADD_FAILURE() << what << ": " << e.what();
  }
}

/// Here some, one of each kind under sanitizers; CHALKGRAD_NETWORKS=300 in the long tier.
int networks() {
  const char* said = std::getenv("CHALKGRAD_NETWORKS");
  return said ? std::atoi(said) : testing_support::one_in() > 1 ? 5 : 20;
}

TEST(RandomDerivations, AreVerified) {
  const std::vector<Loss> losses(all_losses().begin(), all_losses().end());
  for (int k = 0; k < networks(); ++k) {
    RandomNetwork random(static_cast<std::uint64_t>(k) + 77);
    const auto& loss = losses[static_cast<std::size_t>(k) % losses.size()];
    const bool of_places = loss == Loss::pixel_cross_entropy, map = of_places || k % 2 == 1;
    std::string end = of_places ? "3c1" : "3n";
    if (loss == Loss::binary_cross_entropy) end += "-sigmoid";
    if (k % 10 == 4 && !of_places && loss != Loss::binary_cross_entropy) {
      expect_true(with_shared_weights(random), {4}, loss);
    } else {
      expect_true(random.line(map, end), map ? Shape{2, 4, 4} : Shape{3}, loss);
    }
  }
}

}  // namespace
}  // namespace chalk

// The same bits, everywhere: trains networks from one seed and compares what comes out with golden hashes, on several
// numbers of threads; and predictions at batch 1, 7, 16 and 256 with each other. The instruction set is that of
// CHALKGRAD_TARGET, so it takes one run for each.
//
//   bits GOLDEN [--only NAME] [--steps short|long] [--threads 1,2,3] [--write]
//
// GOLDEN is tests/bits/golden.txt: a line "NAME STEPS SHA256" for each network and length, with a second hash where not
// all parameters are trained (running statistics). Exit code 1 if one differs, 77 if this machine does not have the
// instruction set.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/chalkgrad.h"
#include "src/base/random.h"
#include "src/files/sha256.h"

namespace {

struct Problem {
  std::string name;
  const char* network;
  chalk::Shape input;
  std::int64_t batch, short_steps, long_steps;
  chalk::Optimizer optimizer = chalk::sgd({.lr = 0.005, .momentum = 0.9, .weight_decay = 1e-4});
  chalk::Average average{};
  chalk::Lookahead lookahead{};
  chalk::Schedule schedule{};
  std::string augment{};
};

// A classifier on the way, and a copy of the input.
constexpr const char* kSeveralOutputs = R"(
[[layer]]
chain = "6c3z-bn-relu-mp2"
[[layer]]
name = "scores"
chain = "12n-tanh-10n"
[[layer]]
name = "early"
from = "maxpool1"
chain = "gap-10n"
[[layer]]
name = "copy"
from = "relu1"
chain = "2c3z"
[[output]]
from = "scores"
[[output]]
from = "early"
weight = 0.3
loss = "focal"
class_weights = [1, 2, 1, 1, 0.5, 1, 1, 3, 1, 1]
[[output]]
from = "copy"
weight = 0.25
target = "input"
loss = "huber"
)";

// The networks whose speed is promised (docs/performance.md). Short runs are for every test run and for emulators.
const std::vector<Problem> kProblems{
    {"lenet", "20c5-relu-mp2-40c5-relu-mp2-100n-relu-10n", {1, 28, 28}, 64, 6, 200},
    {"vgg",
     "64c3z-relu-64c3z-relu-mp2-128c3z-relu-128c3z-relu-mp2-256c3z-relu-256c3z-relu-mp2-10n",
     {3, 32, 32},
     20,
     1,
     200},
    {"vgg-bn",
     "64c3z-bn-relu-64c3z-bn-relu-mp2-128c3z-bn-relu-128c3z-bn-relu-mp2-256c3z-bn-relu-256c3z-bn-relu-mp2-10n",
     {3, 32, 32},
     20,
     1,
     200},
    // The same on a quarter of the places, for emulators.
    {"vgg-bn-16",
     "64c3z-bn-relu-64c3z-bn-relu-mp2-128c3z-bn-relu-128c3z-bn-relu-mp2-256c3z-bn-relu-256c3z-bn-relu-mp2-10n",
     {3, 16, 16},
     20,
     1,
     200},
    {"resnet20",
     "16c3z-bn-relu-3*(res(16c3z-bn-relu-16c3z-bn)-relu)-res(32c3zs2-bn-relu-32c3z-bn)-relu-"
     "2*(res(32c3z-bn-relu-32c3z-bn)-relu)-res(64c3zs2-bn-relu-64c3z-bn)-relu-"
     "2*(res(64c3z-bn-relu-64c3z-bn)-relu)-gap-10n",
     {3, 32, 32},
     20,
     1,
     200},
    {"dense-30", "30n-sigmoid-10n", {1, 28, 28}, 10, 200, 200},
    {"dense-512", "512n-relu-10n", {1, 28, 28}, 64, 10, 200},
    // Hidden layers with many weights; a microbatch of two samples.
    {"dense-400", "400n-relu-400n-tanh-10n", {1, 28, 28}, 50, 10, 200},
    // Batch normalisation of vectors, option B of a shortcut, one sample in the last microbatch.
    {"mixed-bn", "6c3z-bn-tanh-res(8c3zs2-bn,8c1s2-bn)-relu-mp2-12n-bn-relu-10n", {2, 17, 15}, 17, 40, 200},
    // Noise of every kind, and activations.
    {"mixed-noise",
     "6c3z-prelu-drop0.2c-res(8c3zs2-gelu-8c3z-drop0.3s)-noise0.1-mish-mp2-12n-elu-drop0.5-10n",
     {2, 17, 15},
     21,
     40,
     200},
    // Normalisations of each sample, concatenated branches, larger maps.
    {"mixed-norm",
     "4c3z-lnc-gelu-cat(2c1,4c3z-in)-lrn3-gn2-hard-swish-mp2-4t4s2z-silu-up1x2b-aap7x5-ln-12n-selu-10n",
     {2, 17, 15},
     21,
     40,
     200},
    // Several outputs, with losses of their own.
    {"mixed-outputs", kSeveralOutputs, {2, 17, 15}, 21, 40, 200},
    // Averages of weights, with running statistics that are averaged, and that are measured anew with noise.
    {"average-ema", "6c3z-bn-relu-mp2-20n-tanh-10n", {2, 17, 15}, 21, 12, 200, chalk::AdamW{}, chalk::Ema{0.9, 1}},
    {"average-swa",
     "6c3z-bn-relu-mp2-drop0.2-20n-bn-tanh-10n",
     {2, 17, 15},
     21,
     12,
     200,
     chalk::sgd({.lr = 0.05, .momentum = 0.9}),
     chalk::Swa{1, 1}},
    {"lookahead",
     "6c3z-bn-relu-mp2-20n-tanh-10n",
     {2, 17, 15},
     21,
     12,
     200,
     chalk::Adam{},
     chalk::Ema{0.5},
     {.steps = 5}},
    // Depthwise convolutions, the channels of each place normalised, convolutions of 1 × 1.
    {"mixed-block",
     "16c3z-res(16c7zg16-lnc-40c1-gelu-16c1)-relu-16c3zs2g16-relu-24c1-relu-24c5x3zg24-gap-10n",
     {2, 17, 15},
     21,
     6,
     200},
    // A rate and a beta1 that move.
    {"one-cycle",
     "6c3z-bn-relu-mp2-20n-tanh-10n",
     {2, 17, 15},
     21,
     12,
     200,
     chalk::NAdam{},
     {},
     {},
     chalk::OneCycleCosine{.momentum_low = 0.85, .momentum_high = 0.95}},
    // What the others leave out: padding, strides, groups, overlapping pools, tanh, a partial last batch.
    {"mixed", "6c3z-tanh-mp3s2-8c3s2g2-sigmoid-ap2-12n-tanh-10n", {2, 17, 15}, 21, 40, 200},
    // Pictures augmented in every way.
    {"augmented",
     "8c3z-relu-mp2-10n",
     {3, 17, 15},
     21,
     30,
     200,
     chalk::sgd({.lr = 0.005, .momentum = 0.9}),
     {},
     {},
     {},
     "flip,vflip,alternating-flip,shift:2,border=reflect,shift:3,fill=mean,cutout:5,fill=noise,erase,rotate:20,scale,"
     "shear:20,fill=white,resized-crop:0.5,1,brightness:0.4,contrast:0.4,saturation:0.4,hue:0.1,grey,noise,blur,"
     "randaugment,trivialaugment,mixup:0.4,p=0.5,cutmix"},
};

/// The optimizer with all its switches on, and with decay of weights.
chalk::Optimizer with_everything(std::string_view name) {
  chalk::FieldFunction set([]<class T>(const chalk::Field& field, T& value) {
    if constexpr (std::is_same_v<T, bool>) value = true;
    if constexpr (std::is_same_v<T, double>) {
      if (field.name == "weight_decay") value = 0.01;
    }
  });
  return chalk::Optimizer::named(name).edited(set);
}

/// Those above, and "optimizer-NAME" for each optimizer of the list.
std::vector<Problem> all_problems() {
  auto all = kProblems;
  for (const auto name : chalk::Optimizer::names()) {
    all.push_back({"optimizer-" + std::string(name),
                   "6c3z-bn-relu-mp2-20n-tanh-10n",
                   {2, 17, 15},
                   21,
                   12,
                   200,
                   with_everything(name),
                   {},
                   {},
                   {}});
  }
  return all;
}

/// Random images and labels: the same for everybody.
chalk::Dataset data_for(const Problem& problem) {
  chalk::Random random(1, chalk::hash_name(problem.name));
  chalk::Dataset data;
  data.name = problem.name;
  data.sample = problem.input;
  data.scale.assign(static_cast<std::size_t>(problem.input[0]), 1.0F / 128);
  data.shift.assign(static_cast<std::size_t>(problem.input[0]), -1.0F);
  for (int c = 0; c < 10; ++c) data.class_names.push_back(std::to_string(c));
  const auto count = static_cast<std::size_t>(problem.batch * 5 / 2);  // two batches and a half
  data.labels.resize(count);
  for (auto& label : data.labels) label = static_cast<std::int32_t>(random.below(10));
  data.bytes.resize(count * static_cast<std::size_t>(chalk::elements(problem.input)));
  for (auto& byte : data.bytes) byte = static_cast<std::uint8_t>(random.below(256));
  return data;
}

/// What the network makes of the first samples, so many at a time.
std::vector<float> predictions(chalk::Network& network, const chalk::Dataset& data, std::size_t samples,
                               std::size_t batch, int threads) {
  std::vector<float> all;
  const auto sample = static_cast<std::size_t>(chalk::elements(data.sample));
  for (std::size_t first = 0; first < samples; first += batch) {
    const chalk::Feed feed{
        .bytes = data.bytes.data() + first * sample, .scale = data.scale.data(), .shift = data.shift.data()};
    const auto some = chalk::predict(network, feed, std::min(batch, samples - first), false, threads);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

/// The hash of the trainable parameters.
std::string trainable_sha256(const chalk::Network& network) {
  std::set<std::string_view> names;
  chalk::Graph graph = network.graph();
  for (const auto value : graph.parameters()) names.insert(graph.node(value.id()).name);
  chalk::Sha256 hash;
  for (const auto name : names) {
    const auto values = network.variables().at(name).values();
    hash.update(std::span(reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()));
  }
  return hash.hex();
}

/// The hash of the trainable parameters and, if there are others, that of all; or a word about predictions that depend
/// on what is beside them.
std::string trained(const Problem& problem, std::int64_t steps, int threads) {
  auto network = chalk::network(problem.network, problem.input);
  const auto data = data_for(problem);
  chalk::TrainOptions options;
  options.batch = problem.batch;
  options.epochs = (steps + 2) / 3;  // three steps an epoch
  options.optimizer = problem.optimizer;
  options.average = problem.average;
  options.lookahead = problem.lookahead;
  options.schedule = problem.schedule;
  options.augment = chalk::Augmentations::parse(problem.augment);
  options.threads = threads;
  std::int64_t done = 0;
  options.on_step = [&](const chalk::Progress&) {
    if (++done == steps) chalk::request_stop();
  };
  chalk::train(network, data, options);
  const auto together = predictions(network, data, 17, 256, threads);
  for (const std::size_t batch : {1, 7, 16}) {
    const auto apart = predictions(network, data, batch == 1 ? 2 : 17, batch, threads);
    if (std::memcmp(apart.data(), together.data(), apart.size() * sizeof(float)) != 0)
      return "predictions in batches of " + std::to_string(batch) + " are others than in batches of 256";
  }
  const auto trainable = trainable_sha256(network), all = network.weights_sha256();
  return trainable == all ? all : trainable + " " + all;
}

std::map<std::string, std::string> read_golden(const char* file) {
  std::map<std::string, std::string> golden;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name, steps, sha;
    if (line.starts_with("#") || !std::getline(words >> name >> steps >> std::ws, sha)) continue;
    golden[name + " " + steps] = sha;
  }
  return golden;
}

int misuse(const std::string& what) {
  std::fprintf(stderr, "bits: %s\nusage: bits GOLDEN [--only NAME] [--steps short|long] [--threads 1,2,3] [--write]\n",
               what.c_str());
  return 2;
}

int run(int argc, char** argv) {
  if (argc < 2) return misuse("which file has the hashes?");
  std::map<std::string, std::string> options{{"--only", ""}, {"--steps", "short"}, {"--threads", "1"}};
  bool write = false;
  for (int i = 2; i < argc; ++i) {
    if (argv[i] == std::string("--write"))
      write = true;
    else if (i + 1 < argc && options.contains(argv[i]))
      options[argv[i]] = argv[i + 1], ++i;
    else
      return misuse(argv[i] + std::string(" is not understood"));
  }
  const auto only = options["--only"];
  const bool is_long = options["--steps"] == "long";
  if (!is_long && options["--steps"] != "short") return misuse("--steps is short or long");
  std::vector<int> threads;
  std::istringstream list(options["--threads"]);
  for (std::string each; std::getline(list, each, ',');) {
    threads.push_back(std::atoi(each.c_str()));
    if (threads.back() < 1) return misuse("--threads is a list of numbers above 0");
  }

  auto golden = read_golden(argv[1]);
  if (golden.empty() && !write) return misuse(argv[1] + std::string(" has no hashes; --write makes it"));
  std::string target;
  try {
    target = chalk::instruction_set();
  } catch (const chalk::InputError& e) {
    std::printf("SKIPPED: %s\n", e.what());
    return 77;
  }
  int wrong = 0, seen = 0;
  for (const auto& problem : all_problems()) {
    const auto steps = is_long ? problem.long_steps : problem.short_steps;
    const auto key = problem.name + " " + std::to_string(steps);
    if (!write && !golden.contains(key)) {  // and so no test of its own
      std::printf("%s has no hash; give it one with --write\n", key.c_str());
      ++wrong;
    }
    if (!only.empty() && only != problem.name) continue;
    ++seen;
    for (const int n : threads) {
      const auto sha = trained(problem, steps, n);
      if (write) golden[key] = sha;
      const bool good = golden[key] == sha;
      wrong += good ? 0 : 1;
      std::printf("%-18s %s, %d thread%s, %3d steps: %s%s\n", problem.name.c_str(), target.c_str(), n,
                  n == 1 ? "" : "s", static_cast<int>(steps), sha.c_str(), good ? "" : "  DIFFERS");
      std::fflush(stdout);
    }
  }
  if (seen == 0) return misuse("there is no network \"" + only + "\"");
  if (write) {
    std::ofstream out(argv[1]);
    out << "# Written by tests/bits/bits.cc --write: weights after some steps of training. A change here is a change "
           "of\n"
           "# arithmetic: models trained by another version are no longer reproduced. Say so in CHANGELOG.md.\n";
    for (const auto& [key, sha] : golden) out << key << ' ' << sha << '\n';
  }
  return wrong == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bits: %s\n", e.what());
    return 1;
  }
}

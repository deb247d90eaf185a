// How fast samples are made of files: loading_bench SOURCE AUGMENT THREADS SECONDS prints how many a second. Decoded,
// augmented and brought to float, in the shuffled order of a run, by so many threads, as a step takes them; nothing is
// trained.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "src/augmentations/augmenter.h"
#include "src/train/order.h"
#include "src/train/sample_stream.h"

namespace {

using Clock = std::chrono::steady_clock;

void to_float(const chalk::Dataset& data, const std::uint8_t* bytes, float* to) {
  const auto plane = static_cast<std::size_t>(data.sample[1] * data.sample[2]);
  for (std::size_t c = 0; c < data.scale.size(); ++c) {
    for (std::size_t i = 0; i < plane; ++i)
      to[c * plane + i] = static_cast<float>(bytes[c * plane + i]) * data.scale[c] + data.shift[c];
  }
}

double samples_per_second(const std::string& source, const std::string& augment, int threads, double seconds) {
  constexpr std::size_t kBatch = 128;
  const auto split = chalk::load_dataset(source, {.parts = chalk::Parts::training, .memory = 0});
  const auto& data = split.train;
  chalk::TrainOptions options;
  options.batch = kBatch;
  options.epochs = 1000;
  const chalk::Augmenter augmenter(data, chalk::Augmentations::parse(augment), options.seed, threads + 1);
  const auto size = static_cast<std::size_t>(chalk::elements(data.sample));
  std::vector<std::uint32_t> order(data.size());
  std::vector<std::uint8_t> sample(size);
  std::vector<float> batch(kBatch * size);
  const auto start = Clock::now();
  chalk::SampleStream stream({.sample = size, .samples = data.size()}, options, 0, threads,
                             [&](auto row, auto epoch, auto* to) { augmenter.augment(row, epoch, to); });
  std::size_t done = 0;
  for (std::uint64_t epoch = 0;; ++epoch) {
    chalk::shuffle(order, options.seed, static_cast<std::int64_t>(epoch));
    for (std::size_t first = 0; first + kBatch <= data.size(); first += kBatch) {
      stream.begin_step(epoch, order, first);
      for (std::size_t i = 0; i < kBatch; ++i) {
        stream.read(order[first + i], epoch, sample.data());
        to_float(data, sample.data(), &batch[i * size]);
      }
      done += kBatch;
      const double took = std::chrono::duration<double>(Clock::now() - start).count();
      if (took >= seconds) return static_cast<double>(done) / took;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("loading_bench SOURCE AUGMENT THREADS SECONDS\n", stderr);
    return 2;
  }
  try {
    std::printf("%.0f\n", samples_per_second(argv[1], argv[2], std::atoi(argv[3]), std::atof(argv[4])));
  } catch (const chalk::Error& e) {
    std::fprintf(stderr, "loading_bench: %s\n", e.what());
    return 1;
  }
}

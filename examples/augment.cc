// Samples that are made while a program trains: digits, shifted by up to a pixel, differently in each epoch.
#include <chalkgrad/chalkgrad.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <random>
#include <span>
#include <vector>

using namespace chalk;

/// The image moved by (down, right) pixels, with `border` where nothing was.
void shift(const std::uint8_t* from, std::int64_t height, std::int64_t width, std::int64_t down, std::int64_t right,
           std::uint8_t border, std::uint8_t* to) {
  for (std::int64_t i = 0; i < height; ++i) {
    for (std::int64_t j = 0; j < width; ++j) {
      const std::int64_t y = i - down, x = j - right;
      const bool inside = y >= 0 && y < height && x >= 0 && x < width;
      to[i * width + j] = inside ? from[y * width + x] : border;
    }
  }
}

int main() {
  const Dataset data = digits().train;
  const std::int64_t height = data.sample[1], width = data.sample[2];
  const auto pixels = static_cast<std::size_t>(height * width);

  Graph g;
  g.layer("conv1");
  Value v = max_pool(relu(conv_layer(g.input("x", data.sample), {.filters = 8})));
  g.layer("dense1");
  v = dense_layer(v, {.outputs = 10});
  const Value loss = batch_mean(cross_entropy(v, g.input("t", {10}, /*distribution=*/true)));
  g.output("loss", loss);
  const auto parameters = g.parameters();
  const auto d = gradients(loss, parameters);
  for (std::size_t i = 0; i < d.size(); ++i) g.update(parameters[i], parameters[i] - g.constant(0.1) * d[i]);

  Variables variables(g, /*seed=*/1);
  Program program(g, variables);
  program.feed("t", {.labels = data.labels.data()});
  // Called by all threads at once. What it makes of a row depends on the row and the epoch alone, so every run of this
  // program ends with the same loss, to the last bit.
  const auto fetch = [&](std::span<const std::uint32_t> rows, std::uint64_t epoch, std::span<std::uint8_t> to) {
    for (std::size_t n = 0; n < rows.size(); ++n) {
      std::minstd_rand random(static_cast<std::uint32_t>(epoch * data.size() + rows[n] + 1));
      random.discard(2);  // its first numbers are near the seed
      const auto down = static_cast<std::int64_t>(random() % 3) - 1,
                 right = static_cast<std::int64_t>(random() % 3) - 1;
      shift(&data.bytes[rows[n] * pixels], height, width, down, right, 0, &to[n * pixels]);
    }
  };
  program.feed("x", {.scale = data.scale.data(), .shift = data.shift.data(), .fetch_bytes = fetch});

  constexpr std::size_t kBatch = 50;
  std::vector<std::uint32_t> order(data.size());
  std::iota(order.begin(), order.end(), 0U);
  double first = 0, mean = 0;
  for (std::uint64_t epoch = 0; epoch < 5; ++epoch) {
    program.set_position(epoch);
    mean = 0;
    for (std::size_t at = 0; at < order.size(); at += kBatch) {
      const std::size_t count = std::min(kBatch, order.size() - at);
      program.run(count, &order[at]);
      mean += static_cast<double>(program.output("loss")[0]) * static_cast<double>(count);
    }
    mean /= static_cast<double>(order.size());
    if (epoch == 0) first = mean;
    std::printf("epoch %d: loss %.4f\n", static_cast<int>(epoch) + 1, mean);
  }
  return mean < first ? 0 : 1;
}

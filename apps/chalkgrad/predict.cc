// chalkgrad predict: what a model sees in images.
#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/json.h"

namespace chalk::app {
namespace {

struct Options {
  std::string model;
  std::vector<std::string> images;
  std::size_t top = 3;
  int threads = 0;
  bool invert = false, json = false;
};

std::vector<std::uint8_t> load_samples(const Options& o, const Network& network) {
  const auto& shape = network.input_shape();
  if (shape.size() != 3 || (shape[0] != 1 && shape[0] != 3) || network.encoding.scale.empty()) {
    throw InputError(fmt::format("{}: takes samples of {}{}, not images; it cannot predict from image files", o.model,
                                 to_string(shape), network.encoding.scale.empty() ? " of numbers" : ""));
  }
  std::vector<std::uint8_t> bytes;
  for (const auto& path : o.images) {
    const auto image =
        fit_image(load_image(path), static_cast<int>(shape[0]), static_cast<int>(shape[1]), static_cast<int>(shape[2]));
    bytes.insert(bytes.end(), image.begin(), image.end());
  }
  if (o.invert)
    std::ranges::transform(bytes, bytes.begin(), [](std::uint8_t b) { return static_cast<std::uint8_t>(255 - b); });
  return bytes;
}

std::string label(const Network& network, std::size_t index) {
  const auto& names = network.encoding.class_names;
  return index < names.size() ? names[index] : std::to_string(index);
}

int predict_command(const Options& o) {
  auto network = Network::load(o.model);
  const auto bytes = load_samples(o, network);
  const auto classes = static_cast<std::size_t>(elements(network.output_shape()));
  const Feed feed{
      .bytes = bytes.data(), .scale = network.encoding.scale.data(), .shift = network.encoding.shift.data()};
  const auto values = predict(network, feed, o.images.size(), /*probabilities=*/true, o.threads);

  auto json = Json::array();
  for (std::size_t i = 0; i < o.images.size(); ++i) {
    const auto* p = values.data() + i * classes;
    std::vector<std::size_t> order(classes);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] > p[b]; });
    order.resize(std::min(classes, o.top));
    auto best = Json::array();
    std::string line;
    for (const auto c : order) {
      const auto probability = static_cast<double>(p[c]);
      best.push_back({{"label", label(network, c)}, {"probability", probability}});
      line += fmt::format("{}{} {}", line.empty() ? "" : "   ", label(network, c), percent(probability));
    }
    if (!o.json) fmt::print("{}: {}\n", o.images[i], line);
    json.push_back({{"image", o.images[i]}, {"label", label(network, order[0])}, {"top", best}});
  }
  if (o.json) print_json(json);
  return kOk;
}

}  // namespace

void add_predict(CommandLine& line) {
  auto options = std::make_shared<Options>();
  auto command = line.command("predict", "Say what is in images (PNG or JPEG, of any size)", options, predict_command);
  command.text("MODEL", options->model, "A model file (.safetensors)").required();
  command.texts("IMAGE", options->images, "Image files", "FILE").required();
  command.whole("--top", options->top, {.least = 1}, "How many answers for each").shows_default();
  command.flag("--invert", options->invert, "Swap dark and bright: digits and MNIST are white on black");
  add_threads(command, options->threads);
  add_json(command, options->json);
}

}  // namespace chalk::app

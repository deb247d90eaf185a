#include "chalkgrad/training_events.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "chalkgrad/data.h"
#include "src/base/fields.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/ir/leaves.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

/// The parameter that is the filters of the first convolution, perhaps reversed by then; nothing if there is none.
const Node* first_filters(const Graph& graph) {
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph.node(id).op != &op_conv2d) continue;
    const Node* filters = &graph.node(graph.node(id).inputs[1]);
    while (filters->op != &op_parameter && filters->inputs.size() == 1) filters = &graph.node(filters->inputs[0]);
    if (filters->op == &op_parameter && filters->type.shape.size() == 4) return filters;
  }
  return nullptr;
}

/// Filters side by side.
struct Sheet {
  static constexpr int kGap = 2;  // pixels between two tiles
  static constexpr std::int64_t kMostFilters = 256, kMostChannels = 16;

  explicit Sheet(const Shape& shape)
      : filters(std::min(shape[0], kMostFilters)),
        channels(std::min(shape[1], kMostChannels)),
        height(shape[2]),
        width(shape[3]),
        colour(shape[1] == 3),
        zoom(std::clamp<std::int64_t>(32 / std::max(height, width), 1, 8)) {
    tiles = colour ? filters : filters * channels;
    columns = colour || channels == 1 ? static_cast<std::int64_t>(std::ceil(std::sqrt(tiles))) : channels;
  }
  int extent(std::int64_t count, std::int64_t size) const {
    return static_cast<int>(count * (size * zoom + kGap) - kGap);
  }

  std::int64_t filters, channels, height, width;
  bool colour;
  std::int64_t zoom;  // pixels a weight
  std::int64_t tiles = 0, columns = 0;
};

std::uint8_t shade(float weight, float most) {
  if (!std::isfinite(weight)) return 0;
  return static_cast<std::uint8_t>(std::lround(127.5F + 127.5F * (most > 0 ? weight / most : 0)));
}

}  // namespace

std::vector<Measure> step_measures(const Progress& now, const TrainOptions& options) {
  std::vector<Measure> all{{"loss", "loss/step", now.loss}, {"lr", "lr", now.lr}};
  if (options.clip_norm > 0) all.push_back({"gradient_norm", "gradient_norm", now.gradient_norm});
  for (const auto& output : now.outputs)
    all.push_back({"loss." + output.name, "loss/step/" + output.name, output.loss});
  return all;
}

std::vector<Measure> epoch_measures(const Progress& now, bool labels, const Judged& judged) {
  std::vector<Measure> all{{"train_loss", "loss/train", now.mean_loss},
                           {judged.on + "_loss", "loss/" + judged.on, judged.loss}};
  if (labels) {
    all.push_back({"train_accuracy", "accuracy/train", now.accuracy});
    all.push_back({judged.on + "_accuracy", "accuracy/" + judged.on, judged.accuracy});
  }
  for (const auto& output : now.outputs)
    all.push_back({"train_loss." + output.name, "loss/train/" + output.name, output.mean_loss});
  return all;
}

std::optional<Image> filters_image(const Network& network) {
  const Node* node = first_filters(network.graph());
  if (!node || !network.variables().contains(node->name)) return {};
  const Shape& shape = node->type.shape;
  const Sheet sheet(shape);
  const auto weights = network.variables().at(node->name).values();
  const auto weight = [&](std::int64_t filter, std::int64_t channel, std::int64_t row, std::int64_t column) {
    return weights[static_cast<std::size_t>(((filter * shape[1] + channel) * shape[2] + row) * shape[3] + column)];
  };
  float most = 0;
  for (const float w : weights.first(static_cast<std::size_t>(sheet.filters * elements(shape) / shape[0])))
    most = std::isfinite(w) ? std::max(most, std::abs(w)) : most;

  Image image{sheet.colour ? 3 : 1,
              sheet.extent((sheet.tiles + sheet.columns - 1) / sheet.columns, sheet.height),
              sheet.extent(sheet.columns, sheet.width),
              {}};
  const auto stride = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels);
  image.pixels.assign(static_cast<std::size_t>(image.height) * stride, 255);
  for (std::int64_t tile = 0; tile < sheet.tiles; ++tile) {
    const auto top = tile / sheet.columns * (sheet.height * sheet.zoom + Sheet::kGap);
    const auto left = tile % sheet.columns * (sheet.width * sheet.zoom + Sheet::kGap);
    for (std::int64_t y = 0; y < sheet.height * sheet.zoom; ++y) {
      for (std::int64_t x = 0; x < sheet.width * sheet.zoom; ++x) {
        for (std::int64_t c = 0; c < image.channels; ++c) {
          const auto filter = sheet.colour ? tile : tile / sheet.channels;
          const auto w = weight(filter, sheet.colour ? c : tile % sheet.channels, y / sheet.zoom, x / sheet.zoom);
          image.pixels[static_cast<std::size_t>(top + y) * stride +
                       static_cast<std::size_t>((left + x) * image.channels + c)] = shade(w, most);
        }
      }
    }
  }
  return image;
}

TrainingEvents::TrainingEvents(std::filesystem::path folder, const Network& network, const Dataset& data)
    : folder_(std::move(folder)),
      network_(&network),
      data_(str(data.name, ", ", grouped(data.size()), " samples")),
      labels_(!data.labels.empty()) {}

void TrainingEvents::step(const Progress& now) {
  if (!writer_) {
    writer_.emplace(folder_, now.step);
    writer_->text("run", now.step, description());
  }
  tell(step_measures(now, network_->training->options), now.step);
  flush();  // so that no checkpoint is ahead of what is told: a run that goes on from it tells only what comes after
}

void TrainingEvents::epoch(const Progress& now, const std::optional<Judged>& judged) {
  if (!writer_) return;
  const Judged by_validation{.loss = now.validation_loss, .accuracy = now.validation_accuracy};
  tell(epoch_measures(now, labels_, judged.value_or(by_validation)), now.step);
  const Graph& graph = network_->graph();
  for (const NodeId id : parameters_of(graph)) {
    const auto& name = graph.node(id).name;
    writer_->histogram("weights/" + name, now.step, network_->variables().at(name).values());
  }
  if (const auto image = filters_image(*network_)) writer_->image("filters", now.step, *image);
  flush();
}

void TrainingEvents::flush() {
  if (writer_) writer_->flush();
}

void TrainingEvents::tell(const std::vector<Measure>& measures, std::int64_t step) {
  for (const auto& measure : measures) {
    if (measure.value) writer_->scalar(measure.tag, step, *measure.value);
  }
}

/// A table in Markdown.
std::string TrainingEvents::description() const {
  TrainOptions options = network_->training->options;
  std::vector<std::pair<std::string, std::string>> rows;
  const auto& network = network_->text();
  if (!is_toml(network)) rows.emplace_back("network", network);
  rows.emplace_back("data", data_);
  rows.emplace_back(maximised(options.loss) ? "maximise" : "loss", name_of(options.loss));
  for (auto& row : texts_of([&](FieldVisitor& v) { options.visit(v); })) rows.push_back(std::move(row));
  std::string text = "| option | value |\n|---|---|\n";
  for (auto& [name, value] : rows) {
    if (value.empty()) continue;
    std::string cell;
    for (const char c : value) cell += c == '|' ? "\\|" : std::string(1, c);
    text += str("| ", name, " | `", cell, "` |\n");
  }
  if (is_toml(network)) text += str("\n~~~toml\n", network, "\n~~~\n");
  return text;
}

}  // namespace chalk

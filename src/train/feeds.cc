#include "src/train/feeds.h"

#include <algorithm>
#include <cmath>

#include "chalkgrad/error.h"
#include "chalkgrad/program.h"
#include "chalkgrad/train.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/ir/leaves.h"
#include "src/losses/loss.h"
#include "src/net/build.h"
#include "src/train/objective.h"

namespace chalk {
namespace {

/// A label that is too high makes classes that nobody meant, so its sample is named.
void check_classes(const Network& network, const NetworkOutput& output, const Dataset& data) {
  const Shape& outputs = network.output_shape(output.name);
  const auto classes = static_cast<std::int64_t>(data.class_names.size());
  if (data.labels.empty() || output.reconstructs || outputs == Shape{classes}) return;
  const auto highest = std::ranges::max_element(data.labels);
  const bool too_high = *highest >= elements(outputs);
  const auto sample = static_cast<std::uint64_t>(highest - data.labels.begin());
  throw ShapeError(str(called(output), " is ", to_string(outputs), " but the data have ", classes, " classes; ",
                       too_high ? str("sample ", grouped(sample), " has label ", *highest, ": correct it, or ") : "",
                       output.name == "y" ? "end the network" : "let it come from a branch that ends",
                       " with a dense layer of as many neurons, e.g. ", classes, "n"));
}

/// Each place has a class, or the label that is ignored.
void check_labels_of_places(const Dataset& data, const Loss& loss, std::int64_t classes) {
  const auto ignored = static_cast<float>(loss.as<PixelCrossEntropy>().ignored_label);
  const auto bad = std::ranges::find_if(data.targets, [&](float t) {
    return t != ignored && !(t >= 0 && t < static_cast<float>(classes) && t == std::floor(t));
  });
  if (bad == data.targets.end()) return;
  const auto at = bad - data.targets.begin(), size = elements(data.target);
  throw InputError(str("data set \"", data.name, "\": label ", at % size, " of sample ", at / size, " is ", *bad,
                       ", and the network has ", classes, " classes; correct it, or set ignored_label to it"));
}

bool in_order(const std::vector<std::uint32_t>& places) {
  std::uint32_t next = 0;
  return std::ranges::all_of(places, [&](std::uint32_t place) { return place == next++; });
}

}  // namespace

Feed sample_feed(const Dataset& data) {
  Feed feed{.per_sample = data.per_sample};
  if (data.store) {
    feed.fetch_bytes = [&data](std::span<const std::uint32_t> rows, std::uint64_t, std::span<std::uint8_t> to) {
      const auto size = to.size() / rows.size();
      for (std::size_t n = 0; n < rows.size(); ++n) data.read(rows[n], &to[n * size]);
    };
  } else if (data.lent && !in_order(data.places)) {
    feed.fetch_values = [&data](std::span<const std::uint32_t> rows, std::uint64_t, std::span<float> to) {
      const auto size = to.size() / rows.size();
      for (std::size_t n = 0; n < rows.size(); ++n) std::copy_n(data.numbers(rows[n]), size, &to[n * size]);
    };
  } else if (data.bytes.empty()) {
    feed.values = data.lent ? data.lent.get() : data.values.data();
  } else {
    feed.bytes = data.bytes.data();
  }
  if (!data.scale.empty()) {
    feed.scale = data.scale.data();
    feed.shift = data.shift.data();
  }
  return feed;
}

Feed target_feed(const Dataset& data) {
  if (data.labels.empty()) return {.values = data.targets.data()};
  return {.labels = data.labels.data()};
}

std::map<std::string, std::vector<float>> drawn_noise(const Graph& graph, std::uint64_t seed, std::size_t batch) {
  std::map<std::string, std::vector<float>> drawn;
  Graph only;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (is_noise(node)) only.output(node.name, only.noise(node.name, node.type.shape));
  }
  if (only.outputs().empty()) return drawn;
  Variables none;
  Program program(only, none, {.threads = 1, .seed = seed});
  program.run(batch);
  for (const auto& [name, id] : only.outputs()) {
    const auto values = program.output(name);
    drawn[name] = {values.begin(), values.end()};
  }
  return drawn;
}

Shape target_shape(const Dataset& data) {
  return data.labels.empty() ? data.target : Shape{static_cast<std::int64_t>(data.class_names.size())};
}

std::optional<Loss> chosen_loss(const Network& network, std::string_view output) {
  const auto found = std::ranges::find(network.outputs(), output, &NetworkOutput::name);
  if (found != network.outputs().end() && found->loss) return found->loss;
  if (const auto trained = trained_loss(network)) return trained;
  TrainOptions unused;
  return read_train_config(network.text(), "the network", unused).loss;
}

bool are_distributions(const Dataset& data) {
  if (data.target.size() != 1) return false;
  const auto size = static_cast<std::size_t>(data.target[0]);
  for (std::size_t first = 0; first + size <= data.targets.size(); first += size) {
    double total = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const float t = data.targets[first + i];
      if (!(t >= 0)) return false;
      total += static_cast<double>(t);
    }
    if (std::abs(total - 1) > 1e-5 * static_cast<double>(size)) return false;
  }
  return true;
}

namespace {

/// Squared error if the loss needs classes and the data have none.
Loss fitting(const Loss& loss, const Dataset& data) {
  return data.labels.empty() && of_classes(loss) && !are_distributions(data) ? Loss::squared_error : loss;
}

}  // namespace

Loss loss_for(const Network& network, const Dataset& data) { return fitting(natural_loss(network), data); }

std::vector<NetworkOutput> outputs_for(const Network& network, const Dataset& data) {
  auto outputs = network.outputs();
  for (auto& output : outputs) {
    if (output.loss && !output.reconstructs) output.loss = fitting(*output.loss, data);
  }
  return outputs;
}

void check_fits(const Network& network, const Dataset& data) {
  data.check();
  if (data.size() == 0) throw InputError(str("data set \"", data.name, "\" has no samples"));
  if (data.sample != network.input_shape()) {
    throw ShapeError(str("data set \"", data.name, "\" has samples of ", to_string(data.sample),
                         " but the network takes ", to_string(network.input_shape()),
                         "; build the network for the data's shape"));
  }
  for (const auto& output : network.outputs()) check_classes(network, output, data);
}

void check_targets(const Dataset& data, const Loss& loss, const Shape& output) {
  const auto& definition = definition_of(loss);
  if (definition.target.value == Target::places) {
    if (!data.labels.empty()) {
      throw InputError(str("data set \"", data.name, "\" has a label for each sample, and ", name_of(loss),
                           " needs one for each place; train with the loss cross-entropy"));
    }
    if (output.size() == 3) check_labels_of_places(data, loss, output[0]);  // the loss refuses others
    return;
  }
  if (!data.labels.empty()) return;
  if (definition.target.value == Target::classes && are_distributions(data)) return;
  if (definition.target.value == Target::one_class && are_distributions(data)) {
    throw InputError(str("data set \"", data.name, "\" has distributions over the classes, and ", name_of(loss),
                         " needs a label for each sample; train with the loss cross-entropy"));
  }
  if (of_classes(loss)) {
    throw InputError(str("data set \"", data.name, "\" has values to regress on, not classes; train with the loss ",
                         maximised(loss) ? "gaussian-log-likelihood" : "squared-error"));
  }
  if (definition.about_targets.empty()) return;
  const auto bad =
      std::ranges::find_if(data.targets, [&](float t) { return !definition.targets.contains(static_cast<double>(t)); });
  if (bad == data.targets.end()) return;
  const auto at = bad - data.targets.begin(), size = elements(data.target);
  throw InputError(str("data set \"", data.name, "\": target ", at % size, " of sample ", at / size, " is ", *bad, "; ",
                       definition.about_targets));
}

}  // namespace chalk

// Weights that start by what the data are: init = "whitening".
#include <algorithm>
#include <cmath>
#include <vector>

#include "chalkgrad/error.h"
#include "chalkgrad/train.h"
#include "src/base/eigen.h"
#include "src/base/moments.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/net/build.h"
#include "src/ops/conv2d.h"
#include "src/ops/registry.h"
#include "src/train/feeds.h"

namespace chalk {
namespace {

constexpr std::size_t kMostSamples = 5000;
constexpr double kMostProducts = 2e9;  // so the larger patches are, the fewer samples are looked at
constexpr std::int64_t kMostPatch = 512;

/// Rows and columns of a sample, and the places of a patch in it, as offsets from its first one.
struct Patches {
  std::size_t rows, columns;  // so many patches fit
  std::size_t line;           // from row to row
  std::vector<std::size_t> offsets;
};

/// As many as the kernel has numbers in a filter; it is at every place where it fits, whatever its stride and padding.
Patches patches_of(const Shape& sample, const Shape& kernel, const Pair& dilation) {
  const auto height = sample[1], width = sample[2];
  const auto reach = [&](std::size_t axis) { return dilation[axis - 2] * (kernel[axis] - 1); };
  Patches patches{static_cast<std::size_t>(std::max<std::int64_t>(0, height - reach(2))),
                  static_cast<std::size_t>(std::max<std::int64_t>(0, width - reach(3))),
                  static_cast<std::size_t>(width),
                  {}};
  for (std::int64_t c = 0; c < kernel[1]; ++c) {
    for (std::int64_t i = 0; i < kernel[2]; ++i) {
      for (std::int64_t j = 0; j < kernel[3]; ++j)
        patches.offsets.push_back(static_cast<std::size_t>((c * height + i * dilation[0]) * width + j * dilation[1]));
    }
  }
  return patches;
}

/// A sample as the network sees it.
void read_sample(const Dataset& data, std::size_t row, std::span<double> to) {
  const std::size_t plane = to.size() / (data.scale.empty() ? 1 : data.scale.size());
  const auto read = [&](const auto* from) {
    const auto own = data.per_sample ? standardising(from, to.size()) : kAsItIs;
    const bool as_it_is = data.per_sample || data.scale.empty();
    for (std::size_t i = 0; i < to.size(); ++i) {
      const auto [scale, shift] = as_it_is ? own : Affine{data.scale[i / plane], data.shift[i / plane]};
      to[i] = static_cast<double>(from[i]) * static_cast<double>(scale) + static_cast<double>(shift);
    }
  };
  if (!data.has_bytes()) return read(data.numbers(row));
  std::vector<std::uint8_t> bytes(to.size());
  data.read(row, bytes.data());
  read(bytes.data());
}

/// Of the patches of samples that are spread evenly over the data. The sums have one order.
std::vector<double> covariance(const Dataset& data, const Patches& patches) {
  const auto size = patches.offsets.size(), places = patches.rows * patches.columns;
  const auto pairs = size * (size + 1) / 2;
  const double products = static_cast<double>(places) * static_cast<double>(pairs);
  const auto count = std::min({data.size(), kMostSamples, static_cast<std::size_t>(1 + kMostProducts / products)});
  std::vector<double> sample(static_cast<std::size_t>(elements(data.sample))), patch(size), sums(size),
      all(size * size);
  for (std::size_t n = 0; n < count; ++n) {
    read_sample(data, n * data.size() / count, sample);
    for (std::size_t place = 0; place < places; ++place) {
      const double* first = &sample[place / patches.columns * patches.line + place % patches.columns];
      for (std::size_t i = 0; i < size; ++i) {
        const double x = patch[i] = first[patches.offsets[i]];
        sums[i] += x;
        for (std::size_t j = 0; j <= i; ++j) all[i * size + j] += x * patch[j];
      }
    }
  }
  const auto total = static_cast<double>(count) * static_cast<double>(places);
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j <= i; ++j)
      all[i * size + j] = all[j * size + i] = all[i * size + j] / total - sums[i] / total * (sums[j] / total);
  }
  return all;
}

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw InputError(str(name, " starts by whitening, ", what));
}

/// The convolution of the network's input whose kernel it is.
const Node& convolution_with(const Graph& graph, NodeId parameter) {
  const auto x = input_node(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.op == &op_conv2d && node.inputs == std::vector{x, parameter} &&
        node.attributes.as<Conv2dAttributes>().groups == 1)
      return node;
  }
  refuse(graph.node(parameter).name,
         "so it must be the kernel of a convolution of the network's input, not flipped and without groups; give it "
         "another init");
}

void whiten(const Dataset& data, const Node& parameter, const Pair& dilation, std::span<float> weights) {
  const Shape& kernel = parameter.type.shape;
  const auto patch = elements(kernel) / kernel[0];
  if (patch > kMostPatch)
    refuse(parameter.name,
           str("of patches of at most ", kMostPatch, " numbers, not ", patch, "; make the kernel smaller"));
  if (kernel[0] > 2 * patch) {
    refuse(parameter.name, str("which makes two filters of each of the ", patch, " eigenvectors, not ", kernel[0],
                               " in all; use at most ", 2 * patch));
  }
  const auto patches = patches_of(data.sample, kernel, dilation);
  if (patches.rows == 0 || patches.columns == 0)
    refuse(parameter.name,
           str("but its kernel does not fit into a sample of ", to_string(data.sample), "; make it smaller"));
  const auto size = static_cast<std::size_t>(patch);
  const auto eigen = symmetric_eigen(covariance(data, patches), size);
  const double epsilon = parameter.attributes.as<ParameterAttributes>().init.value;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto filter = i / size, k = filter % size;
    const double length = 1 / std::sqrt(std::max(0.0, eigen.values[k]) + epsilon);
    weights[i] = static_cast<float>((filter < size ? length : -length) * eigen.vectors[k * size + i % size]);
  }
}

}  // namespace

void fit_weights(Network& network, const Dataset& data) {
  const Graph& graph = network.graph();
  for (const NodeId id : parameters_of(graph)) {
    const Node& parameter = graph.node(id);
    if (parameter.attributes.as<ParameterAttributes>().init.kind != Init::Kind::whitening) continue;
    check_fits(network, data);
    const auto options = conv2d_options(convolution_with(graph, id).attributes.as<Conv2dAttributes>());
    whiten(data, parameter, options.dilation, network.variables().at(parameter.name).values());
  }
}

}  // namespace chalk

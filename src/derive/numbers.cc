#include "src/derive/numbers.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "chalkgrad/error.h"
#include "chalkgrad/image.h"
#include "chalkgrad/program.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/derive/terms.h"
#include "src/ir/leaves.h"
#include "src/math/symbols.h"
#include "src/math/system.h"
#include "src/train/feeds.h"
#include "src/train/objective.h"

namespace chalk::calculus {
namespace {

constexpr std::int64_t kMostWhole = 24, kCorner = 4;  // numbers

/// What enters the network for these rows of the data.
std::vector<double> entering(const Shape& shape, const Feed& feed, const std::vector<std::uint32_t>& rows) {
  Graph g;
  g.output("entering", g.input("x", shape));
  Variables none;
  Program program(g, none, {.threads = 1});
  program.feed("x", feed);
  program.run(rows.size(), rows.data());
  const auto values = program.output("entering");
  return {values.begin(), values.end()};
}

/// All numbers of the subject's values for some samples, and of the loss's derivatives by them.
class Sheet {
 public:
  Sheet(const Subject& s, const Network& network, const Dataset& data, const std::vector<std::uint32_t>& rows,
        std::uint64_t seed)
      : s_(s), system_(s.samples) {
    system_.take(s.graph, s.names, symbols_);
    math::Trial drawn(system_, symbols_, indices_, seed);
    std::vector<std::pair<int, std::vector<double>>> given;
    const auto noise = drawn_noise(s.graph, seed, rows.size());
    for (const auto& [id, name] : s.names) {
      const Node& n = s.graph.node(id);
      const auto give = [&](const auto& values) {
        given.emplace_back(symbols_.find(name), std::vector<double>(values.begin(), values.end()));
      };
      if (n.op == &op_parameter) {
        give(network.variables().at(n.name).values());
      } else if (id == s.input) {
        give(entering(n.type.shape, sample_feed(data), rows));
      } else if (id == s.target) {
        give(entering(n.type.shape, target_feed(data), rows));
      } else if (const auto own = noise.find(n.name); n.op == &op_input && own != noise.end()) {
        give(own->second);
      }
    }
    values_ = drawn.with(given);
  }

  std::optional<Filled> of(const std::string& name, bool derivative) {
    const int id = symbols_.find(name);
    if (id < 0) return std::nullopt;
    values_->spent(0);
    const auto& numbers =
        derivative ? values_->jacobian(symbols_.find(s_.names.at(s_.loss)), id, {}) : values_->value(id, {});
    return Filled{symbols_[id].extents, &numbers};
  }

 private:
  const Subject& s_;
  math::Symbols symbols_;
  math::Indices indices_;
  math::System system_;
  std::unique_ptr<math::Values> values_;
};

DerivedNumbers shown(const Filled& filled) {
  DerivedNumbers n{.shape = filled.axes, .shown = filled.axes};
  double squares = 0;
  for (const double v : *filled.numbers) squares += v * v;
  n.norm = std::sqrt(squares);
  if (elements(n.shape) > kMostWhole) {
    for (std::size_t k = 0; k < n.shown.size(); ++k) {
      const bool last_two = k + 2 >= n.shown.size();
      n.shown[k] = std::min(n.shape[k], last_two ? kCorner : 1);
    }
  }
  for (std::int64_t i = 0; i < elements(n.shown); ++i) {
    std::int64_t place = 0, rest = i, stride = 1;
    for (auto k = n.shape.size(); k-- > 0; stride *= n.shape[k]) {
      place += rest % n.shown[k] * stride;
      rest /= n.shown[k];
    }
    n.numbers.push_back((*filled.numbers)[static_cast<std::size_t>(place)]);
  }
  return n;
}

/// The first sample as a picture, if it is one.
std::vector<std::uint8_t> picture_of(const Dataset& data, std::size_t index) {
  const auto& shape = data.sample;
  if (shape.size() != 3 || (shape[0] != 1 && shape[0] != 3)) return {};
  const auto size = static_cast<std::size_t>(elements(shape));
  std::vector<std::uint8_t> bytes(size);
  if (data.has_bytes()) {
    data.read(index, bytes.data());
  } else {
    const std::span<const float> values(data.numbers(index), size);
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    for (std::size_t i = 0; i < size; ++i)
      bytes[i] = static_cast<std::uint8_t>(*most > *least ? (values[i] - *least) / (*most - *least) * 255.0F : 0);
  }
  Image image{.channels = static_cast<int>(shape[0]),
              .height = static_cast<int>(shape[1]),
              .width = static_cast<int>(shape[2]),
              .pixels = std::vector<std::uint8_t>(size)};
  const auto channels = static_cast<std::size_t>(shape[0]), plane = size / channels;
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < plane; ++i) image.pixels[i * channels + c] = bytes[c * plane + i];
  }
  return encode_png(image);
}

}  // namespace

void add_numbers(Derivation& derivation, const Subject& subject, const Network& network, const Loss& loss,
                 const DeriveOptions& options) {
  const Dataset& data = *options.data;
  check_fits(network, data);
  check_targets(network, trained_outputs(network), data, loss);
  if (options.sample >= data.size()) {
    throw InputError(str("there is no sample ", grouped(options.sample), " in ", data.name, ", which has ",
                         grouped(data.size()), "; choose one from 0 to ", grouped(data.size() - 1)));
  }
  std::vector<std::uint32_t> rows;
  for (std::int64_t k = 0; k < subject.samples; ++k)
    rows.push_back(static_cast<std::uint32_t>((options.sample + static_cast<std::size_t>(k)) % data.size()));
  Sheet sheet(subject, network, data, rows, options.seed);
  DerivedSample sample{.about = str("sample ", options.sample, " of ", data.name)};
  if (!data.labels.empty()) {
    const auto label = static_cast<std::size_t>(data.labels[options.sample]);
    sample.about += str(", ", label < data.class_names.size() ? data.class_names[label] : std::to_string(label));
  }
  if (rows.size() > 1) sample.about += str(", and the ", rows.size() - 1, " after it");
  sample.picture = picture_of(data, options.sample);
  derivation.sample = std::move(sample);
  const NumbersOf numbers = [&](const std::string& name, bool derivative) { return sheet.of(name, derivative); };
  for (auto& symbol : derivation.symbols) {
    if (const auto found = sheet.of(symbol.name, false)) symbol.numbers = shown(*found);
  }
  for (auto& section : derivation.sections) {
    for (auto& chain : section.chains) {
      const auto& left = *chain.left.tree();
      const bool by = left.kind == math::Kind::derivative;
      const auto& value = by ? *left.args[1] : left;
      const bool of_loss = !by || (!left.indexed && left.args[0]->name == subject.names.at(subject.loss));
      const auto found = of_loss ? sheet.of(value.name, by) : std::nullopt;
      if (!found || found->axes.size() != value.args.size()) continue;  // a formula of whole matrices
      chain.numbers = shown(*found);
      chain.entry = entry_of(chain, numbers);
    }
  }
}

}  // namespace chalk::calculus

// chalkgrad grad: every value and every derivative of one batch, by name, for other programs to compare with.
#include <fmt/core.h>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"

namespace chalk::app {
namespace {

struct Options {
  NetworkOptions network;
  std::string data, part = "train", out;
  std::int64_t index = 0, batch = 1;
  bool engine = false, skip_bad = false;
};

template <class T>
void write(const std::vector<InspectedValue>& values, const std::string& path) {
  NpzWriter file;
  for (const auto& v : values) {
    file.add("value/" + v.name, v.shape, std::span<const T>(std::vector<T>(v.value.begin(), v.value.end())));
    file.add("gradient/" + v.name, v.shape, std::span<const T>(std::vector<T>(v.gradient.begin(), v.gradient.end())));
  }
  file.save(path);
}

int grad(const Options& o) {
  const bool from_model = !o.network.model.empty();
  Dataset data;
  if (!from_model && o.part == "validation") {
    throw UsageError("--part validation: a network of --net has held nothing out; give a model, or use test or train");
  }
  if (!from_model) {
    auto split = with_skipped_named(load_dataset(o.data.empty() ? "digits" : o.data, {.skip_bad = o.skip_bad}));
    data = std::move(o.part == "test" ? split.test : split.train);
  }
  auto network = make_network(o.network, data.sample);
  if (from_model) data = load_part(o.data, network, o.part, o.skip_bad);
  const auto size = static_cast<std::int64_t>(data.size());
  if (o.index >= size || o.batch > size - o.index) {
    throw UsageError(fmt::format("samples {} to {} were asked for, but there are {}, from 0 to {}", o.index,
                                 o.index + o.batch - 1, count(size), size - 1));
  }
  const auto values = inspect(network, data, static_cast<std::size_t>(o.index), static_cast<std::size_t>(o.batch),
                              o.engine ? InspectBy::engine : InspectBy::reference);
  o.engine ? write<float>(values, o.out) : write<double>(values, o.out);
  fmt::print("{}: {} values and their gradients of samples {} to {}\n", o.out, values.size(), o.index,
             o.index + o.batch - 1);
  return kOk;
}

}  // namespace

void add_grad(CommandLine& line) {
  auto options = std::make_shared<Options>();
  auto command =
      line.command("grad", "Write every value and its gradient, for some samples, as a NumPy file", options, grad);
  add_network(command, options->network, ModelFile::allowed);
  command.text("--data", options->data, "Data: " + data_source_forms());
  add_skip_bad(command, options->skip_bad);
  command
      .word("--part", options->part, {"test", "train", "validation"},
            "test, train, or validation: what was held out from the training of MODEL", "PART")
      .shows_default();
  command.whole("--index", options->index, {.least = 0}, "The first sample, from 0", "I").shows_default();
  command.whole("--batch", options->batch, {1, 4096}, "How many samples; the loss is their mean").shows_default();
  command.output("--out", options->out, "Where it goes (.npz)").required();
  command.flag("--engine", options->engine, "Compute with the engine, in float, instead of the reference in double");
}

}  // namespace chalk::app

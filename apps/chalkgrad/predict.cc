// chalkgrad predict: what a model sees in images.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <span>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/json.h"
#include "src/base/file.h"
#include "src/base/wording.h"

namespace chalk::app {
namespace {

struct Options {
  std::string model, background = "white", output = "y", tta;
  std::vector<std::string> images, others;
  std::size_t top = 3;
  int threads = 0;
  bool invert = false, json = false;
};

/// The images that could be read, one sample each.
struct Samples {
  std::size_t count = 0;
  std::vector<std::uint8_t> bytes;
  std::vector<std::string> errors;  // why an image could not be read, or "", for all of them
};

Colour parse_colour(const std::string& text) {
  if (const auto colour = colour_in(text)) return *colour;
  throw UsageError(
      fmt::format("--background {} is not a colour; give white, black or RRGGBB such as ffcc00", in_quotes(text)));
}

/// The file - is standard input.
Image read_image(const std::string& file, const Colour& background) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 30U;
  if (file != "-") return load_image(file, background);
  return decode_image(read_file("/dev/stdin", kMostBytes), "standard input", kMostPixels, background);
}

/// The files that were given. A folder stands for the pictures in it and below, in the order of their paths.
std::vector<std::string> files_in(const std::vector<std::string>& given) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (const auto& path : given) {
    std::error_code error;
    const auto before = files.size();
    if (fs::is_directory(path, error)) {
      for (auto it = fs::recursive_directory_iterator(path, error); !error && it != fs::recursive_directory_iterator();
           it.increment(error)) {
        const auto name = it->path().filename().string();
        if (!name.starts_with('.') && is_picture_name(name) && it->is_regular_file(error)) files.push_back(it->path());
      }
      std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
    }
    if (files.size() == before) files.push_back(path);  // a file, or what cannot be read as one
  }
  return files;
}

/// Names the images that cannot be read on stderr.
Samples load_samples(const Options& o, std::span<const std::string> images, const Colour& background,
                     const Network& network) {
  const auto& shape = network.input_shape();
  if (shape.size() != 3 || (shape[0] != 1 && shape[0] != 3) || !network.encoding.encodes_bytes()) {
    throw InputError(fmt::format("{}: takes samples of {}{}, not images; it cannot predict from image files", o.model,
                                 to_string(shape), network.encoding.encodes_bytes() ? "" : " of numbers"));
  }
  Samples samples;
  for (const auto& path : images) {
    auto& error = samples.errors.emplace_back();
    try {
      const auto image = fit_image(read_image(path, background), static_cast<int>(shape[0]), static_cast<int>(shape[1]),
                                   static_cast<int>(shape[2]), fit_of(network));
      samples.bytes.insert(samples.bytes.end(), image.begin(), image.end());
      ++samples.count;
    } catch (const InvisibleImage& e) {
      const bool on_black = e.visible_on.red == 0;
      error = fmt::format("{} with --background {}{}", e.what(), on_black ? "black" : "white",
                          on_black && o.invert ? " and without --invert" : "");
    } catch (const InputError& e) {
      error = e.what();
    }
    if (!error.empty()) print_error(error);
  }
  if (o.invert) {
    std::ranges::transform(samples.bytes, samples.bytes.begin(),
                           [](std::uint8_t b) { return static_cast<std::uint8_t>(255 - b); });
  }
  return samples;
}

struct Answer {
  std::string label;
  double value;
};

using Names = std::vector<std::string>;

/// The classes that the elements of an output stand for, if they do.
Names names_of(const Network& network, const std::string& output) {
  const auto found = std::ranges::find(network.outputs(), output, &NetworkOutput::name);
  return found != network.outputs().end() && found->reconstructs ? Names() : network.encoding.class_names;
}

/// Whether the largest element is the answer.
bool is_choice(const Names& names, Outputs kind) { return kind != Outputs::numbers || !names.empty(); }

/// What the outputs for one image say, the largest first; all of them, in their order, where none is the answer.
std::vector<Answer> answers(const Names& names, Outputs kind, std::span<const float> outputs, std::size_t top) {
  std::vector<Answer> all;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto number = std::to_string(i);
    all.push_back({i < names.size()           ? names[i]
                   : kind == Outputs::classes ? number
                                              : "output " + number,
                   static_cast<double>(outputs[i])});
  }
  if (!is_choice(names, kind)) return all;
  if (all.size() == 1 && names.size() == 2) all = {{names[1], all[0].value}, {names[0], 1 - all[0].value}};
  std::vector<Answer> best;
  while (best.size() < top && !all.empty()) {
    const auto largest = std::ranges::max_element(all, {}, &Answer::value);
    best.push_back(*largest);
    all.erase(largest);
  }
  return best;
}

/// What several models say, as one answer.
std::vector<float> together(const Options& o, Network& first, std::vector<Network>& others, const Feed& feed,
                            std::size_t count) {
  std::vector<Network*> all{&first};
  for (auto& other : others) all.push_back(&other);
  std::vector<std::string> files{o.model};
  files.insert(files.end(), o.others.begin(), o.others.end());
  Ensemble ensemble(all, o.threads, files, parse_tta(o.tta));
  const auto values = ensemble(feed, count);
  return {values.begin(), values.end()};
}

/// Prints what is said of an image, or returns it as JSON.
Json told(const Options& o, const std::string& image, const std::vector<Answer>& said, const Names& names,
          Outputs kind) {
  auto best = Json::array();
  std::string line;
  for (const auto& [label, value] : said) {
    best.push_back({{"label", label}, {kind == Outputs::numbers ? "output" : "probability", value}});
    line += fmt::format("{}{} {}", line.empty() ? "" : "   ", label,
                        kind == Outputs::numbers ? fmt::format("{:.6g}", value) : percent(value));
  }
  if (!o.json) fmt::print("{}: {}\n", image, line);
  Json row{{"image", image}};
  if (is_choice(names, kind)) row["label"] = said[0].label;
  row["top"] = best;
  return row;
}

int predict_command(const Options& o) {
  const auto views = parse_tta(o.tta);
  const auto background = parse_colour(o.background);
  if (std::ranges::count(o.images, "-") > 1)
    throw UsageError("- is standard input, which can be read once; give it once");
  auto network = Network::load(o.model);
  if (o.output != "y" && !o.others.empty())
    throw UsageError("--output and --with were given; models answer together by their first outputs; give one of them");
  const auto kind = as_usage([&] { return outputs_of(network, o.output); }, "--output: ");
  const auto names = names_of(network, o.output);
  std::vector<Network> others;
  for (const auto& other : o.others) others.push_back(Network::load(other));
  const auto each = static_cast<std::size_t>(elements(network.output_shape(o.output)));
  const auto files = files_in(o.images);
  auto json = Json::array();
  std::size_t read = 0;
  constexpr std::size_t kAtOnce = 1024;  // so that there may be more of them than memory holds
  for (std::size_t first = 0; first < files.size(); first += kAtOnce) {
    const auto some = std::span(files).subspan(first, std::min(kAtOnce, files.size() - first));
    const auto samples = load_samples(o, some, background, network);
    read += samples.count;
    const Feed feed = network.encoding.feed(samples.bytes.data());
    std::vector<float> values;
    if (samples.count > 0) {
      values =
          others.empty()
              ? about_model(o.model,
                            [&] { return predict(network, feed, samples.count, true, o.threads, o.output, views); })
              : together(o, network, others, feed, samples.count);
    }
    std::span<const float> rest(values);
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (!samples.errors[i].empty()) {
        if (o.json) json.push_back({{"image", some[i]}, {"error", samples.errors[i]}});
        continue;
      }
      auto row = told(o, some[i], answers(names, kind, rest.first(each), o.top), names, kind);
      if (o.json) json.push_back(std::move(row));
      rest = rest.subspan(each);
    }
  }
  if (o.json) print_json(json);
  return read == files.size() ? kOk : kFailed;
}

}  // namespace

void add_predict(CommandLine& line) {
  auto options = std::make_shared<Options>();
  auto command =
      line.command("predict", "Say what is in images (PNG, JPEG, PNM or BMP, of any size)", options, predict_command);
  command.text("MODEL", options->model, kModelFile).required();
  command.texts("IMAGE", options->images, "Image files, or folders of them; - is standard input", "FILE").required();
  command.repeated("--with", options->others, "Another model, which answers together with it; may be repeated",
                   "MODEL");
  command.whole("--top", options->top, {.least = 1}, "How many answers for each, the largest first").shows_default();
  command.text("--background", options->background, "What transparent images lie on: white, black or RRGGBB", "COLOUR")
      .shows_default();
  command
      .text("--output", options->output, "Which output of a network that has several; y is the first, its prediction",
            "NAME")
      .shows_default();
  add_tta(command, options->tta);
  command.flag("--invert", options->invert, "Swap dark and bright: digits and MNIST are white on black");
  add_threads(command, options->threads);
  add_json(command, options->json);
}

}  // namespace chalk::app

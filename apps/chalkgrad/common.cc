#include "apps/chalkgrad/common.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "apps/chalkgrad/json.h"
#include "src/base/file.h"
#include "src/base/reading.h"
#include "src/base/utf8.h"
#include "src/base/wording.h"

namespace chalk::app {
namespace {

constexpr std::size_t kMostText = std::size_t{1} << 20;

/// Nothing if it is not there.
std::string metadata_of(const Network& network, const char* key) {
  const auto found = network.metadata.find(key);
  return found == network.metadata.end() ? std::string() : found->second;
}

/// A chain has no "/".
bool is_file(const std::string& spec) { return spec.ends_with(".toml") || spec.find('/') != std::string::npos; }

/// One line that a terminal can show, whatever was typed: bytes that are not UTF-8 and control characters become \xNN.
std::string printable(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text[0]);
    const auto length = first_character(text).bytes;
    if (first == '\n') {
      line += ' ';
    } else if (length == 0 || first < 0x20 || first == 0x7f) {
      line += fmt::format("\\x{:02x}", first);
    } else {
      line += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  return line;
}

}  // namespace

void print_error(std::string_view message) {
  std::fflush(stdout);
  std::fprintf(stderr, "chalkgrad: %s\n", printable(message).c_str());
}

void add_threads(Command& command, int& threads) {
  command.whole("--threads", threads, {0, 1024},
                "Threads; 0: one a core. The results are the same bits for any number");
}

void add_step_memory(Command& command, std::size_t& bytes) {
  command.size(
      "--step-memory", bytes,
      "The most memory that a step of training may take, such as 2GB: values are computed again instead of kept "
      "where it would take more, to the same bits");
}

Option add_json(Command& command, bool& json) { return command.flag("--json", json, "Print JSON"); }

Shape parse_shape(std::string_view text) {
  const auto refuse = [&] {
    throw UsageError(
        fmt::format("--input {} is not a shape; write e.g. 1x28x28 (channels, rows, columns)", in_quotes(text)));
  };
  Shape shape;
  for (auto rest = text;;) {
    std::int64_t extent = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), extent);
    if (error != std::errc() || extent < 1 || extent > (1 << 20) || shape.size() == 8) refuse();
    shape.push_back(extent);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (rest.empty()) return shape;
    const std::string_view times = rest.starts_with("×") ? "×" : "x";
    if (!rest.starts_with(times)) refuse();
    rest.remove_prefix(times.size());
  }
}

std::string read_text(const std::string& file) {
  const auto bytes = read_file(file, kMostText);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Network make_network(const std::string& spec, const Shape& input, std::uint64_t seed) {
  if (spec.ends_with(".safetensors")) {
    throw UsageError(
        fmt::format("--net {0} is a model, and a network's text was expected; train goes on from a model "
                    "by --from {0}, other commands take it without --net",
                    shell_word(spec)));
  }
  if (is_file(spec)) {
    auto network = chalk::network(read_text(spec), input, seed, spec);
    TrainOptions unused;
    read_train_config(network.text(), spec, unused);  // a mistake there is a mistake, used or not
    return network;
  }
  return as_usage([&] { return chalk::network(spec, input, seed); });
}

void add_network(Command& command, NetworkOptions& options, ModelFile model) {
  if (model == ModelFile::allowed) command.text("MODEL", options.model, kModelFile);
  command.text("--net", options.net, "A network: a line such as 20c5-relu-mp2-10n, or FILE.toml", "NET");
  command.text("--input", options.input, "Shape of a sample, e.g. 1x28x28", "SHAPE");
  command.whole("--seed", options.seed, kSeeds, "Seed of the parameters of --net");
}

Network make_network(const NetworkOptions& options, const Shape& input) {
  if (!options.model.empty()) {
    if (!options.net.empty()) throw UsageError("a model file and --net were given; give one of them");
    if (!options.input.empty()) throw UsageError("--input goes with --net; a model file knows its input");
    return Network::load(options.model);
  }
  if (options.net.empty()) throw UsageError("no network was given; add --net, e.g. --net 20c5-relu-mp2-10n");
  return make_network(options.net, options.input.empty() ? input : parse_shape(options.input), options.seed);
}

std::string outputs_text(const Network& network, const Loss& first) {
  std::string text;
  for (const auto& output : network.outputs()) {
    text += fmt::format("{}{} {}×{}{}{}", text.empty() ? "" : ", ", output.name, output.weight,
                        name_of(output.loss.value_or(first)), output.reconstructs ? " of the input" : "",
                        output.weight == 0 ? " (not trained)" : "");
  }
  return text;
}

namespace {

struct Storage {
  std::optional<std::uint64_t> memory;
  std::string cache;
};

/// A program runs one command.
Storage& storage() {
  static Storage given;
  return given;
}

}  // namespace

void add_storage(Command& command) {
  command.size("--memory", storage().memory,
               "What pictures in files of their own may take, such as 2GB; if they would take more, or with 0, each is "
               "decoded whenever it is needed. Without it, half of what is available");
  command.text("--cache", storage().cache,
               "A file that keeps such pictures decoded: made if it is not there or if they have changed, and read "
               "instead of them",
               "FILE");
}

Split load_stored(const std::string& spec, LoadOptions options, bool cached) {
  if (storage().memory) options.memory = storage().memory;
  if (cached) options.cache = storage().cache;
  return load_dataset(spec, options);
}

std::string storage_text() {
  std::string text;
  if (storage().memory) text += fmt::format(" --memory {}", *storage().memory);
  if (!storage().cache.empty()) text += " --cache " + shell_word(storage().cache);
  return text;
}

void add_skip_bad(Command& command, bool& skip_bad) {
  command.flag("--skip-bad", skip_bad, "Leave out samples that cannot be used, and name them, instead of an error");
}

void add_tta(Command& command, std::string& list) {
  command.text("--tta", list, "Test-time augmentation: the mean over these views of each sample, as flip,shift:1",
               "LIST");
}

Augmentations parse_tta(const std::string& list) {
  return as_usage(
      [&] {
        auto views = Augmentations::parse(list);
        (void)views.views();
        return views;
      },
      "--tta: ");
}

Split with_skipped_named(Split split) {
  constexpr std::size_t kMostNamed = 10;
  const auto& skipped = split.skipped;
  if (skipped.empty()) return split;
  print_error(fmt::format("left out {}:", count(std::ssize(skipped))));
  for (std::size_t i = 0; i < std::min(kMostNamed, skipped.size()); ++i) print_error("  " + skipped[i]);
  if (skipped.size() > kMostNamed) {
    print_error(fmt::format("  and {} others, which chalkgrad data lists",
                            count(std::ssize(skipped) - static_cast<std::int64_t>(kMostNamed))));
  }
  return split;
}

Split load_data(const std::string& spec, const Network& model, Parts parts, bool skip_bad) {
  LoadOptions options{.parts = parts, .fit = fit_of(model), .classes = model.encoding.class_names};
  if (model.input_shape().size() == 3) options.sample = model.input_shape();
  if (!spec.empty()) {
    options.skip_bad = skip_bad;
    return with_skipped_named(load_stored(spec, options));
  }
  options.skip_bad = skip_bad || model.metadata.contains(kSkipBadKey);
  const auto found = model.metadata.find("data");
  if (found == model.metadata.end()) throw UsageError("the model does not say what it was trained on; add --data");
  try {
    return with_skipped_named(load_stored(found->second, options));
  } catch (const InputError& e) {
    throw InputError(fmt::format("{}; the model was trained on {}: if that is elsewhere now, say where with --data",
                                 e.what(), found->second));
  }
}

std::string validation_of(const Network& network) { return metadata_of(network, kValidationKey); }

Fit fit_of(const Network& model) { return metadata_of(model, kFitKey) == "crop" ? Fit::crop : Fit::stretch; }

void remember_fit(Network& model, Fit fit) {
  model.metadata.erase(kFitKey);
  if (fit == Fit::crop) model.metadata[kFitKey] = "crop";
}

std::string test_digest_of(const Network& model) { return metadata_of(model, kTestDigestKey); }

void warn_if_changed(const Dataset& data, const std::string& digest, const std::string& part, const Network& model) {
  if (digest.empty() || data.has_digest(digest)) return;
  const auto source = metadata_of(model, "data");
  print_error(fmt::format(
      "{}: the {} samples are others than when the model was trained: files have changed, or are decoded to other "
      "pixels; if that is meant, say --data {}",
      source, part, shell_word(source)));
}

std::string fold_of(const Network& network) { return metadata_of(network, kFoldKey); }

std::string normalisation_of(const Network& network, bool bytes) {
  const auto said = metadata_of(network, kNormaliseKey);
  return !said.empty() ? said : bytes ? "channel" : "none";
}

std::string encoding_text(const InputEncoding& encoding) {
  constexpr std::size_t kMostChannels = 4;
  if (encoding.per_sample) return "each with mean 0 and deviation 1";
  const auto channels = encoding.scale.size();
  if (channels == 0) return "numbers as they are";
  const char* of = encoding.of_values ? "number" : "byte";
  if (channels > kMostChannels) return fmt::format("{} · scale + shift of {} channels, which --json has", of, channels);
  std::string text;
  for (std::size_t c = 0; c < channels; ++c) {
    text += fmt::format("{}{} · {:.6g} {} {:.6g}", c > 0 ? ", " : "", of, encoding.scale[c],
                        encoding.shift[c] < 0 ? "−" : "+", std::abs(encoding.shift[c]));
  }
  return text;
}

namespace {

void take(const Fold& fold, Split& data) {
  auto parts = fold_of(data.train, fold);
  data.train = std::move(parts.train);
  data.test = std::move(parts.test);
}

}  // namespace

void take_fold(const Fold& fold, const std::optional<Normalisation>& how, Split& data) {
  take(fold, data);
  if (how || data.train.has_bytes()) normalise(data, how.value_or(Normalisation()));
}

void take_fold(const Network& network, Split& data) {
  if (const auto text = fold_of(network); !text.empty()) take(Fold::parse(text), data);
}

Dataset load_validation(const Validation& validation, const Shape& sample, Fit fit,
                        const std::vector<std::string>& classes, bool skip_bad) {
  const bool has_test = validation.text_of.find(",test=") != std::string::npos;  // whatever else there may be
  LoadOptions options{
      .parts = has_test ? Parts::test : Parts::training_at_least, .fit = fit, .classes = classes, .skip_bad = skip_bad};
  if (sample.size() == 3) options.sample = sample;
  auto data = with_skipped_named(load_stored(validation.text_of, options, /*cached=*/false));
  return std::move(data.test.size() > 0 ? data.test : data.train);
}

Dataset load_part(const std::string& spec, const Network& model, const std::string& part, bool skip_bad) {
  const auto text = validation_of(model);
  const bool held_out = part == "validation", of_fold = model.metadata.contains(kFoldKey) && (spec.empty() || held_out);
  if (held_out && text.empty())
    throw UsageError("--part validation: the model was trained without validation data; use test or train");
  const auto asked = text.empty() ? Validation() : Validation::parse(text);
  const auto validation = asked.of_data(spec.empty() ? metadata_of(model, "data") : spec);
  if (held_out && validation.kind == Validation::Kind::source) {
    if (!spec.empty() && asked.kind == Validation::Kind::source) {
      throw UsageError(fmt::format(
          "--part validation: the model was validated on {}, which is no part of its data; leave out --data, or give "
          "--part test or train",
          validation.text_of));
    }
    auto data = load_validation(validation, model.input_shape(), fit_of(model), model.encoding.class_names,
                                skip_bad || model.metadata.contains(kSkipBadKey));
    encode_as_trained(model, data);
    warn_if_changed(data, model.training ? model.training->validation : "", part, model);
    return data;
  }
  const bool test = part == "test" || (held_out && validation.kind == Validation::Kind::test),
             encoded = !model.encoding.scale.empty();
  auto data = load_data(spec, model,
                        !encoded           ? Parts::both
                        : test && !of_fold ? Parts::test
                                           : Parts::training,
                        skip_bad);
  if (of_fold) take_fold(model, data);
  auto& wanted = test ? data.test : data.train;
  if (wanted.size() == 0) {
    throw InputError(fmt::format("{}: has no {} samples; give --part {}, or other data",
                                 spec.empty() ? model.metadata.at("data") : spec, test ? "test" : "training",
                                 test ? "train" : "test"));
  }
  encode_as_trained(model, wanted);
  if (!test && !text.empty() && validation.holds_out() && (held_out || spec.empty())) {
    auto split = hold_out(wanted, validation);
    wanted = held_out ? std::move(split.test) : std::move(split.train);
  }
  if (spec.empty()) {
    const auto& record = model.training;
    const auto of_record = !record ? std::string() : held_out ? record->validation : record->digest;
    warn_if_changed(wanted, test && !held_out ? test_digest_of(model) : of_record, test ? "test" : part, model);
  }
  return std::move(wanted);
}

std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+,-./:=@_";
  if (word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string count(std::int64_t number) {
  return number < 0 ? "-" + grouped(static_cast<std::uint64_t>(-number)) : grouped(static_cast<std::uint64_t>(number));
}

std::string percent(double fraction) { return fmt::format("{:.2f} %", 100 * fraction); }

std::string megabytes(std::size_t bytes) {
  return bytes < 1'000'000 ? fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3)
                           : fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

void print_json(const Json& value) { fmt::print("{}\n", value.text(/*lines=*/true)); }

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace chalk::app

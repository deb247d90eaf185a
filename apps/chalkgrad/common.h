// What the commands share: options, networks from what was typed, and how numbers are written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "apps/chalkgrad/command.h"
#include "chalkgrad/chalkgrad.h"

namespace chalk::app {

class Json;

enum ExitCode : int { kOk = 0, kFailed = 1, kUsage = 2 };  // and 128 + a signal's number

/// The command line itself is wrong.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// What a function returns that reads a part of the command line: what is wrong there is a UsageError.
template <class Read>
auto as_usage(Read read, const std::string& where = {}) {
  try {
    return read();
  } catch (const InputError& e) {
    throw UsageError(where + e.what());
  }
}

/// A line on stderr.
void print_error(std::string_view message);

/// What the function returns; what it says about numbers that are not finite is about this model.
template <class Run>
auto about_model(const std::string& model, Run run) {
  try {
    return run();
  } catch (const NumericError& e) {
    throw NumericError(model + ": " + e.what());
  }
}

/// A network's outputs with their weights and losses: "y 1×cross-entropy, early 0.3×cross-entropy".
std::string outputs_text(const Network& network, const Loss& first);

/// A signal ended the work, in order.
class Interrupted : public Error {
 public:
  Interrupted(int code, const std::string& what) : Error(what), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

void add_threads(Command& command, int& threads);
Option add_json(Command& command, bool& json);

/// "1x28x28" or "1×28×28".
Shape parse_shape(std::string_view text);

/// The text of a network's file.
std::string read_text(const std::string& file);

/// A chain, or the path of a TOML file; a chain that cannot be read is a UsageError. `input` may be {} for TOML that
/// says its own.
Network make_network(const std::string& spec, const Shape& input, std::uint64_t seed);

/// Where a command takes its network from: a model file or --net, with --input.
struct NetworkOptions {
  std::string model, net, input;
  std::uint64_t seed = 1;
};
constexpr const char* kModelFile = "A model file (.safetensors or .onnx)";  // for a help text
enum class ModelFile : std::uint8_t { allowed, no };
void add_network(Command& command, NetworkOptions& options, ModelFile model);
/// `input` is used if no --input was given.
Network make_network(const NetworkOptions& options, const Shape& input = {});

/// A word as a shell takes it, so that a command that a message advises can be copied.
std::string shell_word(const std::string& word);

/// The option --step-memory.
void add_step_memory(Command& command, std::size_t& bytes);

/// The options --memory and --cache, which say where pictures are kept.
void add_storage(Command& command);
/// load_dataset() as they say; a cache has one set, and `cached` says whether it is for this one.
Split load_stored(const std::string& spec, LoadOptions options, bool cached = true);
/// They themselves, for a command that is advised: " --cache FILE", or nothing.
std::string storage_text();

/// The option --skip-bad.
void add_skip_bad(Command& command, bool& skip_bad);
/// The option --tta, a list of augmentations.
void add_tta(Command& command, std::string& list);
/// The list, which has views.
Augmentations parse_tta(const std::string& list);
/// Says on stderr which samples were left out, if any were.
Split with_skipped_named(Split split);
/// What train --skip-bad said, as models keep it in their metadata: "true", or nothing.
constexpr const char* kSkipBadKey = "skip_bad";
/// What the model was trained on, unless `spec` says otherwise, with the model's classes and size of pictures. What
/// cannot be used is left out if `skip_bad` says so, or if the model was trained so on these data.
Split load_data(const std::string& spec, const Network& model, Parts parts, bool skip_bad = false);
/// How pictures are brought to the network's size, as models keep it in their metadata: "crop", or nothing.
constexpr const char* kFitKey = "fit";
Fit fit_of(const Network& model);
void remember_fit(Network& model, Fit fit);
/// Dataset::digest() of the test samples that a model was trained beside, as models keep it in their metadata; or
/// nothing. Those of the other parts are in the record of training.
constexpr const char* kTestDigestKey = "test_digest";
std::string test_digest_of(const Network& model);
/// Says on stderr that a part's samples ("test", …) are others than those with this digest; empty: nothing is known.
void warn_if_changed(const Dataset& data, const std::string& digest, const std::string& part, const Network& model);
/// What train --validation, --fold and --normalise said, as models keep it in their metadata; empty: nothing.
constexpr const char *kValidationKey = "validation", *kFoldKey = "fold", *kNormaliseKey = "normalise";
std::string validation_of(const Network& model);
std::string fold_of(const Network& model);
/// How samples are normalised that are bytes, or numbers, in words: what was said, or "channel" or "none".
std::string normalisation_of(const Network& model, bool bytes);
/// How samples become the numbers that a network sees: "byte · 0.0127 − 0.42".
std::string encoding_text(const InputEncoding& encoding);
/// Makes a fold of the training samples the test part, and normalises both by what is trained on alone.
void take_fold(const Fold& fold, const std::optional<Normalisation>& how, Split& data);
/// The same if the model's metadata name one; scales stay as they are.
void take_fold(const Network& model, Split& data);
/// The samples of another source that a validation names: its test part or, if it has none, all of it.
Dataset load_validation(const Validation& validation, const Shape& sample, Fit fit,
                        const std::vector<std::string>& classes, bool skip_bad);
/// "test", "train" or "validation" of that, as the model was trained to see it; files of the other part need not be
/// there. Of its own samples, "test" is the fold, if it was trained on the others, and those that were held out for
/// validation are no part of "train". Without a `spec`, it says on stderr if they are others than they were in
/// training.
Dataset load_part(const std::string& spec, const Network& model, const std::string& part, bool skip_bad = false);

/// 12345678 → "12,345,678".
std::string count(std::int64_t number);
/// 0.98765 → "98.77 %".
std::string percent(double fraction);
/// 12345678 → "12.3 MB".
std::string megabytes(std::size_t bytes);

void print_json(const Json& value);

/// Seconds since some moment.
double seconds();

}  // namespace chalk::app

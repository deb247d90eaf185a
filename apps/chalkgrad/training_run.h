// What commands that train begin with: a network, data and options, from the command line, a configuration or a model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/chalkgrad/command.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/training_fields.h"

namespace chalk::app {

struct RunOptions {
  std::string data = "digits", config, net, from, init, loss = "cross-entropy", maximise;
  std::string validation, fold, normalise;  // empty: none was given
  bool skip_bad = false, replace_head = false;
  TrainOptions train = default_training();  // what is decided without a configuration or an option
  TrainingFields fields;
  Command command;

  static TrainOptions default_training();
  bool given(const char* flag) const { return command.given(flag); }
  /// What is minimised or maximised by the command line.
  Loss objective() const { return *find_loss(maximise.empty() ? loss : maximise); }
  const char* objective_flag() const { return maximise.empty() ? "--loss" : "--maximise"; }
  /// The loss that was given, if any. One that the run has already keeps its options.
  void choose_loss(TrainOptions& options) const {
    const bool was_given = given("--loss") || given("--maximise");
    if (was_given && options.loss != objective().kind()) options.loss = objective();
  }
};

/// Adds FILE, --data, --net, --from, --init, --loss, --maximise, --threads and an option for each training field,
/// except for those that the command decides itself, to the options' command.
void add_run(RunOptions& options, const std::vector<std::string_view>& without = {});

/// A run: what is trained, on what, and how.
struct Run {
  Network network;
  Split data;
  TrainOptions options;
  Dataset held_out{};    // of the training samples
  TakenWeights taken{};  // from the model that --init names
  std::string head{};    // what --replace-head replaced: "fc: 37 outputs instead of 1,000"
};

/// Throws UsageError unless where the network comes from is said once.
void check_origin(const RunOptions& options);
/// What differs among runs that are compared; wins over what options say.
struct Variation {
  std::optional<std::uint64_t> seed{};
  std::optional<Fold> fold{};
};
/// A network from --net or a configuration, that has learned nothing or has the weights of --init.
Run new_run(const RunOptions& options, const Variation& variation = {});
/// Says which parameters were taken from the file, and which not.
void print_taken(const Run& run, const std::string& file);
/// A new run from a model's weights. The loss is the model's, the data too unless others are given, and all else is as
/// in any new run.
Run run_from(const RunOptions& options, const Variation& variation = {});
/// The samples as the network knows them, wherever they come from.
Split data_for(Network& network, const RunOptions& options);

/// Throws UsageError unless --validation, --fold and --normalise can be read.
void check_data_texts(const RunOptions& options);
/// Gives the run its validation data, if its network says which; from then on it must stay where it is.
void add_validation(Run& run);

/// How good the network is on the test samples. Nothing is known if there are none; only labels have an accuracy.
struct Tested {
  std::optional<double> loss{}, accuracy{};
  std::int64_t samples = 0;
};
Tested test(Run& run);
inline bool has_classes(const Run& run) { return !run.data.train.labels.empty(); }

/// Trains. The first Ctrl-C or SIGTERM stops it after the current step, the second one ends the program.
TrainResult train_until_signal(Run& run);
/// Of a program that a signal has stopped.
int exit_code_of_signal();

}  // namespace chalk::app

// What decides a training run, as options of the command line: one for each field of TrainOptions and of the
// optimizers.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "apps/chalkgrad/command.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/json.h"
#include "chalkgrad/train_options.h"

namespace chalk::app {

class TrainingFields {
 public:
  /// Adds the options to the command, except for the fields named, with these values as their defaults. Both must live
  /// until the command has run.
  void add_to(Command& command, TrainOptions defaults, const std::vector<std::string_view>& without = {});
  /// Adds the options of all losses.
  void add_losses_to(Command& command);
  /// Adds the options of all optimizers alone, without that which chooses one. The command must live until it has run.
  void add_optimizers_to(Command& command);

  /// Whether anything was given on the command line.
  bool any() const;
  /// Sets what was given on the command line. Throws UsageError for an option that the optimizer or the loss does not
  /// have, and for options that contradict each other.
  void apply(TrainOptions& options) const;
  /// Throws UsageError if something was given that differs from the options with which `file` was started.
  void check_agreement(const TrainOptions& began, const std::string& file) const;

 private:
  struct Row {
    std::string name, flag;  // weight_decay, --weight-decay
    std::string text;        // one of these holds what was given
    std::int64_t whole = 0;
    double real = 0;
    bool truth = false;
    std::vector<double> reals{};
    std::vector<Loss> losses{};  // those that have the option, if it is one of losses
  };
  class Adder;
  class Setter;
  const Row* given(std::string_view name) const;

  void freeze(TrainOptions& options) const;

  std::deque<Row> rows_;  // whose elements stay where they are
  std::vector<std::string> frozen_;
  const Command* command_ = nullptr;
};

/// What is thrown if the option says something else than that with which the run in `file` was started.
UsageError differs(std::string_view flag, std::string_view now, std::string_view began, const std::string& file);

/// The fields as members of a JSON object.
Json to_json(const TrainOptions& options);

}  // namespace chalk::app

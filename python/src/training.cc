// train.h: training, and its callbacks.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <optional>

#include "chalkgrad/train.h"
#include "python/src/common.h"
#include "python/src/options.h"

namespace chalk::python {
namespace {

/// What a callback sees: a copy, and a way to end the run.
struct Report : Progress {
  std::stop_source run;
};

/// How a run ended, and how it was after each of its epochs.
struct Outcome : TrainResult {
  std::vector<Report> history;
};

/// Calls Python from a run: callbacks, and the handlers of signals, Ctrl-C's among them. What they raise is kept, and
/// the run told to stop.
class Listener {
 public:
  Listener(nb::object on_step, nb::object on_epoch) : on_step_(std::move(on_step)), on_epoch_(std::move(on_epoch)) {}

  void add_to(TrainOptions& options) {
    options.stop = run_.get_token();
    options.on_step = [this](const Progress& now) { step(now); };
    options.on_epoch = [this](const Progress& now) {
      history_.push_back({now, std::stop_source(std::nostopstate)});
      if (!on_epoch_.is_none()) call(on_epoch_, now);
    };
  }
  std::vector<Report> take_history() { return std::move(history_); }
  /// Raises what was kept. Python's lock must be held.
  void raise() {
    if (error_) throw nb::python_error(std::move(*error_));
  }
  void clear() { error_.reset(); }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kPatience{20};  // between two looks at signals

  void step(const Progress& now) {
    if (!on_step_.is_none()) call(on_step_, now);
    if (const auto time = Clock::now(); time - looked_ > kPatience) {
      looked_ = time;
      const nb::gil_scoped_acquire acquire;
      if (PyErr_CheckSignals() != 0) keep();
    }
  }
  void call(const nb::object& callback, const Progress& now) {
    const nb::gil_scoped_acquire acquire;
    if (error_) return;  // one is enough
    try {
      callback(Report{now, run_});
    } catch (nb::python_error& error) {
      error_.emplace(std::move(error));
      run_.request_stop();
    }
  }
  void keep() {
    nb::python_error raised;
    if (!error_) error_.emplace(std::move(raised));
    run_.request_stop();
  }

  nb::object on_step_, on_epoch_;
  std::vector<Report> history_;
  std::stop_source run_;
  std::optional<nb::python_error> error_;
  Clock::time_point looked_ = Clock::now();
};

/// Options that are no fields, which decide nothing of the result.
struct Around {
  const Dataset* validation = nullptr;
  std::filesystem::path checkpoint;
  std::int64_t checkpoint_every = 0;
  int threads = 0;
  bool skip_bad = false;
  std::size_t step_memory = 0;
};

Outcome run(SharedNetwork& net, const Dataset& data, const nb::dict& fields, const Around& around,
            const nb::object& on_step, const nb::object& on_epoch) {
  TrainOptions options = options_from(fields);
  options.validation = around.validation;
  options.checkpoint = around.checkpoint;
  options.checkpoint_every = around.checkpoint_every;
  options.threads = around.threads;
  options.skip_bad = around.skip_bad;
  options.compile.memory = around.step_memory;
  Listener listener(on_step, on_epoch);
  listener.add_to(options);
  std::optional<TrainResult> result;
  {
    const AtWork work(net.mutex);
    result = train(net, data, options);
  }
  listener.raise();
  return {*result, listener.take_history()};
}

}  // namespace

void bind_training(nb::module_& m) {
  nb::class_<Report>(m, "Progress",
                     "Where a run is between two steps: what callbacks of train() are given.\n\n"
                     ">>> net = chalkgrad.Network('10n', (1, 8, 8))\n"
                     ">>> tell = lambda now: print(now.epoch, now.step, now.steps, now.samples)\n"
                     ">>> chalkgrad.train(net, chalkgrad.digits().train, epochs=2, on_epoch=tell).stopped\n"
                     "0 23 46 1438\n1 46 46 1438\nFalse\n")
      .def_ro("epoch", &Progress::epoch, "0 … epochs − 1")
      .def_ro("step", &Progress::step, "steps done, of")
      .def_ro("steps", &Progress::steps, "as many in the whole run")
      .def_ro("samples", &Progress::samples, "samples done in this epoch, of")
      .def_ro("epoch_samples", &Progress::epoch_samples, "as many in an epoch")
      .def_ro("loss", &Progress::loss, "of the last step")
      .def_ro("mean_loss", &Progress::mean_loss, "over this epoch so far")
      .def_ro("accuracy", &Progress::accuracy, "over this epoch so far, 0 … 1, before each update; of classification")
      .def_ro("lr", &Progress::lr, "of the last step")
      .def_ro("gradient_norm", &Progress::gradient_norm,
              "of the last step, before clip_norm limited it; 0 without that")
      .def_ro("validation_loss", &Progress::validation_loss,
              "at the end of the last epoch, on the validation data; None without them")
      .def_ro("validation_accuracy", &Progress::validation_accuracy, "the same, 0 … 1; of classification")
      .def_ro("best_epoch", &Progress::best_epoch, "the epoch that was best on them so far; −1: none")
      .def_ro("seconds", &Progress::seconds, "since train() was called")
      .def(
          "stop", [](Report& report) { report.run.request_stop(); },
          "Ends the run after this step. What has been learned stays in the network, and the same call of train() goes "
          "on with it.\n\n"
          ">>> net = chalkgrad.Network('10n', (1, 8, 8))\n"
          ">>> enough = lambda now: now.stop() if now.step == 5 else None\n"
          ">>> result = chalkgrad.train(net, chalkgrad.digits().train, on_step=enough)\n"
          ">>> result.stopped, result.last.step\n(True, 5)\n")
      .def("__repr__", [](const Report& now) {
        return "<chalkgrad.Progress: step " + std::to_string(now.step) + " of " + std::to_string(now.steps) + ">";
      });
  nb::class_<Outcome>(m, "TrainResult",
                      "How a run ended; a notebook shows its curves.\n\n"
                      ">>> net = chalkgrad.Network('10n', (1, 8, 8))\n"
                      ">>> result = chalkgrad.train(net, chalkgrad.digits().train, epochs=2)\n"
                      ">>> [now.epoch for now in result.history]\n[0, 1]\n")
      .def_prop_ro(
          "last",
          [](const Outcome& result) {
            return Report{result.last, std::stop_source(std::nostopstate)};
          },
          "Where it was.")
      .def_ro("history", &Outcome::history, "Where it was after each epoch of this call of train(): a Progress each.")
      .def_ro("stopped", &TrainResult::stopped, "Whether a callback stopped it before its end.")
      .def_ro("stopped_early", &TrainResult::stopped_early, "Whether patience was at its end.")
      .def("__repr__", [](const Outcome& result) {
        return "<chalkgrad.TrainResult: " + std::to_string(result.last.step) + " of " +
               std::to_string(result.last.steps) + " steps, loss " + std::to_string(result.last.mean_loss) + ">";
      });
  m.def(
      "_train",
      [](SharedNetwork& net, const Dataset& data, const AnyDict& fields, const Dataset* validation,
         const nb::object& checkpoint, std::int64_t checkpoint_every, int threads, bool skip_bad,
         std::size_t step_memory, const nb::object& on_step, const nb::object& on_epoch) {
        const Around around{validation,       checkpoint.is_none() ? std::filesystem::path() : to_path(checkpoint),
                            checkpoint_every, threads,
                            skip_bad,         step_memory};
        return run(net, data, fields, around, on_step, on_epoch);
      },
      "network"_a, "data"_a, "options"_a, "validation"_a.none(), "checkpoint"_a.none(), "checkpoint_every"_a,
      "threads"_a, "skip_bad"_a, "step_memory"_a, "on_step"_a.none(), "on_epoch"_a.none(),
      "chalkgrad.train() with its options as a dict.");
}

}  // namespace chalk::python

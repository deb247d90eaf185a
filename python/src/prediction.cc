// evaluate.h: how good a network is, and what it predicts.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include "chalkgrad/evaluate.h"
#include "python/src/common.h"

namespace chalk::python {
namespace {

std::string_view word(Outputs outputs) {
  switch (outputs) {
    case Outputs::classes:
      return "classes";
    case Outputs::probabilities:
      return "probabilities";
    case Outputs::numbers:
      break;
  }
  return "numbers";
}

/// Samples as the caller has them, and what keeps them. Pixels can be read as numbers, too.
struct Samples {
  Bytes bytes;
  Floats values;
  bool are_bytes = false;

  Shape shape() const { return are_bytes ? shape_of(bytes) : shape_of(values); }
};

class PyPredictor {
 public:
  PyPredictor(nb::object network, bool probabilities, int threads, const std::string& output)
      : owner_(std::move(network)),
        network_(nb::cast<SharedNetwork&>(owner_)),
        output_(network_.output_shape(output)),
        predictor_(make(network_, probabilities, threads, output)) {}

  Array operator()(nb::handle x, nb::handle out) {
    Samples samples = read(x);
    auto shape = samples.shape();
    const Shape& input = network_.input_shape();
    const bool one = shape == input;
    if (!one && (shape.empty() || Shape(shape.begin() + 1, shape.end()) != input)) {
      throw ShapeError("the network takes samples of " + to_string(input) + ", and was given an array of " +
                       to_string(shape) + "; give N×" + to_string(input) + " for N samples, or one sample");
    }
    const auto count = one ? std::size_t{1} : static_cast<std::size_t>(shape[0]);
    Shape result = output_;
    if (!one) result.insert(result.begin(), shape[0]);
    if (!out.is_none()) {
      Output array = output_array(out, result, "out");
      while (!ran(samples, count, array.data())) convert(samples);
      return nb::borrow<Array>(out);
    }
    Numbers values(count * static_cast<std::size_t>(elements(output_)));
    while (!ran(samples, count, values.data())) convert(samples);
    return new_array(std::move(values), result);
  }

 private:
  static Predictor make(SharedNetwork& network, bool probabilities, int threads, const std::string& output) {
    const AtWork work(network.mutex);
    return Predictor(network, probabilities, threads, output);
  }
  static Samples read(nb::handle x) {
    Samples samples;
    if (fast_floats(x, samples.values)) return samples;
    samples.are_bytes = fast_bytes(x, samples.bytes);
    if (samples.are_bytes) return samples;
    const auto array = as_array("samples", x);
    samples.are_bytes = nb::try_cast(array, samples.bytes, false);
    if (!samples.are_bytes) samples.values = cast_array<Floats>(array);
    return samples;
  }
  /// From pixels to the same as numbers, and back to pixels; numbers are none.
  static void convert(Samples& samples) {
    if (!samples.bytes.is_valid()) {
      throw nb::type_error(
          "the network was trained on pixels (uint8), and was given other numbers; give pixels from 0 "
          "to 255, as x.astype(numpy.uint8)");
    }
    if (!samples.values.is_valid()) samples.values = cast_array<Floats>(as_array("numbers", nb::cast(samples.bytes)));
    samples.are_bytes = !samples.are_bytes;
  }
  /// False, and nothing done, if the network takes the other kind: what pixels and numbers mean to it, its training
  /// decided, which another thread may have done just now.
  bool ran(const Samples& samples, std::size_t count, float* to) {
    if (count == 0) return true;
    const AtWork work(network_.mutex);
    const auto& encoding = network_.encoding;
    if (samples.are_bytes != encoding.encodes_bytes()) return false;
    const Feed feed = samples.are_bytes ? encoding.feed(samples.bytes.data()) : encoding.feed(samples.values.data());
    const auto found = predictor_(feed, count);
    std::copy(found.begin(), found.end(), to);
    return true;
  }

  nb::object owner_;
  SharedNetwork& network_;
  Shape output_;
  Predictor predictor_;
};

Array confusion_of(const Evaluation& found) {
  const auto classes = static_cast<std::int64_t>(found.classes.size());
  auto copy = found.confusion;
  return new_array(std::move(copy), {classes, classes});
}

}  // namespace

void bind_prediction(nb::module_& m) {
  nb::class_<ClassResult>(m, "ClassResult",
                          "How good a network is on one class.\n\n"
                          ">>> net, test = chalkgrad.Network('10n', (1, 8, 8)), chalkgrad.digits().test\n"
                          ">>> chalkgrad.evaluate(net, test).classes[3].samples\n52\n")
      .def_ro("name", &ClassResult::name, "The class's.")
      .def_ro("samples", &ClassResult::samples, "How many there are of it.")
      .def_ro("correct", &ClassResult::correct, "How many of these were found.")
      .def_ro("predicted", &ClassResult::predicted, "How often it was predicted.")
      .def_prop_ro("recall", &ClassResult::recall, "correct / samples; None without samples.")
      .def_prop_ro("precision", &ClassResult::precision, "correct / predicted; None if it was never predicted.")
      .def_prop_ro("f1", &ClassResult::f1, "2·correct / (samples + predicted).");
  nb::class_<Evaluation>(m, "Evaluation",
                         "How good a network is on some data.\n\n"
                         ">>> net, test = chalkgrad.Network('10n', (1, 8, 8)), chalkgrad.digits().test\n"
                         ">>> found = chalkgrad.evaluate(net, test)\n"
                         ">>> found.confusion.sum() == found.samples == 359\nTrue\n")
      .def_ro("accuracy", &Evaluation::accuracy,
              "The share of samples whose class was predicted, 0 … 1, whatever their weights.")
      .def_ro("loss", &Evaluation::loss, "Mean over the samples, by their weights if they have any.")
      .def_prop_ro(
          "measured", [](const Evaluation& e) { return std::string(name_of(e.measured)); }, "Which loss that is.")
      .def_ro("samples", &Evaluation::samples, "How many there were.")
      .def_ro("classes", &Evaluation::classes, "A ClassResult for each class.")
      .def_prop_ro("confusion", &confusion_of,
                   "How many samples of class i were predicted as j: confusion[i, j], int64.")
      .def("top", &Evaluation::top, "k"_a,
           "The share of samples whose class is among the k of the largest outputs.\n\n"
           ">>> net = chalkgrad.Network('10n', (1, 8, 8))\n"
           ">>> found = chalkgrad.evaluate(net, chalkgrad.digits().test)\n"
           ">>> found.top(1) == found.accuracy, found.top(10)\n(True, 1.0)\n")
      .def("__repr__", [](const Evaluation& e) {
        return "<chalkgrad.Evaluation: " + std::to_string(e.samples) + " samples, accuracy " +
               std::to_string(e.accuracy) + ", loss " + std::to_string(e.loss) + ">";
      });
  m.def(
      "evaluate",
      [](SharedNetwork& net, const Dataset& data, int threads) {
        const AtWork work(net.mutex);
        return evaluate(net, data, threads);
      },
      "network"_a, "data"_a, "threads"_a = 0,
      "How good a network is on data: an Evaluation.\n\nRaises ShapeError if the data do not fit the network, "
      "InputError for targets that its loss cannot take, NumericError naming a layer whose result is not finite.\n\n"
      ">>> net = chalkgrad.Network('10n', (1, 8, 8))\n"
      ">>> chalkgrad.evaluate(net, chalkgrad.digits().test).samples\n359\n");
  m.def(
      "outputs_of",
      [](SharedNetwork& net, const std::string& output) {
        const AtWork work(net.mutex);
        return word(outputs_of(net, output));
      },
      "network"_a, "output"_a = "y",
      "What the numbers are that a network gives: 'classes' (one probability for each, summing to 1), 'probabilities' "
      "(each of something of its own) or 'numbers'.\n\n"
      ">>> chalkgrad.outputs_of(chalkgrad.Network('10n', (4,)))\n'classes'\n");
  nb::class_<PyPredictor>(
      m, "Predictor",
      "Predicts repeatedly: what can be done once is done by Predictor(network), so that a call takes microseconds.\n\n"
      "predictor(x) takes N samples, N×(shape of the network's input), or one of them, and returns float32, N×(shape "
      "of "
      "the output), or that of one. uint8 are pixels for a network that was trained on such. predictor(x, out=array) "
      "writes into an array of the caller's. It sees every change of the network's parameters. Threads of Python may "
      "share it: they wait for each other, without Python's lock.\n\n"
      "probabilities: of a classifier, gives what its last softmax gives (or one that is added), rather than what goes "
      "into it; other networks give their output as it is. threads: 0 means one per core; a single sample uses one. "
      "output: which one of the network's.\n\n"
      "Raises ShapeError for samples of another shape, NumericError naming the first layer with a result that is not "
      "finite.\n\n"
      ">>> net = chalkgrad.Network('10n', (1, 8, 8))\n"
      ">>> chalkgrad.Predictor(net)(numpy.zeros((3, 1, 8, 8), numpy.float32)).shape\n(3, 10)\n")
      .def(
          "__init__",
          [](PyPredictor* self, nb::object network, bool probabilities, int threads, const std::string& output) {
            new (self) PyPredictor(std::move(network), probabilities, threads, output);
          },
          "network"_a, nb::kw_only(), "probabilities"_a = true, "threads"_a = 0, "output"_a = "y")
      .def(
          "__call__", [](PyPredictor& self, nb::handle x, nb::handle out) { return self(x, out); }, "x"_a,
          "out"_a = nb::none(), "The network's answers for samples: see the class.");
}

}  // namespace chalk::python

// network.h, cost.h, onnx.h: networks, their parameters, and files of them.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <utility>

#include "chalkgrad/cost.h"
#include "chalkgrad/onnx.h"
#include "chalkgrad/train.h"
#include "python/src/common.h"
#include "python/src/options.h"

namespace chalk::python {
namespace {

SharedNetwork of_text(const std::string& text, nb::handle input, std::uint64_t seed) {
  const auto shape = to_shape(input);
  const nb::gil_scoped_release release;
  return SharedNetwork(network(text, shape, seed));
}

SharedNetwork load(nb::handle path) {
  const auto file = to_path(path);
  return with_file(file, [&] {
    const nb::gil_scoped_release release;
    return SharedNetwork(Network::load(file));
  });
}

std::vector<std::string> parameter_names(SharedNetwork& net) {
  const AtWork work(net.mutex);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : std::as_const(net).variables().all()) names.push_back(name);
  return names;
}

/// The variables of that name, or Python's KeyError.
Tensor& tensor_of(SharedNetwork& net, const std::string& name) {
  if (net.variables().contains(name)) return net.variables().at(name);
  std::string known;
  for (const auto& [each, tensor] : net.variables().all()) known += (known.empty() ? "" : ", ") + each;
  throw nb::key_error(("the network has no parameter '" + name + "'; it has " + known).c_str());
}

Array values_of(SharedNetwork& net, const std::string& name) {
  Numbers copy;
  Shape shape;
  {
    const AtWork work(net.mutex);
    const Tensor& tensor = tensor_of(net, name);
    shape = tensor.shape();
    copy.assign(tensor.values().begin(), tensor.values().end());
  }
  return new_array(std::move(copy), shape);
}

void assign(SharedNetwork& net, const std::string& name, nb::handle values) {
  const auto array = cast_array<Floats>(as_array("numbers", values));
  const AtWork work(net.mutex);
  Tensor& tensor = tensor_of(net, name);
  if (shape_of(array) != tensor.shape()) {
    throw ShapeError(name + " is " + to_string(tensor.shape()) + ", and was given " + to_string(shape_of(array)) +
                     " numbers; give as many, in the same shape");
  }
  tensor.assign({array.data(), array.size()});
}

std::optional<AnyDict> training_of(SharedNetwork& net) {
  std::optional<TrainingRecord> found;
  {
    const AtWork work(net.mutex);
    found = net.training;
  }
  if (!found) return {};
  const TrainingRecord& record = *found;
  nb::dict about;
  about["options"] = to_dict(record.options);
  about["data"] = record.data;
  about["digest"] = record.digest;
  about["samples"] = record.samples;
  about["step"] = record.step;
  about["steps"] = record.steps();
  about["finished"] = record.finished();
  about["unfinished"] = record.unfinished();
  about["diverged"] = record.diverged;
  return AnyDict(about);
}

using LayerTuple = nb::typed<nb::tuple, std::string, ShapeTuple, std::int64_t, std::int64_t>;

nb::typed<nb::list, LayerTuple> layers_of(const SharedNetwork& net) {
  nb::list layers;
  for (const auto& layer : layer_costs(net.graph()))
    layers.append(nb::make_tuple(layer.layer, to_tuple(layer.shape), layer.parameters, layer.forward));
  return nb::typed<nb::list, LayerTuple>(layers);
}

std::string show(const SharedNetwork& net) {
  const auto counted = cost(net.graph());
  const auto what = is_toml(net.text()) ? std::string("of TOML") : "'" + net.text() + "'";
  return "<chalkgrad.Network " + what + ": " + to_string(net.input_shape()) + " to " + to_string(net.output_shape()) +
         ", " + std::to_string(counted.parameters) + " parameters>";
}

}  // namespace

void bind_network(nb::module_& m) {
  nb::class_<SharedNetwork>(
      m, "Network",
      "A network with its parameters.\n\n"
      "Network(text, input=(), seed=1) builds it for samples of shape `input` from one line such as "
      "'20c5-relu-mp2-40c5-relu-mp2-100n-relu-10n', or from TOML (docs/networks.md), which may give its own input. The "
      "seed, a whole number below 2^63, decides the first weights.\n\n"
      "Raises InputError pointing at the character or line, ShapeError naming the layer.\n\n"
      "copy.copy(net) has weights of its own; a Network can be pickled.\n\n"
      ">>> chalkgrad.Network('4c3-relu-mp2-10n', (1, 8, 8))\n"
      "<chalkgrad.Network '4c3-relu-mp2-10n': 1×8×8 to 10, 410 parameters>\n")
      .def(
          "__init__",
          [](SharedNetwork* self, const std::string& text, nb::handle input, std::uint64_t seed) {
            new (self) SharedNetwork(of_text(text, input, seed));
          },
          "text"_a, "input"_a = nb::tuple(), "seed"_a = 1)
      .def_static("load", &load, "path"_a,
                  "Reads a model that save() or the command line wrote, or an ONNX file (*.onnx).\n\n"
                  "Raises FileNotFoundError, or InputError naming the file and what is wrong with it.\n\n"
                  ">>> import tempfile\n"
                  ">>> with tempfile.TemporaryDirectory() as folder:\n"
                  "...     chalkgrad.Network('2n', (3,)).save(folder + '/net.safetensors')\n"
                  "...     chalkgrad.Network.load(folder + '/net.safetensors')\n"
                  "<chalkgrad.Network '2n': 3 to 2, 8 parameters>\n")
      .def(
          "save",
          [](SharedNetwork& net, nb::handle path) {
            const auto file = to_path(path);
            const AtWork work(net.mutex);
            net.save(file);
          },
          "path"_a,
          "Writes a safetensors file with all that is needed to predict and to go on with training, under a temporary "
          "name that is then changed. Raises InputError.\n\n"
          ">>> import os, tempfile\n>>> net = chalkgrad.Network('2n', (3,))\n"
          ">>> with tempfile.TemporaryDirectory() as folder:\n"
          "...     net.save(folder + '/net.safetensors')\n"
          "...     os.listdir(folder)\n['net.safetensors']\n")
      .def(
          "export_onnx",
          [](SharedNetwork& net, nb::handle path, int opset, std::int64_t batch, bool fold, bool bytes) {
            const auto file = to_path(path);
            const AtWork work(net.mutex);
            export_onnx(net, file, {.opset = opset, .batch = batch, .fold = fold, .bytes = bytes});
          },
          "path"_a, nb::kw_only(), "opset"_a = 17, "batch"_a = 0, "fold"_a = false, "bytes"_a = false,
          "Writes its prediction as ONNX (docs/onnx.md), for other engines. opset: 17 … 22. batch: samples in a run; "
          "0: any number. fold: batch normalisation becomes part of the weights before it. bytes: the input takes "
          "pixels. Raises InputError.\n\n"
          ">>> import tempfile\n>>> net = chalkgrad.Network('2n', (3,))\n"
          ">>> with tempfile.TemporaryDirectory() as folder:\n"
          "...     net.export_onnx(folder + '/net.onnx', opset=20)\n"
          "...     chalkgrad.Network.load(folder + '/net.onnx').output_shape()\n(2,)\n")
      .def_prop_ro(
          "text", [](const SharedNetwork& net) { return net.text(); }, "What it was made of.")
      .def_prop_ro(
          "input_shape", [](const SharedNetwork& net) { return to_tuple(net.input_shape()); },
          "The shape of one sample, (channels, rows, columns) of pictures.")
      .def_prop_ro(
          "class_names",
          [](SharedNetwork& net) {
            const AtWork work(net.mutex);
            return net.encoding.class_names;
          },
          "Those of the data it was trained on; may be empty.")
      .def(
          "output_shape",
          [](const SharedNetwork& net, const std::string& output) { return to_tuple(net.output_shape(output)); },
          "output"_a = "y",
          "The shape of an output of one sample. Raises InputError naming those there are.\n\n"
          ">>> chalkgrad.Network('4c3-mp2-10n', (1, 8, 8)).output_shape()\n(10,)\n")
      .def_prop_ro(
          "outputs",
          [](const SharedNetwork& net) {
            std::vector<std::string> names;
            for (const auto& output : net.outputs()) names.push_back(output.name);
            return names;
          },
          "The names of its outputs, 'y' first.")
      .def_prop_ro("training", &training_of,
                   "How it has been trained and how far that has come, as a dict; None if it has not.")
      .def(
          "initialize",
          [](SharedNetwork& net, std::uint64_t seed) {
            const AtWork work(net.mutex);
            net.initialize(seed);
          },
          "seed"_a,
          "Draws the parameters from the seed; discards what has been learned.\n\n"
          ">>> net = chalkgrad.Network('2n', (3,), seed=7)\n>>> first = net.weights_sha256()\n"
          ">>> net.initialize(8)\n>>> net.weights_sha256() == first\nFalse\n"
          ">>> net.initialize(7)\n>>> net.weights_sha256() == first\nTrue\n")
      .def(
          "begin_anew",
          [](SharedNetwork& net) {
            const AtWork work(net.mutex);
            begin_anew(net);
          },
          "Makes it ready for a new run from its present weights: forgets the record of the last one.\n\n"
          ">>> net, data = chalkgrad.Network('10n', (1, 8, 8)), chalkgrad.digits().train\n"
          ">>> _ = chalkgrad.train(net, data, epochs=1)\n"
          ">>> net.begin_anew()\n"
          ">>> _ = chalkgrad.train(net, data, epochs=1, optimizer='adam')\n"
          ">>> net.training['options']['optimizer']\n'adam'\n")
      .def(
          "fit_weights",
          [](SharedNetwork& net, const Dataset& data) {
            const AtWork work(net.mutex);
            fit_weights(net, data);
          },
          "data"_a,
          "Gives weights with the init 'whitening' their first values by what the data are: before training, as "
          "nothing "
          "else does. Raises InputError if such a weight is no kernel of a convolution of the input, or has more "
          "filters "
          "than two for each number of a patch.\n\n"
          ">>> text = 'layer = [{type = \"conv\", filters = 8, init = \"whitening\"}, {chain = \"relu-gap-10n\"}]'\n"
          ">>> net = chalkgrad.Network(text, (1, 8, 8))\n>>> before = net.weights_sha256()\n"
          ">>> net.fit_weights(chalkgrad.digits().train)\n>>> net.weights_sha256() == before\nFalse\n")
      .def(
          "weights_sha256",
          [](SharedNetwork& net) {
            const AtWork work(net.mutex);
            return net.weights_sha256();
          },
          "SHA-256, in hex, over all parameters, as the command line prints it: equal weights have equal ones.\n\n"
          ">>> a, b = chalkgrad.Network('2n', (3,), seed=1), chalkgrad.Network('2n', (3,), seed=1)\n"
          ">>> len(a.weights_sha256()), a.weights_sha256() == b.weights_sha256()\n(64, True)\n")
      .def("keys", &parameter_names,
           "The names of its parameters and, after training, of the optimizer's state.\n\n"
           ">>> chalkgrad.Network('4c3-mp2-10n', (1, 8, 8)).keys()\n"
           "['conv1.bias', 'conv1.weight', 'dense1.bias', 'dense1.weight']\n")
      .def("__getitem__", &values_of, "name"_a,
           "A copy of a parameter's numbers. Raises KeyError naming those there are.")
      .def("__setitem__", &assign, "name"_a, "values"_a,
           "Gives a parameter new numbers. Raises ShapeError if their shape is another one.")
      .def("__contains__",
           [](SharedNetwork& net, const std::string& name) {
             const AtWork work(net.mutex);
             return net.variables().contains(name);
           })
      .def("layers", &layers_of,
           "What it costs: of each layer its name, the shape of its result, its parameters, and the multiply-adds of "
           "one sample's prediction.\n\n"
           ">>> for layer in chalkgrad.Network('4c3-10n', (1, 8, 8)).layers():\n...     print(*layer)\n"
           "conv1 (4, 6, 6) 40 1296\ndense1 (10,) 1450 1440\n")
      .def(
          "to_graph", [](const SharedNetwork& net) { return Graph(net.graph()); },
          "A copy of its forward graph, with the batched input 'x' and its outputs; print(net.to_graph()) shows it.\n\n"
          ">>> g = chalkgrad.Network('2n', (3,)).to_graph()\n"
          ">>> g.find('x').shape, g.outputs()['y'].shape\n((3,), (2,))\n")
      .def("__copy__",
           [](SharedNetwork& net) {
             const AtWork work(net.mutex);
             return SharedNetwork(net);
           })
      .def(
          "__deepcopy__",
          [](SharedNetwork& net, nb::handle) {
            const AtWork work(net.mutex);
            return SharedNetwork(net);
          },
          "memo"_a)
      .def("__repr__", &show);
}

}  // namespace chalk::python

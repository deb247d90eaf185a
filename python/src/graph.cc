// graph.h, differentiate.h, program.h: graphs of one's own, their derivatives, and running them.
#include "chalkgrad/graph.h"

#include <nanobind/stl/map.h>
#include <nanobind/stl/set.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <map>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/program.h"
#include "chalkgrad/weight_init.h"
#include "python/src/value.h"

namespace chalk::python {
namespace {

/// A number: that constant. A text: as networks say it, by the fans of the shape, whose first axis are outputs.
Init to_init(nb::handle init, const Shape& shape) {
  double number = 0;
  if (nb::try_cast(init, number)) return Init::constant(number);
  const auto size = elements(shape), first = shape.empty() ? 1 : shape[0];
  const auto places = shape.size() > 2 ? size / (shape[0] * shape[1]) : 1;
  return WeightInit::parse(nb::cast<std::string>(init)).init(size / first, first * places);
}

std::string show(const GraphValue& x) {
  const auto& name = x.value.name();
  return "<chalkgrad.Value " + (name.empty() ? "" : "'" + name + "': ") + to_string(x.value.type()) + ">";
}

nb::typed<nb::dict, nb::str, Value> outputs_of_graph(Graph& graph) {
  nb::dict outputs;
  for (const auto& [name, id] : graph.outputs()) outputs[name.c_str()] = graph.value(id);
  return nb::typed<nb::dict, nb::str, Value>(outputs);
}

bool is_noise(const Node& node) {
  bool noise = false;
  FieldFunction see([&](const Field& field, const auto& value) {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, bool>)
      noise = noise || (field.name == "noise" && value);
  });
  node.attributes.show(see);
  return noise;
}

/// What depends on nothing, has a name and is one per sample.
std::vector<Value> inputs_of_graph(Graph& graph) {
  std::vector<Value> inputs;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.inputs.empty() && node.type.batched && !node.name.empty() && !is_noise(node))
      inputs.push_back(graph.value(id));
  }
  return inputs;
}

Graph copy_of(const Graph& graph) {
  const WithGraphs alone;
  return graph;
}

/// Variables that programs share.
struct SharedVariables {
  Variables variables;
  std::recursive_mutex mutex;
};

Array variable(SharedVariables& self, const std::string& name) {
  Numbers copy;
  Shape shape;
  {
    const AtWork work(self.mutex);
    const Tensor& tensor = std::as_const(self.variables).at(name);
    shape = tensor.shape();
    copy.assign(tensor.values().begin(), tensor.values().end());
  }
  return new_array(std::move(copy), shape);
}

void set_variable(SharedVariables& self, const std::string& name, nb::handle values) {
  const auto array = cast_array<Floats>(as_array("numbers", values));
  const AtWork work(self.mutex);
  Tensor& tensor = self.variables.at(name);
  if (shape_of(array) != tensor.shape()) {
    throw ShapeError(name + " is " + to_string(tensor.shape()) + ", and was given " + to_string(shape_of(array)) +
                     " numbers; give as many, in the same shape");
  }
  tensor.assign({array.data(), array.size()});
}

class PyProgram {
 public:
  /// The graph is a copy, as others may append to it while this is planned.
  PyProgram(const Graph& graph, nb::object variables, const CompileOptions& options)
      : owner_(std::move(variables)), variables_(nb::cast<SharedVariables&>(owner_)) {
    for (NodeId id = 0; id < graph.size(); ++id) {
      if (const Node& node = graph.node(id); !node.name.empty()) types_[node.name] = node.type;
    }
    for (const auto& [name, id] : graph.outputs()) outputs_.emplace_back(name, graph.node(id).type);
    const AtWork work(variables_.mutex);
    program_.emplace(graph, variables_.variables, options);
  }

  nb::typed<nb::dict, nb::str, Array> run(const nb::dict& feeds, nb::handle samples, nb::handle rows,
                                          const nb::dict& out) {
    std::vector<nb::object> kept;  // until the run is over
    std::vector<Given> given;
    std::size_t there_are = 0;
    for (const auto& [key, value] : feeds) given.push_back(read(nb::cast<std::string>(key), value, kept, there_are));
    Labels places;
    if (!rows.is_none()) {
      kept.push_back(as_array("rows", rows));
      places = cast_array<Labels>(kept.back());
      check_rows(places, there_are);
    }
    std::size_t count = rows.is_none() ? there_are : places.size();
    if (!samples.is_none()) count = nb::cast<std::size_t>(samples);
    if (there_are == 0 && samples.is_none()) count = 1;
    if (rows.is_none() && there_are > 0 && count > there_are) {
      throw InputError("there are " + std::to_string(there_are) + " samples, and a run of " + std::to_string(count) +
                       " was asked for; feed as many");
    }
    auto targets = written_to(out, count);
    std::vector<Numbers> made(outputs_.size());
    {
      const AtWork work(variables_.mutex);  // from the first feed to the last output: others run this program, too
      for (const Given& each : given) {
        if (each.number)
          program_->set(each.name, *each.number);
        else
          program_->feed(each.name, each.feed);
      }
      program_->run(count, rows.is_none() ? nullptr : reinterpret_cast<const std::uint32_t*>(places.data()));
      for (std::size_t i = 0; i < outputs_.size(); ++i) {
        const auto found = program_->output(outputs_[i].first);
        const auto target = targets.find(outputs_[i].first);
        if (target == targets.end())
          made[i].assign(found.begin(), found.end());
        else
          std::copy(found.begin(), found.end(), target->second.data());
      }
    }
    nb::dict results;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const auto& [name, type] = outputs_[i];
      if (targets.contains(name))
        results[name.c_str()] = out[name.c_str()];
      else
        results[name.c_str()] = new_array(std::move(made[i]), full(type, count));
    }
    return nb::typed<nb::dict, nb::str, Array>(results);
  }
  void set_position(std::uint64_t position) {
    const AtWork work(variables_.mutex);
    program_->set_position(position);
  }
  /// What of the program never changes.
  const Program& program() const { return *program_; }

 private:
  /// What one run is given for an input: samples, or a number.
  struct Given {
    std::string name;
    Feed feed;
    std::optional<float> number;
  };
  static Shape full(const Type& type, std::size_t count) {
    Shape shape = type.shape;
    if (type.batched) shape.insert(shape.begin(), static_cast<std::int64_t>(count));
    return shape;
  }
  const Type& type_of(const std::string& name) const {
    const auto found = types_.find(name);
    if (found == types_.end()) throw InputError("the graph has no input '" + name + "'; give those it has");
    return found->second;
  }
  Given read(std::string name, nb::handle value, std::vector<nb::object>& kept, std::size_t& there_are) const {
    const Type& type = type_of(name);
    if (!type.batched) return {std::move(name), {}, nb::cast<float>(nb::float_(value))};
    Feed feed;
    Shape shape;
    Floats floats;
    if (fast_floats(value, floats)) {
      kept.push_back(nb::borrow(value));
    } else {
      kept.push_back(as_array("feed", value));
      Labels labels;
      if (nb::try_cast(kept.back(), labels, false) && labels.ndim() == 1 && type.shape.size() == 1) {
        check_labels(name, labels, type.shape[0]);
        feed.labels = labels.data();
        shape = type.shape;
        shape.insert(shape.begin(), static_cast<std::int64_t>(labels.size()));
      } else {
        kept.push_back(as_array("numbers", kept.back()));
        floats = cast_array<Floats>(kept.back());
      }
    }
    if (!feed.labels) {
      feed.values = floats.data();
      shape = shape_of(floats);
    }
    if (shape.empty() || Shape(shape.begin() + 1, shape.end()) != type.shape) {
      throw ShapeError("input '" + name + "' takes samples of " + to_string(type.shape) +
                       ", and was given an array of " + to_string(shape) + "; give N×" + to_string(type.shape) +
                       " for N samples");
    }
    const auto count = static_cast<std::size_t>(shape[0]);
    if (count == 0 || (there_are > 0 && count != there_are)) {
      throw InputError("input '" + name + "' has " + std::to_string(count) + " samples" +
                       (count == 0 ? "; give at least one"
                                   : ", and another one has " + std::to_string(there_are) + "; give as many of each"));
    }
    there_are = count;
    return {std::move(name), feed, {}};
  }
  static void check_labels(const std::string& name, const Labels& labels, std::int64_t classes) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (const auto label = labels.data()[i]; label < 0 || label >= classes) {
        throw InputError("input '" + name + "': sample " + std::to_string(i) + " has label " + std::to_string(label) +
                         ", and there are " + std::to_string(classes) + " classes; labels count from 0");
      }
    }
  }
  static void check_rows(const Labels& rows, std::size_t there_are) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (const auto row = rows.data()[i]; row < 0 || static_cast<std::size_t>(row) >= there_are) {
        throw InputError("rows[" + std::to_string(i) + "] is " + std::to_string(row) + ", and there are " +
                         std::to_string(there_are) + " samples; rows count from 0");
      }
    }
    if (rows.size() == 0) throw InputError("rows is empty; give at least one");
  }
  std::map<std::string, Output> written_to(const nb::dict& out, std::size_t count) const {
    std::map<std::string, Output> targets;
    for (const auto& [key, array] : out) {
      auto name = nb::cast<std::string>(key);
      const auto found = std::ranges::find(outputs_, name, &std::pair<std::string, Type>::first);
      if (found == outputs_.end()) throw InputError("the graph has no output '" + name + "'");
      targets.emplace(name, output_array(array, full(found->second, count), "out['" + name + "']"));
    }
    return targets;
  }

  nb::object owner_;
  SharedVariables& variables_;
  std::map<std::string, Type> types_;
  std::vector<std::pair<std::string, Type>> outputs_;
  std::optional<Program> program_;
};

/// What arithmetic beside a value takes: another one, or a number.
template <class F>
void define_operator(GraphClass<GraphValue>& c, const char* name, const char* reflected, F f) {
  c.def(
      name, [f](Value a, Value b) { return f(a, b); }, nb::is_operator());
  c.def(
      name, [f](Value a, double b) { return f(a, constant_like(a, b)); }, nb::is_operator());
  c.def(
      reflected, [f](Value a, double b) { return f(constant_like(a, b), a); }, nb::is_operator());
}

}  // namespace

void bind_graph(nb::module_& m) {
  graph_lock = nb::list().release();
  GraphModule functions(m);
  GraphClass<Graph> graph(
      m, "Graph",
      "Values of one sample, each made by an operation from values before it.\n\n"
      "A value is batched (one per sample) or shared (one for all samples). Operations are functions of chalkgrad "
      "(conv2d, relu, …) and + − * /, also with numbers.\n\n"
      ">>> g = chalkgrad.Graph()\n"
      ">>> x = g.input('x', (3,))\n"
      ">>> w = g.parameter('w', (2, 3), init='he')\n"
      ">>> loss = chalkgrad.batch_mean(chalkgrad.sum(chalkgrad.dense(x, w) * 2))\n"
      ">>> (dw,) = chalkgrad.gradients(loss, [w])\n"
      ">>> g.output('dw', dw)\n"
      ">>> program = chalkgrad.Program(g, chalkgrad.Variables(g, seed=1))\n"
      ">>> program.run({'x': [[1, 2, 3], [4, 5, 6]]})['dw'].tolist()\n"
      "[[5.0, 7.0, 9.0], [5.0, 7.0, 9.0]]\n");
  GraphClass<GraphValue> value(
      m, "Value",
      "A value of a Graph, which it keeps alive. + − * / make more of it, also with numbers.\n\n"
      ">>> x = chalkgrad.Graph().input('x', (3,))\n"
      ">>> y = 1 - 2 * chalkgrad.tanh(x)\n"
      ">>> y.shape, y.batched\n((3,), True)\n");
  graph.def(nb::init<>())
      .def(
          "input",
          [](Graph& g, std::string name, nb::handle shape, bool distribution) {
            return g.input(std::move(name), to_shape(shape), distribution);
          },
          "name"_a, "shape"_a, "distribution"_a = false,
          "A value that each sample has. distribution: its elements are >= 0 and sum to 1, as one-hot labels do. "
          "Raises "
          "Error for a name that is taken.\n\n"
          ">>> x = chalkgrad.Graph().input('x', (1, 28, 28))\n>>> x.shape, x.batched\n((1, 28, 28), True)\n")
      .def(
          "noise",
          [](Graph& g, std::string name, nb::handle shape) { return g.noise(std::move(name), to_shape(shape)); },
          "name"_a, "shape"_a,
          "Uniform in [0, 1), drawn anew for each sample and position by the seed of the Program.\n\n"
          ">>> g = chalkgrad.Graph()\n>>> g.output('u', g.noise('u', (3,)))\n"
          ">>> u = chalkgrad.Program(g, chalkgrad.Variables(g), seed=5).run(samples=2)['u']\n"
          ">>> u.shape, bool((u >= 0).all() and (u < 1).all())\n((2, 3), True)\n")
      .def(
          "shared_input",
          [](Graph& g, std::string name, nb::handle shape) { return g.shared_input(std::move(name), to_shape(shape)); },
          "name"_a, "shape"_a = nb::tuple(),
          "A number that is set for each run, e.g. the learning rate.\n\n"
          ">>> g = chalkgrad.Graph()\n>>> lr = g.shared_input('lr')\n"
          ">>> g.output('half', lr / 2)\n"
          ">>> float(chalkgrad.Program(g, chalkgrad.Variables(g)).run({'lr': 0.5}, samples=1)['half'])\n0.25\n")
      .def(
          "parameter",
          [](Graph& g, std::string name, nb::handle shape, nb::handle init, bool trainable) {
            const auto extents = to_shape(shape);
            return g.parameter(std::move(name), extents, to_init(init, extents), trainable);
          },
          "name"_a, "shape"_a, nb::kw_only(), "init"_a = 0.0, "trainable"_a = true,
          "A value that is kept from run to run. init: a number, or how it is drawn: 'he', 'glorot', 'normal:0.1', … "
          "(docs/reference), where the first axis counts outputs, the second inputs, and others places.\n\n"
          ">>> g = chalkgrad.Graph()\n>>> w = g.parameter('w', (20, 1, 5, 5), init='he')\n"
          ">>> w.shape, w.batched\n((20, 1, 5, 5), False)\n")
      .def(
          "constant", [](Graph& g, double number, nb::handle shape) { return g.constant(number, to_shape(shape)); },
          "value"_a, "shape"_a = nb::tuple(),
          "The same number everywhere; shared.\n\n>>> chalkgrad.Graph().constant(0.5, (2, 3)).shape\n(2, 3)\n")
      .def("batch_size", &Graph::batch_size,
           "The number of samples in the batch; a shared scalar.\n\n"
           ">>> g = chalkgrad.Graph()\n>>> g.output('n', g.batch_size())\n"
           ">>> float(chalkgrad.Program(g, chalkgrad.Variables(g)).run(samples=7)['n'])\n7.0\n")
      .def("name", &Graph::name, "value"_a, "name"_a,
           "Names a value; the name must be new.\n\n"
           ">>> g = chalkgrad.Graph()\n>>> y = chalkgrad.relu(g.input('x', (3,)))\n"
           ">>> g.name(y, 'activation')\n>>> y.name\n'activation'\n")
      .def(
          "layer", [](Graph& g, std::string name) { g.layer(std::move(name)); }, "name"_a,
          "All values made from now on belong to this layer, which messages name.\n\n"
          ">>> g = chalkgrad.Graph()\n>>> x = g.input('x', (3,))\n>>> g.layer('gate1')\n"
          ">>> y = chalkgrad.sigmoid(x)\n>>> 'gate1' in str(g)\nTrue\n")
      .def("find", &Graph::find, "name"_a,
           "The value of that name, or None.\n\n"
           ">>> g = chalkgrad.Graph()\n>>> x = g.input('x', (3,))\n"
           ">>> g.find('x') == x, g.find('z') is None\n(True, True)\n")
      .def("parameters", &Graph::parameters,
           "Its trainable parameters, in the order they were made.\n\n"
           ">>> [p.name for p in chalkgrad.Network('2n', (3,)).to_graph().parameters()]\n['dense1.weight', "
           "'dense1.bias']\n")
      .def("output", &Graph::output, "name"_a, "value"_a,
           "What a run returns, by name.\n\n"
           ">>> g = chalkgrad.Graph()\n>>> g.output('y', g.input('x', (2,)) * 3)\n"
           ">>> chalkgrad.Program(g, chalkgrad.Variables(g)).run({'x': [[1, 2]]})['y'].tolist()\n[[3.0, 6.0]]\n")
      .def("update", &Graph::update, "parameter"_a, "next"_a,
           "After each run the parameter takes this shared value. Raises ShapeError for one of another shape.\n\n"
           ">>> g = chalkgrad.Graph()\n>>> runs = g.parameter('runs', ())\n>>> g.update(runs, runs + 1)\n"
           ">>> variables = chalkgrad.Variables(g)\n>>> program = chalkgrad.Program(g, variables)\n"
           ">>> _ = program.run(samples=1), program.run(samples=1)\n>>> float(variables['runs'])\n2.0\n")
      .def("outputs", &outputs_of_graph,
           "Its outputs by name, in the order they were made.\n\n"
           ">>> list(chalkgrad.Network('2n', (3,)).to_graph().outputs())\n['y']\n")
      .def("inputs", &inputs_of_graph,
           "Its batched inputs, noise aside, in the order they were made.\n\n"
           ">>> [x.name for x in chalkgrad.Network('2n', (3,)).to_graph().inputs()]\n['x']\n")
      .def("clear_outputs", &Graph::clear_outputs,
           "Forgets which values are outputs.\n\n"
           ">>> g = chalkgrad.Network('2n', (3,)).to_graph()\n>>> g.clear_outputs()\n>>> g.outputs()\n{}\n")
      .def(
          "__copy__", [](const Graph& g) { return Graph(g); }, "A graph of its own, with values of its own.")
      .def("__len__", &Graph::size)
      .def("__str__", &Graph::print)
      .def("__repr__", [](const Graph& g) { return "<chalkgrad.Graph of " + std::to_string(g.size()) + " values>"; });
  value
      .def_prop_ro(
          "shape", [](const GraphValue& x) { return to_tuple(x.value.shape()); }, "Of one sample.")
      .def_prop_ro(
          "batched", [](const GraphValue& x) { return x.value.batched(); }, "One per sample, or one for all.")
      .def_prop_ro(
          "name", [](const GraphValue& x) { return x.value.name(); }, "May be empty.")
      .def_ro("graph", &GraphValue::graph, "Whose value it is.")
      .def(
          "__eq__",
          [](Value a, nb::handle b) {
            Value other;
            return nb::try_cast(b, other) && a == other;
          },
          "other"_a.none())
      .def("__hash__", [](Value a) { return static_cast<std::int64_t>(a.id()); })
      .def("__neg__", [](Value a) { return neg(a); })
      .def("__repr__", &show);
  define_operator(value, "__add__", "__radd__", [](Value a, Value b) { return a + b; });
  define_operator(value, "__sub__", "__rsub__", [](Value a, Value b) { return a - b; });
  define_operator(value, "__mul__", "__rmul__", [](Value a, Value b) { return a * b; });
  define_operator(value, "__truediv__", "__rtruediv__", [](Value a, Value b) { return a / b; });

  functions.def(
      "gradients", [](Value loss, const std::vector<Value>& wrt) { return gradients(loss, wrt); }, "loss"_a, "wrt"_a,
      "The gradients of a shared scalar with respect to values, as more graph: a list, zeros where it does not depend "
      "on one. Raises ShapeError for a loss that is no shared scalar.\n\n"
      ">>> g = chalkgrad.Graph()\n>>> w = g.parameter('w', (2,), init=3)\n"
      ">>> (dw,) = chalkgrad.gradients(chalkgrad.sum(w * w), [w])\n>>> dw.shape\n(2,)\n");
  functions.def(
      "differentiate", [](Value y, Value dy, const std::vector<Value>& wrt) { return differentiate(y, dy, wrt); },
      "y"_a, "dy"_a, "wrt"_a,
      "The vector-Jacobian products dyᵀ · ∂y/∂wrt, as more graph: a list, None where y does not depend on one.\n\n"
      ">>> g = chalkgrad.Graph()\n>>> x, dy = g.input('x', (2,)), g.input('dy', (2,))\n"
      ">>> chalkgrad.differentiate(chalkgrad.tanh(x), dy, [x])[0].shape\n(2,)\n");

  nb::class_<SharedVariables>(
      m, "Variables",
      "The parameters of a graph by name; several programs may share them.\n\n"
      "Variables(graph, seed=1) draws them from the seed, each by its own name; Variables(network) copies them.\n\n"
      ">>> g = chalkgrad.Graph()\n>>> w = g.parameter('w', (2,), init=3)\n"
      ">>> chalkgrad.Variables(g)['w'].tolist()\n[3.0, 3.0]\n")
      .def(
          "__init__",
          [](SharedVariables* self, const Graph& g, std::uint64_t seed) {
            new (self) SharedVariables{Variables(g, seed), {}};
          },
          "graph"_a, "seed"_a = 1, nb::call_guard<WithGraphs>())
      .def(
          "__init__",
          [](SharedVariables* self, SharedNetwork& net) {
            const AtWork work(net.mutex);
            new (self) SharedVariables{net.variables(), {}};
          },
          "network"_a)
      .def(
          "keys",
          [](SharedVariables& self) {
            const AtWork work(self.mutex);
            std::vector<std::string> names;
            for (const auto& [name, tensor] : std::as_const(self.variables).all()) names.push_back(name);
            return names;
          },
          "Their names.\n\n"
          ">>> chalkgrad.Variables(chalkgrad.Network('2n', (3,))).keys()\n['dense1.bias', 'dense1.weight']\n")
      .def("__getitem__", &variable, "name"_a,
           "A copy of a parameter's numbers. Raises InputError for an unknown name.")
      .def("__setitem__", &set_variable, "name"_a, "values"_a, "Gives a parameter new numbers of its shape.");

  nb::class_<PyProgram>(
      m, "Program",
      "An executable form of a graph's outputs and updates: planned once, run with any number of samples.\n\n"
      "Program(graph, variables, threads=0, seed=0, guard='', disabled_passes=()): threads 0 means one per core, and "
      "never changes a bit of the results; the seed is that of noise; guard names a shared scalar output (the loss) "
      "that "
      "must be finite, or run() raises NumericError before any parameter is updated. The graph is copied.\n\n"
      "Raises InputError if a parameter is missing from the variables.\n\n"
      ">>> g = chalkgrad.Graph()\n>>> x = g.input('x', (2,))\n>>> g.output('y', chalkgrad.relu(x - 1))\n"
      ">>> program = chalkgrad.Program(g, chalkgrad.Variables(g))\n"
      ">>> program.run({'x': [[0, 1], [2, 3]]})['y'].tolist()\n[[0.0, 0.0], [1.0, 2.0]]\n")
      .def(
          "__init__",
          [](PyProgram* self, const Graph& g, nb::object variables, int threads, std::uint64_t seed, std::string guard,
             std::set<std::string> disabled_passes) {
            new (self) PyProgram(copy_of(g), std::move(variables),
                                 {.threads = threads,
                                  .guard = std::move(guard),
                                  .seed = seed,
                                  .disabled_passes = std::move(disabled_passes)});
          },
          "graph"_a, "variables"_a, nb::kw_only(), "threads"_a = 0, "seed"_a = 0, "guard"_a = "",
          "disabled_passes"_a = std::set<std::string>())
      .def(
          "run",
          [](PyProgram& self, const AnyDict& feeds, nb::handle samples, nb::handle rows, const nb::object& out) {
            return self.run(feeds, samples, rows, out.is_none() ? nb::dict() : nb::cast<nb::dict>(out));
          },
          "feeds"_a = nb::dict(), nb::kw_only(), "samples"_a = nb::none(), "rows"_a = nb::none(), "out"_a = nb::none(),
          "Runs on samples, then applies the updates; returns the outputs by name, float32, N×… if they are "
          "batched.\n\n"
          "feeds: for each batched input an array, N×(its shape), where whole numbers, N of them, for an input with "
          "one axis are labels; for each shared input a number. rows: which samples, by number; without, all. samples: "
          "how many, from the first; needed if nothing batched is fed. out: for outputs that are to be written into "
          "arrays of the caller's, those: float32 in C order, of the right shape. Python's lock is released "
          "meanwhile.\n\n"
          "Raises ShapeError and InputError naming the input, NumericError if the guarded value is not finite.\n\n"
          ">>> g = chalkgrad.Graph()\n>>> g.output('y', g.input('x', (2,)) * g.shared_input('scale'))\n"
          ">>> program = chalkgrad.Program(g, chalkgrad.Variables(g))\n"
          ">>> y = numpy.empty((1, 2), numpy.float32)\n"
          ">>> _ = program.run({'x': [[1, 2], [3, 4]], 'scale': 10}, rows=[1], out={'y': y})\n"
          ">>> y.tolist()\n[[30.0, 40.0]]\n")
      .def("set_position", &PyProgram::set_position, "position"_a,
           "Tells the following runs where they are, e.g. the step: what noise is drawn depends on it.\n\n"
           ">>> g = chalkgrad.Graph()\n>>> g.output('u', g.noise('u', (3,)))\n"
           ">>> program = chalkgrad.Program(g, chalkgrad.Variables(g), seed=5)\n"
           ">>> program.set_position(4)\n>>> first = program.run(samples=1)['u']\n"
           ">>> program.set_position(5)\n>>> bool((program.run(samples=1)['u'] == first).all())\nFalse\n"
           ">>> program.set_position(4)\n>>> bool((program.run(samples=1)['u'] == first).all())\nTrue\n")
      .def_prop_ro(
          "threads", [](const PyProgram& self) { return self.program().threads(); }, "On how many it runs.")
      .def_prop_ro(
          "memory", [](const PyProgram& self) { return self.program().memory().total(); }, "What it uses, in bytes.")
      .def(
          "plan", [](const PyProgram& self) { return self.program().print(); },
          "The plan as text: phase by phase, a line for each kernel.\n\n"
          ">>> g = chalkgrad.Network('2n', (3,)).to_graph()\n"
          ">>> 'dense' in chalkgrad.Program(g, chalkgrad.Variables(g)).plan()\nTrue\n");
}

}  // namespace chalk::python

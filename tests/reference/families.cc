#include "tests/reference/families.h"

#include <gtest/gtest.h>

#include <sstream>

#include "chalkgrad/data.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/weight_init.h"
#include "src/base/fields.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/layers/registry.h"
#include "src/losses/loss.h"
#include "src/net/build.h"
#include "src/ops/registry.h"
#include "src/optimizers/optimizer.h"
#include "src/passes/passes.h"
#include "src/schedules/schedule.h"

namespace chalk::reference {
namespace {

std::string as_key(std::string_view name) { return std::string(name); }
std::string as_option(std::string_view name) { return str("--", with_dashes(name)); }

/// A word of the command line, in quotes if a shell needs them.
std::string quoted(const std::string& word) {
  return word.find_first_of(" ()[]{}\"*#;&|<>$") == std::string::npos ? word : str("'", word, "'");
}

Page new_page(const Family& family, std::string_view name, const std::string& source, std::string about) {
  return {
      .family = family.name, .one = family.one, .name = std::string(name), .about = std::move(about), .source = source};
}

template <class Make>
Family family_of(const std::string& name, const std::string& one, const std::string& list, const std::string& about,
                 const Make& make) {
  Family family{.name = name, .one = one, .list = list, .about = about};
  auto sources = read_sources(name);
  make(family, sources);
  expect_none_left(sources, name);
  return family;
}

// ---- operations ----

/// The network of a case, with names for the operands of its last operation.
Named of_network(const Case& c) {
  Named about{build_graph(c.net, c.input), {}};
  if (c.training) about.graph = training_form(about.graph);
  Graph& g = about.graph;
  const auto output = output_node(g);
  const auto& inputs = g.node(output).inputs;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const std::string called = inputs.size() == 1 ? "x" : std::string(1, static_cast<char>('a' + k));
    const auto own = c.names.find(called);
    about.names[inputs[k]] = own == c.names.end() ? called : own->second;
  }
  about.names[output] = "y";
  for (const auto& [name, called] : c.names) {
    const Value value = name.size() > 1 ? g.find(name) : Value();
    if (value) about.names[value.id()] = called;
  }
  return about;
}

Table shapes_of(const Op& op) {
  Table table{{"operands", "attributes", "result"}, {}};
  for (const auto& sample : op.samples.value) {
    std::vector<Type> types;
    std::string operands;
    for (const auto& input : sample.inputs) {
      types.push_back({input.shape, input.batched});
      operands += str(operands.empty() ? "" : ", ", shape_text(input.shape), input.batched ? "" : " (shared)");
    }
    const auto result = op.infer.value(sample.attributes, types);
    const auto attributes = to_string(sample.attributes, op.attributes.value);
    table.rows.push_back({operands, attributes.empty() ? "" : str("`", attributes, "`"), shape_text(result.shape)});
    if (std::ranges::count(table.rows, table.rows.back()) > 1) table.rows.pop_back();
  }
  if (table.rows.size() > 6) table.rows.resize(6);
  return table;
}

}  // namespace

Family operations() {
  return family_of(
      "operations", "An operation", "src/ops/ops.inc",
      "What graphs are made of: each is computed for one sample, and its derivative is more operations. In TOML each "
      "is "
      "a layer's `type`.",
      [](Family& family, auto& sources) {
        family.listed = all_ops().size();
        for (const Op* op : all_ops()) {
          const auto source = source_of(sources, family.name, std::string(op->name.value));
          auto page = new_page(family, op->name.value, "src/ops and tests/reference/operations.toml", source.about);
          page.heading("Formula");
          for (const auto& c : source.cases) add_formulas(page, c, [&] { return of_network(c); }, {});
          if (!op->kink.convention.empty())
            page.text(
                str("Where there is no derivative, [by convention](../../conventions.md): ", op->kink.convention, "."));
          if (const auto attributes = options_table(op->attributes, source, as_key); !attributes.rows.empty()) {
            page.heading("Attributes");
            page.table(attributes);
          }
          page.heading("Shapes");
          page.table(shapes_of(*op));
          const std::string onnx(op->onnx.value);
          add_elsewhere(page, source, onnx.empty() ? "several operators" : str("`", onnx, "`"));
          const auto& c = source.cases[0];
          add_command(page, str("chalkgrad gradcheck --net ", quoted(c.net), " --input ", [&] {
                        std::string text;
                        for (const auto extent : c.input) text += str(text.empty() ? "" : "x", extent);
                        return text;
                      }()));
          family.pages.push_back(std::move(page));
        }
      });
}

// ---- layers ----

namespace {

std::string what_is(const Layer& layer) {
  const std::string example(layer.line.example);
  const auto digits = std::min(example.find_first_not_of("0123456789"), example.size());
  auto text = (digits > 0 ? layer.what_is(std::stol(example.substr(0, digits))) : std::string(layer.meaning.value)) +
              std::string(layer.details);
  for (auto at = text.find("](#"); at != std::string::npos; at = text.find("](#", at + 1))
    text.insert(at + 2, "../../networks.md");
  while (text.ends_with('.')) text.pop_back();
  return text;
}

/// The layer alone, or the case's network.
Named of_layer(const Layer& layer, const Case& c, const Attributes& options) {
  Named about;
  Graph& g = about.graph;
  Value y;
  if (!c.net.empty()) {
    g = build_graph(c.net, c.input);
    if (output_node(g) == input_node(g)) g.output("z", reshape(g.value(0), c.input));
    y = g.value(g.outputs().back().second);
  } else {
    g.layer("piece");
    std::vector<Value> inputs;
    const std::string_view several[] = {"a", "b"};
    for (int k = 0; k < (layer.inputs == 1 ? 1 : 2); ++k)
      inputs.push_back(g.input(layer.inputs == 1 ? "x" : std::string(several[k]), c.input));
    y = build_layer(layer, inputs, options);
    if (y == inputs[0]) y = reshape(y, y.shape());
    g.output("y", y);
  }
  NodeId result = y.id();
  if (c.training) {
    g = training_form(g);
    result = g.outputs().back().second;
  }
  about.names[result] = "y";
  for (const auto& [path, called] : c.names) {  // "@1@0": operand 0 of operand 1 of y
    NodeId id = result;
    for (std::size_t at = 0; at < path.size() && path[at] == '@'; at += 2)
      id = g.node(id).inputs.at(static_cast<std::size_t>(path[at + 1] - '0'));
    if (path[0] == '@') about.names[id] = called;
  }
  for (NodeId id = 0; id < g.size(); ++id) {
    const auto& node = g.node(id);
    if (node.op != &op_input && node.op != &op_parameter) continue;
    const auto full = std::string(g.value(id).name());
    const auto name = full.substr(full.rfind('.') + 1);
    const auto own = c.names.find(name);
    about.names[id] = own != c.names.end() ? own->second : name == "weight" ? "W" : name == "bias" ? "b" : name;
  }
  return about;
}

Table shapes_of(const Layer& layer) {
  Table table{{"in a line", "of", "makes", "with the parameters"}, {}};
  std::vector<std::string> lines;
  if (layer.line.form == Notation::Form::word || layer.line.form == Notation::Form::counted)
    lines.emplace_back(layer.line.example);
  std::istringstream samples{std::string(layer.line.samples)};
  for (std::string line; samples >> line;) lines.push_back(line);
  std::vector<std::string> seen;
  for (const auto& line : lines) {
    for (const Shape& input : {Shape{4, 12, 12}, Shape{12}}) {
      try {
        const auto g = build_graph(line, input);
        std::string parameters;
        for (const auto id : parameters_of(g)) {
          const auto full = std::string(const_cast<Graph&>(g).value(id).name());
          parameters += str(parameters.empty() ? "" : ", ", "`", full, "` ", shape_text(g.node(id).type.shape));
        }
        table.rows.push_back({str("`", line, "`"), shape_text(input), shape_text(g.node(output_node(g)).type.shape),
                              parameters.empty() ? "none" : parameters});
      } catch (const ShapeError&) {
        continue;  // it takes maps, or vectors, alone
      }
    }
    if (table.rows.size() >= 8) break;
  }
  return table;
}

}  // namespace

Family layers() {
  return family_of(
      "layers", "A layer", "src/layers/layers.inc",
      "What networks are written with, in a line, in TOML and in C++, activations among them. "
      "[networks.md](../../networks.md) says how they go together.",
      [](Family& family, auto& sources) {
        family.listed = all_layers().size();
        for (const Layer* layer : all_layers()) {
          const auto source = source_of(sources, family.name, std::string(layer->name.value));
          auto page =
              new_page(family, layer->name.value, "src/layers and tests/reference/layers.toml", what_is(*layer));
          const std::string example(layer->line.example);
          page.table({{"in a line", "`type` in TOML"},
                      {{example.empty() ? "" : str("`", example, "`"), str("`", layer->name.value, "`")}}});
          page.heading("Formula");
          for (const auto& c : source.cases) {
            OptionSetter setter(c);
            auto options = layer->options.edited(setter);
            EXPECT_EQ(setter.set, static_cast<int>(c.options.size() + c.words.size()))
                << page.name << ": an unknown option";
            add_formulas(
                page, c, [&] { return of_layer(*layer, c, options); }, options);
          }
          if (const auto keys = options_table(layer->options, source, as_key); !keys.rows.empty()) {
            page.heading("Keys in TOML");
            page.table(keys);
          }
          if (const auto shapes = shapes_of(*layer); !shapes.rows.empty()) {
            page.heading("Shapes");
            page.table(shapes);
          }
          add_elsewhere(page, source);
          const auto net = layer->last ? str("8c3-relu-gap-10n-", example) : str("8c3-", example, "-10n");
          add_command(page, !source.run.empty()
                                ? source.run
                                : str("chalkgrad train --data digits --net ", quoted(net), " --epochs 1"));
          family.pages.push_back(std::move(page));
        }
      });
}

// ---- losses ----

namespace {

std::string_view text_of(Target target) {
  switch (target) {
    case Target::numbers:
      return "numbers, of the output's shape";
    case Target::classes:
      return "a label, or a distribution over the classes";
    case Target::one_class:
      return "a label";
    case Target::places:
      return "a label for each place";
  }
  return "";
}

Named of_loss(const Loss& loss, const Case& c) {
  const auto& definition = definition_of(loss);
  Named about;
  Graph& g = about.graph;
  const Value y = g.input("y", c.input);
  const auto shape = target_shape(loss, c.input);
  Value target;
  if (c.target.empty()) {
    target = g.input("t", shape, definition.target.value != Target::numbers);
    about.names[target.id()] = "t";
  } else {
    target = reshape(constant_vector(g, c.target), shape);
  }
  const Value value = definition.build.value(loss.options(), y, target);
  about.names[y.id()] = "y";
  about.name(value, maximised(loss) ? "ell" : "L");
  if (definition.weight) {
    if (const Value weight = definition.weight(loss.options(), y, target)) about.name(weight, "omega");
  }
  return about;
}

}  // namespace

Family losses() {
  return family_of(
      "losses", "A loss", "include/chalkgrad/losses.inc",
      "What training makes small, and likelihoods, which it makes large. y is the network's output for one sample, t "
      "the "
      "target; a batch has the mean.",
      [](Family& family, auto& sources) {
        family.listed = all_losses().size();
        for (const Loss& loss : all_losses()) {
          const auto& definition = definition_of(loss);
          const std::string name(name_of(loss));
          const auto source = source_of(sources, family.name, name);
          auto page = new_page(family, name, "src/losses and tests/reference/losses.toml", source.about);
          const std::string option = maximised(loss) ? "--maximise" : "--loss";
          page.table({{"option", "in short", "a target is", "a last softmax"},
                      {{str("`", option, " ", name, "`"), std::string(definition.formula.value),
                        std::string(text_of(definition.target.value)),
                        definition.of_softmax ? "is part of it: y is what goes into that softmax"
                                              : "is a layer like any other"}}});
          page.heading("Formula");
          for (auto c : source.cases) {
            OptionSetter setter(c);
            const auto edited = loss.edited(setter);
            EXPECT_EQ(setter.set, static_cast<int>(c.options.size() + c.words.size())) << name << ": an unknown option";
            if (!c.target.empty()) c.given += vector_definition("t", c.target);
            add_formulas(
                page, c, [&] { return of_loss(edited, c); }, edited.options());
          }
          if (const auto options = options_table(loss.options(), source, as_option); !options.rows.empty()) {
            page.heading("Options");
            page.table(options);
          }
          add_elsewhere(page, source);
          add_command(page, source.run.empty() ? str("chalkgrad train --data digits --net 8c3-relu-gap-10n ", option,
                                                     " ", name, " --epochs 1")
                                               : source.run);
          family.pages.push_back(std::move(page));
        }
      });
}

// ---- optimizers ----

namespace {

Named of_optimizer(const Optimizer& optimizer, const Case& c) {
  const auto build = [&](Graph& g, StepContext& context, const std::map<std::string, double>& scalars) {
    const Value w = g.parameter("w", c.input, {}, /*trainable=*/true, ParameterRole::weight);
    const Value gradient = g.shared_input("g", c.input);
    context.lr = g.shared_input("lr");
    for (const auto& [name, value] : scalars) g.name(g.constant(value), name);
    ParameterUpdate update(context, w, gradient, /*decays=*/true);
    definition_of(optimizer).rule.value(optimizer.options(), update);
  };
  // What depends on the step alone becomes a constant: those of the step of the case.
  std::map<std::string, double> scalars;
  Graph tried;
  StepContext found;
  build(tried, found, {});
  for (const auto& scalar : found.scalars) scalars[scalar.name] = scalar.value(optimizer.options(), c.step - 1);
  Named about;
  StepContext context;
  build(about.graph, context, scalars);
  Graph& g = about.graph;
  about.names[g.find("w").id()] = "w";
  about.names[g.find("g").id()] = "g";
  about.names[context.lr.id()] = "eta";
  const auto updates = g.updates();
  for (const auto& [parameter, next] : updates) {
    auto name = std::string(g.value(parameter).name());
    if (name != "w") {
      name = name.substr(name.find('.') + 1);
      const auto own = c.names.find(name);
      if (own == c.names.end()) {
        ADD_FAILURE() << "names has no symbol for the state " << name;
      } else {
        name = own->second;
      }
      about.names[parameter] = name;
    }
    about.name(g.value(next), name + "'");
  }
  return about;
}

}  // namespace

Family optimizers() {
  return family_of(
      "optimizers", "An optimizer", "src/optimizers/optimizers.inc",
      "How a gradient g becomes a step of a parameter w. What is kept from step to step starts at 0; w′ is w after the "
      "step, and so on; t counts steps from 1, and η is the learning rate `lr` times the schedule's factor.",
      [](Family& family, auto& sources) {
        family.listed = Optimizer::names().size();
        for (const auto name : Optimizer::names()) {
          const auto optimizer = Optimizer::named(name);
          const auto& definition = definition_of(optimizer);
          const auto source = source_of(sources, family.name, std::string(name));
          auto page = new_page(family, name, "src/optimizers and tests/reference/optimizers.toml",
                               std::string(definition.help.value));
          page.table(
              {{"option", "in short"}, {{str("`--optimizer ", name, "`"), std::string(definition.formula.value)}}});
          page.heading("Formula");
          for (auto c : source.cases) {
            if (c.input.empty()) c.input = {1, 1};
            OptionSetter setter(c);
            const auto edited = optimizer.edited(setter);
            EXPECT_EQ(setter.set, static_cast<int>(c.options.size() + c.words.size())) << name << ": an unknown option";
            edited.check();
            if (c.formula.find('t') != std::string::npos) c.let.emplace("t", str(c.step));
            add_formulas(
                page, c, [&] { return of_optimizer(edited, c); }, edited.options());
          }
          page.heading("Options");
          page.table(options_table(optimizer.options(), source, as_option));
          add_elsewhere(page, source);
          add_command(
              page, source.run.empty()
                        ? str("chalkgrad train --data digits --net 8c3-relu-gap-10n --optimizer ", name, " --epochs 1")
                        : source.run);
          family.pages.push_back(std::move(page));
        }
      });
}

// ---- schedules ----

Family schedules() {
  return family_of(
      "schedules", "A schedule", "src/schedules/schedules.inc",
      "How the learning rate changes over a run: f multiplies it. t is the number of steps done, S that of an epoch, T "
      "that of the run, r that of the warm-up, in which f = (t + 1)/(r + 1).",
      [](Family& family, auto& sources) {
        const auto forms = Schedule::forms();
        family.listed = all_schedules().size();
        for (std::size_t i = 0; i < all_schedules().size(); ++i) {
          const auto& definition = *all_schedules()[i];
          const std::string name(definition.name.value);
          const auto source = source_of(sources, family.name, name);
          auto page = new_page(family, name, "src/schedules and tests/reference/schedules.toml",
                               std::string(definition.help.value));
          page.table(
              {{"option", "in short"}, {{str("`--schedule ", forms[i], "`"), std::string(definition.formula.value)}}});
          page.heading("Formula");
          for (const auto& c : source.cases) {
            const auto schedule = Schedule::parse(c.net);
            constexpr std::int64_t kSteps = 600, kEpoch = 10;
            std::vector<Point> points;
            const auto rise = static_cast<std::int64_t>(schedule.warmup() * kEpoch);
            for (const std::int64_t step : {0, 1, 7, 99, 100, 121, 300, 305, 450, 599}) {
              if (step < rise) continue;
              Observed seen;
              seen.reductions = step / 100;
              points.push_back({str("t := ", step, "\nS := ", kEpoch, "\nT := ", kSteps, "\nr := ", rise,
                                    "\nk := ", seen.reductions, "\n", c.given),
                                schedule.factor(step, kSteps, kEpoch, seen)});
            }
            OptionSetter setter(c);
            add_formulas(page, c, "f", points, schedule.parameters());
          }
          if (const auto options = options_table(definition.defaults, source, as_key); !options.rows.empty()) {
            page.heading("Parameters");
            page.table(options);
          }
          page.heading("Elsewhere");
          page.text(str(definition.elsewhere.value, "."));
          add_command(page, source.run.empty() ? str("chalkgrad train --data digits --net 8c3-relu-gap-10n --schedule ",
                                                     quoted(source.cases[0].net), " --epochs 2")
                                               : source.run);
          family.pages.push_back(std::move(page));
        }
      });
}

// ---- how weights start ----

Family initialisers() {
  return family_of(
      "initialisers", "How weights start", "include/chalkgrad/weight_inits.inc",
      "What a layer's weights are before training: `init` of the layers in TOML that have it. n is how many inputs go "
      "into "
      "an output (fan-in), m how many outputs an input goes into (fan-out).",
      [](Family& family, auto& sources) {
        family.listed = weight_inits().size();
        for (const auto& kind : weight_inits()) {
          const std::string name(kind.word);
          const auto source = source_of(sources, family.name, name);
          auto page = new_page(family, name, "include/chalkgrad/weight_inits.inc and tests/reference/initialisers.toml",
                               std::string(kind.formula));
          page.heading("Formula");
          for (const auto& c : source.cases) {
            std::vector<Point> points;
            for (const auto& [in, out] : {std::pair<std::int64_t, std::int64_t>{12, 20}, {25, 500}, {3, 3}}) {
              const WeightInit init = WeightInit::parse(c.net.empty() ? name : c.net);
              points.push_back({str("n := ", in, "\nm := ", out, "\nc := ", shortest(init.number()), "\n", c.given),
                                init.init(in, out).value});
            }
            const auto symbol = c.formula.substr(0, c.formula.find(' '));
            add_formulas(page, c, symbol, points, {});
          }
          if (!kind.number.empty()) {
            page.heading("Number");
            page.text(str("A number may follow: `", kind.word, ":0.1`. It is the ", kind.number, ", ",
                          kind.least == 0 ? "above 0" : "any number", ", and ", shortest(kind.usual),
                          " if it is left out."));
          }
          page.heading("Elsewhere");
          std::string elsewhere(kind.elsewhere);
          const auto bar = elsewhere.find(" | ");
          page.table({{"", ""}, {{"PyTorch", elsewhere.substr(0, bar)}, {"Keras", elsewhere.substr(bar + 3)}}});
          if (!kind.source.empty()) page.text(str("Source: ", kind.source, "."));
          if (!source.notes.empty()) page.text(source.notes);
          add_command(page,
                      str("chalkgrad train --data digits --net 'layer = [{type = \"conv\", filters = 8, init = \"",
                          kind.word, "\"}, {chain = \"relu-gap-10n\"}]' --epochs 1"));
          family.pages.push_back(std::move(page));
        }
      });
}

// ---- where data come from ----

Family sources() {
  return family_of(
      "sources", "Data", "src/data/sources/sources.inc",
      "Where samples come from: `--data` of the commands. [formats.md](../../formats.md) has the files' formats.",
      [](Family& family, auto& all) {
        family.listed = data_sources().size();
        for (const auto* data : data_sources()) {
          const std::string name(data->word);
          const auto source = source_of(all, family.name, name);
          auto page =
              new_page(family, name, "src/data/sources and tests/reference/sources.toml", std::string(data->about));
          page.table(
              {{"option", "in C++"},
               {{str("`--data ", data->form(), "`"),
                 str("`load_dataset(\"", name, data->argument.empty() ? "" : str(":", data->example), "\")`")}}});
          if (!source.notes.empty()) page.text(source.notes);
          add_elsewhere(page, source);
          add_command(page, source.run);
          family.pages.push_back(std::move(page));
        }
      });
}

}  // namespace chalk::reference

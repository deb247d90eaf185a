// Pages of layers.
#include <gtest/gtest.h>

#include <sstream>

#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/layers/registry.h"
#include "src/net/build.h"
#include "src/passes/passes.h"
#include "tests/reference/family.h"

namespace chalk::reference {
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
        family.tests = "tests/every_layer_test.cc, over the list";
        family.tested = all_layers().size();
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
          if (const auto keys = options_table(fields_of(layer->options), source, as_key); !keys.rows.empty()) {
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

}  // namespace chalk::reference

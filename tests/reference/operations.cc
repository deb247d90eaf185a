// Pages of operations.
#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/net/build.h"
#include "src/ops/registry.h"
#include "src/passes/passes.h"
#include "tests/reference/family.h"

namespace chalk::reference {
namespace {

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
        family.tests = "the samples of each operation";
        family.tested = static_cast<std::size_t>(
            std::ranges::count_if(all_ops(), [](const Op* op) { return !op->samples.value.empty(); }));
        for (const Op* op : all_ops()) {
          const auto source = source_of(sources, family.name, std::string(op->name.value));
          auto page = new_page(family, op->name.value, "src/ops and tests/reference/operations.toml", source.about);
          page.heading("Formula");
          for (const auto& c : source.cases) add_formulas(page, c, [&] { return of_network(c); }, {});
          if (!op->kink.convention.empty())
            page.text(
                str("Where there is no derivative, [by convention](../../conventions.md): ", op->kink.convention, "."));
          if (const auto attributes = options_table(fields_of(op->attributes), source, as_key);
              !attributes.rows.empty()) {
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

}  // namespace chalk::reference

// The families of pieces, each from its list.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "chalkgrad/graph.h"
#include "tests/reference/page.h"
#include "tests/reference/source.h"

namespace chalk::reference {

Family operations();
Family layers();
Family losses();
Family optimizers();
Family schedules();
Family averages();
Family initialisers();
Family sources();
Family augmentations();

/// Makes every equation and definition of a formula wrong by a thousandth, to see that it is noticed.
extern bool spoil_formulas;

// ---- for these ----

/// A graph, and what formulas call its values.
struct Named {
  Graph graph;
  std::map<NodeId, std::string> names;

  /// The copy of a value that has a name already, so that both can be spoken of.
  void name(Value value, const std::string& called);
};

/// Appends formula and derivative, held to the graph.
void add_formulas(Page& page, const Case& c, const std::function<Named()>& make, const Attributes& options);
/// The same of formulas that define `symbol`, held to numbers: each point has the declarations and the symbol's value.
struct Point {
  std::string given;
  double value;
};
void add_formulas(Page& page, const Case& c, const std::string& symbol, const std::vector<Point>& points,
                  const Attributes& options);
/// "t[k] := 0*[k = 0] + 1*[k = 1] for k=0..1"
std::string vector_definition(const std::string& symbol, const std::vector<double>& numbers);
/// A row for each option, with what `write` makes of its name.
Table options_table(const std::function<void(FieldVisitor&)>& options, const Source& source,
                    std::string (*write)(std::string_view name));
/// What others call it, and notes.
void add_elsewhere(Page& page, const Source& source, const std::string& onnx = "");
/// The line that runs.
void add_command(Page& page, const std::string& command);
/// The piece's entry, or a failure that says what is missing; takes it out of `all`.
Source source_of(std::map<std::string, Source>& all, const std::string& family, const std::string& name);
/// What is left in `all` belongs to no piece.
void expect_none_left(const std::map<std::string, Source>& all, const std::string& family);
std::string shape_text(const Shape& shape);

}  // namespace chalk::reference

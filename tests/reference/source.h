// What only the reference says of a piece: tests/reference/FAMILY.toml, in which each piece has a table.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "chalkgrad/fields.h"
#include "chalkgrad/shape.h"

namespace chalk::reference {

/// Formulas about one graph. Keys in TOML have these names; [[NAME.also]] adds another one.
struct Case {
  std::string title;                         // what is different here
  std::string net;                           // a network, in a line or in TOML, that ends with the piece,
  Shape input;                               // and what goes in
  std::map<std::string, std::string> names;  // of values of the graph (a parameter or a layer): what formulas call them
  std::map<std::string, std::string> let;    // symbols of the formula: a number, or the option that has it
  std::map<std::string, std::vector<double>> options;  // of the piece, in this case; true is 1
  std::map<std::string, std::string> words;            // those of them that are text
  std::vector<double> target;                          // a loss's; else it is drawn
  std::string given;                                   // declarations that are not shown: "x in 0.1..2"
  std::string formula, derivative;                     // statements of chalkgrad check
  std::string where;                                   // what its symbols are, beyond `let`
  std::int64_t samples = 1, step = 3;
  bool training = false;  // the graph in training
};

struct Source {
  std::string about;  // where the list has no sentence
  std::string pytorch, keras, albumentations, notes, run;
  std::map<std::string, std::string> help;  // of parameters that have no sentence in the list
  std::vector<Case> cases;
};

/// By the names of the pieces. Whatever cannot be read is a failure of the test that runs.
std::map<std::string, Source> read_sources(const std::string& family);

/// Sets the fields that the case has options for.
class OptionSetter : public FieldVisitor {
 public:
  explicit OptionSetter(const Case& c) : case_(c) {}
  void field(const Field& f, std::int64_t& value) override;
  void field(const Field& f, bool& value) override;
  void field(const Field& f, double& value) override;
  void field(const Field& f, std::string& value) override;
  void field(const Field& f, std::vector<std::int64_t>& value) override;
  void field(const Field& f, std::vector<double>& value) override;
  void pair(const Field& f, std::array<std::int64_t, 2>& value, std::string* word) override;
  void choice(const Field& f, std::span<const Word> words, std::size_t& index) override;
  void words(const Field& f, std::vector<std::string>& value) override;

  int set = 0;  // how many

 private:
  template <class T>
  void number(const Field& f, T& value);
  const Case& case_;
};

}  // namespace chalk::reference

#include "src/math/operation_reader.h"

#include "chalkgrad/error.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"
#include "src/ops/registry.h"

namespace chalk::math {
namespace {

constexpr int kDeepestOperation = 100;  // operations within each other

class AttributeReader {
 public:
  AttributeReader(Tokens& tokens, const std::string& name) : t_(tokens), name_(name) {}

  void operator()(const Field& field, std::int64_t& value) {
    if (mine(field)) value = t_.whole_number("a whole number");
  }
  void operator()(const Field& field, bool& value) {
    if (!mine(field)) return;
    value = t_.at_word("true");
    if (!value && !t_.at_word("false")) t_.fail("true or false expected");
    t_.next();
  }
  void operator()(const Field& field, double& value) {
    if (mine(field)) value = number();
  }
  void operator()(const Field& field, std::string& value) {
    if (mine(field)) value = t_.name("a word");
  }
  void operator()(const Field& field, std::vector<std::int64_t>& values) {
    if (!mine(field)) return;
    values.clear();
    list([&] { values.push_back(t_.whole_number("a whole number")); });
  }
  void operator()(const Field& field, std::vector<double>& values) {
    if (!mine(field)) return;
    values.clear();
    list([&] { values.push_back(number()); });
  }

  bool found = false;
  const std::string& known() const { return known_; }

 private:
  bool mine(const Field& field) {
    known_ += str(known_.empty() ? "" : ", ", field.name);
    if (field.name != name_) return false;
    return found = true;
  }
  double number() {
    const double sign = t_.take("-") ? -1 : 1;
    if (t_.peek().kind != Token::Kind::number) t_.fail("a number expected");
    return sign * t_.next().number;
  }
  template <class Read>
  void list(Read read) {
    t_.expect("[", "\"[\" and a list of numbers");
    if (t_.take("]")) return;
    do read();
    while (t_.take(","));
    t_.expect("]", "\",\" or \"]\"");
  }

  Tokens& t_;
  const std::string& name_;
  std::string known_;
};

class OperationReader {
 public:
  OperationReader(Tokens& tokens, Graph& graph, const std::function<Value(const Token&)>& named)
      : t_(tokens), g_(graph), named_(named) {}

  Value operation() {
    const Token name = t_.next();
    if (++depth_ > kDeepestOperation)
      throw FormulaError(name.place,
                         str("more than ", kDeepestOperation, " operations within each other; name a part of it"));
    t_.expect("(", "\"(\"");
    const Op& op = *find_op(name.text);
    std::vector<Value> operands;
    Attributes attributes = op.attributes;
    do {
      if (t_.peek().kind == Token::Kind::name && t_.at("=", 1)) {
        read_attribute(t_, op.name, [&](FieldVisitor& visitor) { attributes = attributes.edited(visitor); });
      } else {
        operands.push_back(operand());
      }
    } while (t_.take(","));
    t_.expect(")", "\",\" or \")\"");
    --depth_;
    if (op.arity != -1 && op.arity != static_cast<int>(operands.size()))
      throw FormulaError(name.place, str(name.text, " takes ", op.arity.value, " values, not ", operands.size()));
    try {
      for (auto& value : operands) value = g_.value(value.id());
      return g_.apply(op, attributes, operands);
    } catch (const ShapeError& e) {
      throw FormulaError(name.place, e.what());
    }
  }

 private:
  Value operand() {
    const double sign = t_.take("-") ? -1 : 1;
    const Token token = t_.peek();
    if (token.kind == Token::Kind::number) {
      t_.next();
      return g_.constant(sign * token.number);
    }
    if (sign > 0 && token.kind == Token::Kind::name) {
      if (token.text == "batch_size" && t_.at("(", 1) && t_.at(")", 2)) {
        t_.next(), t_.next(), t_.next();
        return g_.batch_size();
      }
      if (operation_follows(t_)) return operation();
      if (t_.at("(", 1)) unknown(token);
      t_.next();
      return named_(token);
    }
    t_.fail("a value, a number or an operation expected");
  }

  [[noreturn]] static void unknown(const Token& token) {
    std::vector<std::string_view> known;
    for (const auto* op : all_ops()) known.push_back(op->name);
    const auto guess = did_you_mean(token.text, known);
    throw FormulaError(token.place, str(in_quotes(token.text), " is not an operation",
                                        guess.empty() ? "; docs/reference/operations lists them" : guess));
  }

  Tokens& t_;
  Graph& g_;
  const std::function<Value(const Token&)>& named_;
  int depth_ = 0;
};

}  // namespace

void read_attribute(Tokens& tokens, std::string_view of, const std::function<void(FieldVisitor&)>& edit) {
  const Token name = tokens.next();
  tokens.next();
  AttributeReader reader(tokens, name.text);
  FieldFunction visitor([&](const Field& field, auto& value) { reader(field, value); });
  edit(visitor);
  if (reader.found) return;
  throw FormulaError(name.place, str(of, " has no ", in_quotes(name.text),
                                     reader.known().empty() ? "" : str("; it has ", reader.known())));
}

bool operation_follows(const Tokens& tokens) {
  const Token& name = tokens.peek();
  if (name.kind != Token::Kind::name || !tokens.at("(", 1) || !find_op(name.text)) return false;
  return name.text != "dense" || tokens.at(",", 3) || tokens.at("(", 3);
}

Value read_operation(Tokens& tokens, Graph& graph, const std::function<Value(const Token& name)>& named) {
  return OperationReader(tokens, graph, named).operation();
}

}  // namespace chalk::math

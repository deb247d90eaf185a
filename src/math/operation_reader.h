// Operations of a network as they are: add(conv2d(x, W1, stride=[2,2]), reshape(b1, shape=[4,1,1])).
#pragma once

#include <functional>
#include <string_view>

#include "chalkgrad/fields.h"
#include "chalkgrad/graph.h"
#include "src/math/parser.h"

namespace chalk::math {

/// Reads NAME=VALUE and sets the field of that name; `edit` shows the fields of what `of` names ("conv2d"). Throws
/// FormulaError.
void read_attribute(Tokens& tokens, std::string_view of, const std::function<void(FieldVisitor&)>& edit);

/// Whether the name of an operation and "(" come next, and not what a layer of the same name has there: dense(W: 3 …).
bool operation_follows(const Tokens& tokens);

/// Reads an operation with its operands, which are values that `named` knows, numbers (constants), batch_size() and
/// operations, and its attributes, by their names in the operation's list (src/ops). Throws FormulaError.
Value read_operation(Tokens& tokens, Graph& graph, const std::function<Value(const Token& name)>& named);

}  // namespace chalk::math

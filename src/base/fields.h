// What can be done with any struct whose fields can be visited (chalkgrad/fields.h).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/fields.h"

namespace chalk {

using VisitFields = std::function<void(FieldVisitor&)>;

/// Throws InputError "momentum is 1.5; it must be at least 0 and below 1" for the first field that is out of range.
void check_fields(const VisitFields& visit);

/// The fields' names and values as text, in their order.
std::vector<std::pair<std::string, std::string>> texts_of(const VisitFields& visit);

/// A field's name as an option of the command line: "weight_decay" is "weight-decay".
std::string with_dashes(std::string_view name);

}  // namespace chalk

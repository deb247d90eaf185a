// What can be done with any struct whose fields can be visited (chalkgrad/fields.h).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/fields.h"

namespace chalk {

/// Throws InputError "momentum is 1.5; it must be at least 0 and below 1" for the first number that is out of its
/// range. Values are not changed.
class RangeChecker : public FieldVisitor {
 public:
  void field(const Field& field, std::int64_t& value) override;
  void field(const Field& field, bool& value) override;
  void field(const Field& field, double& value) override;
  void field(const Field& field, std::string& value) override;
  void field(const Field& field, std::vector<std::int64_t>& value) override;
  void field(const Field& field, std::vector<double>& value) override;
};

template <class T>
void check_fields(T options) {
  RangeChecker checker;
  options.visit(checker);
}

/// The fields' names and values as text, in their order.
std::vector<std::pair<std::string, std::string>> texts_of(const std::function<void(FieldVisitor&)>& visit);

/// A field's name as an option of the command line: "weight_decay" is "weight-decay".
std::string with_dashes(std::string_view name);

}  // namespace chalk

// Errors that point at a character.
#pragma once

#include <string>

#include "chalkgrad/error.h"
#include "src/math/expr.h"

namespace chalk::math {

/// Something is wrong with a formula. what() says what and what to do; `place` says where.
class FormulaError : public InputError {
 public:
  FormulaError(Place place, const std::string& message) : InputError(message), place_(place) {}
  const Place& place() const { return place_; }

 private:
  Place place_;
};

/// What is written can be read, but its indices or shapes do not go together. As good as false.
class MisfitError : public FormulaError {
 public:
  using FormulaError::FormulaError;
};

}  // namespace chalk::math

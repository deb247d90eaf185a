// Errors that point at a character.
#pragma once

#include <string>

#include "chalkgrad/error.h"
#include "src/math/expr.h"

namespace chalk::math {

/// Something is wrong with a formula. what() says what and what to do; the place is kept beside it.
class FormulaError : public InputError {
 public:
  FormulaError(Place place, const std::string& message) : InputError(message), place_(place) {}
  const Place& place() const { return place_; }

 private:
  Place place_;
};

}  // namespace chalk::math

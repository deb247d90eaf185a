// Errors. Every message says what is wrong, where, and what to do about it.
#pragma once

#include <stdexcept>

namespace chalk {

/// Base of everything chalkgrad throws on purpose. what() is one line, ready to be shown to a user.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Shapes that do not fit together, raised where the graph is built.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A file, option or network text that cannot be used. Names the file and where in it.
class InputError : public Error {
 public:
  using Error::Error;
};

/// A value that is NaN or infinite, in training or in a prediction. Names the layer where it was first seen, and the
/// step.
class NumericError : public Error {
 public:
  using Error::Error;
};

}  // namespace chalk

// Options of a source of data: "FOLDER,size=32x32,channels=1".
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "chalkgrad/fields.h"

namespace chalk {

/// Sets the fields that `visit` shows as ",name=value" at the end of the argument says, and returns what is before
/// these. If all of the argument is a path that is there, it has no options. A field's name has "-" for "_". Throws
/// InputError naming `word`, the argument and the option for a name that is none of the fields', one that is given
/// twice, and a value that the field does not take.
std::string take_options(std::string_view word, const std::string& argument,
                         const std::function<void(FieldVisitor&)>& visit);

/// The same for a struct that shows its fields by visit(FieldVisitor&).
template <class Options>
std::string take_options(std::string_view word, const std::string& argument, Options& options) {
  return take_options(word, argument, [&](FieldVisitor& v) { options.visit(v); });
}

}  // namespace chalk

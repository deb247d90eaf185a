// What rules do along one axis: take elements, or weigh them by a matrix of the file.
#pragma once

#include <span>
#include <vector>

#include "src/onnx/import.h"

namespace chalk::onnx {

/// The largest number there is if it is beyond that.
std::int64_t product(std::span<const std::int64_t> numbers);
/// The same for numbers that a network's text shall hold. Throws InputError if they are too many.
std::size_t room_for(std::span<const std::int64_t> extents);
/// "first = [..]" and "second = [..]", lines of TOML.
std::string keys_of(const char* first, const Extents& a, const char* second, const Extents& b);

/// The first operand, which is known or not, and its extents.
struct Operand {
  const Known* known = nullptr;
  Value value{};
  Extents extents;
};
Operand operand(Importer& to, const FileNode& node);

/// The operand's numbers with other extents.
Known shaped(const Known& known, Extents extents);
/// The extents that ONNX sees as a shape of the value; the batch, if there, comes first.
Shape of_sample(Importer& to, const FileNode& node, Value x, const Extents& extents);

/// Whole numbers of an operand that must be known: `what` they are.
std::vector<std::int64_t> whole_numbers(Importer& to, const FileNode& node, std::size_t i, const char* what);
/// The same of one number.
std::int64_t whole_number(Importer& to, const FileNode& node, std::size_t i, const char* what);
/// An operand or, in versions before `since`, the attribute of that name; none if neither is there.
Extents axes_of(Importer& to, const FileNode& node, std::int64_t since, const char* key = "axes",
                std::size_t operand = 1);

/// Element i along the axis is element places[i] of x; axes are those of the value's shape.
Value taken(Importer& to, const FileNode& node, Value x, std::int64_t axis, const Extents& places);
Known taken(const Known& x, std::int64_t axis, const Extents& places);
/// start, start + step, …, so many.
Extents places_from(std::int64_t start, std::int64_t step, std::int64_t count);

/// M·x along the axis, for a matrix of so many rows and of as many columns as the axis is long.
Value weighed(Importer& to, const FileNode& node, Value x, std::int64_t axis, std::int64_t rows,
              std::vector<float> matrix);

/// A sum, mean or maximum over axes of the value's shape.
Value reduced(Importer& to, const FileNode& node, const char* op, Value x, const Extents& axes, bool keeps = true);

}  // namespace chalk::onnx

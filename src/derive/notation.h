// Letters of books.
#pragma once

#include <array>
#include <string_view>

namespace chalk::calculus {

/// What is called so, in a book: weighted sums, what functions make of them, parameters, input, output, target, loss.
struct Notation {
  std::string_view name;
  std::string_view sum = "z", activation = "a", weight = "W", bias = "b";
  std::string_view input = "x", output = "y", target = "t", loss = "L";
};

/// The first one is this program's own: Bishop's softmax and target, Nielsen's z and a.
constexpr std::array<Notation, 6> kNotations{
    {{.name = "chalkgrad"},
     {.name = "nielsen", .weight = "w", .output = "p", .target = "y", .loss = "C"},
     {.name = "001", .sum = "s", .activation = "o", .weight = "w", .output = "p", .target = "ystar", .loss = "E"},
     {.name = "004", .sum = "s", .activation = "o", .weight = "w", .output = "p", .loss = "e"},
     {.name = "bishop", .sum = "a", .activation = "z", .weight = "w", .loss = "E"},
     {.name = "goodfellow", .sum = "a", .activation = "h", .output = "yhat", .target = "y", .loss = "J"}}};

}  // namespace chalk::calculus

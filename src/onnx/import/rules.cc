#include <algorithm>
#include <array>
#include <utility>

#include "src/onnx/import.h"

namespace chalk::onnx {

#define CHALK_ONNX(name) void import_##name(Importer& to, const FileNode& node);
#include "src/onnx/imports.inc"
#undef CHALK_ONNX

namespace {

constexpr std::array kRules{
#define CHALK_ONNX(name) std::pair<std::string_view, ImportRule>{#name, import_##name},
#include "src/onnx/imports.inc"
#undef CHALK_ONNX
};

}  // namespace

ImportRule import_rule(std::string_view op) {
  const auto found = std::ranges::find(kRules, op, [](const auto& rule) { return rule.first; });
  return found == kRules.end() ? nullptr : found->second;
}

std::vector<std::string_view> imported_operators() {
  std::vector<std::string_view> names;
  for (const auto& rule : kRules) names.push_back(rule.first);
  return names;
}

}  // namespace chalk::onnx

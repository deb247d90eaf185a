#include <algorithm>
#include <array>
#include <string>

#include "src/base/fields.h"
#include "src/base/text.h"
#include "src/layers/layer.h"
#include "src/losses/loss.h"

namespace chalk {
namespace {

struct Entry {
  Loss loss;
  std::string_view stored;  // "cross_entropy"
  std::string shown;        // "cross-entropy"
  const LossDefinition* definition;
};

const auto& entries() {
  static const std::array all{
#define CHALK_LOSS(name) Entry{Loss::name, #name, with_dashes(#name), &loss_##name},
#include "chalkgrad/losses.inc"
#undef CHALK_LOSS
  };
  return all;
}

const Entry& entry(Loss loss) { return entries()[static_cast<std::size_t>(loss)]; }

std::optional<Loss> find(std::string_view name, auto member) {
  const auto found = std::ranges::find_if(entries(), [&](const Entry& e) { return e.*member == name; });
  return found == entries().end() ? std::nullopt : std::optional(found->loss);
}

}  // namespace

const LossDefinition& definition_of(Loss loss) { return *entry(loss).definition; }
std::string_view stored_name(Loss loss) { return entry(loss).stored; }
std::optional<Loss> find_stored_loss(std::string_view name) { return find(name, &Entry::stored); }
bool of_softmax(Loss loss) { return definition_of(loss).of_softmax; }

std::span<const Loss> all_losses() {
  static constexpr std::array kAll{
#define CHALK_LOSS(name) Loss::name,
#include "chalkgrad/losses.inc"
#undef CHALK_LOSS
  };
  return kAll;
}

bool maximised(Loss loss) { return definition_of(loss).maximised; }
std::string_view name_of(Loss loss) { return entry(loss).shown; }
std::optional<Loss> find_loss(std::string_view name) { return find(name, &Entry::shown); }

void check_same_shape(Value y, Value target, std::string_view loss) {
  if (y.shape() == target.shape()) return;
  fail_layer(y.graph(), loss,
             str("a target of ", to_string(target.shape()), " does not fit ", to_string(y.shape()),
                 "; give both the same shape"));
}

}  // namespace chalk

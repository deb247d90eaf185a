#include <algorithm>
#include <vector>

#include "chalkgrad/error.h"
#include "chalkgrad/train.h"
#include "src/base/fields.h"
#include "src/base/shortest.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/losses/loss.h"
#include "src/net/build.h"
#include "src/net/loss_reader.h"
#include "src/net/toml_reader.h"

namespace chalk {
namespace {

/// A share of the training samples, or "test".
std::optional<std::string> read_validation(TableReader& reader) {
  const auto* node = reader.node("validation");
  if (!node) return {};
  const double share = node->is_number() ? node->value_or(0.0) : 0.0;
  if (share > 0 && share < 1) return shortest(share);
  if (node->is_string() && node->value_or(std::string()) == "test") return "test";
  reader.fail("validation", "must be \"test\", or a number above 0 and below 1: a share of the training samples");
}

/// [[train.group]], once for each group.
void read_groups(TableReader& reader, const TomlOrigin& origin, std::vector<ParameterGroup>& groups) {
  for (const auto* table : reader.tables("group")) {
    TableReader one(*table, origin, "[[train.group]]");
    ParameterGroup group;
    group.pattern = one.required_text("pattern");
    group.lr_factor = one.number("lr_factor");
    group.weight_decay = one.number("weight_decay");
    group.epochs = one.integer("epochs", 1, 1'000'000);
    group.frozen = one.boolean("frozen");
    one.finish();
    if (!group.lr_factor && !group.weight_decay && !group.epochs && !group.frozen)
      one.fail("a group must say something; add lr_factor, weight_decay, epochs or frozen = true");
    try {
      (void)ParameterGroup::parse(ParameterGroup::text({&group, 1}));
    } catch (const InputError& e) {
      one.fail(e.what());
    }
    groups.push_back(std::move(group));
  }
}

}  // namespace

TrainConfig read_train_config(std::string_view text, std::string_view origin, TrainOptions& options) {
  if (!is_toml(text)) return {};
  const TomlOrigin where{std::string(origin)};
  const auto top = parse_toml(text, where);
  const auto* table = top["train"].as_table();
  if (!table) return {};
  TableReader reader(*table, where, "[train]");
  TrainConfig config;
  config.data = reader.text("data");
  config.validation = read_validation(reader);
  config.loss = read_loss(reader);
  if (config.loss) options.loss = *config.loss;
  FieldReader fields(reader);
  options.visit(fields);
  if (config.loss) config.loss = options.loss;
  refuse_other_losses(reader, options.loss);
  read_groups(reader, where, options.groups);
  if (reader.has("optimizer")) reader.what(str("[train] with the optimizer ", options.optimizer.name()));
  reader.finish();
  return config;
}

}  // namespace chalk

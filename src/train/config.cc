#include <algorithm>
#include <vector>

#include "chalkgrad/error.h"
#include "chalkgrad/splits.h"
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

/// What `parse` makes of a text, or of a number where one is one; nothing if the key is not there.
template <class Parse>
auto read_text(TableReader& reader, std::string_view key, Parse parse) -> std::optional<decltype(parse(""))> {
  const auto* node = reader.node(key);
  if (!node) return {};
  try {
    return parse(node->is_number() ? shortest(node->value_or(0.0)) : node->value_or(std::string()));
  } catch (const InputError& e) {
    reader.fail(key, e.what());
  }
}

void read_folds(TableReader& reader, TrainConfig& config) {
  config.fold = read_text(reader, "fold", Fold::parse);
  config.folds = read_text(reader, "folds", [](const std::string& text) {
    (void)Fold::parse_all(text);
    return text;
  });
  if (config.fold && config.folds)
    reader.fail_at("folds", "fold and folds are both given: one of them, or all; leave one out");
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
  config.normalisation = read_text(reader, "normalise", Normalisation::parse);
  config.validation =
      read_text(reader, "validation", [](const std::string& said) { return Validation::parse(said).text(); });
  read_folds(reader, config);
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

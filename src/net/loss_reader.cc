#include "src/net/loss_reader.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "src/base/fields.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/losses/loss.h"

namespace chalk {
namespace {

/// What is minimised under the key "loss", or maximised under "maximise".
std::optional<Loss> read_loss_of(TableReader& reader, std::string_view key, bool likelihoods) {
  const auto text = reader.text(key);
  if (!text) return {};
  std::vector<std::string_view> names;
  for (const Loss& loss : all_losses()) {
    if (maximised(loss) != likelihoods) continue;
    if (name_of(loss) == *text) return loss;
    names.push_back(name_of(loss));
  }
  reader.fail(key, str("must be ", alternatives({names.begin(), names.end()}), ", not ", in_quotes(*text),
                       did_you_mean(*text, names)));
}

}  // namespace

std::optional<Loss> read_loss(TableReader& reader) {
  const auto loss = read_loss_of(reader, "loss", false), likelihood = read_loss_of(reader, "maximise", true);
  if (loss && likelihood) {
    reader.fail("maximise",
                str("stands beside loss = \"", name_of(*loss), "\", which is minimised; leave out one of the two"));
  }
  return likelihood ? likelihood : loss;
}

void refuse_other_losses(TableReader& reader, const Loss& loss) {
  const auto has = texts_of([&](FieldVisitor& v) { loss.options().show(v); });
  for (const Loss& other : all_losses()) {
    for (const auto& [name, value] : texts_of([&](FieldVisitor& v) { other.options().show(v); })) {
      if (std::ranges::find(has, name, &std::pair<std::string, std::string>::first) != has.end()) continue;
      if (!reader.has(name)) continue;
      reader.fail(name, str("is an option of the loss ", name_of(other), ", not of ", name_of(loss), "; leave it out"));
    }
  }
}

}  // namespace chalk

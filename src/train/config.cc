#include "src/train/config.h"

#include <array>
#include <limits>

#include "chalkgrad/error.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/net/build.h"
#include "src/net/toml_reader.h"

namespace chalk {
namespace {

constexpr std::array kLosses{Loss::cross_entropy, Loss::binary_cross_entropy, Loss::squared_error,
                             Loss::sum_of_squares};
constexpr std::array kLikelihoods{Loss::log_likelihood, Loss::gaussian_log_likelihood};

class TrainReader {
 public:
  TrainReader(const toml::table& table, const TomlOrigin& origin)
      : origin_(origin), reader_(table, origin, "[train]") {}

  TrainConfig read() {
    TrainConfig config;
    config.data = reader_.text("data");
    config.epochs = reader_.integer("epochs", 1, 1'000'000);
    config.batch = reader_.integer("batch", 1, 1 << 24);
    config.seed = reader_.integer("seed", 0, std::numeric_limits<std::int64_t>::max());
    config.lr = number("lr", "a number above 0", [](double v) { return v > 0; });
    config.momentum = number("momentum", "at least 0 and below 1", [](double v) { return v >= 0 && v < 1; });
    config.weight_decay = number("weight_decay", "a number of at least 0", [](double v) { return v >= 0; });
    config.nesterov = reader_.boolean("nesterov");
    config.schedule = schedule();
    config.loss = objective("loss", kLosses);
    const auto likelihood = objective("maximise", kLikelihoods);
    if (config.loss && likelihood) {
      reader_.fail("maximise", str("stands beside loss = \"", name_of(*config.loss),
                                   "\", which is minimised; leave out one of the two"));
    }
    if (likelihood) config.loss = likelihood;
    reader_.finish();
    return config;
  }

 private:
  std::optional<double> number(std::string_view key, std::string_view what, bool (*good)(double)) {
    const auto value = reader_.number(key);
    if (value && !good(*value)) reader_.fail(key, str("must be ", what, ", not ", *value));
    return value;
  }

  std::optional<Schedule> schedule() {
    const auto text = reader_.text("schedule");
    if (!text) return {};
    try {
      return Schedule::parse(*text);
    } catch (const InputError& e) {
      origin_.fail(reader_.node("schedule")->source(), e.what());
    }
  }

  template <std::size_t N>
  std::optional<Loss> objective(std::string_view key, const std::array<Loss, N>& allowed) {
    const auto text = reader_.text(key);
    if (!text) return {};
    std::string list;
    std::vector<std::string_view> names;
    for (const Loss loss : allowed) {
      if (name_of(loss) == *text) return loss;
      list += str(list.empty() ? "" : loss == allowed.back() ? " or " : ", ", name_of(loss));
      names.push_back(name_of(loss));
    }
    const auto guess = did_you_mean(*text, names);
    reader_.fail(key, str("must be ", list, ", not ", in_quotes(*text), guess));
  }

  const TomlOrigin& origin_;
  TableReader reader_;
};

}  // namespace

TrainConfig read_train_config(std::string_view text, std::string_view origin) {
  if (!is_toml(text)) return {};
  const TomlOrigin where{std::string(origin)};
  const auto top = parse_toml(text, where);
  const auto* table = top["train"].as_table();
  return table ? TrainReader(*table, where).read() : TrainConfig{};
}

void check_configuration(std::string_view text, std::string_view origin) { read_train_config(text, origin); }

}  // namespace chalk

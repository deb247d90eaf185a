#include "apps/chalkgrad/command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "apps/chalkgrad/common.h"
#include "src/base/shortest.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk::app {
namespace {

/// The number that all of the text is, or nothing.
template <class T>
std::optional<T> number(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// What to say about a word that the parser did not expect.
std::string unexpected(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  const auto& chosen = commands.empty() ? app : *commands.front();
  const auto extras = app.remaining(true);
  const auto option =
      std::find_if(extras.begin(), extras.end(), [](const auto& word) { return word.starts_with("-"); });
  const auto& word = option == extras.end() ? extras.front() : *option;
  std::vector<std::string> known;
  if (option != extras.end()) {
    for (const auto* each : chosen.get_options()) {
      for (const auto& name : each->get_lnames()) known.push_back("--" + name);
    }
  } else if (commands.empty()) {
    for (const auto* each : app.get_subcommands({})) known.push_back(each->get_name());
  }
  const auto guess =
      did_you_mean(word.substr(0, word.find('=')), std::vector<std::string_view>(known.begin(), known.end()));
  const auto* kind = option != extras.end() ? "option" : commands.empty() ? "command" : "argument";
  const auto name = chosen.get_parent() ? "chalkgrad " + chosen.get_name() : std::string("chalkgrad");
  return str(name, " has no ", kind, " ", in_quotes(word),
             guess.empty() ? str("; ", name, " --help lists what there is") : guess);
}

}  // namespace

Option& Option::required() {
  option_->required();
  return *this;
}

Option& Option::shows_default() {
  option_->capture_default_str();
  return *this;
}

Option& Option::excludes(const char* other) {
  option_->excludes(command_->get_option(other));
  return *this;
}

Option Command::add(const char* name, std::function<void(const std::string&)> store, const std::string& shown,
                    const std::string& help, const char* placeholder) {
  const auto take = [store = std::move(store)](const CLI::results_t& words) {
    store(words.front());
    return true;
  };
  auto* option = command_->add_option(name, take, help, /*defaulted=*/false, [shown] { return shown; });
  option->type_name(placeholder);
  return {command_, option};
}

Option Command::text(const char* name, std::string& value, const std::string& help, const char* placeholder) {
  return add(
      name, [&value](const std::string& word) { value = word; }, value, help, placeholder);
}

Option Command::texts(const char* name, std::vector<std::string>& values, const std::string& help,
                      const char* placeholder) {
  const auto take = [&values](const CLI::results_t& words) {
    values = words;
    return true;
  };
  auto* option = command_->add_option(name, take, help);
  option->type_name(placeholder)->expected(CLI::detail::expected_max_vector_size);
  return {command_, option};
}

Option Command::whole(const char* name, const std::string& shown, std::function<void(std::int64_t)> store, Whole range,
                      const std::string& help, const char* placeholder) {
  auto option = add(
      name, [store = std::move(store)](const std::string& word) { store(*number<std::int64_t>(word)); }, shown, help,
      placeholder);
  const auto check = [range](const std::string& word) -> std::string {
    const auto value = number<std::int64_t>(word);
    if (value && *value >= range.least && *value <= range.most) return {};
    return str("must be a whole number from ", count(range.least), " to ", count(range.most), ", not ",
               in_quotes(word));
  };
  command_->get_option(name)->check(CLI::Validator(check, ""));
  return option;
}

Option Command::real(const char* name, double& value, const Range& range, const std::string& help,
                     const char* placeholder, std::string wording) {
  auto option = add(
      name, [&value](const std::string& word) { value = *number<double>(word); }, shortest(value), help, placeholder);
  const auto check = [range, what = wording.empty() ? range.text()
                                                    : std::move(wording)](const std::string& word) -> std::string {
    const auto number_ = number<double>(word);
    if (number_ && range.contains(*number_)) return {};
    return str("must be ", what, ", not ", in_quotes(word));
  };
  command_->get_option(name)->check(CLI::Validator(check, ""));
  return option;
}

Option Command::flag(const char* name, bool& value, const std::string& help) {
  return {command_, command_->add_flag(name, value, help)};
}

Option Command::word(const char* name, std::string& value, const std::vector<std::string>& words,
                     const std::string& help, const char* placeholder) {
  auto option = text(name, value, help, placeholder);
  command_->get_option(name)->check(CLI::IsMember(words));
  return option;
}

void Command::footer(const std::string& text) { command_->footer(text); }

bool Command::given(const char* name) const { return command_->count(name) > 0; }

CommandLine::CommandLine(const std::string& description, const std::string& version, const std::string& footer)
    : app_(std::make_unique<CLI::App>(description, "chalkgrad")) {
  app_->set_version_flag("--version", version);
  app_->footer(footer);
  app_->require_subcommand(1);
  app_->get_formatter()->column_width(34);
}

CommandLine::~CommandLine() = default;

Command CommandLine::command(const std::string& name, const std::string& description, std::function<int()> action) {
  auto* command = app_->add_subcommand(name, description);
  command->callback([this, action = std::move(action)] { chosen_ = action; });
  return Command(command);
}

int CommandLine::run(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& e) {  // help or version
    return app_->exit(e);
  } catch (const CLI::ParseError& e) {
    if (!app_->remaining(true).empty()) throw UsageError(unexpected(*app_));
    if (app_->get_subcommands().empty()) throw UsageError("which command? chalkgrad --help lists them");
    throw UsageError(e.what());
  }
  return chosen_();
}

}  // namespace chalk::app

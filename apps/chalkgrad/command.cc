#include "apps/chalkgrad/command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <optional>

#include "apps/chalkgrad/common.h"
#include "src/base/file.h"
#include "src/base/reading.h"
#include "src/base/shortest.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk::app {

/// An option that names a file to write, and where its value is kept.
struct Output {
  const CLI::App* command;
  const CLI::Option* option;
  const std::string* path;
  Existing existing;

  bool given() const { return option->count() > 0; }
  std::string name() const { return option->get_name(); }
};

namespace {

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

/// What is wrong with the text of an option: an unset variable of the shell leaves an empty one, a value that was
/// forgotten the next option.
std::string flaw_of_text(const std::string& text) {
  if (text.empty()) return "must not be empty; is a variable of the shell not set?";
  return text.starts_with("--") ? str("needs a value before ", text) : std::string();
}

}  // namespace

bool adds_to(const std::string& path, std::string_view beginning) {
  if (!holds_something(path)) return true;  // a pipe must not be read
  std::string found(beginning.size(), '\0');
  std::ifstream(path, std::ios::binary).read(found.data(), static_cast<std::streamsize>(found.size()));
  return found == beginning;
}

namespace {

/// A finished thing is never lost: throws if the output would destroy a file or cannot be written.
void check_output(const Output& output) {
  const auto& [command, option, path, existing] = output;
  check_writable(*path, existing.beginning.empty() ? Writing::anew : Writing::in_place);
  if (!holds_something(*path) || command->count("--overwrite") > 0) return;
  if (existing.of && command->count(existing.of) > 0 &&
      same_file(*path, command->get_option(existing.of)->results().front()))
    return;
  if (!existing.beginning.empty() && adds_to(*path, existing.beginning)) return;
  throw InputError(str(*path, ": is there already", existing.beginning.empty() ? "" : ", and nothing to add to", "; ",
                       existing.advice ? existing.advice(*path) : "", "give ", output.name(),
                       " another file, or add --overwrite to replace it"));
}

void check_outputs(const std::vector<Output>& outputs) {
  for (auto one = outputs.begin(); one != outputs.end(); ++one) {
    if (!one->given()) continue;
    check_output(*one);
    for (auto other = outputs.begin(); other != one; ++other) {
      if (other->given() && same_file(*other->path, *one->path))
        throw UsageError(str(other->name(), " and ", one->name(), " name the same file; give each its own"));
    }
  }
}

/// "300MB" and "1.5 GB" as bytes; nothing if it is no size.
std::optional<std::uint64_t> bytes_in(const std::string& text) {
  constexpr std::array<std::pair<std::string_view, double>, 4> kUnits = {
      {{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}}};
  std::string_view number = text;
  double unit = 1;
  for (const auto& [name, size] : kUnits) {
    if (!number.ends_with(name)) continue;
    number = trimmed(number.substr(0, number.size() - name.size()));
    unit = size;
    break;
  }
  const auto value = number_in<double>(number);
  if (!value || !(*value >= 0) || *value * unit > 1e18) return {};
  return static_cast<std::uint64_t>(std::ceil(*value * unit));
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
  auto option = add(
      name, [&value](const std::string& word) { value = word; }, value, help, placeholder);
  command_->get_option(name)->check(CLI::Validator(flaw_of_text, ""));
  return option;
}

Option Command::output(const char* name, std::string& path, const std::string& help, Existing existing) {
  auto option = text(name, path, help, "FILE");
  outputs_->push_back({command_, command_->get_option(name), &path, existing});
  if (!command_->get_option_no_throw("--overwrite"))
    command_->add_flag("--overwrite")->description("Replace what is there already");
  return option;
}

Option Command::texts(const char* name, std::vector<std::string>& values, const std::string& help,
                      const char* placeholder) {
  const auto take = [&values](const CLI::results_t& words) {
    values = words;
    return true;
  };
  auto* option = command_->add_option(name, take, help);
  option->type_name(placeholder)->expected(CLI::detail::expected_max_vector_size);
  option->check(CLI::Validator(flaw_of_text, ""));
  return {command_, option};
}

Option Command::repeated(const char* name, std::vector<std::string>& values, const std::string& help,
                         const char* placeholder) {
  const auto option = texts(name, values, help, placeholder);
  command_->get_option(name)->expected(1)->take_all()->allow_extra_args(false);
  return option;
}

Option Command::whole(const char* name, const std::string& shown, std::function<void(std::int64_t)> store, Whole range,
                      const std::string& help, const char* placeholder) {
  auto option = add(
      name, [store = std::move(store)](const std::string& word) { store(*number_in<std::int64_t>(word)); }, shown, help,
      placeholder);
  const auto check = [range](const std::string& word) -> std::string {
    const auto value = number_in<std::int64_t>(word);
    if (value && *value >= range.least && *value <= range.most) return {};
    return str("must be a whole number from ", count(range.least), " to ", count(range.most), ", not ",
               in_quotes(word));
  };
  command_->get_option(name)->check(CLI::Validator(check, ""));
  return option;
}

Option Command::size(const char* name, std::function<void(std::uint64_t)> store, const std::string& help) {
  auto option = add(
      name, [store = std::move(store)](const std::string& word) { store(*bytes_in(word)); }, "", help, "SIZE");
  const auto check = [](const std::string& word) -> std::string {
    return bytes_in(word) ? "" : str("must be a size such as 300MB, 2GB or 0, not ", in_quotes(word));
  };
  command_->get_option(name)->check(CLI::Validator(check, ""));
  return option;
}

Option Command::real(const char* name, double& value, const Range& range, const std::string& help,
                     const char* placeholder, std::string wording) {
  auto option = add(
      name, [&value](const std::string& word) { value = *number_in<double>(word); }, shortest(value), help,
      placeholder);
  const auto check = [range, what = wording.empty() ? range.text()
                                                    : std::move(wording)](const std::string& word) -> std::string {
    const auto number_ = number_in<double>(word);
    if (number_ && range.contains(*number_)) return {};
    return str("must be ", what, ", not ", in_quotes(word));
  };
  command_->get_option(name)->check(CLI::Validator(check, ""));
  return option;
}

Option Command::reals(const char* name, std::vector<double>& values, const Range& range, const std::string& help,
                      const char* placeholder) {
  const auto take = [&values](const std::string& words) {
    values.clear();
    for (const auto part : split(words, ',')) values.push_back(*number_in<double>(part));
  };
  auto option = add(name, take, "", help, placeholder);
  const auto check = [range](const std::string& words) -> std::string {
    for (const auto part : split(words, ',')) {
      const auto number_ = number_in<double>(part);
      if (!number_ || !range.contains(*number_)) {
        return str("must be numbers with commas between them, each ", range.text(), ", not ", in_quotes(words));
      }
    }
    return {};
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
  return {command, &outputs_};
}

int CommandLine::run(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {  // the parser would take the next word as the value
    const std::string_view word = argv[i];
    if (word.starts_with("--") && word.find('=') + 1 == word.size())
      throw UsageError(str(word.substr(0, word.size() - 1), ": ", flaw_of_text("")));
  }
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& e) {  // help or version
    return app_->exit(e);
  } catch (const CLI::ParseError& e) {
    if (!app_->remaining(true).empty()) throw UsageError(unexpected(*app_));
    if (app_->get_subcommands().empty()) throw UsageError("which command? chalkgrad --help lists them");
    throw UsageError(e.what());
  }
  check_outputs(outputs_);
  return chosen_();
}

}  // namespace chalk::app

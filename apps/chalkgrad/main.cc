// chalkgrad: the command line. Everything it can do, the library can do.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <new>
#include <system_error>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "src/base/suggest.h"
#include "src/base/wording.h"

namespace chalk::app {
namespace {

constexpr const char* kExamples = R"(Examples:
  chalkgrad train                                   learn handwritten digits, in seconds
  chalkgrad train --data mnist:FOLDER --net 20c5-relu-mp2-40c5-relu-mp2-100n-relu-10n --epochs 3 --out m.safetensors
  chalkgrad eval m.safetensors                      how good is it?
  chalkgrad predict m.safetensors picture.png       what is this?
  chalkgrad info --net 20c5-relu-mp2-10n --input 1x28x28
  chalkgrad gradcheck --net 4c3-tanh-mp2-5n --input 1x8x8
  chalkgrad check derivation.chalk                  are these equations true?
  chalkgrad bench --net 20c5-relu-mp2-10n --input 1x28x28 --batch 64

chalkgrad COMMAND --help explains a command. Exit code: 0 good, 1 an error or a failed check, 2 a wrong command line.)";

/// One line that a terminal can show, whatever was typed: bytes that are not UTF-8 and control characters become \xNN.
std::string printable(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text[0]);
    std::size_t length = first < 0x80 ? 1 : first >> 5U == 6 ? 2 : first >> 4U == 14 ? 3 : first >> 3U == 30 ? 4 : 0;
    for (std::size_t i = 1; i < length; ++i) {
      if (i >= text.size() || (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) length = 0;
    }
    if (first == '\n') {
      line += ' ';
    } else if (length == 0 || first < 0x20 || first == 0x7f) {
      line += fmt::format("\\x{:02x}", first);
    } else {
      line += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  return line;
}

int fail(int code, std::string_view message) {
  std::fflush(stdout);
  std::fprintf(stderr, "chalkgrad: %s\n", printable(message).c_str());
  return code;
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
  return fmt::format("{} has no {} {}{}", name, kind, in_quotes(word),
                     guess.empty() ? fmt::format("; {} --help lists what there is", name) : guess);
}

int run(int argc, char** argv) {
  CLI::App app("Trains convolutional networks on the CPU, exactly and fast, and shows its mathematics.", "chalkgrad");
  app.set_version_flag("--version", "chalkgrad " CHALKGRAD_VERSION);
  app.footer(kExamples);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  Action action;
  add_train(app, action);
  add_eval(app, action);
  add_predict(app, action);
  add_info(app, action);
  add_gradcheck(app, action);
  add_check(app, action);
  add_grad(app, action);
  add_bench(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {  // help or version
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    if (!app.remaining(true).empty()) return fail(kUsage, unexpected(app));
    if (app.get_subcommands().empty()) return fail(kUsage, "which command? chalkgrad --help lists them");
    return fail(kUsage, e.what());
  }
  const int code = action();
  if (std::fflush(stdout) != 0) throw std::system_error(errno, std::generic_category(), "standard output");
  return code;
}

}  // namespace
}  // namespace chalk::app

int main(int argc, char** argv) {
  using chalk::app::fail;
  try {
    return chalk::app::run(argc, argv);
  } catch (const chalk::app::UsageError& e) {
    return fail(chalk::app::kUsage, e.what());
  } catch (const chalk::app::Interrupted& e) {
    return fail(e.code(), e.what());
  } catch (const chalk::Error& e) {
    return fail(chalk::app::kFailed, e.what());
  } catch (const std::bad_alloc&) {
    return fail(chalk::app::kFailed, "there is not enough memory; use a smaller network or fewer threads");
  } catch (const std::exception& e) {
    return fail(chalk::app::kFailed, e.what());
  }
}

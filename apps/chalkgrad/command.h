// The command line, declared: commands, each with options of a few kinds. The parser behind it is known to command.cc
// alone.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/fields.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace chalk::app {

/// A handle to one option of a command.
class Option {
 public:
  Option(CLI::App* command, CLI::Option* option) : command_(command), option_(option) {}

  Option& required();
  /// --help shows the value that the variable has when it is described, its default.
  Option& shows_default();
  /// At most one of the two may be given.
  Option& excludes(const char* other);

 private:
  CLI::App* command_;
  CLI::Option* option_;
};

/// Which files an output may write to although they are there and not empty.
struct Existing {
  const char* of = nullptr;      ///< the one that this option names
  std::string_view beginning{};  ///< one that begins like this: the command adds to it
  /// What else can be done with the file, "go on with it by …, ", or nothing.
  std::string (*advice)(const std::string& path) = nullptr;
};
/// Whether an output that was declared with this beginning adds to what is there, or begins anew.
bool adds_to(const std::string& path, std::string_view beginning);
struct Output;  // in command.cc

/// Whole numbers that an option takes.
struct Whole {
  std::int64_t least = 0, most = std::int64_t{1} << 30;
};
constexpr Whole kSeeds{0, std::numeric_limits<std::int64_t>::max()};

/// A handle to one command. What an option is called begins with "--", or it is an argument ("MODEL"). `placeholder` is
/// what --help writes for its value. The variable keeps its value if the option is not given; both must live until the
/// command has run.
class Command {
 public:
  Command() = default;
  Command(CLI::App* command, std::vector<Output>* outputs) : command_(command), outputs_(outputs) {}

  /// Not empty, as a variable of the shell is that was never set.
  Option text(const char* name, std::string& value, const std::string& help, const char* placeholder = "TEXT");
  /// A file to write. If it is there already and neither `existing` nor --overwrite, which the command then has, allows
  /// to write to it, the command does not run. Nor does it if the file cannot be written.
  Option output(const char* name, std::string& path, const std::string& help, Existing existing = {});
  /// At least one.
  Option texts(const char* name, std::vector<std::string>& values, const std::string& help, const char* placeholder);
  template <std::integral T>
  Option whole(const char* name, T& value, Whole range, const std::string& help, const char* placeholder = "N") {
    static_assert(sizeof(T) >= 4);
    return whole(
        name, std::to_string(value), [&value](std::int64_t v) { value = static_cast<T>(v); }, range, help, placeholder);
  }
  /// Bytes, as 300MB and 1.5 GB.
  template <class T>
  Option size(const char* name, T& bytes, const std::string& help) {
    return size(
        name, [&bytes](std::uint64_t size) { bytes = size; }, help);
  }
  /// `wording` follows "must be"; by default what the range says of itself.
  Option real(const char* name, double& value, const Range& range, const std::string& help,
              const char* placeholder = "X", std::string wording = {});
  /// One each time it is given.
  Option repeated(const char* name, std::vector<std::string>& values, const std::string& help, const char* placeholder);
  /// Numbers with commas between them: 1,0.5,2.
  Option reals(const char* name, std::vector<double>& values, const Range& range, const std::string& help,
               const char* placeholder = "X,…");
  Option flag(const char* name, bool& value, const std::string& help);
  Option word(const char* name, std::string& value, const std::vector<std::string>& words, const std::string& help,
              const char* placeholder);

  /// What --help ends with.
  void footer(const std::string& text);
  /// Whether an option was given. For use when the command runs.
  bool given(const char* name) const;

 private:
  Option whole(const char* name, const std::string& shown, std::function<void(std::int64_t)> store, Whole range,
               const std::string& help, const char* placeholder);
  Option size(const char* name, std::function<void(std::uint64_t)> store, const std::string& help);
  Option add(const char* name, std::function<void(const std::string&)> store, const std::string& shown,
             const std::string& help, const char* placeholder);

  CLI::App* command_ = nullptr;
  std::vector<Output>* outputs_ = nullptr;
};

/// All commands.
class CommandLine {
 public:
  CommandLine(const std::string& description, const std::string& version, const std::string& footer);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// Adds a command. The result of `action` is the exit code.
  Command command(const std::string& name, const std::string& description, std::function<int()> action);
  /// The same for a function of options that live as long as the command line.
  template <class Options>
  Command command(const std::string& name, const std::string& description, std::shared_ptr<Options> options,
                  int (*action)(const Options&)) {
    return command(name, description, [options = std::move(options), action] { return action(*options); });
  }

  /// Does what the words say, --help and --version included; the exit code. Throws UsageError.
  int run(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> app_;
  std::vector<Output> outputs_;
  std::function<int()> chosen_;
};

}  // namespace chalk::app

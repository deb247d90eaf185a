// chalkgrad: the command line. Everything it can do, the library can do.
#include <fmt/core.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <system_error>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "src/base/threads.h"

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

int fail(int code, std::string_view message) {
  print_error(message);
  return code;
}

/// Once is enough, as each program that a command makes would say so.
void note_missing_threads(const std::string& note) {
  static std::atomic_flag noted;
  if (!noted.test_and_set()) std::fprintf(stderr, "chalkgrad: %s, with --threads 1\n", note.c_str());
}

/// What is set free where memory ends, so that unwinding has some: the destructor of a JSON value allocates (nlohmann
/// 3.11.2), and the program would end there.
std::atomic<void*> spare;
constexpr std::size_t kSpare = std::size_t{64} << 10;  // bytes

void want_of_memory() {
  std::free(spare.exchange(nullptr));
  throw std::bad_alloc();
}

int run(int argc, char** argv) {
  spare = std::malloc(kSpare);
  std::set_new_handler(want_of_memory);
  on_missing_threads(note_missing_threads);
  CommandLine line("Trains convolutional networks on the CPU, exactly and fast, and shows its mathematics.",
                   "chalkgrad " CHALKGRAD_VERSION, kExamples);
#define CHALK_COMMAND(name) add_##name(line);
#include "apps/chalkgrad/commands.inc"
#undef CHALK_COMMAND
  const int code = line.run(argc, argv);
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

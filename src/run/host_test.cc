// Programs live in somebody's process: it may fork, limit threads and memory, and set its own arithmetic.
#include <sys/resource.h>

#include <atomic>
#include <cfenv>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "chalkgrad/cores.h"
#include "chalkgrad/differentiate.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/losses.h"
#include "chalkgrad/program.h"
#include "src/base/random.h"
#include "src/base/test_support.h"

namespace chalk {
namespace {

using testing_support::in_child;
using testing_support::input_error;
using testing_support::kMayForkWithThreads;

constexpr std::size_t kHostSamples = 100, kHostPixels = 2 * 6 * 5;

/// Takes a step of gradient descent.
Graph trained() {
  Graph g;
  g.layer("conv1");
  const Value v = max_pool(relu(conv_layer(g.input("x", {2, 6, 5}), {.filters = 5})));
  g.layer("dense1");
  const Value y = dense_layer(v, {.outputs = 4});
  const Value loss = batch_mean(squared_error(y, g.input("t", {4}, true)));
  g.output("y", y);
  const auto parameters = g.parameters();
  const auto d = gradients(loss, parameters);
  for (std::size_t i = 0; i < d.size(); ++i) g.update(parameters[i], parameters[i] - g.constant(0.1) * d[i]);
  return g;
}

const std::vector<float>& values() {
  static const std::vector<float> all = [] {
    std::vector<float> made(kHostSamples * kHostPixels);
    Random random(3, 1);
    for (auto& value : made) value = static_cast<float>(2 * random.uniform() - 1);
    return made;
  }();
  return all;
}

/// A program that learns, with its parameters.
struct Learner {
  explicit Learner(int threads)
      : graph(trained()), variables(graph, 3), program(graph, variables, {.threads = threads}) {
    feed();
  }
  void feed() {
    program.feed("x", {.values = values().data()});
    program.feed("t", {.values = values().data()});
  }
  /// What `steps` steps leave, in a form that can be compared.
  std::string after(int steps) {
    for (int i = 0; i < steps; ++i) program.run(kHostSamples - static_cast<std::size_t>(i));
    std::string bytes;
    const auto add = [&](std::span<const float> some) {
      bytes.append(reinterpret_cast<const char*>(some.data()), some.size_bytes());
    };
    add(program.output("y"));
    for (const auto& [name, tensor] : std::as_const(variables).all()) add(tensor.values());
    return bytes;
  }
  Graph graph;
  Variables variables;
  Program program;
};

TEST(ForkedProgram, LearnsOnInParentAndChildToTheSameBits) {
  if (!kMayForkWithThreads) GTEST_SKIP() << "SKIPPED: ThreadSanitizer ends a forked process that starts threads";
  const auto expected = Learner(1).after(5);
  for (const int threads : {1, 2, 4}) {
    Learner learner(threads);
    learner.after(2);
    // The last three of five steps: batches of 98, 97 and 96.
    const auto last_three = [&] {
      for (std::size_t samples = 98; samples > 96; --samples) learner.program.run(samples);
      learner.program.run(96);
      return learner.after(0);
    };
    EXPECT_TRUE(in_child(last_three) == expected) << threads;
    EXPECT_TRUE(last_three() == expected) << threads << ", in the parent";
  }
}

TEST(ForkedProgram, CanBeDestroyedInTheChild) {
  auto learner = std::make_unique<Learner>(3);
  learner->after(1);
  EXPECT_EQ(in_child([&] {
              learner.reset();
              return "destroyed";
            }),
            "destroyed");
}

constexpr const char* kRunsAlready =
    "this program is running already: on another thread, around a function of its feed, or in the process that this "
    "one was forked from; make another program";

TEST(ForkedProgram, IsRefusedInTheChildIfThatWasForkedAmidARun) {
  if (!kMayForkWithThreads) GTEST_SKIP() << "SKIPPED: ThreadSanitizer ends a forked process that starts threads";
  auto learner = std::make_unique<Learner>(2);
  std::atomic<bool> running{false}, forked{false};
  learner->program.feed("x", {.fetch_values = [&](auto rows, auto, std::span<float> to) {
                          std::copy_n(values().begin(), rows.size() * kHostPixels, to.begin());
                          running = true;
                          while (!forked) std::this_thread::yield();
                        }});
  std::thread runs([&] { learner->program.run(kHostSamples); });
  while (!running) std::this_thread::yield();
  const auto said = in_child([&] {
    std::string what = "no exception";
    try {
      learner->program.run(kHostSamples);
    } catch (const std::logic_error& error) {
      what = error.what();
    }
    learner.reset();
    if (Learner(2).after(2) != Learner(1).after(2)) what = "another program does not work";
    return what;
  });
  forked = true;
  runs.join();
  EXPECT_EQ(said, kRunsAlready);
}

TEST(Program, RunsOnceAtATime) {
  Learner learner(2);
  const auto copy = [](auto rows, auto, std::span<float> to) {
    std::copy_n(values().begin(), rows.size() * kHostPixels, to.begin());
  };
  learner.program.feed("x", {.fetch_values = [&](auto, auto, auto) { learner.program.run(kHostSamples); }});
  try {
    learner.program.run(kHostSamples);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::logic_error& error) {
    EXPECT_STREQ(error.what(), kRunsAlready);
  }
  learner.program.feed("x", {.fetch_values = copy});
  learner.program.run(kHostSamples);
}

TEST(Program, HasAsManyThreadsAsItSays) {
  EXPECT_EQ(Learner(1).program.threads(), 1);
  EXPECT_EQ(Learner(3).program.threads(), 3);
  EXPECT_EQ(Learner(0).program.threads(), usable_cores().threads());
  EXPECT_EQ(Learner(3).program.memory().threads, 3);
  for (const int wrong : {-1, 1025}) {
    EXPECT_EQ(input_error([&] { Learner learner(wrong); }),
              "threads is " + std::to_string(wrong) + "; it must be between 1 and 1024, or 0 for one a core");
  }
}

TEST(Program, RefusesAGuardThatIsNone) {
  const Graph g = trained();
  Variables variables(g, 3);
  const auto guarded_by = [&](const std::string& guard) {
    return input_error([&] { Program program(g, variables, {.guard = guard}); });
  };
  EXPECT_EQ(guarded_by("lost"), "the program has no output \"lost\"; it has y");
  EXPECT_EQ(guarded_by("y"), "guard \"y\" is batched 4; it must be one number for all samples");
}

TEST(Program, RefusesMoreSamplesThanRowsCanName) {
  Learner learner(1);
  EXPECT_EQ(input_error([&] { learner.program.run(std::size_t{1} << 32); }),
            "a run of 4294967296 samples; at most 2^32 − 1 are possible");
}

TEST(Tensor, RefusesExtentsThatAreNone) {
  for (const auto& shape : {Shape{-1}, Shape{3, 0}, Shape{std::int64_t{1} << 62}, Shape{1 << 30, 1 << 30, 1 << 30}})
    EXPECT_THROW(Tensor{shape}, ShapeError);
}

TEST(Program, RunsOnTheThreadsThereAre) {
  if (!kMayForkWithThreads) GTEST_SKIP() << "SKIPPED: ThreadSanitizer starts a thread of its own";
  const auto said = in_child([] {  // the limit is one on a user's processes and threads, and root has none
    if (::getuid() == 0 && ::setuid(54321) != 0) return std::string("no other user");
    const rlimit three{3, 3};
    ::setrlimit(RLIMIT_NPROC, &three);
    Learner learner(8);
    const auto threads = learner.program.threads();
    if (threads > 3 || threads != learner.program.memory().threads) return std::to_string(threads) + " threads";
    return std::string(learner.after(3) == Learner(1).after(3) ? "the same bits" : "other bits");
  });
  if (said == "no other user") GTEST_SKIP() << "SKIPPED: this container has " << said;
  EXPECT_EQ(said, "the same bits");
}

#if defined(__x86_64__)
unsigned set_control(unsigned control) {
  const unsigned before = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(control);
  return before;
}
#endif

TEST(Program, ComputesTheSameWhateverArithmeticTheHostHasSet) {
  const auto expected = Learner(1).after(4);
  for (const int threads : {1, 3}) {
    for (const int rounding : {FE_UPWARD, FE_TOWARDZERO}) {
      Learner learner(threads);
      std::fesetround(rounding);
      learner.program = Program(learner.graph, learner.variables, {.threads = threads});
      learner.feed();
      const auto found = learner.after(4);
      EXPECT_EQ(std::fegetround(), rounding);
      std::fesetround(FE_TONEAREST);
      EXPECT_TRUE(found == expected) << threads;
    }
#if defined(__x86_64__)
    Learner learner(threads);
    std::fill_n(learner.variables.at("dense1.bias").values().data(), 4, 1e-40F);
    Learner plain(threads);
    std::fill_n(plain.variables.at("dense1.bias").values().data(), 4, 1e-40F);
    constexpr unsigned kFlushAndTrap = 0x8040;  // to zero, and zeros are read; no exception is masked
    const auto before = set_control(kFlushAndTrap);
    for (int i = 0; i < 2; ++i) learner.program.run(kHostSamples);
    EXPECT_EQ(set_control(before) & 0xffc0, kFlushAndTrap) << "the host's is as it was";
    for (int i = 0; i < 2; ++i) plain.program.run(kHostSamples);
    EXPECT_TRUE(learner.after(0) == plain.after(0));
#endif
  }
}

}  // namespace
}  // namespace chalk

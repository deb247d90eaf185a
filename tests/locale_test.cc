// Nothing that the library says, writes or reads depends on the locale of the program that uses it: neither on
// std::locale::global() nor on setlocale().
#include <gtest/gtest.h>

#include <clocale>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <locale>
#include <map>
#include <string>

#include "chalkgrad/chalkgrad.h"
#include "src/base/cores.h"
#include "src/base/shortest.h"
#include "src/base/test_support.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;

/// As many as there are: 1.2.3,5 for 123.5.
class Punctuation : public std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\1"; }
  std::string do_truename() const override { return "wahr"; }
  std::string do_falsename() const override { return "falsch"; }
};

/// Blanks in numbers: "VmHWM:  12345 kB" is no number then.
class Blanks : public Punctuation {
  char do_thousands_sep() const override { return ' '; }
};

class GlobalLocale {
 public:
  explicit GlobalLocale(std::numpunct<char>* facet)
      : before_(std::locale::global(std::locale(std::locale::classic(), facet))) {}
  ~GlobalLocale() { std::locale::global(before_); }
  GlobalLocale(const GlobalLocale&) = delete;
  GlobalLocale& operator=(const GlobalLocale&) = delete;

 private:
  std::locale before_;
};

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// What it returns, or says is wrong.
template <class F>
std::string said(F f) {
  try {
    return f();
  } catch (const std::exception& e) {
    return e.what();
  }
}

std::string of(const CheckReport& report) {
  std::string text;
  for (const auto& line : report.lines)
    text += line.text + "|" + line.latex + "|" + line.message + "|" + line.difference + "|" + line.corrected + "\n";
  return text;
}

std::string of(const Progress& p) {
  return str(p.step, " ", p.steps, " ", shortest(p.loss), " ", shortest(p.mean_loss), " ", shortest(p.lr), " ",
             shortest(p.accuracy));
}

constexpr const char* kToml =
    "[[layer]]\ntype = \"conv\"\nfilters = 12\nkernel = 3\npadding = \"same\"\n"
    "[[layer]]\ntype = \"batch_norm\"\nepsilon = 0.0625\nmomentum = 0.25\n"
    "[[layer]]\ntype = \"leaky_relu\"\nslope = 0.125\n"
    "[[layer]]\ntype = \"dense\"\noutputs = 10\n"
    "[train]\nlr = 0.0125\nschedule = \"step:2,0.5+warmup:1.5\"\nepochs = 1000\n";

/// Everything with a number in it, by name.
std::map<std::string, std::string> sweep(const fs::path& folder) {
  std::map<std::string, std::string> all;
  const auto add = [&](const std::string& name, auto f) { all[name] = said(f); };
  const Shape input{1, 8, 8};

  add("numbers", [] {
    return str(1234567, " ", 0.5, " ", true, " ", 1e20, " ", 1234567U, " ", -0.001) + shortest(1234.5) +
           shortest(1e300) + shortest(5e-324) + grouped(1234567) + to_string(Shape{1024, 2048});
  });
  for (const char* line : {"12c3-bn-leaky-relu0.125-mp2-10n", "1000n-10n", "4c99-10n", "4c3-leaky-relu1.5"}) {
    add(str("graph ", line), [&] { return network(line, input).graph().print(); });
    add(str("text ", line), [&] { return network(line, input).text(); });
    add(str("training ", line), [&] { return training_step(network(line, input)).print(); });
  }
  add("toml", [&] { return network(kToml, input).graph().print(); });
  add("config", [&] {
    TrainOptions options;
    read_train_config(kToml, "test", options);
    Network net = network("10n", input);
    net.training = TrainingRecord{};
    net.training->options = options;
    net.training->samples = 123456;
    net.training->loss_sum = 1234.5;
    std::string text;
    for (const auto& [key, value] : net.training->metadata()) text += key + "=" + value + "\n";
    return text;
  });
  add("options", [&] {
    Network net = network("10n", input);
    return said([&] {
             train(net, digits().train, {.epochs = 12345678});
             return std::string();
           }) +
           said([&] {
             train(net, digits().train, {.optimizer = Sgd{.lr = -1234.5}});
             return std::string();
           });
  });
  add("training", [&] {
    Network net = network(kToml, input);
    TrainOptions options;
    read_train_config(kToml, "test", options);
    options.epochs = 2;
    options.batch = 500;
    options.threads = 1;
    std::string log;
    options.on_step = [&](const Progress& p) { log += of(p) + "\n"; };
    train(net, digits().train, options);
    const auto file = folder / "model.safetensors";
    net.save(file);
    Network read = Network::load(file);
    const auto how = evaluate(read, digits().test);
    return log + contents(file) + read.graph().print() + shortest(how.loss) + of(Progress{.lr = 0.5});
  });
  add("gradients", [&] {
    Graph g;
    const Value x = g.input("x", {3}), w = g.parameter("w", {400, 3});
    const Value y[] = {tanh(dense(x, w))}, wrt[] = {w};
    return to_string(check_gradients(g, y, wrt));
  });
  add("network gradients", [&] { return to_string(check_network(network("mp4-10n-tanh", input)).rules); });
  add("derivation", [] {
    return of(
        check_derivation("network x: 3 > s = dense(W: 2 outputs) > y = tanh\n"
                         "given a in 0.25..0.5; given v: 2000\n"
                         "dy[i]/dx[j] = 0.5*(1 - y[i]^2)*W[i,j]\ny[i] = 1e6*y[i] + 12345.5\n"
                         "v[i] = v[i] + [i > 1500]\nsum(j=0..1200, a) = 1201.0625*a\ny[2] = 0.125\n"
                         "sum(i=0..3, j=0..3, 0.5)\n"));
  });
  for (const auto& file : fs::recursive_directory_iterator(testing_support::source("tests/bad"))) {
    const auto path = file.path();
    const auto kind = path.parent_path().filename();
    add(path.string(), [&]() -> std::string {
      if (kind == "derivations") return of(check_derivation(contents(path), "test", {.trials = 1}));
      if (kind == "network") return network(contents(path), input, 1, "test").graph().print();
      if (kind == "safetensors") return Network::load(path).graph().print();
      if (kind == "image") return str(load_image(path).pixels.size());
      return {};
    });
  }
  add("arrays", [&] {
    NpzWriter writer;
    const std::vector<float> values(2400, 0.5F);
    writer.add("a", {1200, 2}, values);
    const auto bytes = writer.serialize();
    return std::string(bytes.begin(), bytes.end());
  });
  add("cores", [&] {
    for (const auto& [file, text] : {std::pair{"proc/self/mountinfo", "36 35 0:1 / /group rw - cgroup2 cgroup2 rw\n"},
                                     {"proc/self/cgroup", "0::/\n"},
                                     {"group/cpu.max", "250000 100000\n"}}) {
      fs::create_directories((folder / file).parent_path());
      std::ofstream(folder / file) << text;
    }
    Cores cores;
    read_quota(cores, folder.string());
    return shortest(cores.quota);
  });
  for (const char* spec : {"digits", "digits:0.5", "mnist:nowhere", "unknown"})
    add(spec, [&] { return str(load_dataset(spec).train.size()); });
  return all;
}

class Locales : public testing::Test {
 protected:
  static void SetUpTestSuite() { usual() = sweep(folder().path()); }
  static testing_support::Folder& folder() {
    static testing_support::Folder folder;
    return folder;
  }
  static std::map<std::string, std::string>& usual() {
    static std::map<std::string, std::string> texts;
    return texts;
  }
  static void expect_the_same() {
    const auto now = sweep(folder().path());
    EXPECT_EQ(now.size(), usual().size());
    for (const auto& [name, text] : now) EXPECT_EQ(text, usual()[name]) << name;
  }
};

TEST_F(Locales, HaveSomethingToDiffer) {
  EXPECT_GT(usual().size(), 100u);
  EXPECT_NE(usual()["training"].find("0.0125"), std::string::npos) << usual()["training"];
  EXPECT_EQ(usual()["cores"], "2.5");
  const GlobalLocale comma(new Punctuation);
  std::ostringstream plain;
  plain << 1234.5 << true;
  EXPECT_EQ(plain.str(), "1.2.3.4,51") << "the locale does what it is for";
}

TEST_F(Locales, OfCxxLeaveEveryTextAsItIs) {
  const GlobalLocale comma(new Punctuation);
  expect_the_same();
}

TEST_F(Locales, WithBlanksInNumbersAreNoneOfOurs) {
  const GlobalLocale blanks(new Blanks);
  expect_the_same();
  EXPECT_GT(peak_memory(), 1'000'000U);
}

/// One with a decimal comma, and one whose point is "٫", of two bytes. Made here where the system has only its sources.
class CLocales : public Locales, public testing::WithParamInterface<const char*> {};

TEST_P(CLocales, LeaveEveryTextAsItIs) {
  const std::string name = GetParam();
  if (std::setlocale(LC_ALL, (name + ".UTF-8").c_str()) == nullptr) {
    const auto made = folder().path() / (name + ".UTF-8");
    std::ignore = std::system(("localedef -i " + name + " -f UTF-8 " + made.string() + " 2>/dev/null").c_str());
    ::setenv("LOCPATH", folder().path().c_str(), 1);
    const bool found = std::setlocale(LC_ALL, (name + ".UTF-8").c_str()) != nullptr;
    ::unsetenv("LOCPATH");
    if (!found) GTEST_SKIP() << "there is no locale " << name << ", nor localedef with its source (Debian: locales)";
  }
  EXPECT_STRNE(std::localeconv()->decimal_point, ".");
  expect_the_same();
  std::setlocale(LC_ALL, "C");
}

INSTANTIATE_TEST_SUITE_P(OfC, CLocales, testing::Values("de_DE", "ps_AF"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace chalk

// Groups of parameters: how they are written, and what they do.
#include <algorithm>
#include <map>

#include "src/train/train_testing.h"
#include "src/train/training_graph.h"

namespace chalk {
namespace {

using namespace train_testing;

TEST(ParameterGroups, AreReadAsTheyAreWritten) {
  const auto groups =
      ParameterGroup::parse(" conv*.weight:lr_factor=0.5,weight_decay=0 ; *.bias: frozen;a?: frozen=false;c:epochs=3");
  EXPECT_EQ(ParameterGroup::text(groups),
            "conv*.weight: lr_factor=0.5, weight_decay=0; *.bias: frozen; a?: frozen=false; c: epochs=3");
  EXPECT_EQ(ParameterGroup::parse(ParameterGroup::text(groups)), groups);
  EXPECT_EQ(groups[0], (ParameterGroup{.pattern = "conv*.weight", .lr_factor = 0.5, .weight_decay = 0}));
  EXPECT_TRUE(ParameterGroup::parse("").empty());
}

TEST(ParameterGroups, ThatCannotBeReadSayHowTheyAreWritten) {
  const auto said = [](const char* text) { return message([&] { (void)ParameterGroup::parse(text); }); };
  const std::string how = "; write PATTERN: lr_factor=X, weight_decay=X, epochs=N, frozen, and ; between groups";
  EXPECT_EQ(said("conv*"), "group \"conv*\" says nothing of its parameters" + how);
  EXPECT_EQ(said(": frozen"), "group \": frozen\" names no parameters" + how);
  EXPECT_EQ(said("a: frozen;"), "group \"\" names no parameters" + how);
  EXPECT_EQ(said("a:"), "group \"a:\" says \"\", which is not known" + how);
  EXPECT_EQ(said("a: lr=1"), "group \"a: lr=1\" says \"lr=1\", which is not known" + how);
  EXPECT_EQ(said("a: frozen=1"), "group \"a: frozen=1\" says \"frozen=1\", which is not known" + how);
  for (const std::string bad : {"0", "-1", "x", "", "inf", "nan", "1e999", "1 2"}) {
    EXPECT_EQ(said(("a: lr_factor=" + bad).c_str()),
              "group \"a: lr_factor=" + bad + "\" has lr_factor \"" + bad + "\", which must be a number above 0" + how);
  }
  EXPECT_EQ(said("a: weight_decay=-1"),
            "group \"a: weight_decay=-1\" has weight_decay \"-1\", which must be a number of at least 0" + how);
  for (const std::string bad : {"0", "-1", "1.5", "x", "", "1000001"}) {
    EXPECT_EQ(said(("a: epochs=" + bad).c_str()), "group \"a: epochs=" + bad + "\" has epochs \"" + bad +
                                                      "\", which must be whole, and from 1 to 1000000" + how);
  }
}

// Written as text, as in a checkpoint, they would be other groups.
TEST(ParameterGroups, WithPatternsThatCannotBeWrittenAreRefused) {
  const auto refusal = [](const std::string& pattern) {
    return "the pattern \"" + pattern +
           "\" of a group may have no : and no ; in it, and no space at its ends; write ? in their place";
  };
  for (const std::string pattern : {"a: frozen; b", "a:b", "a;b", " a", "a ", " ", ":", ";"}) {
    const ParameterGroup group{.pattern = pattern, .frozen = true};
    EXPECT_EQ(message([&] { (void)ParameterGroup::text({&group, 1}); }), refusal(pattern));
    Network net = fresh();
    auto options = quick();
    options.groups = {group};
    EXPECT_EQ(message([&] { train(net, data().train, options); }), refusal(pattern));
    TrainOptions read;
    EXPECT_EQ(message([&] {
                read_train_config(
                    "network = \"10n\"\n[train]\n[[train.group]]\npattern = \"" + pattern + "\"\nfrozen = true\n",
                    "c.toml", read);
              }),
              "c.toml: line 3, column 1: " + refusal(pattern));
    EXPECT_TRUE(read.groups.empty());
  }
  for (const std::string pattern : {"a", "a?b", "a b", "a,b", "a=b", "*", "frozen"}) {
    const std::vector<ParameterGroup> groups{{.pattern = pattern, .frozen = true}, {.pattern = "b", .lr_factor = 0.1}};
    EXPECT_EQ(ParameterGroup::parse(ParameterGroup::text(groups)), groups) << pattern;
  }
}

TrainOptions with(std::vector<ParameterGroup> groups) {
  auto options = quick();
  options.epochs = 1;
  options.groups = std::move(groups);
  return options;
}

TEST(ParameterGroups, FrozenOnesKeepTheirValuesAndHaveNoStateAndNoGradient) {
  Network net = fresh();
  const auto before = all_variables(net);
  const auto options = with({{.pattern = "conv*", .frozen = true}, {.pattern = "dense1.bias", .frozen = true}});
  train(net, data().train, options);
  const auto after = all_variables(net);
  for (const char* frozen : {"conv1.weight", "conv1.bias", "dense1.bias"}) {
    EXPECT_EQ(after.at(frozen), before.at(frozen)) << frozen;
    EXPECT_FALSE(after.contains(std::string(frozen) + ".momentum")) << frozen;
  }
  for (const char* trained : {"dense1.weight", "dense2.weight", "dense2.bias"}) {
    EXPECT_NE(after.at(trained), before.at(trained)) << trained;
    EXPECT_TRUE(after.contains(std::string(trained) + ".momentum")) << trained;
  }
  const Graph step = training_graph(net, {10}, true, options).graph;
  std::string simplified;
  CompileOptions print;
  print.print_after = {"simplify"};
  print.print = [&](std::string_view, const std::string& graph) { simplified = graph; };
  Variables variables(step, 1);
  Program(step, variables, print);
  EXPECT_EQ(simplified.find("conv2d_weight_grad"), std::string::npos);
  EXPECT_EQ(simplified.find("pool_scatter"), std::string::npos) << "nothing leads back to the convolution";
  EXPECT_NE(simplified.find("outer("), std::string::npos);
}

TEST(ParameterGroups, FreezingNothingButWhatIsBelowChangesNoBitAbove) {
  // With the convolution's rate as good as zero, the others see what they see when it is frozen.
  Network frozen = fresh(), slow = fresh();
  train(frozen, data().train, with({{.pattern = "conv*", .frozen = true}}));
  train(slow, data().train, with({{.pattern = "conv*", .lr_factor = 1e-30}}));
  EXPECT_EQ(all_variables(frozen).at("dense2.weight"), all_variables(slow).at("dense2.weight"));
  EXPECT_EQ(all_variables(frozen).at("conv1.weight"), all_variables(slow).at("conv1.weight"));
  EXPECT_TRUE(all_variables(slow).contains("conv1.weight.momentum"));
}

TEST(ParameterGroups, ARateAndAWeightDecayOfTheirOwnAreThoseOfARunWithThese) {
  for (const auto name : Optimizer::names()) {
    auto all = with({});
    all.optimizer = Optimizer::named(name);
    bool decays = false;
    FieldFunction halved([&]<class T>(const Field& field, T& value) {
      if constexpr (std::is_same_v<T, double>) {
        if (field.name == "weight_decay") value = 0.01, decays = true;
      }
    });
    auto decayed = all;
    decayed.optimizer = all.optimizer.edited(halved);
    if (!decays) continue;
    const auto expected = trained_sha(decayed, few());
    auto grouped = all;
    grouped.groups = {{.pattern = "*.weight", .weight_decay = 0.01}};
    EXPECT_EQ(trained_sha(grouped, few()), expected) << name;
    grouped.groups = {{.pattern = "*", .weight_decay = 0.01}};
    EXPECT_NE(trained_sha(grouped, few()), expected) << name << ": biases, too, if they are named";
    grouped.groups = {{.pattern = "*", .weight_decay = 3},
                      {.pattern = "*.weight", .weight_decay = 0.01},
                      {.pattern = "*.bias", .weight_decay = 0}};
    EXPECT_EQ(trained_sha(grouped, few()), expected) << name << ": the later one counts";
  }
  auto slower = with({});
  slower.optimizer = sgd({.lr = 0.025});
  EXPECT_EQ(trained_sha(with({{.pattern = "*", .lr_factor = 0.5}})), trained_sha(slower));
  EXPECT_EQ(trained_sha(with({{.pattern = "*", .lr_factor = 1}})), trained_sha(with({})));
}

TEST(ParameterGroups, OfSomeEpochsAreTrainedInThoseAndThenKeepTheirValues) {
  for (const char* name : {"sgd", "adamw", "muon"}) {
    auto options = with({{.pattern = "conv1.*", .epochs = 1}, {.pattern = "dense1.bias", .epochs = 2}});
    options.optimizer = Optimizer::named(name);
    options.epochs = 3;
    std::vector<std::map<std::string, std::vector<float>>> after;
    Network net = fresh();
    options.on_epoch = [&](const Progress&) { after.push_back(all_variables(net)); };
    train(net, data().train, options);
    ASSERT_EQ(after.size(), 3U);
    for (const std::string moved : {"conv1.weight", "conv1.bias"}) {
      EXPECT_NE(after[0].at(moved), all_variables(fresh()).at(moved)) << name << " " << moved;
      EXPECT_EQ(after[1].at(moved), after[0].at(moved)) << name << " " << moved;
      EXPECT_EQ(after[2].at(moved), after[0].at(moved)) << name << " " << moved;
    }
    EXPECT_NE(after[1].at("dense1.bias"), after[0].at("dense1.bias")) << name;
    EXPECT_EQ(after[2].at("dense1.bias"), after[1].at("dense1.bias")) << name;
    EXPECT_NE(after[2].at("dense1.weight"), after[1].at("dense1.weight")) << name;
  }
}

TEST(ParameterGroups, OfAsManyEpochsAsTheRunChangeNoBit) {
  EXPECT_EQ(trained_sha(with({{.pattern = "*", .epochs = 1000}})), trained_sha(with({})));
}

TEST(ParameterGroups, FreezingTheScaleOfANormalisationIsHavingAFixedOne) {
  const auto trained = [](const std::string& option, std::vector<ParameterGroup> groups) {
    Network net = network("[[layer]]\nchain = \"6c3\"\n[[layer]]\ntype = \"batch_norm\"\nscale = 1.5\n" + option +
                              "[[layer]]\nchain = \"relu-gap-10n\"\n",
                          data().train.sample);
    train(net, data().train, with(std::move(groups)));
    return all_variables(net);
  };
  auto frozen = trained("", {{.pattern = "batch_norm1.weight", .frozen = true}});
  EXPECT_EQ(frozen.at("batch_norm1.weight"), std::vector<float>(6, 1.5F));
  frozen.erase("batch_norm1.weight");
  const auto fixed = trained("fixed_scale = true\n", {});
  ASSERT_EQ(fixed.size(), frozen.size());
  for (const auto& [name, values] : frozen) {
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(fixed.at(name)[i], values[i], 1e-5) << name << " " << i;
  }
}

TEST(ParameterGroups, AreRefusedWhereTheyMakeNoSense) {
  Network net = fresh();
  const auto said = [&](TrainOptions options) { return message([&] { train(net, data().train, options); }); };
  EXPECT_EQ(
      said(with({{.pattern = "conv2*", .frozen = true}})),
      "the group \"conv2*\" matches no parameter; there are conv1.weight, conv1.bias, dense1.weight, dense1.bias, "
      "dense2.weight and dense2.bias");
  EXPECT_EQ(said(with({{.pattern = "*", .frozen = true}})),
            "all parameters are frozen, so there is nothing to train; leave some out of the groups");
  EXPECT_EQ(said(with({{.pattern = "*", .frozen = true}, {.pattern = "dense2.*", .frozen = false}})), "no error");
  auto limited = with({{.pattern = "*", .frozen = true}});
  limited.clip_norm = 1;
  EXPECT_EQ(said(limited), "all parameters are frozen, so there is nothing to train; leave some out of the groups");
}

TEST(ParameterGroups, GiveTheSameBitsOnAnyNumberOfThreadsAndAreKeptInCheckpoints) {
  auto options = with({{.pattern = "conv*", .frozen = true}, {.pattern = "dense1.*", .lr_factor = 0.1, .epochs = 1}});
  options.epochs = 2;
  const auto expected = trained_sha(options);
  for (const int threads : {1, 3, 4}) {
    options.threads = threads;
    options.checkpoint = temporary("grouped.safetensors");
    options.on_step = [&](const Progress& progress) {
      if (progress.step == 31) request_stop();
    };
    Network net = fresh();
    EXPECT_TRUE(train(net, data().train, options).stopped);
    Network again = Network::load(options.checkpoint);
    EXPECT_EQ(checkpoint_options(again).groups, options.groups);
    auto other = options;
    other.groups.pop_back();
    EXPECT_TRUE(
        message([&] { train(again, data().train, other); })
            .starts_with("the checkpoint was trained with groups=\"conv*: frozen; dense1.*: lr_factor=0.1, epochs=1\", "
                         "not \"conv*: frozen\"; resume with"));
    options.on_step = nullptr;
    train(again, data().train, options);
    EXPECT_EQ(again.weights_sha256(), expected) << threads;
    fs::remove(options.checkpoint);
  }
}

TEST(ParameterGroups, AreTablesInAConfiguration) {
  TrainOptions options;
  const std::string head = "network = \"10n\"\n[train]\nepochs = 3\n";
  const auto read = [&](const std::string& text) {
    options = {};
    return message([&] { read_train_config(head + text, "c.toml", options); });
  };
  EXPECT_EQ(read("groups = \"*.bias: lr_factor=2\"\n[[train.group]]\npattern = \"conv*\"\nfrozen = true\n"
                 "[[train.group]]\npattern = \"*.weight\"\nlr_factor = 0.5\nweight_decay = 0.0\nepochs = 2\n"),
            "no error");
  EXPECT_EQ(ParameterGroup::text(options.groups),
            "*.bias: lr_factor=2; conv*: frozen; *.weight: lr_factor=0.5, weight_decay=0, epochs=2");
  EXPECT_EQ(
      read("[[train.group]]\npattern = \"a\"\n"),
      "c.toml: line 4, column 1: a group must say something; add lr_factor, weight_decay, epochs or frozen = true");
  EXPECT_EQ(read("[[train.group]]\nfrozen = true\n"), "c.toml: line 4, column 1: [[train.group]] needs \"pattern\"");
  EXPECT_EQ(read("[[train.group]]\npattern = \"a\"\nlr = 1\n"),
            "c.toml: line 6, column 1: [[train.group]] has no key \"lr\"");
  EXPECT_TRUE(
      read("[[train.group]]\npattern = \"a\"\nlr_factor = 0.0\n")
          .starts_with("c.toml: line 4, column 1: group \"a: lr_factor=0\" has lr_factor \"0\", which must be"));
}

}  // namespace
}  // namespace chalk

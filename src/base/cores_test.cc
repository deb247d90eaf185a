// How many threads there are by default: what affinity and the quotas of control groups make of it.
#include "src/base/cores.h"

#include <sched.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "src/base/test_support.h"
#include "src/base/threads.h"

namespace chalk {
namespace {

using testing_support::Folder;

/// A file system with these files.
struct File {
  std::string path, text;
};
Cores cores_with(const std::vector<File>& files, int allowed = 16) {
  const Folder root;
  for (const auto& file : files) {
    const auto path = root.path() / file.path;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << file.text;
  }
  Cores cores{.machine = 16, .allowed = allowed, .quota_file = {}};
  read_quota(cores, root.path().string());
  return cores;
}

const std::string kUnified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup rw,nsdelegate\n";
const std::string kOthers =
    "23 29 0:22 / /proc rw,nosuid shared:13 - proc proc rw\n"
    "26 25 0:23 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n"
    "32 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct\n";

TEST(Cores, KnowAContainersQuotaOfVersionTwo) {
  const auto quota = [](const std::string& text) {
    return cores_with(
        {{"proc/self/mountinfo", kOthers + kUnified}, {"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", text}});
  };
  const auto half = quota("150000 100000\n");
  EXPECT_EQ(half.quota, 1.5);
  EXPECT_EQ(half.threads(), 2);
  EXPECT_EQ(half.why(),
            "its control group allows the time of 1.5 cores (/sys/fs/cgroup/cpu.max; docker --cpus sets it)");
  EXPECT_EQ(quota("100000 100000\n").why(),
            "its control group allows the time of 1 core (/sys/fs/cgroup/cpu.max; docker --cpus sets it)");
  EXPECT_EQ(quota("20000 100000\n").threads(), 1);
  EXPECT_EQ(quota("240000 100000\n").threads(), 2);
  EXPECT_EQ(quota("25000 10000\n").threads(), 3);
  EXPECT_EQ(quota("3200000 100000\n").threads(), 16) << "no more than cores";
  for (const auto* none : {"max 100000\n", "", "max", "-5 100000", "100000 0", "nonsense"}) {
    EXPECT_EQ(quota(none).quota, 0) << none;
    EXPECT_EQ(quota(none).threads(), 16) << none;
    EXPECT_EQ(quota(none).why(), "one for each core");
  }
}

TEST(Cores, ObeyTheSmallestQuotaOfNestedGroups) {
  const auto cores = cores_with({{"proc/self/mountinfo", kUnified},
                                 {"proc/self/cgroup", "0::/a.slice/b.service/inner\n"},
                                 {"sys/fs/cgroup/a.slice/cpu.max", "800000 100000"},
                                 {"sys/fs/cgroup/a.slice/b.service/cpu.max", "400000 100000"},
                                 {"sys/fs/cgroup/a.slice/b.service/inner/cpu.max", "max 100000"}});
  EXPECT_EQ(cores.threads(), 4);
  EXPECT_EQ(cores.quota_file, "/sys/fs/cgroup/a.slice/b.service/cpu.max");
}

TEST(Cores, KnowAContainersQuotaOfVersionOne) {
  const auto quota = [](const std::string& root, const std::string& text) {
    return cores_with(
        {{"proc/self/mountinfo",
          kOthers + "33 31 0:31 " + root + " /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"},
         {"proc/self/cgroup", "5:cpuset:/docker/12ab\n4:cpu,cpuacct:/docker/12ab\n0::/docker/12ab\n"},
         {"sys/fs/cgroup/cpu,cpuacct" + (root == "/" ? "/docker/12ab" : std::string()) + "/cpu.cfs_quota_us", text},
         {"sys/fs/cgroup/cpu,cpuacct" + (root == "/" ? "/docker/12ab" : std::string()) + "/cpu.cfs_period_us",
          "50000"}});
  };
  EXPECT_EQ(quota("/docker/12ab", "150000\n").threads(), 3) << "the container sees its own group";
  EXPECT_EQ(quota("/", "150000\n").threads(), 3) << "it sees all";
  EXPECT_EQ(quota("/docker/12abc", "150000\n").threads(), 3) << "the mounted one is another: better than nothing";
  EXPECT_EQ(quota("/docker/12ab", "-1\n").threads(), 16);
  EXPECT_EQ(quota("/docker/12ab", "150000\n").quota_file, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us");
}

TEST(Cores, LimitByTheTighterOfAffinityAndQuota) {
  const std::vector<File> three = {
      {"proc/self/mountinfo", kUnified}, {"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "300000 100000"}};
  EXPECT_EQ(cores_with(three, 16).threads(), 3);
  const auto bound = cores_with(three, 2);
  EXPECT_EQ(bound.threads(), 2);
  EXPECT_EQ(bound.why(), "this process may run on 2 of 16 cores (taskset or a cpuset binds it)");
}

TEST(Cores, AreAllWhereNothingCanBeRead) {
  EXPECT_EQ(cores_with({}).threads(), 16);
  EXPECT_EQ(cores_with({{"proc/self/mountinfo", "garbage\n\n - - -\n" + kUnified},
                        {"proc/self/cgroup", "::\n:\n\n0::/../..\n"}})
                .threads(),
            16);
}

TEST(Cores, AreThoseThatTheProcessIsBoundTo) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(usable_cores().allowed, CPU_COUNT(&before));
  EXPECT_LE(usable_cores().allowed, usable_cores().machine);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  }
  std::thread bound([&] {
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(usable_cores().allowed, 1);
    EXPECT_EQ(available_threads(), 1);
  });
  bound.join();
}

}  // namespace
}  // namespace chalk

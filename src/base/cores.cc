#include "src/base/cores.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <locale>
#include <sstream>
#include <string_view>
#include <thread>
#include <vector>

#include "src/base/reading.h"
#include "src/base/shortest.h"
#include "src/base/text.h"

namespace chalk {
namespace {

/// A hierarchy of control groups, and where it is mounted.
struct Mount {
  std::string root, point;  // the group `root` is the folder `point`
  bool unified = false;     // version 2
};

bool has_word(std::string_view list, std::string_view word) {
  const auto words = split(list, ',');
  return std::ranges::find(words, word) != words.end();
}

/// Those that can limit the time of processors. A line is "36 35 98:0 ROOT POINT options … - TYPE source options".
std::vector<Mount> mounts(const std::string& file) {
  std::vector<Mount> found;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Mount mount;
    std::string word, type, options;
    words >> word >> word >> word >> mount.root >> mount.point;
    while (words >> word && word != "-") continue;
    words >> type >> word >> options;
    mount.unified = type == "cgroup2";
    if (mount.unified || (type == "cgroup" && has_word(options, "cpu"))) found.push_back(std::move(mount));
  }
  return found;
}

/// This process's group in such a hierarchy. A line is "4:cpu,cpuacct:/GROUP", or "0::/GROUP" of version 2.
std::string group_in(const Mount& mount, const std::string& file) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = std::string_view(line).substr(first + 1, second - first - 1);
    if (mount.unified ? controllers.empty() : has_word(controllers, "cpu")) return line.substr(second + 1);
  }
  return {};
}

/// The folder of a group under the one where its hierarchy is mounted. In a container, what is mounted may be the group
/// itself, by whatever name it has outside.
std::string below(const Mount& mount, std::string group) {
  if (mount.root != "/") {
    if (!(group + "/").starts_with(mount.root + "/")) return {};
    group.erase(0, mount.root.size());
  }
  return group == "/" || group.find("/..") != std::string::npos ? std::string() : group;
}

/// Two numbers, of which the first may be "max" or -1: no limit.
void read_quota_of(Cores& cores, std::ifstream quotas, std::ifstream periods, const std::string& file) {
  for (auto* numbers : {&quotas, &periods}) numbers->imbue(std::locale::classic());
  double quota = 0, period = 0;
  if (!(quotas >> quota) || !((periods.is_open() ? periods : quotas) >> period) || quota <= 0 || period <= 0) return;
  if (cores.quota > 0 && cores.quota <= quota / period) return;
  cores.quota = quota / period;
  cores.quota_file = file;
}

int allowed_cores() {
  std::array<cpu_set_t, 16> sets;  // 16,384 cores; the kernel refuses fewer than it knows of
  if (sched_getaffinity(0, sizeof sets, sets.data()) == 0) return CPU_COUNT_S(sizeof sets, sets.data());
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

void read_quota(Cores& cores, const std::string& root) {
  for (const auto& mount : mounts(root + "/proc/self/mountinfo")) {
    for (auto group = below(mount, group_in(mount, root + "/proc/self/cgroup"));;) {
      const auto file = str(mount.point, group, mount.unified ? "/cpu.max" : "/cpu.cfs_quota_us");
      const auto period = mount.unified ? "" : str(root, mount.point, group, "/cpu.cfs_period_us");
      read_quota_of(cores, std::ifstream(root + file), std::ifstream(period), file);
      if (group.empty()) break;
      group.resize(std::min(group.rfind('/'), group.size() - 1));
    }
  }
}

Cores usable_cores() {
  Cores cores;
  cores.allowed = std::max(1, allowed_cores());
  cores.machine = std::max(cores.allowed, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
  read_quota(cores);
  return cores;
}

int Cores::threads() const {
  return quota > 0 && quota < allowed ? std::max(1, static_cast<int>(std::lround(quota))) : allowed;
}

std::string Cores::why() const {
  if (threads() < allowed) {
    return str("its control group allows the time of ", shortest(quota), quota == 1 ? " core" : " cores", " (",
               quota_file, "; docker --cpus sets it)");
  }
  if (allowed == machine) return "one for each core";
  const bool by_mpirun = std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr;
  return str("this process may run on ", allowed, " of ", machine, " cores (",
             by_mpirun ? "mpirun binds it; mpirun --bind-to none does not" : "taskset or a cpuset binds it", ")");
}

}  // namespace chalk

// What control groups (of containers, above all) allow a process.
#pragma once

#include <string>

#include "chalkgrad/cores.h"

namespace chalk {

/// Sets `quota` and `quota_file` to the smallest quota of this process's control groups and of those around them,
/// of both versions. The files are looked for under `root`: /proc/self/cgroup and /proc/self/mountinfo, and what these
/// lead to. Weights (docker --cpu-shares) limit nothing as long as cores are idle, and are not looked at.
void read_quota(Cores& cores, const std::string& root = "");

}  // namespace chalk

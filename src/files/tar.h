// Reading tar archives that are in memory: POSIX ustar and pax, and GNU's, without links.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chalk {

struct TarFile {
  std::string name;                     ///< its path in the archive
  std::span<const std::uint8_t> bytes;  ///< part of the archive's
};

/// The regular files of an archive, in its order; folders, links and devices are left out. Nothing is written anywhere,
/// so a path may be whatever it is. Throws InputError naming `name` if a header's checksum or number is wrong, or the
/// archive ends early.
std::vector<TarFile> read_tar(std::span<const std::uint8_t> archive, std::string_view name);

}  // namespace chalk

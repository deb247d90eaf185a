// The files of many pictures, in little memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chalk {

/// Paths and labels in the order in which they were added. The folder that many files are in is kept once; a file takes
/// its name and 16 bytes.
class PictureIndex {
 public:
  void add(std::string_view path, std::int32_t label);
  std::size_t size() const { return labels_.size(); }
  std::string path(std::size_t i) const;
  std::int32_t label(std::size_t i) const { return labels_[i]; }
  /// May be changed in place.
  std::vector<std::int32_t>& labels() { return labels_; }
  /// Gives memory back that was booked for more.
  void fit();

 private:
  std::string names_;                // one after the other
  std::vector<std::uint64_t> ends_;  // of each in names_
  std::vector<std::uint32_t> folders_;
  std::vector<std::int32_t> labels_;
  std::vector<std::string> folder_names_;  // each ends with its "/"
  std::map<std::string, std::uint32_t, std::less<>> numbers_;
};

/// Of the training part and the test part.
using PictureFiles = std::array<std::shared_ptr<const PictureIndex>, 2>;

}  // namespace chalk

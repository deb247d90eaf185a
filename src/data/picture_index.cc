#include "src/data/picture_index.h"

namespace chalk {

void PictureIndex::add(std::string_view path, std::int32_t label) {
  const auto folder = path.substr(0, path.rfind('/') + 1);  // npos + 1 is 0
  auto found = numbers_.find(folder);
  if (found == numbers_.end()) {
    found = numbers_.emplace(folder, static_cast<std::uint32_t>(folder_names_.size())).first;
    folder_names_.emplace_back(folder);
  }
  names_ += path.substr(folder.size());
  ends_.push_back(names_.size());
  folders_.push_back(found->second);
  labels_.push_back(label);
}

std::string PictureIndex::path(std::size_t i) const {
  const auto begin = i == 0 ? 0 : ends_[i - 1];
  return folder_names_[folders_[i]] + names_.substr(begin, ends_[i] - begin);
}

void PictureIndex::fit() {
  names_.shrink_to_fit();
  ends_.shrink_to_fit();
  folders_.shrink_to_fit();
  labels_.shrink_to_fit();
}

}  // namespace chalk

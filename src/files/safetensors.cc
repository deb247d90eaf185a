#include "src/files/safetensors.h"

#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/files/json_text.h"
#include "src/files/safetensors_header.h"
#include "src/files/sha256.h"

namespace chalk {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are copied as they are in the file");

constexpr std::size_t kLengthSize = 8;
constexpr const char* kMetadataKey = "__metadata__";
constexpr const char* kFormatKey = "chalkgrad.format";
constexpr const char* kChecksumKey = "chalkgrad.sha256";
constexpr const char* kFormatVersion = "1";
constexpr std::size_t kLongestFile = std::size_t{1} << 36U;

std::span<const std::uint8_t> bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float)};
}

using Tensors = std::map<std::string, StoredTensor>;
using Metadata = std::map<std::string, std::string>;

// See the top of safetensors.h. `metadata` has the format key and not the checksum key.
std::string checksum(const Tensors& tensors, const Metadata& metadata) {
  Sha256 hash;
  const auto add_text = [&](std::string_view text) { hash.update(std::uint64_t{text.size()}).update(text); };
  add_text("chalkgrad safetensors");
  hash.update(std::uint64_t{tensors.size()});
  for (const auto& [name, tensor] : tensors) {
    add_text(name);
    add_text("F32");
    hash.update(std::uint64_t{tensor.shape.size()});
    for (const auto extent : tensor.shape) hash.update(static_cast<std::uint64_t>(extent));
    const auto bytes = bytes_of(tensor.values);
    hash.update(std::uint64_t{bytes.size()}).update(bytes);
  }
  hash.update(std::uint64_t{metadata.size()});
  for (const auto& [key, value] : metadata) {
    add_text(key);
    add_text(value);
  }
  return hash.hex();
}

void check_tensor(const std::string& name, const StoredTensor& tensor) {
  if (name == kMetadataKey) throw InputError("safetensors: a tensor cannot be called __metadata__; rename it");
  std::uint64_t product = 1;
  for (const auto extent : tensor.shape) {
    if (extent < 1 || static_cast<std::uint64_t>(extent) > kLongestFile / product) product = 0;
    product = product == 0 ? 0 : product * static_cast<std::uint64_t>(extent);
    if (product == 0) break;
  }
  if (product != tensor.values.size() || product == 0) {
    throw InputError(str("safetensors: tensor ", in_quotes(name), " of shape ", to_string(tensor.shape), " has ",
                         grouped(tensor.values.size()), " values; give one for each element, and at least one"));
  }
}

// So that the data begin at a multiple of 8.
std::string padded(std::string header) {
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

// The contents are not those that chalkgrad wrote. A header as it writes them tells damage from a change by another
// program: a changed bit leaves the order of names and the spaces alone.
[[noreturn]] void refuse(std::string_view header, std::string_view name, std::string_view what) {
  if (padded(parsed_json(header).dump()) == header)
    throw InputError(str(name, ": is damaged (", what, "); take another copy or train again"));
  throw InputError(str(name, ": another program has changed it (", what, "); if that was meant, remove ", kChecksumKey,
                       " and ", kFormatKey, " from its metadata, otherwise take another copy"));
}

// Takes the keys of chalkgrad out of the metadata and verifies the checksum if there is one.
void verify(Safetensors& contents, std::string_view header, std::string_view name) {
  auto found = contents.metadata.extract(kChecksumKey);
  if (found.empty()) {
    for (const auto& [key, value] : contents.metadata) {
      if (key.starts_with(kFormatKey) || key.starts_with(kChecksumKey))
        refuse(header, name, str("it has ", in_quotes(key), " without ", kChecksumKey));
    }
    return;
  }
  if (found.mapped() != checksum(contents.tensors, contents.metadata))
    refuse(header, name, str(kChecksumKey, " does not match"));
  const auto format = contents.metadata.extract(kFormatKey);
  if (format.empty() || format.mapped() != kFormatVersion) {
    throw InputError(str(name, ": has chalkgrad's format ", format.empty() ? "(none)" : in_quotes(format.mapped()),
                         ", this program reads ", in_quotes(kFormatVersion), "; use a newer chalkgrad"));
  }
}

}  // namespace

std::vector<std::uint8_t> serialize_safetensors(const Safetensors& contents) {
  for (const auto& [key, value] : contents.metadata) {
    if (key.starts_with(kFormatKey) || key.starts_with(kChecksumKey)) {
      throw InputError(str("safetensors: metadata key ", in_quotes(key), " is reserved; use another one"));
    }
  }
  nlohmann::json header = nlohmann::json::object();
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : contents.tensors) {
    check_tensor(name, tensor);
    const auto end = offset + tensor.values.size() * sizeof(float);
    header[name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  auto metadata = contents.metadata;
  metadata.emplace(kFormatKey, kFormatVersion);
  metadata.emplace(kChecksumKey, checksum(contents.tensors, metadata));
  header[kMetadataKey] = metadata;

  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw InputError("safetensors: a tensor's name or a metadata text is not UTF-8; use plain text");
  }
  text = padded(std::move(text));
  if (text.size() > kLongestSafetensorsHeader) {
    throw InputError(str("safetensors: the names and metadata take ", grouped(text.size()), " bytes, more than the ",
                         grouped(kLongestSafetensorsHeader), " that can be read again; shorten them"));
  }
  std::vector<std::uint8_t> bytes;
  bytes.reserve(kLengthSize + text.size() + offset);
  for (unsigned i = 0; i < kLengthSize; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(std::uint64_t{text.size()} >> (8 * i)));
  }
  bytes.insert(bytes.end(), text.begin(), text.end());
  for (const auto& [name, tensor] : contents.tensors) {
    const auto data = bytes_of(tensor.values);
    bytes.insert(bytes.end(), data.begin(), data.end());
  }
  return bytes;
}

Safetensors parse_safetensors(std::span<const std::uint8_t> bytes, std::string_view name) {
  if (bytes.size() < kLengthSize) {
    throw InputError(str(name, ": truncated: has ", bytes.size(), " bytes, and a safetensors file has at least ",
                         kLengthSize, "; take another copy"));
  }
  std::uint64_t length = 0;
  for (unsigned i = 0; i < kLengthSize; ++i) length |= std::uint64_t{bytes[i]} << (8 * i);
  if (length > kLongestSafetensorsHeader) {
    throw InputError(str(name, ": says its header has ", grouped(length), " bytes, more than the ",
                         grouped(kLongestSafetensorsHeader), " accepted; the file is damaged or is not safetensors"));
  }
  if (length > bytes.size() - kLengthSize) {
    throw InputError(str(name, ": truncated: the header needs ", grouped(length), " bytes, found ",
                         grouped(bytes.size() - kLengthSize), "; the file is damaged or is not safetensors"));
  }
  const auto data = bytes.subspan(kLengthSize + length);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data() + kLengthSize), length);
  auto header = parse_safetensors_header(text, data.size(), name);
  Safetensors contents{{}, std::move(header.metadata)};
  for (auto& entry : header.tensors) {
    auto& tensor = contents.tensors[entry.name];
    tensor.shape = std::move(entry.shape);
    tensor.values.resize((entry.end - entry.begin) / sizeof(float));
    std::memcpy(tensor.values.data(), data.data() + entry.begin, entry.end - entry.begin);
  }
  verify(contents, text, name);
  return contents;
}

void save_safetensors(const std::filesystem::path& path, const Safetensors& contents) {
  write_file_atomically(path, serialize_safetensors(contents));
}

Safetensors load_safetensors(const std::filesystem::path& path) {
  return parse_safetensors(read_file(path, kLongestFile), path.string());
}

}  // namespace chalk

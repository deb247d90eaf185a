#include "src/files/safetensors_header.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

using nlohmann::json;

constexpr std::size_t kMostEvents = 4'000'000;  // bounds the memory that parsing takes; a tensor costs about 12
constexpr int kDeepest = 3;                     // {"name": {"shape": [1]}}
constexpr std::size_t kMostDimensions = 64;
constexpr std::uint64_t kMostBytesOfTensors = std::uint64_t{1} << 62U;

template <class... Parts>
[[noreturn]] void fail(std::string_view file, const Parts&... parts) {
  throw InputError(str(file, ": ", parts..., "; the file is damaged or is not safetensors"));
}

// Parses with what nlohmann::json leaves open refused: repeated names (it would keep the last) and endless nesting.
json parse_json(std::string_view text, std::string_view file) {
  std::size_t events = 0;
  std::vector<std::set<std::string>> names;  // of the objects that are open
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (++events > kMostEvents) fail(file, "the header has more than ", grouped(kMostEvents), " parts");
    if (event == json::parse_event_t::object_start) names.emplace_back();
    if (event == json::parse_event_t::object_end) names.pop_back();
    if ((event == json::parse_event_t::object_start || event == json::parse_event_t::array_start) &&
        depth >= kDeepest) {
      fail(file, "the header is nested more than ", kDeepest, " deep");
    }
    if (event == json::parse_event_t::key && !names.back().insert(parsed.get<std::string>()).second) {
      fail(file, "the header names ", in_quotes(parsed.get<std::string>()), " twice");
    }
    return true;
  };
  const auto nul = text.find('\0');  // nlohmann::json would take it for the end
  if (nul != std::string_view::npos) fail(file, "the header is not JSON (at its byte ", nul + 1, ")");
  const PlainNumbers plain;
  try {
    return json::parse(text.begin(), text.end(), watch);
  } catch (const json::parse_error& error) {
    fail(file, "the header is not JSON (at its byte ", error.byte, ")");
  } catch (const json::exception&) {  // e.g. a number beyond a double's range
    fail(file, "the header is not JSON (a value is out of range)");
  }
}

// A non-negative integer of a list in the header.
std::uint64_t number(const json& value, std::string_view file, const std::string& where) {
  if (!value.is_number_unsigned()) fail(file, where, " has an entry that is not a whole number of 0 or more");
  return value.get<std::uint64_t>();
}

std::map<std::string, std::string> read_metadata(const json& object, std::string_view file) {
  if (!object.is_object()) fail(file, "__metadata__ is not an object");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) fail(file, "metadata ", in_quotes(key), " is not text");
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

const json& member(const json& object, const char* key, json::value_t type, std::string_view file,
                   const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->type() != type) fail(file, where, " has no proper ", key);
  return *found;
}

TensorEntry read_entry(const std::string& name, const json& object, std::uint64_t data_size, std::string_view file) {
  const auto where = "tensor " + in_quotes(name);
  if (!object.is_object()) fail(file, where, " is not an object");
  if (object.size() != 3) fail(file, where, " has ", object.size(), " fields, expected dtype, shape and data_offsets");
  const auto dtype = member(object, "dtype", json::value_t::string, file, where).get<std::string>();
  if (dtype != "F32") {
    throw InputError(
        str(file, ": ", where, " holds ", in_quotes(dtype),
            "; only F32 is read: convert it (astype(\"float32\") in NumPy, float() in PyTorch) and save again"));
  }
  TensorEntry entry{name, {}, 0, 0};
  const auto& shape = member(object, "shape", json::value_t::array, file, where);
  if (shape.size() > kMostDimensions) fail(file, where, " has ", grouped(shape.size()), " dimensions");
  for (const auto& value : shape) {
    const auto extent = number(value, file, where + ": shape");
    if (extent == 0) throw InputError(str(file, ": ", where, " has no elements; leave it out of the file"));
    entry.shape.push_back(static_cast<std::int64_t>(extent));
  }
  std::uint64_t bytes = sizeof(float);
  for (const auto extent : entry.shape) {
    if (static_cast<std::uint64_t>(extent) > kMostBytesOfTensors / bytes)
      fail(file, where, " has more elements than any file");
    bytes *= static_cast<std::uint64_t>(extent);
  }
  const auto& offsets = member(object, "data_offsets", json::value_t::array, file, where);
  if (offsets.size() != 2) fail(file, where, ": data_offsets has ", offsets.size(), " entries, expected 2");
  entry.begin = number(offsets[0], file, where + ": data_offsets");
  entry.end = number(offsets[1], file, where + ": data_offsets");
  if (entry.begin > entry.end || entry.end - entry.begin != bytes) {
    fail(file, where, " of shape ", to_string(entry.shape), " needs ", grouped(bytes), " bytes, its data_offsets are ",
         entry.begin, "…", entry.end);
  }
  if (entry.end > data_size) {
    throw InputError(str(file, ": truncated: ", where, " ends at byte ", grouped(entry.end), " of the data, found ",
                         grouped(data_size), "; take another copy"));
  }
  return entry;
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_size, std::string_view file) {
  const auto object = parse_json(text, file);
  if (!object.is_object()) fail(file, "the header is not a JSON object");
  SafetensorsHeader header;
  for (const auto& [name, value] : object.items()) {
    if (name == "__metadata__") {
      header.metadata = read_metadata(value, file);
    } else {
      header.tensors.push_back(read_entry(name, value, data_size, file));
    }
  }
  std::ranges::sort(header.tensors, {}, &TensorEntry::begin);
  std::uint64_t expected = 0;
  for (const auto& tensor : header.tensors) {
    if (tensor.begin != expected) {
      fail(file, "the data of tensor ", in_quotes(tensor.name),
           tensor.begin < expected ? " overlap" : " leave a gap behind", " those before it, at byte ",
           grouped(tensor.begin));
    }
    expected = tensor.end;
  }
  if (expected != data_size) {
    fail(file, "the tensors fill ", grouped(expected), " bytes of data, found ", grouped(data_size));
  }
  return header;
}

}  // namespace chalk

#include "src/files/safetensors.h"

#include <bit>
#include <cstring>
#include <limits>

#include "src/base/file.h"
#include "src/base/test_support.h"
#include "src/files/sha256.h"

namespace chalk {
namespace {

using testing::HasSubstr;
using testing_support::Folder;
using testing_support::input_error;
using testing_support::kAnySize;
using testing_support::source;

Safetensors example_tensors() {
  Safetensors contents;
  contents.tensors["conv1.W"] = {{2, 1, 3}, {1, -2, 3.5F, 0, -0.0F, std::numeric_limits<float>::denorm_min()}};
  contents.tensors["größe \"1\""] = {{}, {std::numeric_limits<float>::infinity()}};
  contents.metadata = {{"network", "20c5-relu-10n"}, {"epoch", "3"}, {"line", "a\nb\t\"c\""}, {"", ""}};
  return contents;
}

TEST(Safetensors, ReadsWhatItWrote) {
  const auto bytes = serialize_safetensors(example_tensors());
  EXPECT_EQ(parse_safetensors(bytes, "x"), example_tensors());
  EXPECT_EQ(serialize_safetensors(parse_safetensors(bytes, "x")), bytes);
  Folder folder;
  save_safetensors(folder / "x.safetensors", example_tensors());
  EXPECT_EQ(load_safetensors(folder / "x.safetensors"), example_tensors());
}

TEST(Safetensors, KeepsTheBitsOfNan) {
  Safetensors contents;
  contents.tensors["a"] = {{1}, {std::bit_cast<float>(0x7FC12345U)}};
  const auto back = parse_safetensors(serialize_safetensors(contents), "x");
  EXPECT_EQ(std::bit_cast<std::uint32_t>(back.tensors.at("a").values[0]), 0x7FC12345U);
}

TEST(Safetensors, EmptyIsFine) { EXPECT_EQ(parse_safetensors(serialize_safetensors({}), "x"), Safetensors{}); }

TEST(Safetensors, DataBeginAtAMultipleOfEight) {
  for (std::size_t length = 0; length < 9; ++length) {
    auto contents = example_tensors();
    contents.metadata["pad"] = std::string(length, 'x');
    EXPECT_EQ(serialize_safetensors(contents)[0] % 8, 0);
  }
}

TEST(Safetensors, ReadsFilesWithoutChecksum) {
  const auto plain = load_safetensors(source("fuzz/corpus/safetensors/plain.bin"));
  EXPECT_EQ(plain.tensors.at("a"), (StoredTensor{{1, 2}, {1.5F, -2}}));
  EXPECT_EQ(plain.tensors.at("b"), (StoredTensor{{}, {0.25F}}));
  EXPECT_EQ(load_safetensors(source("fuzz/corpus/safetensors/metadata.bin")).metadata.at("format"), "pt");
}

// signed.bin was signed by tests/bad/make.py, from the description alone.
TEST(Safetensors, ChecksumIsTheDocumentedOne) {
  const auto contents = load_safetensors(source("fuzz/corpus/safetensors/signed.bin"));
  EXPECT_EQ(contents.metadata, (std::map<std::string, std::string>{{"network", "20c5-relu-10n"}}));
}

TEST(Safetensors, EveryFlippedBitIsAnError) {
  const auto whole = serialize_safetensors(example_tensors());
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto bytes = whole;
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_THAT(input_error([&] { parse_safetensors(bytes, "m.safetensors"); }), HasSubstr("m.safetensors: "))
        << "byte " << bit / 8 << " bit " << bit % 8;
  }
}

TEST(Safetensors, EveryTruncationIsAnError) {
  const auto whole = serialize_safetensors(example_tensors());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(parse_safetensors(std::span(whole).first(size), "x"), InputError) << size;
  }
}

TEST(Safetensors, TellsDamageFromAChangeByAnotherProgram) {
  const auto whole = serialize_safetensors(example_tensors());
  const auto error = [](const std::vector<std::uint8_t>& bytes) {
    return input_error([&] { parse_safetensors(bytes, "model.safetensors"); });
  };
  auto flipped = whole;
  flipped.back() ^= 1U;
  EXPECT_EQ(error(flipped),
            "model.safetensors: is damaged (chalkgrad.sha256 does not match); take another copy or train again");
  flipped = whole;
  *std::ranges::find(flipped, '5') ^= 1U;  // in "20c5-relu-10n", or before
  EXPECT_THAT(error(flipped), HasSubstr("is damaged"));
  flipped.assign(whole.begin(), whole.end() - 1);
  EXPECT_EQ(error(flipped),
            "model.safetensors: truncated: tensor \"größe \"1\"\" ends at byte 28 of the data, found 27; "
            "take another copy");

  auto spaced = whole;  // a header as another program writes it, one byte longer, and a changed number
  ++spaced[0];
  spaced.insert(spaced.begin() + 9, ' ');
  EXPECT_EQ(parse_safetensors(spaced, "x"), example_tensors()) << "chalkgrad.sha256 is of what the file means";
  spaced.back() ^= 1U;
  EXPECT_EQ(error(spaced),
            "model.safetensors: another program has changed it (chalkgrad.sha256 does not match); if that was meant, "
            "remove chalkgrad.sha256 and chalkgrad.format from its metadata, otherwise take another copy");
}

TEST(Safetensors, RefusesToWriteWhatCannotBeRead) {
  const auto error = [](auto change) {
    auto contents = example_tensors();
    change(contents);
    return input_error([&] { serialize_safetensors(contents); });
  };
  EXPECT_THAT(error([](auto& c) {
                c.tensors["conv1.W"].shape = {2, 3, 3};
              }),
              HasSubstr("tensor \"conv1.W\" of shape 2×3×3 has 6 values; give one for each element"));
  EXPECT_THAT(error([](auto& c) { c.tensors["e"] = {{0}, {}}; }), HasSubstr("shape 0 has 0 values"));
  EXPECT_THAT(error([](auto& c) { c.tensors["e"] = {{-1, -6}, {1, 2, 3, 4, 5, 6}}; }), HasSubstr("has 6 values"));
  EXPECT_THAT(error([](auto& c) { c.tensors["e"] = {{std::int64_t{1} << 62, 8}, {}}; }), HasSubstr("has 0 values"));
  EXPECT_THAT(error([](auto& c) { c.tensors["__metadata__"] = {{}, {1}}; }), HasSubstr("__metadata__; rename it"));
  EXPECT_THAT(error([](auto& c) { c.metadata["chalkgrad.sha256"] = "0"; }), HasSubstr("is reserved; use another"));
  EXPECT_THAT(error([](auto& c) { c.metadata["a"] = "\xff"; }), HasSubstr("not UTF-8; use plain text"));
  EXPECT_THAT(error([](auto& c) { c.tensors["\xff"] = {{}, {1}}; }), HasSubstr("not UTF-8; use plain text"));
}

TEST(Safetensors, NamesAMissingFile) {
  EXPECT_THAT(input_error([] { load_safetensors("none.safetensors"); }),
              HasSubstr("none.safetensors: cannot be read: No such file"));
}

TEST(Sha256, KnownDigests) {
  EXPECT_EQ(Sha256().hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256().update("a").update("bc").hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256().update(std::uint64_t{0x636261}).hex(),
            Sha256().update(std::string_view("abc\0\0\0\0\0", 8)).hex());
}

// The digits are embedded from this very file.
TEST(Sha256, OfTheDigitsFile) {
  EXPECT_EQ(sha256(read_file(source("data/digits.csv.gz"), kAnySize)),
            "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22");
}

}  // namespace
}  // namespace chalk

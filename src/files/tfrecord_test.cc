#include "src/files/tfrecord.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "src/files/events_testing.h"

namespace chalk {
namespace {

using events_testing::records;

TEST(TfRecord, ChecksumIsThatOfRfc3720) {
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) {
    rising += static_cast<char>(i);
    falling += static_cast<char>(31 - i);
  }
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(crc32c(rising), 0x46DD794EU);
  EXPECT_EQ(crc32c(falling), 0x113FDB5CU);
}

TEST(TfRecord, IsTheOneThatTensorBoardWrites) {  // RecordWriter.write(b"abc") of tensorboard 2.21.0
  constexpr std::string_view kTheirs("\x03\0\0\0\0\0\0\0\xB0\x99\x49\x0E\x61\x62\x63\x6E\x57\xF1\x21", 19);
  std::string file;
  append_record(file, "abc");
  EXPECT_EQ(file, kTheirs);
}

RC_GTEST_PROP(TfRecord, AnyRecordsAreReadAsTheyWereWritten, ()) {
  const auto written = *rc::gen::arbitrary<std::vector<std::string>>();
  std::string file;
  for (const auto& record : written) append_record(file, record);
  RC_ASSERT(records(file) == written);
}

RC_GTEST_PROP(TfRecord, ChecksumNoticesAnyChangedByte, ()) {
  auto bytes = *rc::gen::nonEmpty(rc::gen::arbitrary<std::string>());
  const auto before = crc32c(bytes);
  auto& byte = bytes[static_cast<std::size_t>(*rc::gen::inRange<std::size_t>(0, bytes.size()))];
  byte = static_cast<char>(byte ^ *rc::gen::inRange(1, 256));
  RC_ASSERT(crc32c(bytes) != before);
}

}  // namespace
}  // namespace chalk

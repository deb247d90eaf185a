#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "chalkgrad/tensorboard.h"
#include "src/base/test_support.h"
#include "src/base/text.h"
#include "src/files/events_testing.h"

namespace chalk {
namespace {

using events_testing::EventFile;
using events_testing::field;
using events_testing::files_in;
using events_testing::read;
using testing::ElementsAre;
using testing::IsEmpty;
using testing_support::Folder;
using testing_support::input_error;

/// What a writer wrote of which somebody told something.
template <class Tell>
EventFile told(Tell tell) {
  const Folder folder;
  EventWriter writer(folder.path());
  tell(writer);
  writer.flush();
  return read(writer.file());
}

TEST(EventWriter, NamesItsFilesAsReadersKnowThem) {
  const Folder folder;
  const EventWriter writer(folder / "runs" / "first");
  EXPECT_EQ(writer.file().parent_path(), folder / "runs" / "first");
  EXPECT_THAT(writer.file().filename().string(),
              testing::MatchesRegex("events\\.out\\.tfevents\\.1[0-9]+\\..+\\.[0-9]+\\.[0-9]+"));
  EXPECT_TRUE(holds_events(folder / "runs" / "first"));
  EXPECT_FALSE(holds_events(folder / "runs"));
  EXPECT_FALSE(holds_events(folder / "none"));
}

TEST(EventWriter, TellsScalars) {
  const auto file = told([](EventWriter& writer) {
    writer.scalar("loss/train", 1, 0.1);
    writer.scalar("lr", 1, -3);
    writer.scalar("loss/train", std::int64_t{1} << 40, 1e300);
    writer.scalar("loss/train", (std::int64_t{1} << 40) + 1, NAN);
  });
  const auto loss = file.of("loss/train");
  ASSERT_EQ(loss.size(), 3U);
  EXPECT_EQ(loss[0].step, 1);
  EXPECT_EQ(loss[0].scalar(), 0.1F);
  EXPECT_EQ(loss[1].step, std::int64_t{1} << 40);
  EXPECT_EQ(loss[1].scalar(), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(loss[2].scalar()));
  EXPECT_EQ(file.of("lr")[0].scalar(), -3.0F);
  EXPECT_THAT(file.starts, ElementsAre(0));
}

TEST(EventWriter, EachFileStartsASessionAndOneThatGoesOnSaysWhere) {
  const Folder folder;
  const EventWriter before(folder.path()), after(folder.path(), 7);
  EXPECT_THAT(read(before.file()).starts, ElementsAre(0));
  EXPECT_THAT(read(after.file()).starts, ElementsAre(7));
}

TEST(EventWriter, ALaterFileIsReadLaterAlsoWithinASecondOrWithASlowClock) {
  const Folder folder;
  std::vector<std::filesystem::path> written;
  for (int i = 0; i < 12; ++i) written.push_back(EventWriter(folder.path()).file());
  EXPECT_EQ(files_in(folder.path()), written);
  write_file_atomically(folder / "events.out.tfevents.4000000000.elsewhere.1.0", std::string_view("x"));
  EXPECT_THAT(EventWriter(folder.path()).file().filename().string(),
              testing::StartsWith("events.out.tfevents.4000000001."));
}

TEST(EventWriter, CountsWhereValuesAre) {
  std::vector<float> values(61);
  std::iota(values.begin(), values.end(), 0.0F);
  const auto file = told([&](EventWriter& writer) { writer.histogram("w", 3, values); });
  const auto histogram = file.of("w")[0].histogram();
  EXPECT_EQ(field(histogram, 1).real(), 0);
  EXPECT_EQ(field(histogram, 2).real(), 60);
  EXPECT_EQ(field(histogram, 3).real(), 61);
  EXPECT_EQ(field(histogram, 4).real(), 61 * 30);
  EXPECT_EQ(field(histogram, 5).real(), 60.0 * 61 * 121 / 6);
  std::vector<double> ends(30), counts(30, 2);
  for (int i = 0; i < 30; ++i) ends[static_cast<std::size_t>(i)] = 2 * (i + 1);
  counts.back() = 3;  // its upper end, too
  EXPECT_EQ(field(histogram, 6).reals(), ends);
  EXPECT_EQ(field(histogram, 7).reals(), counts);
}

TEST(EventWriter, IntervalsAreThoseOfFloatsAndHoldEveryValueOnce) {
  const float one = 1, next = std::nextafter(one, 2.0F), after = std::nextafter(next, 2.0F), large = 3e38F;
  for (const auto& values : std::vector<std::vector<float>>{
           {0.1F, -0.7F, 0.3F, 0.1F}, {one, next, after}, {one, after}, {one, one}, {0}, {-large, large, 1}}) {
    const auto file = told([&](EventWriter& writer) { writer.histogram("w", 1, values); });
    const auto histogram = file.of("w")[0].histogram();
    const auto ends = field(histogram, 6).reals(), counts = field(histogram, 7).reals();
    ASSERT_EQ(ends.size(), counts.size());
    auto from = field(histogram, 1).real();
    std::size_t all = 0;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      EXPECT_EQ(ends[i], static_cast<double>(static_cast<float>(ends[i])));
      const bool last = i + 1 == ends.size();
      EXPECT_TRUE(ends.size() == 1 || from < ends[i]);
      const auto here = std::ranges::count_if(values, [&](float v) { return v >= from && (v < ends[i] || last); });
      EXPECT_EQ(counts[i], static_cast<double>(here)) << testing::PrintToString(values) << " " << i;
      all += static_cast<std::size_t>(here);
      from = ends[i];
    }
    EXPECT_EQ(all, values.size());
    EXPECT_EQ(ends.back(), field(histogram, 2).real());
  }
}

TEST(EventWriter, RefusesAHistogramOfNothingOrOfWhatIsNoNumber) {
  const Folder folder;
  EventWriter writer(folder.path());
  EXPECT_EQ(input_error([&] { writer.histogram("w", 1, {}); }),
            "histogram \"w\": there are no values; give at least one");
  EXPECT_EQ(input_error([&] {
              writer.histogram("w", 1, std::vector<float>{1, NAN});
            }),
            "histogram \"w\": value 1 is nan; give finite ones");
  writer.flush();
  EXPECT_THAT(read(writer.file()).told, IsEmpty());
}

TEST(EventWriter, TellsImages) {
  const Image image{3, 2, 1, {1, 2, 3, 250, 0, 255}};
  const auto file = told([&](EventWriter& writer) { writer.image("filters", 1, image); });
  const auto message = file.of("filters")[0].image();
  EXPECT_EQ(field(message, 1).whole(), 2);  // height
  EXPECT_EQ(field(message, 2).whole(), 1);  // width
  EXPECT_EQ(field(message, 3).whole(), 3);  // channels
  const auto png = field(message, 4).bytes;
  const auto back = decode_image({reinterpret_cast<const std::uint8_t*>(png.data()), png.size()}, "it");
  EXPECT_EQ(back.pixels, image.pixels);
}

TEST(EventWriter, TellsTexts) {
  const auto file = told([](EventWriter& writer) { writer.text("run", 1, "| ünïcode |"); });
  const auto run = file.of("run")[0];
  EXPECT_EQ(run.text(), "| ünïcode |");
  EXPECT_EQ(field(field(field(run.value, 9).bytes, 1).bytes, 1).bytes, "text");  // the plugin that shows it
}

TEST(EventWriter, WritesWhatIsLeftAtItsEnd) {
  const Folder folder;
  std::filesystem::path file;
  {
    EventWriter writer(folder.path());
    file = writer.file();
    writer.scalar("a", 1, 1);
    EXPECT_THAT(read(file).told, IsEmpty());
  }
  EXPECT_EQ(read(file).told.size(), 1U);
}

TEST(EventWriter, RemovesEventsAndNothingElse) {
  const Folder folder;
  { const EventWriter one(folder.path()), other(folder.path()), deeper(folder / "deeper"); }
  write_file_atomically(folder / "notes.txt", std::string_view("x"));
  remove_events(folder.path());
  EXPECT_THAT(files_in(folder.path()), ElementsAre(folder / "deeper", folder / "notes.txt"));
  EXPECT_TRUE(holds_events(folder / "deeper"));
}

TEST(EventWriter, SaysWhereItCannotWrite) {
  const Folder folder;
  write_file_atomically(folder / "file", std::string_view("x"));
  EXPECT_EQ(input_error([&] { EventWriter(folder / "file"); }),
            str((folder / "file").string(),
                ": cannot be written: Not a directory; check the spelling, or create the "
                "folder first"));
}

}  // namespace
}  // namespace chalk

#include "pipeline/raw_dump.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>

#include "crossfix/core/error.hpp"
#include "crossfix/io/safetensors.hpp"
#include "io/files.hpp"

using namespace crossfix;

namespace {

Fix made_fix(Index grid, std::size_t headings) {
  Fix fix;
  fix.grid = grid;
  fix.window = {-1.5, -0.5, 12, 13};
  const auto cells = static_cast<std::size_t>(grid * grid);
  fix.logits.assign(cells, 0.5F);
  fix.offsets.assign(2 * cells, 0.25F);
  fix.probability.assign(cells, 1.0F / static_cast<float>(cells));
  fix.heading_probability.assign(headings, 0.5F);
  fix.pose_probability.assign(headings * cells, 0.125F);
  return fix;
}

/// Shape and values of a tensor in a file.
struct Stored {
  std::vector<Index> shape;
  std::vector<float> values;

  Stored(const std::filesystem::path& path, const std::string& name) {
    const auto file = io::Safetensors::open(path);
    const TensorRecord& record = file.tensors().at(name);
    shape = record.shape;
    values.resize(static_cast<std::size_t>(record.element_count()));
    to_float(record, values.data());
  }
};

}  // namespace

TEST_CASE("a dump holds a row a pair, of NaN where it could not be located", "[pipeline]") {
  const test::ScratchFolder folder;
  const auto path = folder / "raw.safetensors";
  pipeline::RawDump dump(path);
  dump.add_missing();  // before any length is known
  dump.add(made_fix(2, 3));
  dump.add_missing();
  dump.commit();
  const Stored poses(path, "pose_probability");
  CHECK(poses.shape == std::vector<Index>{3, 3, 2, 2});
  CHECK(std::isnan(poses.values.front()));
  CHECK(poses.values[12] == 0.125F);
  CHECK(std::isnan(poses.values.back()));
  CHECK(Stored(path, "heading_probability").shape == std::vector<Index>{3, 3});
  CHECK(Stored(path, "probability").shape == std::vector<Index>{3, 2, 2});
  CHECK(Stored(path, "offsets").shape == std::vector<Index>{3, 4, 2});
  const Stored window(path, "window");
  CHECK(window.shape == std::vector<Index>{3, 4});
  CHECK(window.values[4] == -1.5F);
  CHECK(window.values[7] == 13.0F);
}

TEST_CASE("a dump of no located pair is not written", "[pipeline]") {
  const test::ScratchFolder folder;
  pipeline::RawDump dump(folder / "raw.safetensors");
  dump.add_missing();
  dump.add_missing();
  dump.commit();
  CHECK(folder.entries() == 0);
}

TEST_CASE("a dump leaves out what fixes do not have, and refuses two grids", "[pipeline]") {
  const test::ScratchFolder folder;
  const auto path = folder / "raw.safetensors";
  pipeline::RawDump dump(path);
  dump.add(made_fix(2, 0));
  CHECK_THROWS_WITH(dump.add(made_fix(3, 0)),
                    Catch::Matchers::Contains("pair 2 has a grid of 3 cells a side") &&
                        Catch::Matchers::Contains("one size in metres"));
  CHECK_THROWS_WITH(dump.add(made_fix(2, 3)),
                    Catch::Matchers::Contains("heading of pair 2 is searched for"));
  dump.commit();
  const auto file = io::Safetensors::open(path);
  CHECK(file.tensors().contains("logits"));
  CHECK_FALSE(file.tensors().contains("heading_probability"));
  CHECK_FALSE(file.tensors().contains("pose_probability"));
}

TEST_CASE("what a rank packs of a fix is unpacked whole", "[pipeline]") {
  const Fix fix = made_fix(3, 2);
  const std::string bytes = pipeline::pack_raw(7, fix) + pipeline::pack_raw(9, made_fix(2, 0));
  std::string_view rest = bytes;
  const auto [number, first] = pipeline::unpack_raw(rest);
  CHECK(number == 7);
  CHECK(first.grid == 3);
  CHECK(first.window.width == 13);
  CHECK(first.logits == fix.logits);
  CHECK(first.heading_probability == fix.heading_probability);
  CHECK(first.pose_probability == fix.pose_probability);
  CHECK(pipeline::unpack_raw(rest).first == 9);
  CHECK(rest.empty());
}

#include "pipeline/pair_list.hpp"

#include <catch2/catch.hpp>

#include "crossfix/core/error.hpp"
#include "io/files.hpp"

using namespace crossfix;
using pipeline::read_pair_list;
using test::message_of;

TEST_CASE("a list of pairs: columns in any order, paths relative to it, truth and scale optional") {
  const test::ScratchFolder folder;
  const auto file = folder / "list.csv";
  test::write_text(file, "row,ground,col,satellite,gsd\n10.5,g.jpg,-3,t.png,0.2\n,/g,,t,\n");
  const auto entries = read_pair_list(file);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].line == 2);
  CHECK(entries[0].ground == folder / "g.jpg");
  CHECK(entries[0].satellite == folder / "t.png");
  REQUIRE(entries[0].truth);
  CHECK(entries[0].truth->row == 10.5);
  CHECK(entries[0].truth->col == -3);
  CHECK(entries[0].metres_per_pixel == 0.2);
  CHECK(entries[1].ground == "/g");
  CHECK_FALSE(entries[1].truth);
  CHECK_FALSE(entries[1].metres_per_pixel);
}

TEST_CASE("a list of pairs as other programs write it") {
  const test::ScratchFolder folder;
  const auto file = folder / "list.csv";
  for (const char* text :
       {"\xEF\xBB\xBFground, satellite, gsd, heading\r\ng.jpg, t.png, +0.5, 90\r\n",
        "ground,satellite,gsd,heading\rg.jpg,t.png,0.5,+90\r",
        "ground,satellite,gsd,heading,,\r\ng.jpg,t.png,0.5,90,,\r\n,,,,,\r\n , \r\n"}) {
    CAPTURE(text);
    test::write_text(file, text);
    const auto entries = read_pair_list(file);
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].line == 2);
    CHECK(entries[0].satellite == folder / "t.png");
    CHECK(entries[0].metres_per_pixel == 0.5);
    CHECK(entries[0].camera.ground_info({32, 64, 3}).heading_degrees == 90.0);
  }
  test::write_text(file, std::string("\xFF\xFEg\0r\0", 6));
  CHECK(message_of<DataError>([&] { read_pair_list(file); }) ==
        file.string() + ": UTF-16; save it as UTF-8");
}

TEST_CASE("a list of pairs that is wrong names its file and line") {
  const test::ScratchFolder folder;
  const auto file = folder / "list.csv";
  const auto message = [&](const std::string& text) {
    test::write_text(file, text);
    const std::string what = message_of<DataError>([&] { read_pair_list(file); });
    const std::string prefix = file.string() + ":";
    return what.starts_with(prefix) ? what.substr(prefix.size()) : "no file named: " + what;
  };
  CHECK(message("").starts_with("1: empty"));
  CHECK(message("ground,satellite\n").starts_with("1: no pair follows"));
  CHECK(message("\n\nsatellite,ground\r\n\n").starts_with("3: no pair follows"));
  CHECK(message("ground\n").starts_with("1: the header lacks"));
  CHECK(message("ground,satellite,row\n").starts_with("1: the header has one of"));
  CHECK(message("ground,satellite,yaw\n").starts_with("1: unknown column 'yaw'"));
  CHECK(message("ground,satellite,ground\n").starts_with("1: column 'ground' stands twice"));
  CHECK(message("ground;satellite\ng;s\n").starts_with("1: columns are separated by semicolons"));
  CHECK(message("ground\tsatellite\ng\ts\n").starts_with("1: columns are separated by tabs"));
  CHECK(message("ground,satellite,\ng,s,x\n").starts_with("2: 3 fields where the header has 2"));
  CHECK(message("ground,,satellite\ng,,s\n").starts_with("1: unknown column ''"));
  const std::string header = "ground,satellite,row,col,gsd\n";
  CHECK(message(header + "g,s,1,2\n").starts_with("2: 4 fields where the header has 5"));
  CHECK(message(header + "g,,1,2,\n").starts_with("2: no path under 'satellite'"));
  CHECK(message(header + "g,s,1,,\n").starts_with("2: one of 'row' and 'col' is empty"));
  CHECK(message(header + "g,s,1,2,\ng,s,1,2x,\n").starts_with("3: col is '2x'"));
  CHECK(message(header + "g,s,nan,2,\n").starts_with("2: row is 'nan'"));
  for (const char* scale : {"0", "1e-9", "1e9", "-0.1"}) {
    CAPTURE(scale);
    CHECK(message(header + "g,s,1,2," + scale + "\n").starts_with("2: gsd is "));
  }
  CHECK_THROWS_AS(read_pair_list(folder.path()), DataError);
  CHECK_THROWS_AS(read_pair_list(folder / "absent.csv"), DataError);
}

TEST_CASE("the paths of a list that is an open descriptor start at the current folder") {
  const std::string text = "ground,satellite\na.png,/b.png\n";
  for (const char* file : {"/dev/stdin", "/dev/fd/63", "/proc/self/fd/5", "list.csv"}) {
    const auto entries = pipeline::parse_pair_list(text, file);
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].ground == "a.png");
    CHECK(entries[0].satellite == "/b.png");
  }
  CHECK(pipeline::parse_pair_list(text, "dev/stdin").at(0).ground == "dev/a.png");
  CHECK(pipeline::parse_pair_list(text, "/dev/shm/l.csv").at(0).ground == "/dev/shm/a.png");
}

TEST_CASE("a row says which camera took its image, and what is known of its tile") {
  const test::ScratchFolder folder;
  const auto file = folder / "list.csv";
  test::write_text(folder / "rig.yaml",
                   "model: pinhole\nwidth: 640\nheight: 480\nhfov_deg: 80\nheight_m: 1.6\n");
  test::write_text(file,
                   "heading,ground,satellite,camera,hfov,height,roll,pitch,pitch_sigma,"
                   "heading_sigma,bounds,gsd\n"
                   "90,g,s,,75,1.8,1,-2,3,4,\"8,50,8.001,50.000643\",\n"
                   "unknown,g,s,rig.yaml,,,,,,,,0.2\n"
                   ",g,s,rig.yaml,,,,,,,,\n");
  const auto entries = read_pair_list(file, {.heading_degrees = 7.0});
  REQUIRE(entries.size() == 3);
  GroundInfo info = entries[0].camera.ground_info({480, 640, 3});
  REQUIRE(info.mounted);
  CHECK(info.mounted->camera.field_of_view().horizontal == Approx(75));
  CHECK(info.mounted->mount.height == 1.8);
  CHECK(info.mounted->mount.roll_degrees == 1);
  CHECK(info.mounted->mount.pitch_degrees == -2);
  CHECK(info.mounted->mount.pitch_sigma_degrees == 3);
  CHECK(info.heading_degrees == 90.0);
  CHECK(info.heading_sigma_degrees == 4);
  const TileInfo all{0.5, {}};
  REQUIRE(entries[0].tile(all).bounds);
  CHECK(entries[0].tile(all).bounds->north == 50.000643);
  CHECK_FALSE(entries[0].tile(all).metres_per_pixel);  // the bounds say it
  info = entries[1].camera.ground_info({480, 640, 3});
  REQUIRE(info.mounted);
  CHECK(info.mounted->camera.field_of_view().horizontal == Approx(80));
  CHECK_FALSE(info.heading_degrees);
  CHECK(entries[1].tile(all).metres_per_pixel == 0.2);
  CHECK(entries[2].camera.ground_info({480, 640, 3}).heading_degrees == 7.0);
  CHECK(entries[2].tile(all).metres_per_pixel == 0.5);
}

TEST_CASE("a camera file is read once for a list") {
  pipeline::CameraFiles files;
  const test::ScratchFolder folder;
  const auto rig = folder / "rig.yaml";
  test::write_text(rig, "model: pinhole\nwidth: 640\nheight: 480\nhfov_deg: 80\nheight_m: 1.6\n");
  const auto first = files.read(rig);
  test::write_text(rig, "no camera");
  CHECK(files.read(rig) == first);
}

TEST_CASE("a row whose camera cannot be names its file and line") {
  const test::ScratchFolder folder;
  const auto file = folder / "list.csv";
  test::write_text(folder / "bad.yaml", "model: pinhole\nwidth: 640\nheight: x\n");
  const auto message = [&](const std::string& row, const pipeline::CameraChoice& options = {}) {
    test::write_text(file,
                     "ground,satellite,heading,heading_sigma,camera,hfov,height,bounds\n"
                     "g,s,,,,,,\ng,s," +
                         row + "\n");
    const std::string what = message_of<DataError>([&] { read_pair_list(file, options); });
    const std::string prefix = file.string() + ":3: ";
    return what.starts_with(prefix) ? what.substr(prefix.size()) : "no file named: " + what;
  };
  CHECK(message("north,,,,,").starts_with("heading is 'north'; degrees"));
  CHECK(message("1e300,,,,,").starts_with("heading is 1e+300;"));
  CHECK(message("unknown,3,,,,").starts_with("heading_sigma is of a heading"));
  CHECK(message(",,,400,1,").starts_with("hfov is 400;"));
  CHECK(message(",,,90,,").starts_with("hfov needs height too"));
  CHECK(message(",,,,-1,").starts_with("height is -1;"));
  CHECK(message(",,bad.yaml,,,").starts_with((folder / "bad.yaml").string() + ":3: height"));
  CHECK(message(",,absent.yaml,,,").find("absent.yaml: it cannot be opened") != std::string::npos);
  CHECK(message(",,,,,\"9,50,8,51\"").starts_with("bounds 9,50,8,51 have west not below east"));
  CHECK(message(",,,,,\"9,50\"").starts_with("bounds '9,50' are not four"));
  // What the command line gets wrong is of no line.
  CHECK(
      message(",,,,,", {.horizontal_fov_degrees = 90}).starts_with("no file named: --hfov needs"));
}

TEST_CASE("a list that is a file of another kind is named") {
  const test::ScratchFolder folder;
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"\xff\xd8\xff\xe0 JFIF", "is a JPEG image; a CSV list"},
      {"\x1f\x8b\x08", "is a gzip archive; unpack it first; a CSV list"},
      {"[{\"ground\": \"a.jpg\"}]", "is a JSON text; a CSV list"}};
  for (const auto& [bytes, part] : kinds) {
    test::write_text(folder / "list.csv", bytes);
    CHECK_THAT(message_of<DataError>([&] { read_pair_list(folder / "list.csv"); }),
               Catch::Contains("list.csv: " + part));
  }
}

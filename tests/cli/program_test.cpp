#include "program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

using namespace crossfix;
using nlohmann::json;
using test::Run;
using test::Workspace;

namespace {

std::vector<json> lines_of(const Run& run) {
  std::vector<json> lines;
  std::istringstream stream(run.out);
  for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
  return lines;
}

bool has_keys(const json& object, const std::vector<std::string>& keys) {
  std::vector<std::string> sorted = keys;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> present;
  for (const auto& [key, value] : object.items()) present.push_back(key);
  return present == sorted;
}

}  // namespace

TEST_CASE("help and version go to standard output and exit 0") {
  const Workspace work;
  for (const char* command : {"--help", "locate --help", "info --help"}) {
    const Run run = work.run(command);
    INFO(command);
    CHECK(run.code == 0);
    CHECK(run.err.empty());
    CHECK(run.out.find("Example: crossfix ") != std::string::npos);
  }
  for (const char* version : {"--version", "-v", "-V", "version"}) {
    CHECK(work.run(version).out.starts_with("crossfix "));
  }
  for (const char* command : {"--help", "--version", "locate --help", "info weights.safetensors"}) {
    INFO(command);
    CHECK(work.run(command, "/dev/full").failed_with(3, "standard output: cannot be written"));
  }
}

TEST_CASE("info tells what the weights hold") {
  const Workspace work;
  const Run run = work.run("info weights.safetensors");
  INFO(run.err);
  CHECK(run.code == 0);
  for (const char* part :
       {"weights.safetensors", "nothing: a test's random numbers", "128 x 128 px", "64 x 128 px",
        "0.5 m per pixel", "a tile of 64 m", "8 x 8 cells", "0.25", "equirectangular", "CPU"}) {
    INFO(part);
    CHECK(run.out.find(part) != std::string::npos);
  }
}

TEST_CASE("locate prints text, JSON and files that agree") {
  const Workspace work;
  const Run text = work.locate("--gsd 1 --truth 32,32");
  INFO(text.err);
  CHECK(text.code == 0);
  CHECK(text.out.find("error ") != std::string::npos);
  CHECK(text.err.starts_with("crossfix: weights trained on: nothing: a test's random numbers\n"));
  CHECK(text.err.find("hardly tell a wrong tile") != std::string::npos);

  const Run run = work.locate(
      "--json --gsd 1 --bounds 8,50,8.000894,50.000575 --truth 32,-3.5 --overlay fix.png "
      "--overlay-ground --dump raw.safetensors");
  INFO(run.err);
  REQUIRE(run.code == 0);
  const json fix = lines_of(run).at(0);
  CHECK(has_keys(fix, {"ground",
                       "satellite",
                       "pixel",
                       "covariance_px",
                       "nowhere",
                       "evidence",
                       "radius68_px",
                       "radius68_m",
                       "position",
                       "heading_degrees",
                       "heading_sigma_degrees",
                       "heading_covariance",
                       "hypotheses",
                       "grid",
                       "window",
                       "cell",
                       "cell_probability",
                       "truth",
                       "error_px",
                       "error_m",
                       "within_radius68"}));
  CHECK(fix["radius68_m"] == fix["radius68_px"]);  // 1 m a pixel
  CHECK(fix["error_px"].get<double>() == Approx(std::hypot(fix["pixel"][0].get<double>() - 32,
                                                           fix["pixel"][1].get<double>() + 3.5)));

  const auto raw = io::Safetensors::open(work.folder / "raw.safetensors");
  const auto& logits = raw.tensors().at("logits");
  CHECK(logits.shape == std::vector<Index>{1, 64});
  CHECK(raw.tensors().at("offsets").shape == std::vector<Index>{1, 64, 2});
  const auto* values = reinterpret_cast<const float*>(logits.data);
  const auto cell = std::max_element(values, values + 64) - values;
  CHECK(fix["cell"] == json({cell / 8, cell % 8}));
  CHECK(io::read_image(work.folder / "fix.png").shape() == Shape<3>{256 + 512, 512, 3});
  CHECK(work.folder.entries() == 5);  // weights, pair, picture, dump: nothing temporary
}

TEST_CASE("a truth that may be a position in degrees is warned about") {
  const Workspace work;
  const std::string bounds = "--bounds 8,50,8.000894,50.000575 --truth ";
  for (const char* truth : {"50.0001,8.0001", "8.0001,50.0001"}) {
    CAPTURE(truth);
    const Run run = work.locate(bounds + truth);
    CHECK(run.code == 0);
    CHECK(run.err.find(std::string("warning: tile.jpg: the truth, ") + truth +
                       ", is a position within the bounds") != std::string::npos);
  }
  CHECK(work.locate(bounds + "50.0001,7.9999").err.find("a position") == std::string::npos);
  CHECK(work.locate("--truth 50.0001,8.0001").err.find("a position") == std::string::npos);
}

TEST_CASE("a tile far from the trained scale is warned about, unless rescaled") {
  const Workspace work;  // trained on tiles of 64 m; this one is of 128 m
  CHECK(work.locate("--gsd 2").err.find("crossfix: warning: tile.jpg: ") != std::string::npos);
  CHECK(work.locate("--gsd 1.05").err.find("warning") == std::string::npos);
  const Run rescaled = work.locate("--gsd 2 --rescale --json");
  CHECK(rescaled.err.find("warning") == std::string::npos);
  const json fix = lines_of(rescaled).at(0);
  for (const auto& coordinate : fix["pixel"]) {  // the middle half of the tile was seen
    CHECK(coordinate.get<double>() >= 16);
    CHECK(coordinate.get<double>() <= 48);
  }
}

TEST_CASE("numbers are read alike, in one argument or several") {
  const Workspace work;
  const json fix = lines_of(work.locate("--json --gsd 1 --truth 32,-3.5")).at(0);
  for (const char* same : {"--gsd ' +1' --truth '32, -3.5'", "--truth 32 -3.5 --gsd '1 '",
                           "--gsd 1 --truth +32,-3.5 --heading ' 0'"}) {
    CAPTURE(same);
    CHECK(lines_of(work.locate("--json " + std::string(same))).at(0) == fix);
  }
  const json bounded = lines_of(work.locate("--json --bounds 8,50,8.000894,50.000575")).at(0);
  for (const char* same : {"'8, 50, 8.000894, 50.000575'", "8 50 8.000894 50.000575"}) {
    CAPTURE(same);
    CHECK(lines_of(work.locate("--json --bounds " + std::string(same))).at(0) == bounded);
  }
}

TEST_CASE("far more threads than cores, and images of few pixels, are warned about") {
  const Workspace work;
  const std::string many =
      "--threads " + std::to_string(4 * std::max(1U, std::thread::hardware_concurrency()) + 1);
  CHECK(work.locate(many).err.find("warning: " + many + " on ") != std::string::npos);
  CHECK(work.locate("--threads 1").err.find("warning") == std::string::npos);
  io::write_png(work.folder / "few.png", test::image("few", 32, 32));
  const Run run =
      work.run("locate --json --model weights.safetensors --ground ground.png --satellite few.png");
  CHECK(run.err.find("warning: few.png: 32x32 pixels are enlarged 4 times") != std::string::npos);
  CHECK(lines_of(run).at(0)["warnings"].dump().find("few.png: 32x32 pixels") != std::string::npos);
}

TEST_CASE("a truth far outside of its tile is an error of its line, and not in the mean") {
  const Workspace work;
  test::write_text(work.folder / "list.csv",
                   "ground,satellite,row,col\nground.png,tile.jpg,3,2\n"
                   "ground.png,tile.jpg,3,52000\n");
  const Run run = work.run("locate --model weights.safetensors --pairs list.csv");
  CHECK(run.code == 3);
  CHECK(run.err.find("crossfix: 1 pairs with a truth") != std::string::npos);
  CHECK(lines_of(run).at(1)["error"].get<std::string>().find("more than a side outside") !=
        std::string::npos);
}

TEST_CASE("a list: JSON lines in its order, a failed pair in its line, a summary") {
  const Workspace work;
  std::string list = "ground,satellite,row,col,gsd\r\n";
  for (int i = 0; i < 12; ++i) {
    const bool broken = i == 5;
    list += std::string(broken ? "absent.png" : "ground.png") + ",tile.jpg," + std::to_string(i) +
            ",2,1\r\n";
  }
  list += "tile.jpg,tile.jpg,,,\r\n";  // a square image is no panorama
  test::write_text(work.folder / "list.csv", list);
  const Run run = work.run("locate --model weights.safetensors --pairs list.csv --dump raw.st");
  INFO(run.err);
  CHECK(run.code == 3);
  CHECK(run.message().find("list.csv: 2 of 13 pairs could not be located") != std::string::npos);
  CHECK(run.err.find('\r') == std::string::npos);  // no progress bar in a pipe
  CHECK(run.err.find("crossfix: 11 pairs with a truth: error mean ") != std::string::npos);

  const auto lines = lines_of(run);
  REQUIRE(lines.size() == 13);
  const json single = lines_of(work.locate("--json --gsd 1 --truth 3,2")).at(0);
  for (int i = 0; i < 13; ++i) {
    const json& line = lines[static_cast<std::size_t>(i)];
    CHECK(line["line"] == i + 2);
    if (i == 5 || i == 12) {
      CHECK(has_keys(line, {"line", "ground", "satellite", "error"}));
    } else {
      CHECK(line["truth"] == json({static_cast<double>(i), 2.0}));
      CHECK(line["pixel"] == single["pixel"]);
    }
  }
  CHECK(lines[3]["error_m"] == single["error_m"]);
  const auto raw = io::Safetensors::open(work.folder / "raw.st");
  const auto& logits = raw.tensors().at("logits");
  REQUIRE(logits.shape == std::vector<Index>{13, 64});
  const auto* values = reinterpret_cast<const float*>(logits.data);
  CHECK(std::isnan(values[5 * 64]));
  CHECK(values[4 * 64] == values[6 * 64]);
}

TEST_CASE("a list for the ground matcher goes on past a panorama without ground, and is dumped") {
  const Workspace work;
  io::write_png(work.folder / "wide.png", test::image("wide", 100, 100));
  io::write_png(work.folder / "wider.png", test::image("wider", 110, 110));
  auto sky = test::image("sky", 32, 64);
  std::fill_n(&sky(15, 0, 0), 17 * 64 * 3, std::uint8_t{0});
  io::write_png(work.folder / "sky.png", sky);
  io::write_png(work.folder / "black.png", Tensor<std::uint8_t, 3>({32, 64, 3}));
  test::write_text(work.folder / "list.csv",
                   "ground,satellite\nsky.png,wide.png\nground.png,wide.png\nblack.png,wide.png\n");
  const std::string locate = "locate --device cpu --gsd 0.2 --heading unknown --pairs ";
  const Run run = work.run(locate + "list.csv --dump raw.st --dump-poses");
  CHECK(run.code == 3);
  CHECK(run.out.find("shows no ground") != std::string::npos);
  CHECK(run.out.find("\"heading_degrees\"") != std::string::npos);
  const auto raw = io::Safetensors::open(work.folder / "raw.st");
  CHECK(raw.tensors().at("probability").shape == std::vector<Index>{3, 25, 25});
  CHECK(raw.tensors().at("pose_probability").shape == std::vector<Index>{3, 54, 25, 25});
  CHECK(lines_of(run).at(2)["nowhere"] == 1);
  CHECK(lines_of(run).at(2)["blank_ground"] == true);

  test::write_text(work.folder / "two.csv",
                   "ground,satellite\nground.png,wide.png\nground.png,wider.png\n");
  // Before any work: nothing is printed.
  CHECK(work.run(locate + "two.csv --dump two.st")
            .failed_with(3, "two.csv:3: a tile of 22 m, 28 cells a side"));
  test::write_text(work.folder / "kinds.csv",
                   "ground,satellite,heading\nground.png,wide.png,\nground.png,wide.png,0\n");
  CHECK(work.run(locate + "kinds.csv --dump two.st")
            .failed_with(3, "a heading that is given; line 2"));
  // A tile that cannot be located has no shape.
  test::write_text(work.folder / "coarse.csv",
                   "ground,satellite,gsd\nground.png,wider.png,9\nground.png,wide.png,\n"
                   "ground.png,absent.png,\n");
  CHECK(work.run(locate + "coarse.csv --dump coarse.st").message().find("2 of 3 pairs") !=
        std::string::npos);
  CHECK_FALSE(std::filesystem::exists(work.folder / "two.st"));
  CHECK(work.run(locate + "list.csv --dump-poses").failed_with(2, "needs --dump"));
  CHECK(
      work.run("locate --model weights.safetensors --ground ground.png --satellite tile.jpg --dump "
               "raw.st --dump-poses")
          .failed_with(3, "match on the ground plane"));
}

TEST_CASE("the rows of a list say which cameras took their images") {
  const Workspace work;
  io::write_png(work.folder / "wide.png", test::image("wide", 100, 100));
  io::write_png(work.folder / "photo.png", test::image("photo", 48, 64));
  io::write_png(work.folder / "part.png", test::image("part", 20, 64));
  test::write_text(work.folder / "rig.yaml",
                   "model: pinhole\nwidth: 64\nheight: 48\nhfov_deg: 80\nheight_m: 1.6\n");
  test::write_text(work.folder / "list.csv",
                   "ground,satellite,heading,camera,hfov,height,bounds,gsd\n"
                   "ground.png,wide.png,90,,,,\"8,50,8.00028,50.00018\",\n"
                   "photo.png,wide.png,unknown,rig.yaml,,,,0.2\n"
                   "photo.png,wide.png,45,,80,1.6,,0.2\n"
                   "part.png,wide.png,,,,,,0.2\n"       // which part of a panorama?
                   "photo.png,wide.png,,,,2,,0.2\n"     // no whole panorama
                   "ground.png,wide.png,,,90,2,,0.2\n"  // a panorama as a photo
                   "part.png,wide.png,,rig.yaml,,,,0.2\n");
  const Run run = work.run("locate --device cpu --pairs list.csv");
  INFO(run.err);
  CHECK(run.code == 3);
  CHECK(run.message().find("3 of 7 pairs could not be located") != std::string::npos);
  CHECK(run.err.find("warning: " + (work.folder / "ground.png").filename().string()) !=
        std::string::npos);
  const auto lines = lines_of(run);
  REQUIRE(lines.size() == 7);
  CHECK(lines[0]["heading_degrees"] == 90);
  CHECK(lines[0]["position"][0].get<double>() > 8);
  CHECK(lines[1]["heading_sigma_degrees"] > 0);
  CHECK_FALSE(lines[1].contains("position"));
  CHECK(lines[2]["heading_degrees"] == 45);
  const json single =
      lines_of(work.run("locate --device cpu --ground photo.png --satellite wide.png "
                        "--gsd 0.2 --hfov 80 --height 1.6 --heading 45 --json"))
          .at(0);
  CHECK(lines[2]["pixel"] == single["pixel"]);
  CHECK(lines[3]["error"].get<std::string>().find("azimuth_deg") != std::string::npos);
  CHECK(lines[4]["error"].get<std::string>().find("twice as wide") != std::string::npos);
  CHECK(lines[5].contains("pixel"));
  CHECK(lines[6]["error"].get<std::string>().find("64 x 48") != std::string::npos);
}

TEST_CASE("a panorama given as a photo is located with a warning") {
  const Workspace work;
  io::write_png(work.folder / "wide.png", test::image("wide", 100, 100));
  const std::string locate =
      "locate --device cpu --gsd 0.2 --satellite wide.png --height 2 --ground ";
  const Run run = work.run(locate + "ground.png --hfov 90");
  CHECK(run.code == 0);
  CHECK(run.err.find("warning: ground.png is twice as wide as high") != std::string::npos);
  CHECK(run.err.find("leave out --hfov") != std::string::npos);
  CHECK(work.run(locate + "ground.png").err.find("warning") == std::string::npos);
}

TEST_CASE("a list in batches gives the same lines, whatever pair fails") {
  const Workspace work;
  std::string list = "ground,satellite,row,col\n";
  for (int i = 0; i < 7; ++i) {
    const std::string name = "ground" + std::to_string(i) + ".png";
    io::write_png(work.folder / name, test::image(name, i == 4 ? 64 : 32, 64));  // 4: no panorama
    list += (i == 1 ? "absent.png" : name) + ",tile.jpg,30,30\n";
  }
  test::write_text(work.folder / "list.csv", list);
  const std::string command = "locate --model weights.safetensors --pairs list.csv";
  const auto expected = lines_of(work.run(command));
  REQUIRE(expected.size() == 7);
  for (const char* batch : {" --batch 3", " --batch 50"}) {
    const Run run = work.run(command + batch);
    INFO(batch << "\n" << run.err);
    CHECK(run.code == 3);
    CHECK(run.message().find("2 of 7 pairs could not be located") != std::string::npos);
    CHECK(run.err.find("crossfix: 5 pairs with a truth: error mean ") != std::string::npos);
    const auto lines = lines_of(run);
    REQUIRE(lines.size() == 7);
    for (std::size_t i = 0; i < 7; ++i) {
      CHECK(lines[i]["line"] == expected[i]["line"]);
      CHECK(lines[i].contains("error") == (i == 1 || i == 4));
      if (lines[i].contains("error")) {
        CHECK(lines[i] == expected[i]);
      } else {
        CHECK(lines[i]["cell"] == expected[i]["cell"]);
        CHECK(lines[i]["error_px"].get<double>() ==
              Approx(expected[i]["error_px"].get<double>()).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("a list may come in through standard input or another descriptor") {
  const Workspace work;
  std::filesystem::create_directory(work.folder / "lists");
  test::write_text(work.folder / "lists/list.csv",
                   "ground,satellite,row,col\nground.png,tile.jpg,3,4\n");
  const std::string locate = "locate --model weights.safetensors --pairs ";
  const json single = lines_of(work.locate("--json --truth 3,4")).at(0);
  for (const char* source : {"- <lists/list.csv", "/dev/stdin <lists/list.csv",
                             "/dev/fd/3 3<lists/list.csv", "/proc/self/fd/4 4<lists/list.csv"}) {
    const Run run = work.run(locate + source);
    INFO(source << "\n" << run.err);
    CHECK(run.code == 0);
    REQUIRE(lines_of(run).size() == 1);
    CHECK(lines_of(run)[0]["pixel"] == single["pixel"]);
  }
  CHECK(work.run(locate + "- </dev/null").failed_with(3, "/dev/stdin:1: empty"));
  CHECK(work.run(locate + "- <lists").failed_with(3, "/dev/stdin: "));
  CHECK(work.run(locate + "- <&-").failed_with(3, "/dev/stdin: cannot be read"));
  CHECK(work.run(locate + "- --dump lists/list.csv <lists/list.csv").failed_with(2, "is an input"));
  // A list in a folder has its images there.
  CHECK(lines_of(work.run(locate + "lists/list.csv")).at(0).contains("error"));
}

TEST_CASE("names of any bytes go into JSON that can be read") {
  const Workspace work;
  const std::string latin =
      "stra\xDF"
      "e\x9B"
      "2J.png";
  const std::string surrogate = "x\xED\xA0\x80\xC0\x9B.jpg";
  std::filesystem::copy(work.folder / "ground.png", work.folder / latin);
  std::filesystem::copy(work.folder / "tile.jpg", work.folder / surrogate);
  const std::string folder =
      "gr\xFC"
      "n\x7F";
  std::filesystem::create_directory(work.folder / folder);
  test::write_text(work.folder / folder / "list\xE9.csv",
                   "ground,satellite\n../" + latin + ",../" + surrogate + "\nabsent\xFE.png,../" +
                       surrogate + "\n../ground.png,../tile.jpg\n");
  const Run list =
      work.run("locate --model weights.safetensors --pairs '" + folder + "/list\xE9.csv'");
  INFO(list.err);
  CHECK(list.code == 3);
  CHECK(list.message().find("1 of 3 pairs") != std::string::npos);
  const auto lines = lines_of(list);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].contains("pixel"));
  CHECK(lines[1]["error"].get<std::string>().find("absent\xEF\xBF\xBD.png") != std::string::npos);
  CHECK(lines[2]["pixel"] == lines[0]["pixel"]);
  const Run one = work.run("locate --model weights.safetensors --json --ground '" + latin +
                           "' --satellite '" + surrogate + "'");
  INFO(one.err);
  CHECK(one.code == 0);
  CHECK(lines_of(one).at(0)["pixel"] == lines[0]["pixel"]);
}

TEST_CASE("no metadata or name that is printed commands the terminal") {
  Workspace work;
  const std::string evil =
      "a\x1B]0;owned\x07\x1B[2Jb\x7F\xC2\x9B"
      "31m\nradius 1 px\rc";
  model::Configuration configuration = test::program_configuration();
  configuration.trained_on = evil;
  work.model.write(work.folder / "evil.safetensors", configuration);
  const std::string name = "g\x1B[31m\xC2\x85\x7F.png";
  std::filesystem::copy(work.folder / "ground.png", work.folder / name);
  std::filesystem::copy(work.folder / "evil.safetensors", work.folder / (name + ".safetensors"));
  const std::string pair = " --ground '" + name + "' --satellite tile.jpg --gsd 7 ";
  test::write_text(work.folder / "list.csv",
                   "ground,satellite,gsd\n" + name + ",tile.jpg,7\nno" + name + ",tile.jpg,7\n");
  const std::string weights = "--model evil.safetensors";
  for (const std::string& command :
       {std::string("info evil.safetensors"), "info '" + name + ".safetensors'",
        "info '" + name + "'", "locate " + weights + pair, "locate --json " + weights + pair,
        "locate " + weights + " --pairs list.csv",
        "locate " + weights + pair + "--truth '" + evil + "'",
        "locate " + weights + " --ground 'no" + name + "' --satellite tile.jpg", "'" + evil + "'",
        "evaluate --list --dataset vigor --root '" + name + "'"}) {
    const Run run = work.run(command);
    const std::string text = run.out + run.err;
    INFO(command << "\n" << text);
    CHECK_FALSE(text.empty());
    for (const char* part : {"\x1B", "\x07", "\x7F", "\xC2\x9B", "\xC2\x85", "\r", "\nradius 1 "}) {
      CHECK(text.find(part) == std::string::npos);
    }
  }
}

TEST_CASE("weights may come in on a path with spaces; messages stay on one line") {
  const Workspace work;
  const Run run = work.run("locate --model 'a\nb' --ground ground.png --satellite tile.jpg");
  CHECK(run.failed_with(3, "a b"));
}

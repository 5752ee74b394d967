#include <catch2/catch.hpp>
#include <limits>
#include <utility>

#include "io/png_builder.hpp"
#include "program.hpp"

using namespace crossfix;
using test::Run;
using test::Workspace;

// Each gives one line and the right exit code, and leaves no half-written file.

TEST_CASE("usage errors exit 2") {
  const Workspace work;
  CHECK(work.run("").failed_with(2, "a command is expected: locate, evaluate, info, world"));
  CHECK(work.run("lokate").failed_with(2, "'lokate' (did you mean 'locate'?): locate, evaluate"));
  CHECK(work.run("frobnicate").failed_with(2, "'frobnicate': locate, evaluate, info, world"));
  CHECK(work.locate("--nope").failed_with(2, "--nope"));
  CHECK(work.locate("--pairs list.csv").failed_with(2, "--pairs"));
  CHECK(work.run("locate --ground ground.png").failed_with(2, "--satellite"));
  CHECK(work.locate("--gsd 0").failed_with(2, "--gsd"));
  CHECK(work.locate("--gsd nan").failed_with(2, "--gsd"));
  CHECK(work.locate("--gsd 1e-9").failed_with(2, "--gsd: is 1e-09; 0.001 to 100 metres"));
  CHECK(work.locate("--gsd 101").failed_with(2, "--gsd: is 101; 0.001 to 100 metres"));
  CHECK(work.locate("--gsd 20 --rescale").failed_with(3, "1280 m wide"));
  CHECK(work.locate("--gsd x").failed_with(2, "--gsd"));
  CHECK(work.locate("--bounds 1,2,3").failed_with(2, "--bounds"));
  CHECK(work.locate("--bounds 9,50,8,51").failed_with(2, "--bounds"));
  CHECK(work.locate("--bounds 391000,5818000,391100,5818100").failed_with(2, "--bounds: bounds"));
  CHECK(work.locate("--truth 1").failed_with(2, "--truth"));
  CHECK(work.locate("--truth 5,5000").failed_with(3, "column 5000, lies more than a side"));
  CHECK(work.locate("--device tpu").failed_with(2, "--device"));
  CHECK(work.locate("--precision f8").failed_with(2, "--precision"));
  CHECK(work.locate("--threads 0").failed_with(2, "--threads"));
  CHECK(work.locate("--gpu -1").failed_with(2, "--gpu"));
  CHECK(work.locate("--batch 0").failed_with(2, "--batch"));
  CHECK(work.locate("--batch 2").failed_with(2, "--pairs"));  // one pair is no batch
  CHECK(work.locate("--overlay fix.gif").failed_with(2, "fix.gif"));
  CHECK(work.locate("--overlay-ground").failed_with(2, "--overlay"));
  CHECK(work.locate("--heading +-5").failed_with(2, "--heading"));
  for (const char* option : {"--height", "--gsd", "--camera", "--model", "--dump", "--threads"}) {
    INFO(option);
    CHECK(work.locate(option + std::string(" ''")).failed_with(2, std::string(option) + ": "));
  }
  for (const char* input : {"ground.png", "tile.jpg", "weights.safetensors", "./ground.png"}) {
    CHECK(work.locate(std::string("--dump ") + input).failed_with(2, "is an input"));
  }
  CHECK(work.locate("--overlay tile.jpg").failed_with(2, "is an input"));
  CHECK(work.locate("--overlay fix.png --dump fix.png").failed_with(2, "name another one"));
  CHECK(work.locate("--bounds 10,50,10.004,50.000643").failed_with(3, "times as high as wide"));
  CHECK(work.locate("--gsd 2 --bounds 8,50,8.000894,50.000575").failed_with(3, "by its bounds"));
}

TEST_CASE("an output of a list is none of the files that its lines name") {
  const Workspace work;
  test::write_text(work.folder / "rig.st",
                   "model: equirectangular\nwidth: 64\nheight: 32\nheight_m: 2\n");
  std::filesystem::create_symlink("ground.png", work.folder / "link.st");
  test::write_text(work.folder / "list.csv",
                   "ground,satellite,camera\nground.png,tile.jpg,rig.st\n");
  for (const char* output : {"ground.png", "./tile.jpg", "rig.st", "link.st", "list.csv"}) {
    CAPTURE(output);
    const std::string before = test::read_text(work.folder / output);
    CHECK(work.run(std::string("locate --pairs list.csv --dump ") + output)
              .failed_with(2, std::string("--dump: '") + output + "' is an input, '"));
    CHECK(test::read_text(work.folder / output) == before);
  }
  CHECK(work.run("locate --pairs list.csv --dump raw.npz").failed_with(2, "end in .safetensors"));
}

TEST_CASE("standard output goes into no file that the program reads or writes") {
  const Workspace work;
  const std::string pair =
      "locate --model weights.safetensors --ground ground.png --satellite tile.jpg";
  for (const char* outputs : {"--overlay fix.png", "--json --dump fix.png"}) {
    CAPTURE(outputs);
    const Run run = work.run(pair + " " + outputs, "fix.png");
    CHECK(run.failed_with(2, "'fix.png' is where standard output goes"));
  }
  CHECK(work.run(pair + " --dump raw.st", "log.txt").code == 0);
  // The shell has emptied the tile by then.
  CHECK(work.run(pair, "tile.jpg").failed_with(2, "--satellite: 'tile.jpg' is where standard"));
}

TEST_CASE("options that no camera can have exit 2, and name the option") {
  const Workspace work;
  test::write_text(work.folder / "camera.yaml",
                   "model: equirectangular\nwidth: 64\nheight: 32\nheight_m: 1.6\n"
                   "heading_deg: 3\n");
  test::write_text(work.folder / "bad.yaml", "model: equirectangular\nwidth: 64\nheight: x\n");
  CHECK(work.locate("--hfov 90").failed_with(2, "--hfov: needs --height"));
  CHECK(work.locate("--hfov 400 --height 2").failed_with(2, "--hfov: is 400;"));
  CHECK(work.locate("--height -1").failed_with(2, "--height: is -1;"));
  CHECK(work.locate("--pitch 3").failed_with(2, "--pitch: needs --height"));
  CHECK(work.locate("--heading 1e300").failed_with(2, "--heading: is 1e+300;"));
  CHECK(
      work.locate("--heading unknown --heading-sigma 3").failed_with(2, "--heading-sigma: is of"));
  const std::string camera = "--camera camera.yaml ";
  CHECK(work.locate(camera + "--hfov 90").failed_with(2, "--hfov: is said by --camera too"));
  CHECK(work.locate(camera + "--heading 3").failed_with(2, "--heading: is said by --camera too"));
  CHECK(work.locate(camera + "--heading-sigma 3")
            .failed_with(2, "--heading-sigma: is said by --camera too"));
  CHECK(work.locate("--height 2 --pitch-sigma 31").failed_with(2, "--pitch-sigma: is 31;"));
  CHECK(work.locate("--camera bad.yaml").failed_with(3, "bad.yaml:3: height"));
}

TEST_CASE("a seed beyond 64 bits exits 2") {
  const Workspace work;
  const std::string evaluate =
      "evaluate --dataset vigor --root . --heading-noise 3 --heading-seed ";
  for (const char* seed : {"18446744073709551616", "-1", "1e3", "''"}) {
    INFO(seed);
    CHECK(work.run(evaluate + seed).failed_with(2, "--heading-seed: "));
    CHECK(work.run(std::string("world --out o --seed ") + seed).failed_with(2, "--seed: "));
  }
  CHECK(work.run(evaluate + "18446744073709551615").code == 3);  // there is no data set
}

TEST_CASE("an absent device exits 4") {
  const Workspace work;
  // A GPU number that no machine has, so the GPU is missing with and without one.
  CHECK(work.locate("--device cuda --gpu 1023").failed_with(4, "--device cpu"));
  CHECK(work.locate("--precision f16 --device cpu").failed_with(4, "f16"));
}

TEST_CASE("images that are none, damaged, or of another kind exit 3") {
  const Workspace work;
  const auto& folder = work.folder;
  const auto with_ground = [&](const std::string& name) {
    return work.run("locate --model weights.safetensors --satellite tile.jpg --ground " + name);
  };
  test::write_text(folder / "empty.png", "");
  test::write_text(folder / "text.png", "not an image, and longer than any signature");
  const std::string whole = test::read_text(folder / "ground.png");
  test::write_text(folder / "cut.png", whole.substr(0, whole.size() / 2));
  const std::string jpeg = test::read_text(folder / "tile.jpg");
  test::write_text(folder / "cut.jpg", jpeg.substr(0, jpeg.size() / 2));
  test::write_text(folder / "huge.png",
                   test::PngBuilder(100000, 100000, 8, 2, false).data("x").finish());
  for (const char* name :
       {"huge.png", "absent.png", "empty.png", "text.png", "cut.png", "cut.jpg", "."}) {
    INFO(name);
    CHECK(with_ground(name).failed_with(3, name));
  }
  CHECK(with_ground("tile.jpg").failed_with(3, "64x64"));  // no panorama
  CHECK(work.run("locate --model weights.safetensors --ground ground.png --satellite ground.png")
            .failed_with(3, "square"));
}

TEST_CASE("weights that are none, damaged, or not the network exit 3") {
  Workspace work;
  const auto& folder = work.folder;
  const auto with_weights = [&](const std::string& name) {
    return work.run("locate --ground ground.png --satellite tile.jpg --model " + name);
  };
  const std::string whole = test::read_text(folder / "weights.safetensors");
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{100}, whole.size() - 1}) {
    test::write_text(folder / "cut.safetensors", whole.substr(0, size));
    INFO(size);
    CHECK(with_weights("cut.safetensors").failed_with(3, "cut.safetensors"));
  }
  std::string huge_header = whole;
  huge_header[6] = '\x7f';
  test::write_text(folder / "huge.safetensors", huge_header);
  CHECK(with_weights("huge.safetensors").failed_with(3, "header"));
  CHECK(with_weights("absent.safetensors").failed_with(3, "absent.safetensors"));
  CHECK(with_weights("ground.png").failed_with(3, "ground.png"));
  CHECK(work.run("info ground.png").failed_with(3, "ground.png"));

  const std::string name = "location_head.layers.0.weight";
  auto& values = work.model.values.at(name);
  const float kept = std::exchange(values[5], std::numeric_limits<float>::quiet_NaN());
  work.write_weights("nan.safetensors");
  CHECK(with_weights("nan.safetensors").failed_with(3, "'" + name + "' holds nan"));
  values[5] = kept;
  TensorRecord& record = work.model.records.at(name);
  record.shape = {record.shape[0] / 2, record.shape[1] * 2};
  work.write_weights("wide.safetensors");
  CHECK(with_weights("wide.safetensors").failed_with(3, "'" + name + "' has shape"));
  work.model.records.erase(name);
  work.write_weights("missing.safetensors");
  CHECK(with_weights("missing.safetensors").failed_with(3, "'" + name + "' is missing"));
}

TEST_CASE("outputs that cannot be written exit 3 and leave nothing") {
  const Workspace work;
  const auto before = work.folder.entries();
  for (const char* option : {"--overlay", "--dump"}) {
    INFO(option);
    const std::string file = std::string("no/such/folder.") + (option[2] == 'o' ? "png" : "st");
    CHECK(work.locate(option + (" " + file)).failed_with(3, file));
  }
  CHECK(work.run("locate --model weights.safetensors --ground ground.png --satellite tile.jpg",
                 "/dev/full")
            .failed_with(3, "standard output"));
  test::write_text(work.folder / "list.csv", "ground,satellite\nground.png,tile.jpg\n");
  CHECK(work.run("locate --model weights.safetensors --pairs list.csv", "/dev/full")
            .failed_with(3, "standard output"));
  std::filesystem::remove(work.folder / "list.csv");
  // An input that fails after the outputs were opened.
  CHECK(work.run("locate --model weights.safetensors --ground absent.png --satellite tile.jpg "
                 "--overlay fix.png --dump raw.st")
            .failed_with(3, "absent.png"));
  CHECK(work.folder.entries() == before);
}

TEST_CASE("a file beyond the limit on its size exits 3 and leaves nothing") {
  const Workspace work;
  const auto before = work.folder.entries();
  for (const char* output : {"--overlay fix.png", "--dump raw.st"}) {
    CAPTURE(output);
    const auto run =
        work.run("locate --model weights.safetensors --ground ground.png --satellite tile.jpg " +
                     std::string(output),
                 "/dev/null", "ulimit -f 1");
    CHECK(run.failed_with(3, "File too large"));
    CHECK(work.folder.entries() == before);
  }
}

TEST_CASE("a fix is printed although a picture or a dump cannot be written") {
  const Workspace work;
  std::filesystem::create_symlink("/dev/full", work.folder / "full.png");
  const auto fix_of = [](const Run& run) { return run.out.substr(run.out.find("pixel")); };
  const Run whole = work.locate("");
  for (const char* outputs :
       {"--overlay full.png --dump raw.st", "--overlay fix.png --dump full.png"}) {
    const Run run = work.locate(outputs);
    INFO(outputs << "\n" << run.err);
    CHECK(run.code == 3);
    CHECK(run.message().find("cannot write 'full.png'") != std::string::npos);
    CHECK(fix_of(run) == fix_of(whole));
  }
  CHECK(std::filesystem::exists(work.folder / "raw.st"));  // each, although the other failed
  CHECK(std::filesystem::exists(work.folder / "fix.png"));
  const Run unprinted = work.run(
      "locate --model weights.safetensors --ground ground.png --satellite tile.jpg --dump kept.st",
      "/dev/full");
  CHECK(unprinted.failed_with(3, "standard output"));
  CHECK(std::filesystem::exists(work.folder / "kept.st"));
  test::write_text(work.folder / "list.csv", "ground,satellite,row,col\nground.png,tile.jpg,3,4\n");
  const Run list = work.run("locate --model weights.safetensors --pairs list.csv --dump full.png");
  CHECK(list.code == 3);
  CHECK(list.out.ends_with("}\n"));
  CHECK(list.err.find("1 pairs with a truth") != std::string::npos);
}

TEST_CASE("what cannot be written or located is refused before the work, and without warnings") {
  const Workspace work;
  io::write_png(work.folder / "tall.png", test::image("tall", 200, 5));  // 20480 px at 512 px wide
  const Run tall = work.run(
      "locate --model weights.safetensors --ground tall.png --satellite tile.jpg --overlay-ground "
      "--overlay fix.png");
  CHECK(tall.failed_with(3, "'fix.png' would be 512 x 20992 pixels"));
  CHECK(tall.err.find("trained on") == std::string::npos);
  const Run far = work.locate("--bounds 10,50,10.004,50.000643");
  CHECK(far.failed_with(3, "times as high as wide"));
  CHECK(far.err.find("warning") == std::string::npos);
}

TEST_CASE("a list of which no pair is located leaves no dump") {
  const Workspace work;
  test::write_text(work.folder / "list.csv",
                   "ground,satellite\nabsent.png,tile.jpg\ntile.jpg,tile.jpg\n");
  const auto before = work.folder.entries();
  const Run run = work.run("locate --model weights.safetensors --pairs list.csv --dump raw.st");
  CHECK(run.code == 3);
  CHECK(run.message().find("2 of 2 pairs") != std::string::npos);
  CHECK(work.folder.entries() == before);
}

TEST_CASE("a stream that is closed gets no file in its stead") {
  const Workspace work;
  const std::string locate =
      "locate --model weights.safetensors --ground ground.png --satellite tile.jpg --gsd 7 ";
  // The shell's own streams tell how it went.
  const auto code_with = [&](const std::string& closed) {
    std::filesystem::remove(work.folder / "fix.png");
    return work.run(locate + "--overlay fix.png " + closed + "; echo code $?").out;
  };
  REQUIRE(code_with(">/dev/null 2>&1") == "code 0\n");
  const std::string picture = test::read_text(work.folder / "fix.png");
  for (const auto& [closed, code] :
       {std::pair{"<&- >/dev/null 2>&1", 0}, std::pair{"2>&- >/dev/null", 0},
        std::pair{">&- 2>/dev/null", 3}, std::pair{"<&- >&- 2>&-", 3}}) {
    INFO(closed);
    CHECK(code_with(closed) == "code " + std::to_string(code) + "\n");
    CHECK(test::read_text(work.folder / "fix.png") == picture);
  }
  CHECK(work.run("--version >&- 2>/dev/null; echo code $?").out == "code 3\n");
}

TEST_CASE("a list that cannot be read exits 3 before any work") {
  const Workspace work;
  test::write_text(work.folder / "list.csv", "ground,satellite\nonly\n");
  CHECK(work.run("locate --pairs list.csv").failed_with(3, "list.csv:2:"));
  test::write_text(work.folder / "list.csv", "ground,satellite\r\n");
  CHECK(work.run("locate --pairs list.csv --dump raw.st").failed_with(3, "no pair follows"));
  CHECK_FALSE(std::filesystem::exists(work.folder / "raw.st"));
  CHECK(work.run("locate --pairs absent.csv").failed_with(3, "absent.csv"));
  test::write_text(work.folder / "list.csv",
                   "ground,satellite,height,camera\nground.png,tile.jpg,,\n"
                   "ground.png,tile.jpg,-1,\n");
  CHECK(work.run("locate --pairs list.csv").failed_with(3, "list.csv:3: height is -1"));
  CHECK(work.run("locate --pairs list.csv --hfov 90").failed_with(2, "--hfov: needs --height"));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they take all addresses
TEST_CASE("too little memory is one line and exit code 3, or fewer threads, never a crash") {
  const Workspace work;
  for (const int threads : {1, 4, 64}) {
    for (const char* limit : {"130000", "180000", "260000", "400000"}) {
      CAPTURE(threads, limit);
      const Run run = work.run(
          "locate --model weights.safetensors --ground ground.png --satellite tile.jpg --threads " +
              std::to_string(threads),
          "", std::string("ulimit -v ") + limit);
      CAPTURE(run.err);
      if (run.code != 0) CHECK(run.failed_with(3, "memory"));
      if (threads == 64 && run.code == 0) CHECK(run.err.find("going on with") != std::string::npos);
    }
  }
  const Run world = work.run(
      "world --out world --cities 1 --panoramas 2 --tile-size 16 --panorama-size 32x16 "
      "--tile-samples 1 --panorama-samples 1 --threads 64",
      "", "ulimit -v 300000");
  CAPTURE(world.err);
  CHECK(world.code == 0);
  CHECK(std::filesystem::exists(work.folder / "world/world.json"));
}
#endif

TEST_CASE("a pipe among the inputs is refused, and not waited for") {
  const Workspace work;
  const std::string pair = "locate --ground ground.png --satellite tile.jpg --model ";
  const auto run = [&](const std::string& arguments) {
    return work.run(arguments, "", "rm -f pipe && mkfifo pipe");
  };
  CHECK(run(pair + "pipe").failed_with(3, "pipe': it is no regular file"));
  CHECK(run(pair + "weights.safetensors --camera pipe").failed_with(3, "pipe: it is a pipe"));
  CHECK(run("locate --model weights.safetensors --ground pipe --satellite tile.jpg")
            .failed_with(3, "'pipe': it is a pipe"));
  test::write_text(work.folder / "list.csv", "ground,satellite\nground.png,pipe\n");
  const Run list = run("locate --model weights.safetensors --pairs list.csv");
  CHECK(list.code == 3);
  CHECK(list.out.find("it is a pipe or a device") != std::string::npos);
}

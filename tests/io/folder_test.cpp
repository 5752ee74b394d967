#include "crossfix/io/folder.hpp"

#include <catch2/catch.hpp>

#include "crossfix/core/error.hpp"
#include "files.hpp"

using namespace crossfix;

TEST_CASE("a folder is made, and none above it") {
  const test::ScratchFolder folder;
  for (const char* name : {"new", "new", "slash/", "new/./below", "new/../beside"}) {
    CAPTURE(name);
    io::make_folder(folder / name);
    CHECK(std::filesystem::is_directory(folder / name));
  }
  for (const char* name : {"typo/new", "typo/dir/new", "typo/new/"}) {
    CAPTURE(name);
    CHECK(test::message_of<DataError>([&] {
            io::make_folder(folder / name);
          }).find("there is no folder '" + (folder / "typo").string()) != std::string::npos);
  }
  CHECK_FALSE(std::filesystem::exists(folder / "typo"));
  test::write_text(folder / "file", "mine");
  CHECK_THROWS_AS(io::make_folder(folder / "file"), DataError);
  CHECK_THROWS_AS(io::make_folder(folder / "file" / "below"), DataError);
  CHECK(test::read_text(folder / "file") == "mine");
}

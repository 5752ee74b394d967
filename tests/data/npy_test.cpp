#include "data/npy.hpp"

#include <cstring>

#include "crossfix/core/error.hpp"
#include "fixtures.hpp"

using namespace crossfix;

namespace {

/// A NumPy file, version 1, with the given dictionary and numbers.
std::string npy(const std::string& dictionary, const std::vector<double>& values) {
  std::string text = "\x93NUMPY";
  text += '\x01';
  text += '\0';
  text += static_cast<char>(dictionary.size());
  text += '\0';
  text += dictionary;
  for (const double value : values) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    text.append(bytes, sizeof bytes);
  }
  return text;
}

const std::string kGood = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n";

}  // namespace

TEST_CASE("an array that NumPy wrote is read") {
  const auto yaws = data::read_npy(test::robotcar_fixture() / "Oxford_split" / "val_yaw.npy");
  CHECK(yaws.size() == 6);
  const test::ScratchFolder folder;
  test::write_text(folder / "a.npy", npy(kGood, {1.5, -2}));
  CHECK(data::read_npy(folder / "a.npy") == std::vector<double>{1.5, -2});
}

TEST_CASE("an array of another type or shape is refused") {
  const test::ScratchFolder folder;
  const auto refused = [&](const std::string& bytes, const std::string& part) {
    test::write_text(folder / "a.npy", bytes);
    const std::string message =
        test::message_of<DataError>([&] { data::read_npy(folder / "a.npy"); });
    INFO(message);
    return message.find(part) != std::string::npos &&
           message.find((folder / "a.npy").string()) == 0 &&
           message.find("float64 with one axis") != std::string::npos;
  };
  const auto changed = [](const std::string& from, const std::string& to) {
    std::string text = kGood;
    return text.replace(text.find(from), from.size(), to);
  };
  CHECK(refused("", "not a NumPy file"));
  CHECK(refused("yaw,1,2,3,4,5,6,7,8", "not a NumPy file"));
  CHECK(refused(npy(changed("<f8", "<f4"), {1, 2}), "'<f4'"));
  CHECK(refused(npy(changed("<f8", ">f8"), {1, 2}), "'>f8'"));
  CHECK(refused(npy(changed("(2,)", "(2, 1)"), {1, 2}), "shape (2, 1)"));
  CHECK(refused(npy(changed("(2,)", "()"), {1, 2}), "shape ()"));
  CHECK(refused(npy(changed("shape", "shade"), {1, 2}), "lacks 'shape'"));
  CHECK(refused(npy(kGood, {1, 2, 3}), "24 bytes of data where its header says 2 numbers"));
  CHECK(refused(npy(changed("(2,)", "(2305843009213693954,)"), {1, 2}), "16 bytes of data"));
  std::string cut = npy(kGood, {});
  CHECK(refused(cut.substr(0, 30), "cut short"));
  CHECK(test::message_of<DataError>([&] {
          data::read_npy(folder / "none.npy");
        }).find("cannot be opened") != std::string::npos);
}

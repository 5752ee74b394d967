#include "crossfix/io/safetensors.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <ctime>

#include "crossfix/core/error.hpp"
#include "io/files.hpp"
#include "io/raw_safetensors.hpp"
#include "io/safetensors_header.hpp"

using namespace crossfix;
using io::Safetensors;
using test::message_of;
using test::raw_safetensors;
using test::ScratchFolder;

namespace {

/// A record over values that outlive it.
template <class T, std::size_t N>
TensorRecord record(const std::array<T, N>& values, std::vector<Index> shape) {
  return {dtype_of<T>, std::move(shape), reinterpret_cast<const std::byte*>(values.data())};
}

/// The message that refuses a file with this header and data: one line that names the file.
std::string refusal(const std::string& header, std::size_t data_bytes) {
  const ScratchFolder folder;
  test::write_text(folder / "w.safetensors", raw_safetensors(header, data_bytes));
  const std::string message =
      message_of<WeightsError>([&] { Safetensors::open(folder / "w.safetensors"); });
  CAPTURE(header, message);
  if (!message.empty()) {
    CHECK_THAT(message, Catch::Contains((folder / "w.safetensors").string()));
    CHECK(message.find('\n') == std::string::npos);
  }
  return message;
}

std::string tensor(const std::string& name, const std::string& dtype, const std::string& shape,
                   const std::string& offsets) {
  return "\"" + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" +
         offsets + "}";
}

}  // namespace

TEST_CASE("tensors of every kind come back as written") {
  const ScratchFolder folder;
  const std::array<float, 6> floats{1.5F, -2, 3, 0, -0.0F, 1e-40F};
  const std::array<bfloat16, 3> halves{bfloat16(1.0F), bfloat16(-2.5F), bfloat16(3e38F)};
  const std::array<float16, 2> small{float16(0.1F), float16(65504.0F)};
  const std::array<double, 1> wide{0.1};
  const std::array<std::int64_t, 1> count{-7};
  const std::array<std::uint8_t, 3> bytes{1, 2, 255};
  const TensorRecords written{
      {"a", record(bytes, {3})},
      {"b", record(floats, {2, 3})},
      {"c", record(halves, {1, 3})},
      {"d", record(small, {2})},
      {"e", record(wide, {})},
      {"f", record(count, {1, 1, 1})},
      {"g \"\xc3\xa9\n\"", record(bytes, {3, 1})},
      {"none", {Dtype::f32, {4, 0}, nullptr}},
  };
  const io::Metadata metadata{{"crossfix", R"({"format":1})"}, {"other", "line\nbreak"}};
  io::write_safetensors(folder / "w", written, metadata);
  const Safetensors file = Safetensors::open(folder / "w");
  CHECK(file.metadata() == metadata);
  REQUIRE(file.tensors().size() == written.size());
  for (const auto& [name, expected] : written) {
    CAPTURE(name);
    const TensorRecord& found = file.tensors().at(name);
    CHECK(found.dtype == expected.dtype);
    CHECK(found.shape == expected.shape);
    const auto size = static_cast<std::size_t>(expected.element_count()) * size_of(expected.dtype);
    CHECK((size == 0 || std::memcmp(found.data, expected.data, size) == 0));
    CHECK(reinterpret_cast<std::uintptr_t>(found.data) % size_of(found.dtype) == 0);
  }
  CHECK(reinterpret_cast<std::uintptr_t>(file.tensors().at("e").data) % 64 == 0);
}

TEST_CASE("the same tensors give the same bytes, and a moved file keeps its mapping") {
  const ScratchFolder folder;
  const std::array<float, 2> values{1, 2};
  for (const char* name : {"a", "b"}) {
    io::write_safetensors(folder / name, {{"x", record(values, {2})}}, {{"k", "v"}});
  }
  CHECK(test::read_text(folder / "a") == test::read_text(folder / "b"));
  Safetensors first = Safetensors::open(folder / "a");
  const Safetensors second = std::move(first);
  float value = 0;
  std::memcpy(&value, second.tensors().at("x").data + 4, sizeof value);
  CHECK(value == 2);
}

TEST_CASE("a file without tensors is a file") {
  CHECK(refusal("{}", 0).empty());
  CHECK(refusal(R"({"__metadata__":{}})", 0).empty());
}

TEST_CASE("a damaged description is refused with the tensor's name and what would be right") {
  const std::string good = tensor("x", "F32", "[2,2]", "[0,16]");
  REQUIRE(refusal("{" + good + "}", 16).empty());
  struct Case {
    std::string header;
    std::size_t data_bytes;
    std::string part;
  };
  const std::vector<Case> cases = {
      {"{" + tensor("x", "F31", "[2,2]", "[0,16]") + "}", 16, "dtype is 'F31'; known are F32"},
      {"{" + tensor("x", "F4", "[3]", "[0,2]") + "}", 2, "its 12 bits end within a byte"},
      {"{" + tensor("x", "F6_E2M3", "[4]", "[0,4]") + "}", 4, "4, but its shape asks for 3"},
      {R"({"x":{"shape":[4],"data_offsets":[0,16]}})", 16, "'x': has no dtype"},
      {R"({"x":{"dtype":"F32","data_offsets":[0,16]}})", 16, "'x': has no shape"},
      {R"({"x":{"dtype":"F32","shape":[4]}})", 16, "'x': has no data_offsets"},
      {R"({"x":7})", 16, "'x': is described by no JSON object"},
      {"{" + tensor("x", "F32", "7", "[0,16]") + "}", 16, "shape is no list"},
      {"{" + tensor("x", "F32", "[-2,-2]", "[0,16]") + "}", 16, "integers from 0"},
      {"{" + tensor("x", "F32", "[2.0,2]", "[0,16]") + "}", 16, "integers from 0"},
      {"{" + tensor("x", "F32", "[\"2\",2]", "[0,16]") + "}", 16, "integers from 0"},
      {"{" + tensor("x", "F32", "[4611686018427387904,4]", "[0,16]") + "}", 16, "too large"},
      {"{" + tensor("x", "F32", "[0,18446744073709551615]", "[0,0]") + "}", 0, "too large"},
      {"{" + tensor("x", "F32", "[2,3]", "[0,16]") + "}", 16, "16, but its shape asks for 24"},
      {"{" + tensor("x", "F32", "[2,2]", "[0,16,16]") + "}", 16, "[begin, end] is expected"},
      {"{" + tensor("x", "F32", "[2,2]", "[16,0]") + "}", 16, "lie outside"},
      {"{" + tensor("x", "F32", "[2,2]", "[8,24]") + "}", 16, "lie outside"},
      {"{" + tensor("x", "F32", "[2,2]", "[0,18446744073709551615]") + "}", 16, "lie outside"},
      {"{" + good + "," + tensor("y", "F32", "[2]", "[8,16]") + "}", 16, "overlaps tensor 'x'"},
      {"{" + good + "," + tensor("y", "F32", "[1]", "[20,24]") + "}", 24, "'y': 4 bytes before"},
      {"{" + good + "}", 20, "4 bytes at the end belong to no tensor"},
      {"{" + good + "," + good + "}", 16, "names 'x' twice"},
      {R"({"x":{"dtype":"F32","dtype":"F32","shape":[4],"data_offsets":[0,16]}})", 16,
       "names 'dtype' twice"},
      {R"({"__metadata__":{"a":1}})", 0, "only text"},
      {R"({"__metadata__":[]})", 0, "no JSON object"},
      {R"({"__metadata__":{"a":"b","a":"c"}})", 0, "names 'a' twice"},
      {"{" + good, 16, "no valid JSON"},
      {"{" + good + "} x", 16, "no valid JSON"},
      {"{\"x\xff\":1}", 0, "no valid JSON"},
      {"[]", 0, "does not begin with '{'"},
      {"\xef\xbb\xbf{}", 0, "does not begin with '{'"},
      {"  ", 0, "does not begin with '{'"},
      {R"({"x":)" + std::string(64, '[') + std::string(64, ']') + "}", 0, "nested too deeply"},
      {"{\"x\":" + std::string(100000, '['), 0, "nested too deeply"},
  };
  for (const Case& c : cases) CHECK_THAT(refusal(c.header, c.data_bytes), Catch::Contains(c.part));
}

TEST_CASE("what the format allows is read, used or not") {
  const std::string good = tensor("x", "F32", "[2,2]", "[0,16]");
  const std::vector<std::pair<std::string, std::size_t>> files = {
      {" \n\t\r{" + good + "}", 16},
      {R"({"__metadata__":null,)" + good + "}", 16},
      {"{" + tensor("", "F32", "[2,2]", "[0,16]") + "}", 16},
      {"{" + tensor("x", "U8", "[3]", "[0,3]") + "," + tensor("y", "F64", "[1]", "[3,11]") + "}",
       11},
      {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":[[[[{"a":[]}]]]]}})", 4},
      {"{" + good + "," + tensor("n", "F32", "[3,0]", "[16,16]") + "}", 16},
  };
  for (const auto& [header, bytes] : files) CHECK(refusal(header, bytes).empty());
  for (const auto& [type, bits] :
       std::vector<std::pair<std::string, std::size_t>>{{"U64", 64},
                                                        {"U32", 32},
                                                        {"U16", 16},
                                                        {"C64", 64},
                                                        {"F8_E4M3", 8},
                                                        {"F8_E5M2", 8},
                                                        {"F8_E8M0", 8},
                                                        {"F8_E4M3FNUZ", 8},
                                                        {"F6_E2M3", 6},
                                                        {"F6_E3M2", 6},
                                                        {"F8_E5M2FNUZ", 8},
                                                        {"F4", 4}}) {
    CAPTURE(type);
    const std::string end = std::to_string(bits / 2);
    CHECK(refusal("{" + tensor("x", type, "[2,2]", "[0," + end + "]") + "}", bits / 2).empty());
  }
}

TEST_CASE("numbers that begin at any byte of a file are read as they are") {
  const ScratchFolder folder;
  const std::array<float, 3> floats{1.5F, -2e30F, 1e-40F};
  const std::array<float16, 2> halves{float16(0.25F), float16(-7.0F)};
  for (std::size_t shift = 0; shift < 4; ++shift) {
    const std::string at = std::to_string(shift);
    const std::string middle = std::to_string(shift + 12);
    const std::string end = std::to_string(shift + 16);
    std::string header = "{" + tensor("pad", "BOOL", "[" + at + "]", "[0," + at + "]") + "," +
                         tensor("f", "F32", "[3]", "[" + at + "," + middle + "]") + "," +
                         tensor("h", "F16", "[2]", "[" + middle + "," + end + "]") + "}";
    std::string bytes = raw_safetensors(header, shift + 16);
    std::memcpy(bytes.data() + bytes.size() - 16, floats.data(), 12);
    std::memcpy(bytes.data() + bytes.size() - 4, halves.data(), 4);
    test::write_text(folder / "w", bytes);
    const Safetensors file = Safetensors::open(folder / "w");
    std::array<float, 3> read{};
    to_float(file.tensors().at("f"), read.data());
    CHECK(read == floats);
    to_float(file.tensors().at("h"), read.data());
    CHECK(read[0] == 0.25F);
    CHECK(read[1] == -7.0F);
  }
}

TEST_CASE("a file that shrinks or changes after it was opened does no harm") {
  const ScratchFolder folder;
  const std::vector<float> values(5000, 0.5F);
  io::write_safetensors(
      folder / "w",
      {{"x", {Dtype::f32, {5000}, reinterpret_cast<const std::byte*>(values.data())}}});
  const Safetensors file = Safetensors::open(folder / "w");
  std::filesystem::resize_file(folder / "w", 10);
  std::vector<float> read(values.size());
  to_float(file.tensors().at("x"), read.data());
  CHECK(read == values);
}

TEST_CASE("the time for a header grows as its names do") {
  const auto ticks = [](int names) {
    std::string header = "{";
    for (int i = 0; i < names; ++i) {
      header += (i == 0 ? "" : ",") + tensor("layer." + std::to_string(i), "I16", "[0]", "[0,0]");
    }
    const std::string bytes = raw_safetensors(header + "}", 0);
    double least = 1e9;
    for (int run = 0; run < 3; ++run) {
      TensorRecords tensors;
      io::Metadata metadata;
      const std::clock_t start = std::clock();  // of this process alone
      io::parse_safetensors(std::as_bytes(std::span(bytes)), tensors, metadata);
      least = std::min(least, static_cast<double>(std::clock() - start));
      CHECK(tensors.size() == static_cast<std::size_t>(names));
    }
    return least;
  };
  // 16 times the names: 16 to 25 times the time; 256 times where each name goes over all others.
  CHECK(ticks(16000) < 80 * ticks(1000));
}

TEST_CASE("a file of another kind is named") {
  const ScratchFolder folder;
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {std::string("PK\3\4\x14\0\0\0\0\0", 10) + std::string(20, 'x') + "run/data.pkl",
       "it is a zip archive, as PyTorch writes its checkpoints; write a weights file of it with "
       "training/convert.py"},
      {std::string("PK\3\4\x14\0\0\0\0\0", 10) + std::string(20, 'x') + "kernel.npy",
       "it is a NumPy archive (.npz); a safetensors file is expected"},
      {"\x80\x02\x8a\nl\xfc\x9c", "a pickle, as old versions of PyTorch"},
      {"\x93NUMPY\1", "a NumPy array"},
      {"\x89HDF\r\n\x1a\n", "an HDF5 file"},
      {"GGUF\3", "a GGUF file"},
      {"\x08\x08\x12\x07pytorch", "an ONNX model"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:1", "a Git LFS pointer"},
      {"\n<!DOCTYPE HTML><html>", "a web page (HTML)"},
      {"{\n  \"metadata\": {},\n  \"weight_map\": {\"a\": \"b\"}}",
       "it is an index of weights in several"},
      {"{ \"heads\": 3}", "a JSON text"},
      {"\xff\xd8\xff\xe1\x20", "a JPEG image"},
      {"\x1f\x8b\x08", "a gzip archive; unpack it first"},
      {"just some text of a file", "no safetensors file"},
  };
  for (const auto& [bytes, part] : kinds) {
    test::write_text(folder / "w", bytes + std::string(40, ' '));
    const std::string message = message_of<WeightsError>([&] { Safetensors::open(folder / "w"); });
    CHECK_THAT(message, Catch::Contains(part) && Catch::Contains((folder / "w").string()));
    CHECK(message.find('\n') == std::string::npos);
  }
}

TEST_CASE("a name from a file cannot break a message's line") {
  const std::string long_name(500, 'n');
  const std::string message =
      refusal("{" + tensor("a\\u000ab" + long_name, "F32", "[1]", "[0,8]") + "}", 8);
  CHECK_THAT(message, Catch::Contains("'a bnnn"));
  CHECK(message.size() < 300);
}

TEST_CASE("a header length beyond the file, or beyond the format, is refused") {
  const ScratchFolder folder;
  std::string bytes = raw_safetensors("{}", 0);
  for (const std::string& length : {std::string("\x09\0\0\0\0\0\0\0", 8), std::string(8, '\xff'),
                                    std::string("\0\0\0\0\0\0\0\x80", 8)}) {
    bytes.replace(0, 8, length);
    test::write_text(folder / "w", bytes);
    CHECK_THAT(message_of<WeightsError>([&] { Safetensors::open(folder / "w"); }),
               Catch::Contains("the header claims"));
  }
}

TEST_CASE("a file cut anywhere is refused") {
  const ScratchFolder folder;
  const std::array<float, 4> floats{1, 2, 3, 4};
  const std::array<std::uint8_t, 5> bytes{1, 2, 3, 4, 5};
  io::write_safetensors(folder / "w", {{"x", record(floats, {4})}, {"y", record(bytes, {5})}},
                        {{"key", "value"}});
  const std::string whole = test::read_text(folder / "w");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size, whole.size());
    TensorRecords tensors;
    io::Metadata metadata;
    const auto cut = std::as_bytes(std::span(whole)).first(size);
    CHECK_THROWS_AS(io::parse_safetensors(cut, tensors, metadata), WeightsError);
  }
  std::filesystem::resize_file(folder / "w", whole.size() - 1);
  CHECK_THAT(message_of<WeightsError>([&] { Safetensors::open(folder / "w"); }),
             Catch::Contains("cut short"));
}

TEST_CASE("what is no file of weights is refused with its name") {
  const ScratchFolder folder;
  for (const std::string name : {"missing", "."}) {
    CHECK_THAT(message_of<WeightsError>([&] { Safetensors::open(folder / name); }),
               Catch::Contains(folder.path().string()));
  }
  CHECK_THROWS_AS(Safetensors::open("/dev/null"), WeightsError);
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);  // is not waited for
  CHECK_THAT(message_of<WeightsError>([&] { Safetensors::open(folder / "pipe"); }),
             Catch::Contains("no regular file"));
}

TEST_CASE("names that the format or JSON cannot hold are not written") {
  const ScratchFolder folder;
  const std::array<float, 1> value{1};
  for (const std::string name : {"", "__metadata__", "\xff"}) {
    CHECK_THROWS_AS(io::write_safetensors(folder / "w", {{name, record(value, {1})}}),
                    WeightsError);
  }
  CHECK_THROWS_AS(io::write_safetensors(folder / "no/w", {}), DataError);
  CHECK(folder.entries() == 0);
}

TEST_CASE("floating-point records of every width convert to float") {
  const std::array<double, 3> wide{0.1, -1e300, 3};
  const std::array<float16, 3> half{float16(0.1F), float16(-2.0F), float16(1e-7F)};
  std::array<float, 3> out{};
  to_float(record(wide, {3}), out.data());
  CHECK(out[0] == 0.1F);
  CHECK(std::isinf(out[1]));
  to_float(record(half, {3}), out.data());
  CHECK(out[0] == static_cast<float>(half[0]));
  CHECK(out[2] == 0x1p-23F);  // 1e-7 is nearest to 2 * 2^-24
  const std::array<std::int64_t, 1> count{1};
  CHECK_THROWS_AS(to_float(record(count, {1}), out.data()), WeightsError);
}

// The header of a weights file.
#include "crossfix/io/safetensors.hpp"

#include "fuzz.hpp"

using namespace crossfix;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto path = test::fuzz_folder() / "input.safetensors";
  test::write_bytes(path, test::bytes_of(data, size));
  test::read_or_refuse([&] {
    const auto file = io::Safetensors::open(path);
    unsigned sum = 0;
    for (const auto& [name, record] : file.tensors()) {
      const auto bytes = static_cast<std::size_t>(record.element_count()) * size_of(record.dtype);
      test::promise(bytes <= size);
      for (std::size_t i = 0; i < bytes; ++i) sum += std::to_integer<unsigned>(record.data[i]);
    }
    volatile unsigned read = sum;
    static_cast<void>(read);
  });
  return 0;
}

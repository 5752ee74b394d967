#include "crossfix/kernels/attention/hopper.hpp"
#include "kernels/mutants/probe.hpp"

int main() {
  using AttentionCase = crossfix::probe::AttentionCase<crossfix::bfloat16>;
  // One multiprocessor or two, so that a block has several blocks of queries to do and its rings
  // wrap around. Each configuration of the kernel, with tails of queries and keys.
  bool good = true;
  for (const AttentionCase& test : {
           AttentionCase{"wide", 1, 2, 500, 300, 32, 1},
           AttentionCase{"medium", 2, 2, 120, 700, 32, 1},
           AttentionCase{"shared", 1, 2, 60, 600, 32, 2},
           AttentionCase{"dim 64", 1, 2, 200, 700, 64, 1},
           AttentionCase{"dim 128", 1, 2, 130, 300, 128, 1},
           AttentionCase{"running maximum", 1, 1, 200, 900, 32, 1, 40.0f},
           AttentionCase{"large values", 1, 1, 100, 900, 32, 1, 12.0f, 0x1p100f},
           AttentionCase{"scores of -inf", 1, 1, 100, 300, 32, 1, 0.0f, 1.0f, true},
       }) {
    good =
        crossfix::probe::holds(test.what,
                               [&] {
                                 return test.error([](const auto& device, const auto& arguments) {
                                   crossfix::kernels::attention_hopper(crossfix::probe::no_stream(),
                                                                       device, arguments);
                                 });
                               }) &&
        good;
  }
  return good ? 0 : 1;
}

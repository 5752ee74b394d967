#include "crossfix/kernels/attention/exact.hpp"
#include "kernels/mutants/probe.hpp"

int main() {
  using AttentionCase = crossfix::probe::AttentionCase<float>;
  bool good = true;
  for (const AttentionCase& test : {
           AttentionCase{"dim 32", 1, 1, 150, 200, 32, 1},
           AttentionCase{"dim 64", 1, 2, 70, 150, 64, 1},
           AttentionCase{"dim 100", 1, 1, 70, 150, 100, 1},
           AttentionCase{"rising scores", 1, 1, 40, 200, 32, 1, 8.0f},
           AttentionCase{"scores of -inf", 1, 1, 40, 100, 32, 1, 0.0f, 1.0f, true},
       }) {
    good = crossfix::probe::holds(test.what,
                                  [&] {
                                    return test.error([](const auto&, const auto& arguments) {
                                      crossfix::kernels::attention_exact(
                                          crossfix::probe::no_stream(), arguments);
                                    });
                                  }) &&
           good;
  }
  return good ? 0 : 1;
}

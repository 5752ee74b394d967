#include <catch2/catch.hpp>

#include "cuda/subject.hpp"
#include "model/network_golden.hpp"

namespace crossfix::test {

TEMPLATE_TEST_CASE("the reference network on CUDA equals the reference in PyTorch",
                   "[cuda][golden][large]", float, bfloat16, float16) {
  CROSSFIX_NEED_GPU;
  for (const Index batch : {1, 3, 32}) {
    check_golden<CudaSubject<TestType>>(golden_vigor(), batch);
    check_golden<CudaSubject<TestType>>(golden_robotcar(), batch);
  }
}

}  // namespace crossfix::test

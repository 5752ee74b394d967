// The main function of every test program. A run in which nothing was asserted has shown nothing,
// and fails: for example a GPU's tests if no GPU is seen, or a name that matches no test.

#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <cstdio>

namespace {

constexpr int kNothingAsserted = 4;

bool asserted_nothing = false;

struct Counter : Catch::TestEventListenerBase {
  using TestEventListenerBase::TestEventListenerBase;
  void testRunEnded(const Catch::TestRunStats& run) override {
    asserted_nothing = run.totals.assertions.total() == 0;
  }
};
CATCH_REGISTER_LISTENER(Counter)

}  // namespace

int main(int argc, char** argv) {
  const int status = Catch::Session().run(argc, argv);
  if (status != 0 || !asserted_nothing) return status;
  std::fprintf(
      stderr,
      "%s: failed: nothing was asserted; what it needs is not here, or no test has such a name\n",
      argv[0]);
  return kNothingAsserted;
}

#include "cli/progress.hpp"

#include <catch2/catch.hpp>

using crossfix::cli::progress_text;

TEST_CASE("the progress bar's text: share, rate and time left") {
  CHECK(progress_text("pairs", 0, 60, 0) == "[>                             ] 0/60 pairs");
  CHECK(progress_text("pairs", 30, 600, 10) ==
        "[=>                            ] 30/600 pairs  3/s  3:10 left");
  CHECK(progress_text("pairs", 60, 60, 30) ==
        "[==============================] 60/60 pairs  2/s  0:00 left");
}

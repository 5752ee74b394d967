// The results of a run that is resumed, JSON lines.
#include <vector>

#include "eval/results_file.hpp"
#include "fuzz.hpp"

using namespace crossfix;

namespace {

data::Dataset three_samples() {
  data::Dataset set;
  set.groups = {{"A", "a.txt", 3, 0, 0.1}};
  for (std::size_t i = 0; i < 3; ++i) {
    data::Sample sample;
    sample.number = i;
    sample.line = i + 1;
    sample.ground = "g" + std::to_string(i);
    sample.satellite = "s" + std::to_string(i);
    sample.true_ = {{320, 320}, 640, 0.1};
    sample.reference = {{127, 127}, 256, 0.285};
    set.samples.push_back(sample);
  }
  return set;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const data::Dataset set = three_samples();
  const auto path = test::fuzz_folder() / "samples.jsonl";
  test::write_bytes(path, test::bytes_of(data, size));
  const nlohmann::ordered_json header{{"samples", 3}};
  std::vector<eval::Outcome> outcomes;
  const bool accepted = test::read_or_refuse([&] {
    eval::ResultsFile file(path, header, true, set, outcomes);
    file.finish(outcomes);
  });
  if (!accepted) return 0;
  // What was taken is in the file: a run that goes on once more knows the same.
  std::vector<eval::Outcome> again;
  test::promise(test::read_or_refuse([&] { eval::ResultsFile(path, header, true, set, again); }));
  for (std::size_t i = 0; i < again.size(); ++i) {
    test::promise(again[i].known() == outcomes[i].known());
  }
  return 0;
}

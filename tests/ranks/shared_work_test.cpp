/// The program under mpirun: it writes the same bytes for any number of ranks.
#include <catch2/catch.hpp>

#ifndef CROSSFIX_MPIRUN

#include <cstdio>

TEST_CASE("ranks share the work of the program") {
  std::puts("skipped: mpi: this build found no MPI, or was not to use it");
}

#else

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "cli/vigor_workspace.hpp"

using namespace crossfix;
using nlohmann::json;
using test::Run;

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

bool holds(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

/// The lines of the program itself; mpirun adds others.
std::string error_lines(const std::string& text) {
  std::istringstream stream(text);
  std::string errors;
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("crossfix: error: ")) errors += line + "\n";
  }
  return errors;
}

/// Runs the program on the VIGOR fixture, and on a list of its pairs.
class SharedWorkspace : public test::VigorWorkspace {
 public:
  SharedWorkspace() {
    std::string list = "ground,satellite,row,col,gsd\n";
    for (const data::Sample& sample : set.samples) {
      list += "\"vigor/" + sample.ground + "\",\"vigor/" + sample.satellite + "\",12,13,0.9\n";
    }
    test::write_text(work.folder / "pairs.csv", list);
  }

  static std::string locate(const std::string& more) {
    return "locate --pairs pairs.csv --threads 1 --model weights.safetensors " + more;
  }

  /// Runs the program on a number of ranks, after `prelude`, which the shell of each rank runs.
  /// Leaks are not checked, because MPI has its own.
  static std::string shell_command(int ranks, const std::string& arguments,
                                   const std::string& prelude = "") {
    return "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_WAIT_POLICY=passive "
           "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 exec " CROSSFIX_MPIRUN
           " --oversubscribe --bind-to none -n " +
           std::to_string(ranks) + " sh -c '" + prelude + " exec \"" CROSSFIX_PROGRAM "\" " +
           arguments + "'";
  }

  Run run(int ranks, const std::string& arguments, const std::string& prelude = "") const {
    const std::string out = (work.logs / "mpi-out").string();
    const std::string err = (work.logs / "mpi-err").string();
    const std::string command = "cd '" + work.folder.path().string() + "' && (" +
                                shell_command(ranks, arguments, prelude) + ") >'" + out + "' 2>'" +
                                err + "' </dev/null";
    // Open MPI 4.1's mpirun sometimes crashes when it ends a job itself, after all its ranks have
    // ended.
    Run run;
    for (int tries = 0; tries < 3; ++tries) {
      const int status = std::system(command.c_str());
      run = {WIFEXITED(status) ? WEXITSTATUS(status) : -1, test::read_text(out),
             test::read_text(err)};
      if (run.err.find("PMIx_server_finalize") == std::string::npos) break;
    }
    return run;
  }

  bool exists(const std::string& name) const { return fs::exists(work.folder / name); }
};

/// The process of a rank among the children of mpirun; 0 if it has not begun.
pid_t process_of_rank(pid_t launcher, int rank) {
  const std::string folder = "/proc/" + std::to_string(launcher);
  std::istringstream children(
      test::read_text(folder + "/task/" + std::to_string(launcher) + "/children"));
  const std::string wanted = "OMPI_COMM_WORLD_RANK=" + std::to_string(rank);
  for (pid_t child = 0; children >> child;) {
    std::ifstream stream("/proc/" + std::to_string(child) + "/environ", std::ios::binary);
    for (std::string variable; std::getline(stream, variable, '\0');) {
      if (variable == wanted) return child;
    }
  }
  return 0;
}

/// Starts a run in which one rank stops in a record, kills that rank (signal 9), and returns
/// mpirun's exit code.
int run_and_kill(const SharedWorkspace& work, int ranks, int rank, const std::string& pause,
                 const std::string& arguments) {
  const std::string name =
      rank == 0 ? "samples.jsonl" : "samples." + std::to_string(rank) + ".jsonl";
  const fs::path results = work.work.folder / ("run/" + name);
  const std::size_t bytes = std::stoul(pause.substr(pause.find(':') + 1));
  const std::size_t record = std::stoul(pause);
  const auto text_of = [](const fs::path& file) {
    return fs::exists(file) ? test::read_text(file) : std::string();
  };
  const std::string command = SharedWorkspace::shell_command(
      ranks, arguments,
      "if [ $OMPI_COMM_WORLD_RANK = " + std::to_string(rank) +
          " ]; then export PAUSE_WRITING=" + pause +
          " LD_PRELOAD=" CROSSFIX_PAUSE_WRITING
          " ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0; fi;");
  const pid_t launcher = ::fork();
  REQUIRE(launcher >= 0);
  if (launcher == 0) {
    if (::chdir(work.work.folder.path().c_str()) == 0) {
      const std::string quiet = "exec >/dev/null 2>&1 </dev/null; " + command;
      ::execl("/bin/sh", "sh", "-c", quiet.c_str(), static_cast<char*>(nullptr));
    }
    ::_exit(127);
  }
  int status = 0;
  bool there = false;
  while (!there && ::waitpid(launcher, &status, WNOHANG) == 0) {
    const std::string text = text_of(results);
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    // The first file has lines already from an earlier run.
    there = lines >= record && text.size() - (text.rfind('\n') + 1) == bytes && bytes > 0;
    if (!there) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  REQUIRE(there);  // otherwise it ended by itself
  const pid_t victim = process_of_rank(launcher, rank);
  REQUIRE(victim > 0);
  const Clock::time_point killed = Clock::now();
  ::kill(victim, SIGKILL);
  ::waitpid(launcher, &status, 0);
  CHECK(Clock::now() - killed < std::chrono::seconds(60));  // no rank waits for the dead one
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("evaluate gives the same bytes on any number of ranks") {
  const SharedWorkspace work;
  const std::string batch = GENERATE(as<std::string>(), "1", "3");
  const auto arguments = [&](const std::string& name) {
    return SharedWorkspace::evaluate("--batch " + batch + " --out " + name + " --dump " + name +
                                     ".raw");
  };
  const Run alone = work.work.run(arguments("alone"));
  REQUIRE(alone.code == 0);
  for (const int ranks : {1, 2, 3}) {
    CAPTURE(ranks);
    const std::string name = "on" + std::to_string(ranks);
    const Run run = work.run(ranks, arguments(name));
    INFO(run.err);
    REQUIRE(run.code == 0);
    CHECK(run.out == alone.out);
    CHECK(work.read(name + "/samples.jsonl") == work.read("alone/samples.jsonl"));
    CHECK(work.read(name + "/figures.json") == work.read("alone/figures.json"));
    CHECK(work.read(name + ".raw") == work.read("alone.raw"));
    CHECK_FALSE(work.exists(name + "/samples.1.jsonl"));
    CHECK(count_of(run.err, "weights trained on") == 1);
    CHECK(count_of(run.err, "88 samples in") == 1);
  }
}

TEST_CASE("locate gives the same bytes on any number of ranks") {
  const SharedWorkspace work;
  test::write_text(work.root() / work.set.samples[8].ground, "no image");
  const std::string batch = GENERATE(as<std::string>(), "1", "5");
  const auto arguments = [&](const std::string& name) {
    return SharedWorkspace::locate("--batch " + batch + " --dump " + name + ".raw");
  };
  const Run alone = work.work.run(arguments("alone"));
  REQUIRE(alone.code == 3);  // a pair cannot be read
  REQUIRE(count_of(alone.out, "\n") == 88);
  for (const int ranks : {1, 2, 3}) {
    CAPTURE(ranks);
    const std::string name = "on" + std::to_string(ranks);
    const Run run = work.run(ranks, arguments(name));
    INFO(run.err);
    CHECK(run.code == 3);
    CHECK(run.out == alone.out);
    CHECK(error_lines(run.err) == error_lines(alone.err));
    CHECK(holds(run.err, "pairs with a truth"));
    CHECK(count_of(run.err, "times the ground it was trained on") ==
          count_of(alone.err, "times the ground it was trained on"));
    CHECK(work.read(name + ".raw") == work.read("alone.raw"));
  }
}

TEST_CASE("ranks share a list from standard input, with names of any bytes") {
  const SharedWorkspace work;
  const std::string name =
      "vigor/stra\xDF"
      "e\x9B.png";
  fs::copy(work.root() / work.set.samples[0].ground, work.work.folder / name);
  const std::string tile = ",\"vigor/" + work.set.samples[0].satellite + "\"\n";
  test::write_text(work.work.folder / "names.csv",
                   "ground,satellite\n" + name + tile + "absent\xFF.png" + tile + name + tile);
  const std::string arguments = "locate --pairs - --threads 1 --model weights.safetensors";
  const Run alone = work.work.run(arguments + " <names.csv");
  REQUIRE(alone.code == 3);
  REQUIRE(count_of(alone.out, "\"pixel\"") == 2);
  const Run run =
      work.run(2, arguments, "if [ $OMPI_COMM_WORLD_RANK = 0 ]; then exec <names.csv; fi;");
  INFO(run.err);
  CHECK(run.code == 3);
  CHECK(run.out == alone.out);
}

TEST_CASE("a rank that is killed takes none of the results with it") {
  const SharedWorkspace work;
  const std::string more = "--batch 3 --resume --out ";
  REQUIRE(work.work.run(SharedWorkspace::evaluate(more + "whole")).code == 0);
  const std::string arguments = SharedWorkspace::evaluate(more + "run");
  CHECK(run_and_kill(work, 3, 1, "7:40", arguments) != 0);
  const std::string left = work.read("run/samples.1.jsonl");
  CHECK(count_of(left, "\n") == 7);  // the header and six results
  CHECK(run_and_kill(work, 2, 0, "5:120", arguments) != 0);
  CHECK(run_and_kill(work, 3, 2, "2:3", arguments) != 0);
  const std::string first = work.read("run/samples.jsonl");
  std::istringstream stream(left.substr(0, left.rfind('\n') + 1));
  std::string line;
  for (std::getline(stream, line); std::getline(stream, line);) CHECK(holds(first, line + "\n"));
  for (const int ranks : {1, 2}) {
    CAPTURE(ranks);
    const std::string name = "run" + std::to_string(ranks);
    fs::copy(work.work.folder / "run", work.work.folder / name);
    const Run last = work.run(ranks, SharedWorkspace::evaluate(more + name));
    INFO(last.err);
    CHECK(last.code == 0);
    CHECK(holds(last.err, "samples are there already"));
    CHECK(work.read(name + "/samples.jsonl") == work.read("whole/samples.jsonl"));
    CHECK(work.read(name + "/figures.json") == work.read("whole/figures.json"));
    CHECK_FALSE(work.exists(name + "/samples.1.jsonl"));
    CHECK_FALSE(work.exists(name + "/samples.2.jsonl"));
  }
}

TEST_CASE("what ends one rank ends all, with one line and its exit code") {
  const SharedWorkspace work;
  std::string damaged = work.set.samples.back().ground;
  SECTION("an image that only the last rank reads") {
    // With three ranks the last has every third sample.
    const auto& samples = work.set.samples;
    const auto only = std::find_if(samples.rbegin(), samples.rend(), [&](const auto& sample) {
      return sample.number % 3 == 2 &&
             std::count_if(samples.begin(), samples.end(), [&](const auto& other) {
               return other.satellite == sample.satellite;
             }) == 1;
    });
    REQUIRE(only != samples.rend());
    damaged = only->satellite;
    test::write_text(work.root() / damaged, "no image");
    const Run run = work.run(3, SharedWorkspace::evaluate("--strict"));
    CHECK(run.code == 3);
    CHECK(count_of(error_lines(run.err), "\n") == 1);
    CHECK(holds(error_lines(run.err), "rank 2: "));
    CHECK(holds(error_lines(run.err), damaged));
    CHECK(run.out.empty());
  }
  SECTION("an image that is not needed") {
    test::write_text(work.root() / damaged, "no image");
    const Run run = work.run(3, SharedWorkspace::evaluate("--out run"));
    CHECK(run.code == 0);
    CHECK(count_of(run.err, "neither a PNG nor a JPEG") == 1);
    CHECK(holds(run.out, "unreadable for 1 image"));
  }
  SECTION("what no rank can do") {
    for (const auto& [arguments, code, part] :
         {std::tuple{SharedWorkspace::evaluate("--batch 0"), 2, "--batch"},
          std::tuple{SharedWorkspace::evaluate("--list"), 2, "--list"},
          std::tuple{std::string("info"), 2, "info"},
          std::tuple{SharedWorkspace::locate("--dump none/raw"), 3, "none"},
          std::tuple{std::string("evaluate --dataset vigor --root pairs"), 2, "--root"}}) {
      const Run run = work.run(2, arguments);
      INFO(run.err);
      CHECK(run.code == code);
      CHECK(count_of(error_lines(run.err), "\n") == 1);
      CHECK(holds(error_lines(run.err), part));
    }
  }
  SECTION("ranks with different weights") {
    model::Configuration other = test::program_configuration();
    other.decoding.temperature = 0.5;
    fs::create_directories(work.work.folder / "other");
    work.work.model.write(work.work.folder / "other/weights.safetensors", other);
    fs::create_directory_symlink(work.root(), work.work.folder / "other/vigor");
    const Run run = work.run(2, SharedWorkspace::evaluate(""),
                             "if [ $OMPI_COMM_WORLD_RANK = 1 ]; then cd other; fi;");
    CHECK(run.code == 3);
    CHECK(holds(error_lines(run.err), "rank 1 has weights"));
  }
  SECTION("ranks that see different folders") {
    fs::create_directories(work.work.folder / "other");
    fs::copy(work.work.folder / "weights.safetensors", work.work.folder / "other");
    fs::create_directory_symlink(work.root(), work.work.folder / "other/vigor");
    const Run run = work.run(2, SharedWorkspace::evaluate("--out run"),
                             "if [ $OMPI_COMM_WORLD_RANK = 1 ]; then cd other; fi;");
    CHECK(run.code == 3);
    CHECK(holds(error_lines(run.err), "rank 1: "));
    CHECK(holds(error_lines(run.err), "all machines share"));
  }
}

#endif

#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/detail/printable.hpp"
#include "crossfix/io/image.hpp"
#include "draw/overlay.hpp"
#include "draw/picture_file.hpp"
#include "locate_options.hpp"
#include "messages.hpp"
#include "pipeline/fix_report.hpp"
#include "pipeline/locate_list.hpp"
#include "pipeline/outputs.hpp"
#include "pipeline/raw_dump.hpp"
#include "terminal_observer.hpp"

namespace crossfix::cli {
namespace {

/// Larger batches take memory and gain nothing.
constexpr Index kLargestBatch = 1024;

/// Throws if an output would overwrite an input, of the command line or of a list, or another
/// output.
void check_outputs(const LocateOptions& options, const std::vector<pipeline::PairEntry>& entries) {
  std::vector<pipeline::NamedPath> inputs{{"--ground", options.ground},
                                          {"--satellite", options.satellite},
                                          {"--pairs", options.pairs},
                                          {"--model", options.model.model_path()},
                                          {pipeline::kCameraFileOption, options.camera.file}};
  for (const pipeline::PairEntry& entry : entries) {
    const std::string line = options.pairs + ":" + std::to_string(entry.line);
    for (const auto& path : {entry.ground, entry.satellite, entry.camera_file}) {
      inputs.push_back({line, path});
    }
  }
  const pipeline::NamedPath dump{"--dump", options.dump};
  pipeline::check_outputs({{"--overlay", options.overlay}, dump}, inputs);
  pipeline::check_ending(dump, pipeline::kDumpEndings);
}

void check(const LocateOptions& options) {
  const bool list = !options.pairs.empty();
  const bool pair = !options.ground.empty() && !options.satellite.empty();
  const bool half = options.ground.empty() != options.satellite.empty();
  if (half || list == pair) {
    throw CLI::ValidationError("locate", "give --ground and --satellite, or --pairs");
  }
  if (list && (!options.overlay.empty() || !options.truth.empty() || !options.bounds.empty())) {
    throw CLI::ValidationError("--pairs",
                               "goes without --overlay, --truth and --bounds, which are of one "
                               "pair");
  }
  if (!list && options.batch != 1) throw CLI::ValidationError("--batch", "goes with --pairs");
  if (options.gsd) {
    if (const auto flaw = flaw_of_tile_scale(*options.gsd)) {
      throw CLI::ValidationError("--gsd", *flaw);
    }
  }
  try {
    options.tile();
  } catch (const DataError& error) {
    throw CLI::ValidationError("--bounds", error.what());
  }
  pipeline::check(options.camera, pipeline::Words::options);
  if (options.overlay_ground && options.overlay.empty()) {
    throw CLI::ValidationError("--overlay-ground", "needs --overlay");
  }
  if (options.dump_poses && options.dump.empty()) {
    throw CLI::ValidationError("--dump-poses", "needs --dump");
  }
}

void locate_pair(const LocateOptions& options) {
  check_outputs(options, {});
  const pipeline::CheckedCamera camera(options.camera);
  // Outputs first, so that a path that cannot be written is found before the work.
  std::optional<draw::PictureFile> overlay;
  if (!options.overlay.empty()) overlay.emplace(options.overlay);
  std::optional<pipeline::RawDump> dump;
  if (!options.dump.empty()) dump.emplace(options.dump);

  const io::Photo photo = io::read_photo(options.ground);
  const io::Image& ground = photo.image;
  const io::Image satellite = io::read_image(options.satellite);
  const Shape<2> tile_size{satellite.extent(0), satellite.extent(1)};
  if (overlay) {
    const Shape<2> below{ground.extent(0), ground.extent(1)};
    overlay->need_size(draw::overlay_size(
        tile_size, options.overlay_ground ? std::optional(below) : std::nullopt));
  }
  const auto truth = options.truth_pixel();
  if (truth) pipeline::check_truth(*truth, tile_size);
  Localizer localizer = load(options, {});
  const Pair pair{GroundImage(ground), SatelliteImage(satellite), options.tile(),
                  camera.ground_info(ground.shape(), photo.tags)};
  pipeline::need_camera(localizer.configuration(), pair.camera, ground.shape());
  localizer.check(pair);  // a pair that is refused has no warnings
  pipeline::Subject subject{0,         options.ground, options.satellite,
                            tile_size, truth,          camera.takes_heading_of(photo.tags),
                            {}};
  subject.warnings =
      pipeline::warnings_of(localizer, pair, photo, camera, subject, options.rescale);
  for (const pipeline::Warning& warning : subject.warnings) warn(warning.text);

  Fix fix;
  localizer.locate(pair, fix);
  const auto print = [&] {
    if (options.json) {
      std::cout << io::json_text(pipeline::to_json(subject, fix)) + '\n';
    } else {
      pipeline::print(std::cout, subject, fix);
    }
    pipeline::flush_output(std::cout);
  };
  const auto write_overlay = [&] {
    if (!overlay) return;
    const io::Image tile = draw::draw_overlay(satellite, fix, subject.truth);
    overlay->write(options.overlay_ground ? draw::with_ground_below(ground, tile) : tile.view());
  };
  const auto write_dump = [&] {
    if (!dump) return;
    dump->add(fix);
    dump->commit();
  };
  make_outputs({print, write_overlay, write_dump});
}

void locate_pairs(const LocateOptions& options, ranks::Ranks& ranks) {
  // mpirun gives standard input to rank 0 alone.
  const std::string list =
      ranks.broadcast(ranks.first() ? pipeline::read_list(options.pairs) : std::string());
  const auto entries = pipeline::parse_pair_list(list, options.pairs, options.camera);
  check_outputs(options, entries);
  Localizer localizer = load(options, ranks.topology());
  TerminalObserver observer(ranks.topology().terminal);
  pipeline::locate_list(entries, {options.pairs, options.tile(), options.rescale, options.dump},
                        localizer, ranks, observer, std::cout);
}

void locate(const LocateOptions& options, ranks::Ranks& ranks) {
  check(options);
  if (!options.pairs.empty()) return locate_pairs(options, ranks);
  need_one_rank(ranks, "locate without --pairs");
  locate_pair(options);
}

}  // namespace

void add_locate_command(CLI::App& app, ranks::Ranks& ranks) {
  const auto options = std::make_shared<LocateOptions>();
  CLI::App* command = app.add_subcommand("locate", "Find where photos were taken");
  command->add_option("--ground", options->ground, "Street-view image, PNG or JPEG");
  command->add_option("--satellite", options->satellite,
                      "Satellite tile it was taken in, square, north up");
  command
      ->add_option("--pairs", options->pairs,
                   "CSV list instead (-: standard input), and what is known of each pair: " +
                       pipeline::pair_columns() + " (docs/json.md); prints JSON lines")
      ->transform([](const std::string& file) {
        return file == "-" ? std::string(pipeline::kStandardInput) : file;
      });
  command
      ->add_option("--batch", options->batch,
                   "Pairs of a list that go through the network together")
      ->check(CLI::Range(Index{1}, kLargestBatch))
      ->capture_default_str();
  command->add_option("--model", options->model.model, "Weights; the bundled ones where absent");
  command->add_option("--gsd", options->gsd, "Ground sampling distance, metres per tile pixel")
      ->transform(plain_number);
  command->add_option("--bounds", options->bounds, "West,south,east,north of the tile, degrees")
      ->delimiter(',')
      ->expected(4)
      ->transform(plain_number);
  command
      ->add_option_function<std::string>(
          pipeline::kHeadingOption,
          [options](const std::string& text) {
            options->camera.heading_degrees = pipeline::parse_heading(text);
          },
          "What the middle of the image looks at, degrees clockwise from north (0 where absent), "
          "or "
          "'unknown': it is searched for")
      ->check(taken_by(pipeline::parse_heading));
  command->add_option(pipeline::kCameraFileOption, options->camera.file,
                      "File of the camera (docs/cameras.md)");
  for (const pipeline::CameraOption& option : pipeline::kCameraOptions)
    command->add_option(option.name, options->camera.*option.field, option.help)
        ->transform(plain_number);
  command->add_option("--truth", options->truth, "Row,column of the camera, tile pixels")
      ->delimiter(',')
      ->expected(2)
      ->transform(plain_number);
  command
      ->add_option("--overlay", options->overlay,
                   "Picture to write (.png, .jpg): posterior, fix, radius, truth")
      ->check(taken_by(draw::picture_type));
  command->add_flag("--overlay-ground", options->overlay_ground,
                    "Put the street-view image above the tile in the picture");
  command->add_flag("--json", options->json, "Print JSON instead of text (docs/json.md)");
  command->add_option("--dump", options->dump,
                      "Raw outputs to write (safetensors): logits, offsets, probability");
  command->add_flag(
      "--dump-poses", options->dump_poses,
      "Dump the posterior over headings and positions too, of weights that match on the "
      "ground plane");
  command->add_flag("--rescale", options->rescale,
                    "Cut or frame a tile of known scale to the side the weights were trained at");
  options->model.add_to(*command);
  command->footer(
      "Example: crossfix locate --ground street.jpg --satellite tile.png --gsd 0.114 "
      "--overlay fix.png");
  command->callback([options, &ranks] { locate(*options, ranks); });
}

}  // namespace crossfix::cli

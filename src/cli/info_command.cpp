#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "commands.hpp"
#include "crossfix/detail/printable.hpp"
#include "model_options.hpp"

namespace crossfix::cli {
namespace {

void row(const char* name, const std::string& value) {
  std::cout.width(22);
  std::cout << std::left << name << io::printable(value) << '\n';
}

std::string number(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

std::string size(Index height, Index width) {
  return std::to_string(height) + " x " + std::to_string(width) + " px";
}

std::string projection(const model::Configuration& configuration) {
  if (configuration.ground_projection == model::GroundProjection::equirectangular) {
    return "equirectangular panorama, 2:1, north in the middle";
  }
  const auto& fov = configuration.horizontal_fov_degrees;
  return "pinhole, horizontal field of view " + (fov ? number(*fov) + " degrees" : "unknown");
}

std::string nowhere_text(const model::Configuration::Nowhere& nowhere) {
  if (!nowhere.area) return "not calibrated: blank images alone are told";
  return "a wrong tile has more than the right one in " + number(100 * *nowhere.area) +
         " % of cases; calibrated for " + number(100 * nowhere.wrong_share) + " % wrong tiles";
}

void print_ground_match(const model::Configuration& c) {
  const auto& match = c.ground_match;
  row("network", "matcher over the ground plane, EfficientNet-Lite0 to block " +
                     std::to_string(match.blocks - 1));
  row("ground projection", projection(c));
  row("tiles", number(kMatchedSide[0]) + " to " + number(kMatchedSide[1]) + " m, at most " +
                   number(kCoarsestMatched) + " m a pixel; seen at " +
                   number(*c.metres_per_network_pixel) + " m");
  row("ground used", number(match.nearest) + " to " + number(match.farthest) +
                         " m from the camera, " + number(match.height) + " m below it");
  row("headings", std::to_string(match.headings) + " tried where unknown");
  row("temperature", number(c.decoding.temperature));
  row("radius scale", number(c.radius_scale));
  row("nowhere", nowhere_text(c.nowhere));
}

void print_info(const ModelOptions& options) {
  const Localizer localizer = options.load({});
  const model::Configuration& c = localizer.configuration();
  row("weights", options.model_path().string());
  row("trained on", c.trained_on);
  row("parameters", std::to_string(localizer.parameter_count()));
  if (c.family == model::Family::ground_match) {
    print_ground_match(c);
    row("runs on", localizer.description());
    return;
  }
  row("satellite input", size(c.satellite_size, c.satellite_size));
  row("ground input", size(c.ground_size[0], c.ground_size[1]));
  row("ground projection", projection(c));
  row("scale trained at",
      c.metres_per_network_pixel
          ? number(*c.metres_per_network_pixel) +
                " m per pixel of the satellite input (a tile of " +
                number(*c.metres_per_network_pixel * static_cast<double>(c.satellite_size)) + " m)"
          : "unknown");
  row("grid", std::to_string(c.grid) + " x " + std::to_string(c.grid) + " cells");
  row("temperature", number(c.decoding.temperature));
  row("radius scale", number(c.radius_scale));
  row("nowhere", nowhere_text(c.nowhere));
  if (c.family != model::Family::crossfix) {
    row("network", std::string(c.family == model::Family::mcc ? "MCC" : "VIGOR baseline") +
                       ", VGG-16 backbones of " + std::to_string(c.backbone.planes) + " planes");
    row("runs on", localizer.description());
    return;
  }
  row("backbone", std::to_string(c.backbone.blocks[0]) + ", " +
                      std::to_string(c.backbone.blocks[1]) + ", " +
                      std::to_string(c.backbone.blocks[2]) + " bottlenecks of " +
                      std::to_string(c.backbone.planes) + " planes, " +
                      (c.backbone.shared ? "shared by both views" : "one for each view"));
  row("fusion", "layers " + std::to_string(c.encoder_layers) + ", width " +
                    std::to_string(c.model_width) + ", heads " + std::to_string(c.heads));
  row("runs on", localizer.description());
}

}  // namespace

void add_info_command(CLI::App& app) {
  const auto options = std::make_shared<ModelOptions>();
  CLI::App* command =
      app.add_subcommand("info", "Tell what weights hold and what this machine runs them on");
  command->add_option("model", options->model, "Weights; the bundled ones where absent");
  options->add_to(*command);
  command->footer("Example: crossfix info models/crossfix-ground.safetensors");
  command->callback([options] { print_info(*options); });
}

}  // namespace crossfix::cli

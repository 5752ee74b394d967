#include "scale.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "crossfix/core/error.hpp"
#include "crossfix/core/math.hpp"
#include "markup.hpp"

namespace crossfix::report {

namespace {

/// Rounding of sums and powers of ten, relative.
constexpr double kSlack = 1e-9;

constexpr std::array<double, 3> kRound{1, 2, 5};

void check_range(bool right) {
  if (!right) throw ShapeError("an axis needs finite ends, the low one below the high one");
}

}  // namespace

double round_up(double value) {
  if (!(value > 0) || !std::isfinite(value))
    throw ShapeError("round_up takes finite values above 0");
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double times : kRound) {
    if (value <= times * power * (1 + kSlack)) return times * power;
  }
  return 10 * power;
}

double round_down(double value) { return 1 / round_up(1 / value); }

double round_end(double value) {
  if (value == 0) return 1;
  constexpr int kSteps = 5;
  const double step = round_up(value / kSteps);
  return std::ceil(value / step - kSlack) * step;
}

std::vector<double> round_ticks(double low, double high, int at_most, double smallest_step) {
  check_range(std::isfinite(low) && std::isfinite(high) && low < high && at_most > 0);
  const double step = std::max(round_up((high - low) / at_most), smallest_step);
  std::vector<double> ticks;
  const double last = std::floor(high / step + kSlack);
  for (double i = std::ceil(low / step - kSlack); i <= last; ++i) ticks.push_back(i * step);
  return ticks;
}

std::vector<double> decade_ticks(double low, double high, int at_most) {
  check_range(std::isfinite(high) && 0 < low && low < high);
  std::vector<double> all;
  std::vector<double> powers;
  const double last = std::floor(std::log10(high) + kSlack);
  for (double power = std::floor(std::log10(low) + kSlack); power <= last; ++power) {
    for (const double times : kRound) {
      const double tick = times * std::pow(10, power);
      if (tick < low * (1 - kSlack) || tick > high * (1 + kSlack)) continue;
      all.push_back(tick);
      if (times == 1) powers.push_back(tick);
    }
  }
  const auto most = static_cast<std::size_t>(at_most);
  if (all.size() <= most || powers.size() < 2) return all;
  const std::size_t every = ceil_div(powers.size(), most);
  for (std::size_t i = 0; i * every < powers.size(); ++i) powers[i] = powers[i * every];
  powers.resize(ceil_div(powers.size(), every));
  return powers;
}

void Axis::choose_ticks(int at_most) {
  if (!ticks.empty()) return;
  ticks = spacing == Spacing::logarithmic
              ? decade_ticks(low, high, at_most)
              : round_ticks(low * factor, high * factor, at_most, smallest_step);
  if (spacing == Spacing::linear) {
    for (double& tick : ticks) tick /= factor;
  }
}

std::vector<std::string> Axis::tick_labels() const {
  if (!names.empty()) return names;
  constexpr int kMost = 6;
  std::vector<std::string> labels;
  int decimals = 0;
  const auto whole = [&](double tick) {
    const double scaled = tick * factor * std::pow(10, decimals);
    return std::abs(scaled - std::round(scaled)) < kSlack * std::max(1.0, std::abs(scaled));
  };
  const bool alike = spacing == Spacing::linear;
  for (const double tick : ticks) {
    while (alike && decimals < kMost && !whole(tick)) ++decimals;
  }
  for (const double tick : ticks) {
    if (!alike) {
      for (decimals = 0; decimals < kMost && !whole(tick);) ++decimals;
    }
    labels.push_back(readable(tick * factor, decimals));
  }
  return labels;
}

std::string Axis::reading(double value) const {
  const double shown = std::abs(value * factor);
  const int decimals = smallest_step >= 1 || shown >= 99.95 ? 0 : shown >= 9.995 ? 1 : 2;
  return readable(value * factor, decimals) + unit;
}

double Axis::fraction(double value) const {
  const double within = std::clamp(value, low, high);
  if (spacing == Spacing::logarithmic) return std::log(within / low) / std::log(high / low);
  return (within - low) / (high - low);
}

}  // namespace crossfix::report

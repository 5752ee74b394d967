#include "palette.hpp"

#include <array>
#include <bit>

namespace crossfix::world {

namespace {

struct BuildingPalette {
  float hue, saturation, value;                 // wall
  float roof_hue, roof_saturation, roof_value;  // roof
  float trim_value;
};

// Wall and roof go together, so that each can be guessed from the other.
constexpr std::array<BuildingPalette, kFacadeCount> kPalettes{{
    {0.02F, 0.60F, 0.62F, 0.03F, 0.50F, 0.42F, 0.85F},  // red brick, dark red roof
    {0.05F, 0.50F, 0.50F, 0.06F, 0.55F, 0.36F, 0.75F},  // brown brick, brown roof
    {0.13F, 0.40F, 0.85F, 0.11F, 0.45F, 0.66F, 0.95F},  // sandstone, ochre roof
    {0.15F, 0.70F, 0.90F, 0.13F, 0.65F, 0.70F, 0.95F},  // yellow plaster
    {0.10F, 0.06F, 0.92F, 0.04F, 0.70F, 0.72F, 0.60F},  // white plaster, terracotta roof
    {0.60F, 0.45F, 0.72F, 0.61F, 0.45F, 0.45F, 0.92F},  // blue, slate blue roof
    {0.56F, 0.30F, 0.85F, 0.55F, 0.40F, 0.62F, 0.95F},  // light blue
    {0.38F, 0.35F, 0.62F, 0.42F, 0.45F, 0.45F, 0.90F},  // green, copper roof
    {0.27F, 0.35F, 0.78F, 0.30F, 0.40F, 0.55F, 0.92F},  // lime
    {0.97F, 0.35F, 0.88F, 0.95F, 0.40F, 0.60F, 0.95F},  // pink, rose roof
    {0.08F, 0.70F, 0.85F, 0.05F, 0.75F, 0.60F, 0.95F},  // orange
    {0.60F, 0.05F, 0.62F, 0.60F, 0.06F, 0.60F, 0.40F},  // concrete
    {0.60F, 0.10F, 0.40F, 0.60F, 0.12F, 0.30F, 0.75F},  // dark slate
    {0.78F, 0.28F, 0.70F, 0.78F, 0.30F, 0.48F, 0.92F},  // violet
}};

constexpr std::array<std::array<float, 3>, 9> kCarColours{{{0.0F, 0.0F, 0.92F},
                                                           {0.6F, 0.05F, 0.65F},
                                                           {0.6F, 0.1F, 0.16F},
                                                           {0.0F, 0.85F, 0.75F},
                                                           {0.6F, 0.8F, 0.70F},
                                                           {0.57F, 0.6F, 0.90F},
                                                           {0.13F, 0.85F, 0.92F},
                                                           {0.37F, 0.6F, 0.45F},
                                                           {0.07F, 0.75F, 0.80F}}};

}  // namespace

Vec3 hsv(float hue, float saturation, float value) {
  const auto channel = [&](float shift) {
    float k = hue * 6.0F + shift;
    k -= 6.0F * std::floor(k / 6.0F);
    const float level = value - value * saturation * std::max(0.0F, std::min({k, 4.0F - k, 1.0F}));
    return level * level;  // display gamma 2, undone by the renderer
  };
  return {channel(5.0F), channel(3.0F), channel(1.0F)};
}

Vec3 random_colour(Random& random, Range hue, Range saturation, Range value) {
  // One draw a statement, because the compiler may choose the order of a call's arguments.
  const float v = random.uniform(value.low, value.high);
  const float s = random.uniform(saturation.low, saturation.high);
  const float h = random.uniform(hue.low, hue.high);
  return hsv(h, s, v);
}

Material random_facade(Random& random, Facades facades, float odd_roofs) {
  const auto draw = [&]() -> const BuildingPalette& {
    int left = random.index(std::popcount(facades));
    std::size_t number = 0;
    while ((facades >> number & 1U) == 0 || left-- > 0) ++number;
    return kPalettes[number];
  };
  const BuildingPalette& p = draw();
  const BuildingPalette& top = random.chance(odd_roofs) ? draw() : p;
  Material m;
  m.surface = Surface::kFacade;
  const float hue = random.uniform(-0.02F, 0.02F);
  const float value = random.uniform(-0.08F, 0.08F);
  const float saturation = random.uniform(0.8F, 1.15F);
  m.base = hsv(p.hue + hue, std::min(1.0F, p.saturation * saturation), p.value + value);
  m.roof = hsv(top.roof_hue + hue, std::min(1.0F, top.roof_saturation * saturation),
               top.roof_value + value);
  m.trim = mix(hsv(0.1F, 0.05F, p.trim_value), m.base, 0.3F);
  const float accent_value = random.uniform(0.45F, 0.8F);
  m.accent = hsv(random.uniform(), 0.75F, accent_value);
  m.floor_height = random.uniform(2.9F, 3.6F);
  m.window_pitch = random.uniform(2.0F, 4.2F);
  m.window_width = random.uniform(0.35F, 0.72F);
  m.window_height = random.uniform(0.38F, 0.62F);
  m.seed = static_cast<std::uint32_t>(random.bits() >> 32);
  return m;
}

Material random_leaves(Random& random) {
  Material leaf;
  leaf.surface = Surface::kFoliage;
  const float kind = random.uniform();
  const float bright = random.uniform(0.34F, 0.62F);
  if (kind < 0.72F) {
    const float saturation = random.uniform(0.45F, 0.75F);
    leaf.base = hsv(random.uniform(0.20F, 0.36F), saturation, bright);
  } else if (kind < 0.84F) {
    leaf.base = hsv(random.uniform(0.10F, 0.15F), 0.75F, bright + 0.2F);
  } else if (kind < 0.94F) {
    leaf.base = hsv(random.uniform(0.01F, 0.07F), 0.75F, bright + 0.15F);
  } else {
    leaf.base = hsv(random.uniform(0.88F, 0.97F), 0.35F, bright + 0.3F);
  }
  leaf.seed = static_cast<std::uint32_t>(random.bits() >> 32);
  return leaf;
}

Vec3 random_paint(Random& random) {
  const auto& colour = kCarColours[static_cast<std::size_t>(random.index(kCarColours.size()))];
  return hsv(colour[0], colour[1], colour[2]);
}

}  // namespace crossfix::world

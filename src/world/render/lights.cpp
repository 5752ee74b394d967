#include <cmath>
#include <numbers>

#include "light.hpp"
#include "world/plan/random.hpp"

namespace crossfix::world {

namespace {

/// Summer; autumn with the probability `each`, and winter with the same.
Season random_season(Random random, float each) {
  Season season;
  const float kind = random.uniform();
  const float much = random.uniform(0.4F, 1.0F);
  if (kind < each) season.autumn = much;
  if (kind >= each && kind < 2.0F * each) {
    season.autumn = 0.3F;
    season.winter = much;
  }
  return season;
}

}  // namespace

std::uint32_t date_of(std::uint64_t key) { return static_cast<std::uint32_t>(mix64(~key) >> 32); }

Light random_ground_light(std::uint64_t key) {
  Random random(key);
  Light light;
  light.date = date_of(key);
  light.season = random_season(random.child(1), 0.25F);
  light.seed = static_cast<std::uint32_t>(random.bits() >> 32);
  const float elevation = random.uniform(0.30F, 1.15F);
  light.sun_direction =
      direction_of(random.uniform(0.0F, 2.0F * std::numbers::pi_v<float>), elevation);
  const bool overcast = random.chance(0.3F);
  const float warmth = std::max(0.0F, 0.7F - elevation) * random.uniform(0.4F, 1.0F);
  const float strength = random.uniform(0.85F, 1.25F);
  if (overcast) {
    const float level = random.uniform(0.75F, 1.1F);
    light.sun = {0.0F, 0.0F, 0.0F};
    light.ambient = Vec3{0.97F, 1.0F, 1.05F} * level;
    light.zenith = Vec3{0.45F, 0.50F, 0.56F} * level;
    light.horizon = Vec3{0.68F, 0.70F, 0.72F} * level;
    light.clouds = random.uniform(0.6F, 1.0F);
    light.haze = random.uniform(0.001F, 0.006F);
  } else {
    light.sun = Vec3{1.0F, 1.0F - 0.35F * warmth, 1.0F - 0.9F * warmth} * strength;
    light.ambient = Vec3{0.36F, 0.42F, 0.52F} * random.uniform(0.8F, 1.2F);
    light.zenith = Vec3{0.08F, 0.22F, 0.55F} * random.uniform(0.8F, 1.3F);
    light.horizon = Vec3{0.55F + 0.3F * warmth, 0.66F, 0.78F - 0.3F * warmth};
    light.clouds = random.uniform(0.0F, 0.65F);
    light.haze = random.uniform(0.0005F, 0.003F);
  }
  const float exposure = random.uniform(0.75F, 1.2F);
  light.gain = Vec3{random.uniform(0.93F, 1.07F), 1.0F, random.uniform(0.93F, 1.07F)} * exposure;
  return light;
}

Light random_aerial_light(std::uint64_t key) {
  Random random(key);
  Light light;
  light.date = date_of(key);
  light.season = random_season(random.child(1), 0.10F);  // mostly taken while trees have leaves
  const float elevation = random.uniform(0.65F, 1.15F);
  light.sun_direction = direction_of(
      random.uniform(0.5F * std::numbers::pi_v<float>, 1.5F * std::numbers::pi_v<float>),
      elevation);
  light.sun = Vec3{1.0F, 0.98F, 0.93F} * random.uniform(0.85F, 1.1F);
  light.ambient = Vec3{0.34F, 0.38F, 0.46F} * random.uniform(0.85F, 1.2F);
  const float exposure = random.uniform(0.85F, 1.1F);
  light.gain = Vec3{random.uniform(0.95F, 1.05F), 1.0F, random.uniform(0.95F, 1.05F)} * exposure;
  return light;
}

}  // namespace crossfix::world

#include "solid_maker.hpp"

#include "palette.hpp"

namespace crossfix::world {

std::uint32_t SolidMaker::material(const Material& material) {
  scene_.materials.push_back(material);
  return static_cast<std::uint32_t>(scene_.materials.size() - 1);
}

void SolidMaker::box(Vec2 centre, Vec2 axis, Vec2 half, float z0, float z1,
                     std::uint32_t material) {
  Solid solid;
  solid.material = material;
  solid.centre = centre;
  solid.half = half;
  solid.cosine = axis.x;
  solid.sine = axis.y;
  solid.z0 = z0;
  solid.z1 = z1;
  scene_.solids.push_back(solid);
}

void SolidMaker::cylinder(Vec2 centre, float radius, float z0, float z1, std::uint32_t material) {
  Solid solid;
  solid.shape = Shape::kCylinder;
  solid.material = material;
  solid.centre = centre;
  solid.half = {radius, radius};
  solid.z0 = z0;
  solid.z1 = z1;
  scene_.solids.push_back(solid);
}

void SolidMaker::tree(Vec2 at, float radius, Random& random) {
  const Material leaf = random_leaves(random);
  Material bark;
  const float bark_value = random.uniform(0.25F, 0.45F);
  bark.base = hsv(0.07F, random.uniform(0.2F, 0.5F), bark_value);
  bark.seed = leaf.seed;
  const float bottom = random.uniform(2.7F, 3.6F);
  const float height = radius * random.uniform(1.5F, 2.6F);
  Solid crown;
  crown.shape = Shape::kEllipsoid;
  crown.material = this->material(leaf);
  crown.centre = at;
  crown.half = {radius, radius};
  crown.z0 = bottom;
  crown.z1 = bottom + height;
  scene_.solids.push_back(crown);
  cylinder(at, 0.1F + 0.05F * radius, 0.0F, bottom + 0.5F * height, this->material(bark));
}

void SolidMaker::car(Vec2 at, Vec2 along, float presence, Random& random) {
  const std::size_t first = scene_.solids.size();
  Material paint;
  paint.surface = Surface::kCar;
  paint.base = random_paint(random);
  const bool van = random.chance(0.15F);
  const float half_length = van ? random.uniform(2.4F, 2.8F) : random.uniform(1.9F, 2.35F);
  const float half_width = van ? 0.98F : 0.88F;
  const std::uint32_t body = this->material(paint);
  Material glass = paint;
  glass.trim = {1.0F, 1.0F, 1.0F};  // marks the cabin
  const std::uint32_t cabin = this->material(glass);
  const float deck = van ? 1.1F : 0.85F;
  box(at, along, {half_length, half_width}, 0.18F, deck, body);
  const float shift = van ? -0.3F : random.uniform(-0.4F, -0.1F);
  box(at + along * shift, along, {half_length * (van ? 0.85F : 0.55F), half_width * 0.9F}, deck,
      van ? 2.1F : 1.45F, cabin);
  let_visit(first, presence);
}

void SolidMaker::person(Vec2 at, float presence, Random& random) {
  const std::size_t first = scene_.solids.size();
  Material clothes;
  const float value = random.uniform(0.15F, 0.9F);
  clothes.base = hsv(random.uniform(), 0.5F, value);
  const float shoulders = random.uniform(1.2F, 1.5F);
  cylinder(at, random.uniform(0.18F, 0.27F), 0.0F, shoulders, material(clothes));
  Material skin;
  skin.base = hsv(0.06F, 0.45F, random.uniform(0.35F, 0.85F));
  cylinder(at, 0.11F, shoulders, shoulders + 0.28F, material(skin));
  let_visit(first, presence);
}

void SolidMaker::let_visit(std::size_t first, float presence) {
  for (std::size_t i = first; i < scene_.solids.size(); ++i) {
    scene_.solids[i].visitor = static_cast<std::uint32_t>(first);
    scene_.solids[i].presence = presence;
  }
}

}  // namespace crossfix::world

/// Small vectors of the world: metres in the local frame of a city (x east, y north, z up), or
/// linear RGB.
#pragma once

#include <algorithm>
#include <cmath>

#include "ray_code.hpp"

namespace crossfix::world {

struct Vec2 {
  float x = 0.0F;
  float y = 0.0F;
};

constexpr Vec2 operator+(Vec2 a, Vec2 b) { return {a.x + b.x, a.y + b.y}; }
constexpr Vec2 operator-(Vec2 a, Vec2 b) { return {a.x - b.x, a.y - b.y}; }
constexpr Vec2 operator*(Vec2 a, float s) { return {a.x * s, a.y * s}; }
constexpr float dot(Vec2 a, Vec2 b) { return a.x * b.x + a.y * b.y; }
constexpr float cross(Vec2 a, Vec2 b) { return a.x * b.y - a.y * b.x; }
constexpr Vec2 left_of(Vec2 a) { return {-a.y, a.x}; }
CROSSFIX_RAY_CODE float length(Vec2 a) { return std::sqrt(dot(a, a)); }
CROSSFIX_RAY_CODE Vec2 normalised(Vec2 a) { return a * (1.0F / length(a)); }

struct Vec3 {
  float x = 0.0F;
  float y = 0.0F;
  float z = 0.0F;
};

constexpr Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
constexpr Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
constexpr Vec3 operator*(Vec3 a, float s) { return {a.x * s, a.y * s, a.z * s}; }
constexpr Vec3 operator*(Vec3 a, Vec3 b) { return {a.x * b.x, a.y * b.y, a.z * b.z}; }
constexpr float dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
constexpr Vec3 mix(Vec3 a, Vec3 b, float t) { return a * (1.0F - t) + b * t; }
CROSSFIX_RAY_CODE Vec3 normalised(Vec3 a) { return a * (1.0F / std::sqrt(dot(a, a))); }

}  // namespace crossfix::world

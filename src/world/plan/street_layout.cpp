#include "street_layout.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include "palette.hpp"

namespace crossfix::world {

namespace {

class Layout {
 public:
  Layout(Scene& scene, const Random& random, const CityStyle& style, float half_side)
      : scene_(scene), random_(random), style_(style), half_side_(half_side) {}

  void lay() {
    make_junctions();
    make_streets();
    make_blocks();
  }

 private:
  [[nodiscard]] std::size_t node(int i, int j) const {
    return static_cast<std::size_t>(j) * static_cast<std::size_t>(nodes_x_) +
           static_cast<std::size_t>(i);
  }

  /// A jittered, bent, turned lattice of irregular spacing.
  void make_junctions() {
    Random random = random_.child(2);
    const float reach = half_side_ * 1.45F;  // covers the square when turned
    const auto axis = [&](std::vector<float>& positions, std::vector<float>& widths) {
      float x = -reach;
      while (x < reach) {
        positions.push_back(x);
        const float kind = random.uniform();
        widths.push_back(kind < 0.2F   ? random.uniform(7.0F, 9.0F)
                         : kind < 0.8F ? random.uniform(4.8F, 6.0F)
                                       : random.uniform(3.4F, 4.2F));
        x += random.uniform(style_.block_min, style_.block_max);
      }
    };
    std::vector<float> us;
    std::vector<float> vs;
    axis(us, widths_x_);
    axis(vs, widths_y_);
    nodes_x_ = static_cast<int>(us.size());
    nodes_y_ = static_cast<int>(vs.size());
    const float turn = random.uniform(0.0F, 0.5F * std::numbers::pi_v<float>);
    const float c = std::cos(turn);
    const float s = std::sin(turn);
    const float phase_u = random.uniform(0.0F, 6.28F);
    const float phase_v = random.uniform(0.0F, 6.28F);
    const float wave = 6.2832F / random.uniform(350.0F, 600.0F);
    for (int j = 0; j < nodes_y_; ++j) {
      for (int i = 0; i < nodes_x_; ++i) {
        const float u0 = us[static_cast<std::size_t>(i)];
        const float v0 = vs[static_cast<std::size_t>(j)];
        const float u = u0 + style_.warp * std::sin(v0 * wave + phase_u) +
                        random.uniform(-1.0F, 1.0F) * style_.jitter;
        const float v = v0 + style_.warp * std::sin(u0 * wave + phase_v) +
                        random.uniform(-1.0F, 1.0F) * style_.jitter;
        nodes_.push_back({u * c - v * s, u * s + v * c});
      }
    }
  }

  [[nodiscard]] bool in_city(Vec2 p) const {
    return std::abs(p.x) < half_side_ && std::abs(p.y) < half_side_;
  }

  struct End {
    std::size_t street;
    bool at_start;
  };

  void make_streets() {
    Random random = random_.child(3);
    std::vector<std::vector<End>> ends(nodes_.size());
    const auto add = [&](std::size_t a, std::size_t b, float half_width) {
      const float fate = random.uniform();
      const std::uint32_t seed = static_cast<std::uint32_t>(random.bits() >> 32);
      const bool parking = half_width > 4.4F && random.chance(0.8F);
      const float pavement =
          half_width < 4.4F ? random.uniform(1.5F, 2.2F) : random.uniform(2.4F, 4.0F);
      if (!in_city(nodes_[a]) || !in_city(nodes_[b])) return;
      const bool narrow = half_width < 6.5F;
      if (narrow && fate < style_.missing_streets) return;
      Street street;
      street.half_width = half_width;
      street.pavement = pavement;
      street.lanes = half_width > 6.5F ? 4 : half_width > 4.4F ? 2 : 1;
      street.parking = parking;
      street.seed = seed;
      ends[a].push_back({scene_.streets.size(), true});
      const float bulge = random.uniform(-1.0F, 1.0F) * style_.curve;
      add_pieces(street, nodes_[a], nodes_[b], bulge);
      ends[b].push_back({scene_.streets.size() - 1, false});
    };
    for (int j = 0; j < nodes_y_; ++j) {
      for (int i = 0; i < nodes_x_; ++i) {
        if (i + 1 < nodes_x_) {
          add(node(i, j), node(i + 1, j), widths_y_[static_cast<std::size_t>(j)]);
        }
        if (j + 1 < nodes_y_) {
          add(node(i, j), node(i, j + 1), widths_x_[static_cast<std::size_t>(i)]);
        }
      }
    }
    for (int k = 3 - nodes_y_; k < nodes_x_ - 3; ++k) {  // nodes (i, i - k), or mirrored
      const bool rising = random.chance(0.5F);
      if (!random.chance(style_.diagonals)) continue;
      const float half_width = random.uniform(4.8F, 8.0F);
      for (int i = 0; i + 1 < nodes_x_; ++i) {
        const int j = rising ? i - k : nodes_y_ - 1 - (i - k);
        const int next = rising ? j + 1 : j - 1;
        if (std::min(j, next) < 0 || std::max(j, next) >= nodes_y_) continue;
        add(node(i, j), node(i + 1, next), half_width);
      }
    }
    for (const std::vector<End>& here : ends) clear_junction(here, random);
  }

  /// A street from a to b. If its middle lies `bulge` metres to the side, it has three straight
  /// pieces.
  void add_pieces(Street street, Vec2 a, Vec2 b, float bulge) {
    constexpr float kStraight = 0.7F;  // metres; too little to be seen
    const Vec2 along = b - a;
    const Vec2 aside = left_of(normalised(along)) * bulge;
    std::vector<Vec2> points{a};
    if (std::abs(bulge) > kStraight) {
      points.push_back(a + along * 0.32F + aside);
      points.push_back(a + along * 0.68F + aside);
    }
    points.push_back(b);
    for (std::size_t i = 0; i + 1 < points.size(); ++i) {
      street.start = points[i];
      street.length = length(points[i + 1] - points[i]);
      street.direction = normalised(points[i + 1] - points[i]);
      scene_.streets.push_back(street);
    }
  }

  /// Sets how far the markings of each street end before a junction.
  void clear_junction(const std::vector<End>& here, Random& random) {
    for (const End& mine : here) {
      Street& street = scene_.streets[mine.street];
      const Vec2 out = mine.at_start ? street.direction : street.direction * -1.0F;
      float clear = 0.0F;
      for (const End& other : here) {
        if (other.street == mine.street) continue;
        const Street& crossing = scene_.streets[other.street];
        const Vec2 way = other.at_start ? crossing.direction : crossing.direction * -1.0F;
        const float sine = std::abs(cross(out, way));
        if (sine < 0.4F) continue;
        const float along =
            (crossing.half_width + street.half_width * std::max(0.0F, dot(out, way))) / sine;
        clear = std::max(clear, along);
      }
      if (clear > 0.0F) clear = std::min(clear + 1.0F, 0.35F * street.length);
      const bool zebra = clear > 0.0F && random.chance(street.lanes == 1 ? 0.25F : 0.65F);
      (mine.at_start ? street.clear_start : street.clear_end) = clear;
      (mine.at_start ? street.zebra_start : street.zebra_end) = zebra;
    }
  }

  void make_blocks() {
    Random random = random_.child(4);
    for (int j = 0; j + 1 < nodes_y_; ++j) {
      for (int i = 0; i + 1 < nodes_x_; ++i) {
        Block block;
        block.corner = {nodes_[node(i, j)], nodes_[node(i + 1, j)], nodes_[node(i + 1, j + 1)],
                        nodes_[node(i, j + 1)]};
        const float kind = random.uniform();
        const bool dense = style_.gap_high < 5.5F;
        block.land = kind < 0.09F                     ? Land::kPark
                     : kind < 0.14F                   ? Land::kCarPark
                     : kind < (dense ? 0.60F : 0.25F) ? Land::kPaved
                                                      : Land::kGardens;
        block.grass = random_colour(random, {0.19F, 0.31F}, {0.35F, 0.65F}, {0.42F, 0.62F});
        block.paving = random_colour(random, {0.02F, 0.16F}, {0.05F, 0.4F}, {0.5F, 0.74F});
        block.seed = static_cast<std::uint32_t>(random.bits() >> 32);
        if (std::all_of(block.corner.begin(), block.corner.end(),
                        [&](Vec2 c) { return in_city(c); })) {
          scene_.blocks.push_back(block);
        }
      }
    }
  }

  Scene& scene_;
  const Random& random_;
  const CityStyle& style_;
  float half_side_;
  int nodes_x_ = 0;
  int nodes_y_ = 0;
  std::vector<float> widths_x_;
  std::vector<float> widths_y_;
  std::vector<Vec2> nodes_;
};

}  // namespace

void lay_streets(Scene& scene, const Random& random, const CityStyle& style, float half_side) {
  Layout(scene, random, style, half_side).lay();
}

}  // namespace crossfix::world

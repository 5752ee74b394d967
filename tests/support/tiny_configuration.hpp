#pragma once

#include "crossfix/model/configuration.hpp"

namespace crossfix::test {

/// A configuration small enough for a test to take no noticeable time.
inline model::Configuration tiny_configuration() {
  model::Configuration c;
  c.backbone = {.blocks = {1, 2, 1}, .planes = 8, .shared = true};
  c.model_width = 64;
  c.heads = 2;
  c.encoder_layers = 1;
  c.ffn_width = 96;
  c.grid = 8;
  c.satellite_size = 128;
  c.ground_size = {64, 128};
  return c;
}

}  // namespace crossfix::test

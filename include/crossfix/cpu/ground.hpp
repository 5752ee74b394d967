#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cpu/context.hpp"
#include "crossfix/ops/ground.hpp"

namespace crossfix::cpu {

/// Samples the ground around a camera, once for each of `poses`, from a whole equirectangular
/// panorama, 8-bit RGB [height, width, 3] with rows without gaps. Samples are interpolated
/// bilinearly between four pixels: y = (value / 255 - mean) / std; y [poses, side, side, 3] is
/// contiguous. Throws ShapeError, also for an even side and for a pose that is not finite.
template <class Element>
void sample_ground(Context& context, TensorView<const std::uint8_t, 3> panorama,
                   const ops::GroundViewSpecification& specification,
                   std::span<const ops::CameraPose> poses, const float (&mean)[3],
                   const float (&std)[3], TensorView<Element, 4> y);

/// The same out of an image [height, width, 3] that `camera` took; ground that it does not show has
/// the mean colour: y = 0. Throws ShapeError as above, and for an image of another size.
template <class Element>
void sample_ground(Context& context, TensorView<const std::uint8_t, 3> image,
                   const camera::BasicCamera<float>& camera,
                   const ops::GroundViewSpecification& specification,
                   std::span<const ops::CameraPose> poses, const float (&mean)[3],
                   const float (&std)[3], TensorView<Element, 4> y);

/// Subtracts from every channel its mean and divides it by its standard deviation (plus
/// `kDeviationFloor`). Both are taken over the positions with `weights` [h, w], which are at least
/// 0 and not all 0. x and y are [h, w, c], contiguous; y may be x. Throws ShapeError.
template <class Element>
void standardize(Context& context, TensorView<const Element, 3> x,
                 TensorView<const float, 2> weights, TensorView<Element, 3> y);

/// Scratch memory of `correlate`, in bytes, for tile [height, width, c] and views [k, h, w, c].
std::size_t correlate_scratch_bytes(const Target& target, const Shape<3>& tile,
                                    const Shape<4>& views);

/// scores[k, row, col] = match_score of view k with its middle at (row, col) of the tile: weighted,
/// normalised cross-correlation over the part of the view that lies in the tile. tile [height,
/// width, c]; views [k, h, w, c] with h and w odd; weights [h, w], at least 0 and not all 0; scores
/// [k, height, width]; all contiguous. Throws ShapeError.
template <class Element>
void correlate(Context& context, TensorView<const Element, 3> tile,
               TensorView<const Element, 4> views, TensorView<const float, 2> weights,
               TensorView<float, 3> scores);

}  // namespace crossfix::cpu

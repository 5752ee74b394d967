#include "report.hpp"

namespace crossfix::report {

std::vector<NamedText> standard_definitions(bool reference_mode) {
  std::vector<NamedText> all;
  if (reference_mode) {
    all = {
        {"Mode",
         "Reference: what the reference's scripts compute, with their roundings, their one scale "
         "for every city, and without the samples that they drop, so that figures compare with the "
         "published ones."},
        {"Error",
         "Distance in network pixels from the fix to the truth, which is rounded to whole pixels "
         "about pixel 127 (VIGOR) or cut to whole pixels (RobotCar), times one scale: 0.285 m "
         "(VIGOR) or 0.144375 m (RobotCar) a network pixel."},
    };
  } else {
    all = {
        {"Mode",
         "True: the tile's own scale, its true centre, coordinates that are not rounded, no sample "
         "dropped but those outside their tile, which are counted."},
        {"Error",
         "Distance on the ground from the fix to the truth, by the scale of the sample's own city "
         "or "
         "map."},
    };
  }
  const std::vector<NamedText> common{
      {"Median", "Of an even number of samples, the mean of the middle two."},
      {"Recall at x",
       "Share of the samples whose error is at most x; \"5 %\" is 5 % of the tile's side."},
      {"Longitudinal, lateral",
       "The error along and across the camera's heading, what the centre of its panorama looks at, "
       "or the vehicle's; without sign."},
      {"Heading",
       "Of headings that were searched for: the angle from the camera's, at most 180 degrees."},
      {"95 % interval",
       "Percentile bootstrap over ground images, each drawn with all its tiles: 2.5 % of the draws "
       "give a figure below the interval, 2.5 % one above."},
      {"±", "Population standard deviation over the runs."},
      {"Radius",
       "The smallest radius of a circle about the fix that holds 68 % of the network's posterior; "
       "the posterior is taken at the temperature among the settings."},
      {"Reliability",
       "For a promised share p, how often the truth lies within the circle about the fix that "
       "holds "
       "p of the posterior. On the diagonal the network promises what it keeps; below it, it is "
       "too sure of itself."},
      {"Risk and coverage",
       "Samples are put in order of their radius, the most certain first; the curve is the error "
       "of those kept when only the given share is."},
      {"Not here",
       "An answer says how likely it is that the camera does not stand in the tile; from 50 % on "
       "the pair is called not here. A wrong pair is a tile with the ground image of another "
       "camera of its city or run, which stands outside it; a right pair has its own camera in it. "
       "The area under the curve is how probable it is that of a right and a wrong pair the wrong "
       "one is called so first; 0.5 is chance."},
      {"Negative log-likelihood",
       "Minus the natural logarithm of the posterior's density, for each square metre, at the "
       "truth; lower is better. Truths outside their tile have none."},
  };
  all.insert(all.end(), common.begin(), common.end());
  return all;
}

}  // namespace crossfix::report

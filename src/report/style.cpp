#include "style.hpp"

namespace crossfix::report {

// Series: colours of Okabe and Ito's palette, darkened (on light ground) or lightened (on dark
// ground). Errors: viridis, reversed so that large errors stand out from the ground.
std::string_view style_sheet() {
  return R"css(
:root {
  color-scheme: light dark;
  --paper: #ffffff; --card: #f5f7f9; --ink: #1b2430; --faint: #566170; --grid: #e2e6eb;
  --rule: #b9c1ca; --warn: #fff4db; --warn-edge: #b97a00; --link: #0062a3;
  --s0: #0067a8; --s1: #cc5200; --s2: #00795a; --s3: #9b4587; --s4: #946400; --s5: #56606c;
  --e0: #b8de29; --e1: #55c667; --e2: #1f968b; --e3: #33638d; --e4: #453781; --e5: #31003f;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #11151a; --card: #1a2027; --ink: #e4e9ee; --faint: #9ca8b4; --grid: #2a323b;
    --rule: #46515d; --warn: #332913; --warn-edge: #d9a441; --link: #7cc0f2;
    --s0: #56b4e9; --s1: #ff8f4d; --s2: #35c9a0; --s3: #e29bc9; --s4: #f0c24b; --s5: #b5bec8;
    --e0: #3e5c93; --e1: #2d7f8e; --e2: #24a884; --e3: #6ccd5a; --e4: #c8e020; --e5: #fff6a8;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 1180px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 8px 0; }
h2 { font-size: 20px; margin: 44px 0 12px; padding-bottom: 4px; border-bottom: 1px solid var(--rule); }
h3 { font-size: 16px; margin: 28px 0 8px; }
h4 { font-size: 14px; margin: 0; overflow-wrap: anywhere; }
p { margin: 8px 0; max-width: 80ch; }
nav a { color: var(--link); margin-right: 16px; white-space: nowrap; }
.warnings {
  background: var(--warn); border-left: 4px solid var(--warn-edge); margin: 16px 0;
  padding: 10px 16px 10px 32px; overflow-wrap: anywhere;
}
.wide { overflow-x: auto; margin: 12px 0 20px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 4px 0; }
th, td { padding: 5px 18px 5px 0; text-align: right; vertical-align: top; border-bottom: 1px solid var(--grid); }
th { font-weight: 500; color: var(--faint); }
thead th { vertical-align: bottom; border-bottom-color: var(--rule); }
th[scope="row"], th:first-child { text-align: left; padding-right: 24px; }
tr.main th, tr.main td { font-weight: 650; color: var(--ink); background: var(--card); }
td, th[scope="row"] { white-space: nowrap; }
td.text { text-align: left; white-space: normal; overflow-wrap: anywhere; max-width: 80ch; }
tr th:first-child { padding-left: 8px; }
tr td:last-child, tr th:last-child { padding-right: 8px; }
.interval { display: block; font-size: 12px; font-weight: 400; color: var(--faint); white-space: nowrap; }
.note { color: var(--faint); font-size: 13px; margin: 6px 0; }
.grid { display: grid; gap: 20px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); }
.maps { display: flex; flex-wrap: wrap; gap: 20px; align-items: flex-start; }
.maps figure { max-width: 364px; }
figure { margin: 0; break-inside: avoid; }
.grid figure, .maps figure { background: var(--card); border-radius: 6px; padding: 12px; }
figcaption { font-size: 13px; color: var(--faint); margin-top: 6px; overflow-wrap: anywhere; }
svg.chart { display: block; max-width: 100%; height: auto; font-size: 12px; }
svg text { fill: var(--ink); }
svg .middle { text-anchor: middle; }
svg .end { text-anchor: end; }
svg .tick { fill: var(--faint); }
path { fill: none; }
.grid-lines { stroke: var(--grid); }
.axis { stroke: var(--faint); }
.ground { fill: var(--paper); stroke: var(--rule); }
.line { stroke-width: 2; stroke-linejoin: round; }
.whisker { stroke-width: 1.5; stroke-dasharray: none; }
.guide { stroke: var(--faint); stroke-width: 1.3; }
.guide-0 { stroke-dasharray: 7 4; }
.guide-1 { stroke-dasharray: 1.5 3.5; }
.line, .band, .guide, .grid-lines { pointer-events: none; }
path.band { fill-opacity: 0.18; }
.hint { opacity: 0; }
.hint:hover { opacity: 1; }
.bar:hover, .dot:hover, .cell:hover { stroke: var(--ink); stroke-width: 1.5; }
.cell { shape-rendering: crispEdges; }
.dot { stroke: var(--paper); stroke-width: 0.5; }
.line-0 { stroke: var(--s0); } .fill-0 { fill: var(--s0); }
.line-1 { stroke: var(--s1); stroke-dasharray: 8 3; } .fill-1 { fill: var(--s1); }
.line-2 { stroke: var(--s2); stroke-dasharray: 3 2; } .fill-2 { fill: var(--s2); }
.line-3 { stroke: var(--s3); stroke-dasharray: 9 3 2 3; } .fill-3 { fill: var(--s3); }
.line-4 { stroke: var(--s4); stroke-dasharray: 5 2; } .fill-4 { fill: var(--s4); }
.line-5 { stroke: var(--s5); stroke-dasharray: 1.5 2; } .fill-5 { fill: var(--s5); }
.error-0 { fill: var(--e0); } .error-1 { fill: var(--e1); } .error-2 { fill: var(--e2); }
.error-3 { fill: var(--e3); } .error-4 { fill: var(--e4); } .error-5 { fill: var(--e5); }
.key { max-width: none; font-size: 13px; color: var(--faint); }
.key .entry { white-space: nowrap; margin-right: 10px; }
.key svg { vertical-align: -2px; }
.pair { background: var(--card); border-radius: 6px; padding: 12px; margin: 0 0 14px; break-inside: avoid; }
.pair p { margin: 2px 0 8px; font-size: 13px; color: var(--faint); max-width: none; overflow-wrap: anywhere; }
.pair b { color: var(--ink); }
.pictures { display: flex; gap: 10px; align-items: flex-start; }
.pictures img { display: block; width: 100%; height: auto; border-radius: 3px; }
.pictures figcaption { font-size: 12px; margin-top: 3px; }
@media screen and (max-width: 700px) {
  .pictures { display: block; }
  .pictures figure { margin-bottom: 8px; }
  .grid figure { overflow-x: auto; }
  .grid svg.chart { max-width: none; width: 480px; }
}
@media print {
  :root { color-scheme: light; }
  body { font-size: 11px; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  h2 { break-after: avoid; margin-top: 24px; }
  h3 { break-after: avoid; }
  td, th, .note, figcaption, .pair p, .pictures figcaption, .key { font-size: 10px; }
  .interval { font-size: 9px; }
  .key { break-after: avoid; }
  .grid { grid-template-columns: 1fr; }
  .grid svg.chart { max-width: 13cm; }
  .maps figure { max-width: none; width: calc(50% - 10px); }
  .maps svg.chart { width: 100%; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";
}

}  // namespace crossfix::report

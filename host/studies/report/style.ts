import { DARK_COLOURS, FIGURE_STYLE, LIGHT_COLOURS } from '../../../contract/figure-style.ts';

/** The look of a report: light and dark by the reader's setting, black on white in print. */
export const STYLE = `
${LIGHT_COLOURS}
@media (prefers-color-scheme: dark) { ${DARK_COLOURS} }
${FIGURE_STYLE}
:root { color-scheme: light dark;
  --ground: #fbfbfa; --card: #ffffff; --ink: #1c2024; --soft: #60646c; --line: #e2e3e6;
  --c0: #2563c9; --c1: #d9730d; --c2: #178a63; --c3: #8a4bbf; --c4: #b3294e; --c5: #6b7280;
  --good: #178a63; --warn: #9a5b00; --warn-ground: #fff6e5; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #131518; --card: #1b1e22; --ink: #eceef0; --soft: #9ba1a8; --line: #30343a;
  --c0: #6ea2ff; --c1: #ffa057; --c2: #4cc38a; --c3: #c08cf0; --c4: #f2708f; --c5: #9ba1a8;
  --good: #4cc38a; --warn: #ffcf70; --warn-ground: #2d2410; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 48px 24px 80px; }
header p.over { margin: 0; color: var(--soft); font-size: 13px; letter-spacing: .04em; }
h1 { margin: 4px 0 12px; font-size: 30px; line-height: 1.2; letter-spacing: -.01em; }
h2 { margin: 56px 0 12px; font-size: 20px; letter-spacing: -.005em; }
h3 { margin: 28px 0 8px; font-size: 15px; }
p.lead { max-width: 68ch; margin: 0 0 8px; font-size: 18px; }
p, li { max-width: 80ch; }
.soft { color: var(--soft); }
.small { font-size: 13px; }
code, pre { font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
pre { overflow-x: auto; padding: 16px; background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px;
  margin: 28px 0 0; }
.card { padding: 16px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.card b { display: block; font-size: 24px; font-weight: 650; line-height: 1.2;
  font-variant-numeric: tabular-nums; }
.card span { color: var(--soft); font-size: 13px; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; vertical-align: bottom; color: var(--soft); font-size: 12.5px; font-weight: 550; }
th, td { padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); }
td { vertical-align: top; }
td.n, th.n { text-align: right; padding-right: 18px; }
td.n { white-space: nowrap; }
td.w, .tight td { white-space: nowrap; }
tr.first td { border-top: 2px solid var(--line); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 24px; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.key { display: inline-block; width: 10px; height: 10px; margin-right: 7px; border-radius: 3px; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(400px, 100%), 1fr)); gap: 16px; }
figure { margin: 0; padding: 14px 14px 10px; background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; break-inside: avoid; }
figcaption { margin-bottom: 6px; font-weight: 600; font-size: 13.5px; }
figcaption span { color: var(--soft); font-weight: 400; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
svg text.strong { fill: var(--ink); font-weight: 600; }
svg .grid { stroke: var(--line); } svg .axis { stroke: var(--soft); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 6px 2px 0; font-size: 12.5px; }
.notes { margin: 20px 0 0; padding: 12px 16px 12px 34px; background: var(--warn-ground);
  border-radius: 8px; color: var(--ink); }
.leak { padding: 10px 14px; background: var(--warn-ground); border-left: 3px solid var(--warn);
  border-radius: 4px; margin-bottom: 16px; } p.leak { margin: 8px 0; padding: 4px 10px; font-size: 12.5px; }
.notes li::marker { color: var(--warn); }
.wall { display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: 10px; }
.tile { padding: 8px; background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  font-size: 11.5px; line-height: 1.35; break-inside: avoid; overflow-wrap: anywhere; }
.tile .pictures { display: flex; gap: 4px; margin-bottom: 6px; background: #fff; border-radius: 4px; }
.tile img, .tile .gone { display: block; flex: 1 1 0; min-width: 0; aspect-ratio: 1;
  object-fit: contain; }
.tile img.seen { image-rendering: pixelated; }
.tile .gone { display: grid; place-items: center; color: #60646c; }
.tile b { font-weight: 600; }
.tile .right { color: var(--good); }
details > summary { cursor: pointer; margin: 12px 0; color: var(--soft); }
footer { margin-top: 64px; padding-top: 16px; border-top: 1px solid var(--line); color: var(--soft);
  font-size: 13px; }
figure.wide { grid-column: 1 / -1; }
.wall-group h4 { margin: 14px 0 2px; font-size: 13.5px; }
.picture-wall { display: flex; flex-wrap: wrap; gap: 10px; }
.picture { display: flex; flex-direction: column; width: 112px; font-size: 11.5px; line-height: 1.35; }
.picture img { width: 112px; height: 112px; object-fit: contain; background: #fff; border-radius: 4px; margin-bottom: 4px; }
.picture img.made { image-rendering: pixelated; }
.verdict.holds { color: var(--good); } .verdict.does-not-hold { color: var(--c4); }
@media print {
  :root { --ground: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #ccc; }
  main { max-width: none; padding: 0; } h2 { margin-top: 32px; break-after: avoid; }
  details > summary { display: none; } }
`;

const COLOURS = 6;

/** The colour of the n-th arm. */
export function colour(index: number): string {
  return `var(--c${index % COLOURS})`;
}

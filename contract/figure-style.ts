/** How marks of figures look where the page gives the colours `--k0` to `--k7` and its inks. */
const COLOURS = [0, 1, 2, 3, 4, 5, 6, 7]
  .map(
    (n) =>
      `.chart .bar.k${n},.chart .band.k${n},.chart .point.k${n}{fill:var(--k${n})}` +
      `.chart .line.k${n},.chart .whisker.k${n},.chart .interval.k${n},.chart .dot.k${n}{stroke:var(--k${n})}`,
  )
  .join('\n');

export const FIGURE_STYLE = `
svg.chart { display: block; max-width: 760px; width: 100%; height: auto; }
.chart text { fill: var(--figure-soft); font: 11px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.chart text.strong { fill: var(--figure-ink); }
.chart text.cell { font-size: 10.5px; } .chart text.on-dark { fill: #ffffff; } .chart text.on-light { fill: #14181a; }
.chart a { text-decoration: none; }
.chart .grid { stroke: var(--figure-line); }
.chart .axis { stroke: var(--figure-soft); }
.chart .mark { stroke: var(--figure-soft); stroke-dasharray: 3 3; }
.chart .shade { fill: var(--figure-soft); opacity: .12; }
.chart .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.chart .band { opacity: .16; }
.chart .bar { opacity: .88; } .chart .bar.faded { opacity: .25; }
.chart .whisker { fill: none; stroke-width: 1.2; }
.chart .interval { stroke-width: 4; stroke-linecap: round; opacity: .45; }
.chart .dot { fill: var(--figure-ground); stroke-width: 1.2; }
.chart rect.cell { stroke: var(--figure-ground); }
.chart a:hover .point, .chart a:hover .bar, .chart a:focus .point { stroke: var(--figure-ink); stroke-width: 2; }
.chart a:hover rect.cell { stroke: var(--figure-ink); stroke-width: 2; }
${COLOURS}
`;

/** Colours of figures that stand alone, on white. */
export const LIGHT_COLOURS = `:root, svg { --figure-ground: #ffffff; --figure-ink: #1c2024; --figure-soft: #60646c; --figure-line: #e2e3e6;
--k0: #2563c9; --k1: #d9730d; --k2: #178a63; --k3: #8a4bbf; --k4: #b3294e; --k5: #6b7280; --k6: #8a7a00; --k7: #0e7c86; }`;

export const DARK_COLOURS = `:root, svg { --figure-ground: #1b1e22; --figure-ink: #eceef0; --figure-soft: #9ba1a8; --figure-line: #30343a;
--k0: #6ea2ff; --k1: #ffa057; --k2: #4cc38a; --k3: #c08cf0; --k4: #f2708f; --k5: #9ba1a8; --k6: #d9c64a; --k7: #4fc3cf; }`;

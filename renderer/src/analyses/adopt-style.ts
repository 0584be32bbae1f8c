import { FIGURE_STYLE } from '../../../contract/figure-style.ts';

/** The look of the host's figures, once; a sheet made by script is within the page's policy. */
export function adoptFigureStyle(): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(FIGURE_STYLE);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

/** Pixels for each unit of a figure's own coordinates. */
const SCALE = 2;

/** A figure's SVG as a picture. Null where the browser cannot draw it. */
export async function svgToPng(svg: string): Promise<Blob | null> {
  const [, width = 0, height = 0] = (/viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? []).map(Number);
  const sized = svg.replace('<svg', `<svg width="${width * SCALE}" height="${height * SCALE}"`);
  const address = URL.createObjectURL(new Blob([sized], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = width * SCALE;
    canvas.height = height * SCALE;
    canvas.getContext('2d')?.drawImage(image, 0, 0);
    return await new Promise((resolve) => canvas.toBlob(resolve));
  } finally {
    URL.revokeObjectURL(address);
  }
}

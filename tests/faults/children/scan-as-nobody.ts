// Scans a folder without the rights of root (for whom no folder is unreadable); prints the report.
import sharp from 'sharp';
import { scanSource } from '../../../host/datasets/scan.ts';

await sharp({ create: { width: 1, height: 1, channels: 3, background: '#000' } })
  .raw()
  .toBuffer();
if (process.getuid?.() === 0) {
  process.setegid!(65_534);
  process.seteuid!(65_534);
}
const { report } = await scanSource(null, process.argv[2]!);
process.stdout.write(JSON.stringify(report));

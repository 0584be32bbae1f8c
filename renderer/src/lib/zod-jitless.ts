// Imported before anything that builds a schema: the content policy forbids `new Function`.
import { z } from 'zod';

z.config({ jitless: true });

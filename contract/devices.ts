/** What can execute a training, and whether it may be trusted with one. */
export const DEVICE_IDS = ['cpu', 'cuda', 'directml', 'coreml', 'webgpu', 'tfjs-gpu'] as const;
export type DeviceId = (typeof DEVICE_IDS)[number];
export const DEVICE_CHOICES = ['auto', ...DEVICE_IDS] as const;
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];

/** One forward and backward pass and an update of a small net, against the CPU's result. */
export interface SelfTest {
  passed: boolean;
  /** Largest relative difference to the CPU over loss, gradients and new weights. */
  difference: number | null;
  tolerance: number;
  /** Milliseconds of a step of the test net, median. */
  milliseconds: number | null;
}

export interface DeviceReport {
  id: DeviceId;
  title: string;
  /** missing: libraries or hardware are not there; failed: it ran and was wrong, or crashed. */
  state: 'ready' | 'missing' | 'failed' | 'unsupported';
  /** Adapter or library versions, as the runtime reports them. */
  description: string;
  selfTest: SelfTest | null;
  /** Why it is not ready, and the way out. */
  reason: string | null;
  wayOut: string | null;
}

export interface DevicesReport {
  devices: DeviceReport[];
  /** What `auto` picks, and why in words. */
  auto: { id: DeviceId; why: string };
  /** What the settings ask for. */
  chosen: DeviceChoice;
  testedAt: string;
}

import { run } from "../lib/run";
import type { ImageSize } from "./report";

/** An image of a stack, and the one that its Dockerfile's last stage begins with. */
export interface MeasuredImage {
  service: string;
  image: string;
  base: string;
}

/** What `docker image inspect` says of an image, as far as we ask. */
export interface Inspected {
  /** Bytes, all layers together, as the engine stores them. */
  Size: number;
  /** The first is the lowest. */
  RootFS: { Layers: string[] };
}

/**
 * Asks the engine for the sizes of images.
 * @returns One for each, in their order.
 * @throws {CommandError} when the engine does not have one of them.
 * @throws {Error} for an image that is not built on its base as the engine has it now.
 */
export async function measureImages(images: readonly MeasuredImage[]): Promise<ImageSize[]> {
  return Promise.all(
    images.map(async (measured) => {
      const { image, base } = measured;
      return sizeOf(measured, await inspect(image), await inspect(base));
    }),
  );
}

/**
 * Tells what of an image is its own.
 * @throws {Error} when the image's first layers are not those of its base.
 */
export function sizeOf(
  { service, image, base }: MeasuredImage,
  whole: Inspected,
  below: Inspected,
): ImageSize {
  const isOnBase = below.RootFS.Layers.every((layer, at) => whole.RootFS.Layers[at] === layer);
  if (!isOnBase) {
    throw new Error(`${image} is not built on ${base} as it is now: build it anew.`);
  }
  return { service, megabytes: whole.Size / 1e6, aboveBase: (whole.Size - below.Size) / 1e6 };
}

async function inspect(image: string): Promise<Inspected> {
  const inspected = await run("docker", ["image", "inspect", "--format={{json .}}", image]);
  return JSON.parse(inspected) as Inspected;
}

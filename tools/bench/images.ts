import { attempt } from "../lib/run";
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
 * @throws {Error} when the engine does not have one of them.
 */
export async function measureImages(images: readonly MeasuredImage[]): Promise<ImageSize[]> {
  return Promise.all(
    images.map(async (measured) => {
      const [whole, below] = await Promise.all([measured.image, measured.base].map(inspect));
      if (whole === undefined) throw new Error(`the engine has no image ${measured.image}`);
      return sizeOf(measured, whole, below);
    }),
  );
}

/**
 * Tells what of an image is its own.
 * @param below Its base; undefined where the engine has none of that name, as the builder keeps what
 *   it pulls to itself.
 * @returns Nothing above its base where that is not known, or is another one by now.
 */
export function sizeOf(
  { service }: Pick<MeasuredImage, "service">,
  whole: Inspected,
  below: Inspected | undefined,
): ImageSize {
  const megabytes = whole.Size / 1e6;
  const isBase = below?.RootFS.Layers.every((layer, at) => whole.RootFS.Layers[at] === layer);
  const aboveBase = below !== undefined && isBase ? (whole.Size - below.Size) / 1e6 : undefined;
  return { service, megabytes, aboveBase };
}

async function inspect(image: string): Promise<Inspected | undefined> {
  const asked = await attempt("docker", ["image", "inspect", "--format={{json .}}", image]);
  return asked.ok ? (JSON.parse(asked.stdout) as Inspected) : undefined;
}

/**
 * Whether a page looks as it did. Pictures are compared block by block: the mean colour of three by three pixels.
 *
 * Another version of Chromium draws the edges of letters a little differently, and a comparison of pixels would fail
 * on it, or have to overlook so much that a lost button passes. In the mean of a block such edges cancel out, while
 * what moved, went, came or changed its colour differs in many blocks that lie together. So a difference is
 * counted where it is: in windows of thirty pixels, never as a share of the page. Chromium 131 and 156 draw all views
 * alike by this measure, and so does 156 with full hinting or with coloured edges.
 *
 * The browser decodes and encodes the pictures, so no library is needed for that.
 */

export const BLOCK = 3;

/** A block differs if a channel of its mean colour does by more than this, of 255. */
const SHADE = 36;

/** A window of `WINDOW` by `WINDOW` blocks differs if more of them do. */
const WINDOW = 10;
const BLOCKS_MAX = 14;

/**
 * Makes a picture smaller, to the mean colour of its blocks; both are PNG in base64.
 *
 * @param {Page} tool any page without a policy against `data:`
 */
export function reduce(tool, png) {
  return tool.evaluate(async ([source, block]) => {
    const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${source}`)).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    const from = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
    const [width, height] = [Math.floor(bitmap.width / block), Math.floor(bitmap.height / block)];
    const small = new OffscreenCanvas(width, height);
    const target = small.getContext("2d");
    const to = target.createImageData(width, height);
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        for (let channel = 0; channel < 3; channel += 1) {
          let sum = 0;
          for (let row = 0; row < block; row += 1) {
            for (let column = 0; column < block; column += 1) sum += from[((y * block + row) * bitmap.width + x * block + column) * 4 + channel];
          }
          to.data[(y * width + x) * 4 + channel] = Math.round(sum / block ** 2);
        }
        to.data[(y * width + x) * 4 + 3] = 255;
      }
    }
    target.putImageData(to, 0, 0);
    const bytes = new Uint8Array(await (await small.convertToBlob({ type: "image/png" })).arrayBuffer());
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
  }, [png, BLOCK]);
}

/**
 * Compares two reduced pictures.
 *
 * @returns {Promise<{places: {x: number, y: number, width: number, height: number}[], diff: string}>} where they differ,
 *   in pixels of the page, the worst first; and the second picture, faded, with those blocks in red
 */
export function compare(tool, kept, now) {
  return tool.evaluate(async ([first, second, { block, shade, window, most }]) => {
    const read = async (source) => {
      const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${source}`)).blob());
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
      context.drawImage(bitmap, 0, 0);
      return context.getImageData(0, 0, bitmap.width, bitmap.height);
    };
    const [one, other] = [await read(first), await read(second)];
    const { width, height } = other;
    const differs = (x, y) => {
      if (x >= one.width || y >= one.height) return 1;
      const [at, there] = [(y * width + x) * 4, (y * one.width + x) * 4];
      for (let channel = 0; channel < 3; channel += 1) {
        if (Math.abs(other.data[at + channel] - one.data[there + channel]) > shade) return 1;
      }
      return 0;
    };
    const marks = new Uint8Array(width * height);
    for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) marks[y * width + x] = differs(x, y);

    // Sums of rectangles, so that each window costs four look-ups.
    const sums = new Uint32Array((width + 1) * (height + 1));
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        sums[(y + 1) * (width + 1) + x + 1] = marks[y * width + x] + sums[y * (width + 1) + x + 1] + sums[(y + 1) * (width + 1) + x] - sums[y * (width + 1) + x];
      }
    }
    const inside = (x, y, right, bottom) => sums[bottom * (width + 1) + right] - sums[y * (width + 1) + right] - sums[bottom * (width + 1) + x] + sums[y * (width + 1) + x];
    const found = [];
    for (let y = 0; y < height; y += window / 2) {
      for (let x = 0; x < width; x += window / 2) {
        const count = inside(x, y, Math.min(width, x + window), Math.min(height, y + window));
        if (count > most) found.push({ count, x, y });
      }
    }
    found.sort((left, right) => right.count - left.count || left.y - right.y || left.x - right.x);
    const places = found.map(({ x, y }) => ({ x: x * block, y: y * block, width: window * block, height: window * block }));
    if (one.width !== width || one.height !== height) {
      places.unshift({ x: 0, y: Math.min(one.height, height) * block, width: width * block, height: Math.abs(one.height - height) * block });
    }

    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    const picture = context.createImageData(width, height);
    for (let at = 0; at < marks.length; at += 1) {
      const grey = (other.data[at * 4] + other.data[at * 4 + 1] + other.data[at * 4 + 2]) / 3 / 2 + 96;
      picture.data.set(marks[at] ? [220, 20, 30, 255] : [grey, grey, grey, 255], at * 4);
    }
    context.putImageData(picture, 0, 0);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return { places, diff: btoa(text) };
  }, [kept, now, { block: BLOCK, shade: SHADE, window: WINDOW, most: BLOCKS_MAX }]);
}

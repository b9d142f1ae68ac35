/**
 * Contrast as it is rendered: the computed colour of every text, icon and field edge that is in sight, over what lies beneath it there, by WCAG 2.2
 * (relative luminance; success criteria 1.4.3 and 1.4.11). Runs in the page.
 */
export interface Faint {
  readonly what: string;
  readonly ratio: number;
  readonly least: number;
}
export interface Contrast {
  readonly measured: number;
  readonly faint: readonly Faint[];
}

export function measureContrast(): Contrast {
  type Colour = readonly [red: number, green: number, blue: number, alpha: number];
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
  const brush = canvas.getContext('2d', { willReadFrequently: true });
  if (!brush) throw new Error('no canvas');
  const known = new Map<string, Colour>();
  /** Any CSS colour in sRGB, by the browser's own conversion. */
  const colourOf = (css: string): Colour => {
    let colour = known.get(css);
    if (!colour) {
      brush.clearRect(0, 0, 1, 1);
      brush.fillStyle = css;
      brush.fillRect(0, 0, 1, 1);
      const [red = 0, green = 0, blue = 0, alpha = 0] = brush.getImageData(0, 0, 1, 1).data;
      known.set(css, (colour = [red, green, blue, alpha / 255]));
    }
    return colour;
  };
  const over = (top: Colour, under: Colour): Colour => {
    const mix = (a: number, b: number): number => a * top[3] + b * (1 - top[3]);
    return [mix(top[0], under[0]), mix(top[1], under[1]), mix(top[2], under[2]), 1];
  };
  const luminance = (colour: Colour): number => {
    const linear = (value: number): number => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2]);
  };
  const ratioOf = (a: Colour, b: Colour): number => {
    const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const opacityOf = (element: Element | null): number => (element ? Number(getComputedStyle(element).opacity) * opacityOf(element.parentElement) : 1);

  /** What is painted at a point under and including an element; undefined where something else is on top, or nothing is. */
  const groundAt = (element: Element, x: number, y: number): Colour | undefined => {
    const stack = document.elementsFromPoint(x, y);
    let at = stack.indexOf(element);
    if (at < 0) at = stack.findIndex((one) => one.contains(element));
    if (at < 0) return undefined;
    let ground: Colour = [255, 255, 255, 1];
    for (const one of stack.slice(at).reverse()) {
      const [red, green, blue, alpha] = colourOf(getComputedStyle(one).backgroundColor);
      ground = over([red, green, blue, alpha * opacityOf(one)], ground);
    }
    // Whatever lies on top must let it through, as a radio button without a look of its own does.
    return stack.slice(0, at).some((one) => colourOf(getComputedStyle(one).backgroundColor)[3] > 0.02) ? undefined : ground;
  };
  /** WCAG excepts what cannot be used now. */
  const isOff = (element: Element): boolean => element.closest(':disabled, [aria-disabled="true"]') !== null;
  const inSight = ({ left, right, top, bottom, width, height }: DOMRect): boolean => width > 1 && height > 1 && left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
  const nameOf = (element: Element): string => `${element.tagName.toLowerCase()} “${(element.getAttribute('aria-label') ?? element.textContent).replace(/\s+/g, ' ').trim().slice(0, 50)}”`;

  /** Scrolled out of what it scrolls in; a dialog is over all that it stands in. */
  const isClipped = (element: Element, x: number, y: number): boolean => {
    if (element.matches('dialog:modal')) return false;
    for (let at = element.parentElement; at && !at.matches('dialog:modal'); at = at.parentElement) {
      const { left, right, top, bottom } = at.getBoundingClientRect();
      if (getComputedStyle(at).overflowY !== 'visible' && (x < left || x > right || y < top || y > bottom)) return true;
    }
    return false;
  };

  const faint: Faint[] = [];
  let measured = 0;
  const judge = (what: string, css: string, element: Element, x: number, y: number, least: number): void => {
    const ground = isClipped(element, x, y) ? undefined : groundAt(element, x, y);
    if (!ground) return;
    const [red, green, blue, alpha] = colourOf(css);
    const ratio = ratioOf(over([red, green, blue, alpha * opacityOf(element)], ground), ground);
    measured += 1;
    if (ratio < least) faint.push({ what, ratio: Math.round(ratio * 100) / 100, least });
  };

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const element = node.parentElement;
    if (!element || node.nodeValue?.trim() === '' || isOff(element) || element.tagName === 'OPTION') continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getClientRects()[0];
    if (!box || !inSight(box)) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    judge(nameOf(element), style.color, element, box.left + box.width / 2, box.top + box.height / 2, large ? 3 : 4.5);
  }
  for (const input of document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('input[placeholder], textarea[placeholder]')) {
    const box = input.getBoundingClientRect();
    if (input.value === '' && !isOff(input) && inSight(box)) judge(`placeholder “${input.placeholder}”`, getComputedStyle(input, '::placeholder').color, input, box.left + 12, box.top + 14, 4.5);
  }
  // An icon that alone says what a control does.
  for (const icon of document.querySelectorAll('button svg, a svg')) {
    const control = icon.closest('button, a');
    const box = icon.getBoundingClientRect();
    if (control?.textContent.trim() === '' && !isOff(control) && inSight(box)) judge(`icon of ${nameOf(control)}`, getComputedStyle(icon).color, icon, box.left + box.width / 2, box.top + box.height / 2, 3);
  }
  // The edge by which a field is known.
  for (const field of document.querySelectorAll('.edge-field')) {
    const box = field.getBoundingClientRect();
    const edge = /^(.*?\))\s+0px 0px 0px 1px inset/.exec(getComputedStyle(field).boxShadow)?.[1];
    if (edge === undefined || isOff(field) || field.querySelector(':disabled') || !inSight(box)) continue;
    const around = field.parentElement ?? field;
    judge(`edge of ${nameOf(field)}`, edge, around, box.left + box.width / 2, box.top + 1, 3);
  }
  return { measured, faint };
}

/** What a person can see and reach on a page. Each function runs in the page. */

/** Controls, as a person means it: everything that the Tab key or an arrow can come to. */
const CONTROLS = 'button, a[href], input:not([type="hidden"], [type="file"]), select, textarea, [role="option"], [role="tab"], [role="menuitem"], [role="switch"]';

export interface Reach {
  /** Pixels by which the page, or a part of it that scrolls sideways and holds controls, is wider than its window. */
  readonly tooWide: readonly string[];
  /** Controls that cannot be brought into sight. */
  readonly lost: readonly string[];
  /** Texts that end outside of what shows them, and do not say so by an ellipsis. */
  readonly cut: readonly string[];
  readonly controls: number;
}

export function measureReach(selector: string): Reach {
  const nameOf = (element: Element): string => {
    const labels = element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement ? [...(element.labels ?? [])].map((label) => label.textContent) : [];
    return `${element.getAttribute('role') ?? element.tagName.toLowerCase()} “${(element.getAttribute('aria-label') ?? (labels.join(' ') || element.textContent)).replace(/\s+/g, ' ').trim().slice(0, 40)}”`;
  };
  // What lies over the page is all that can be used while it is there.
  const modal = document.querySelector('dialog[open], [role="menu"]');
  const root = document.documentElement;
  const tooWide = root.scrollWidth > innerWidth || document.body.scrollWidth > innerWidth ? [`the page by ${String(Math.max(root.scrollWidth, document.body.scrollWidth) - innerWidth)}`] : [];
  const controls = [...document.querySelectorAll<HTMLElement>(selector)].filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.tabIndex >= -1 && (!modal || modal.contains(one)) && !one.closest('[inert]'));
  const lost: string[] = [];
  for (const control of controls) {
    control.scrollIntoView({ block: 'center', inline: 'center' });
    const { left, right, top, bottom, width, height } = control.getBoundingClientRect();
    const x = (Math.max(left, 0) + Math.min(right, innerWidth)) / 2;
    const y = (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2;
    const hit = document.elementFromPoint(x, y);
    const label = control.closest('label');
    const reached = width > 0 && height > 0 && hit !== null && (control.contains(hit) || hit.contains(control) || label?.contains(hit) === true);
    // A list's rows are wider than the window where the window is narrow: what counts is that their beginning is there.
    if (!reached || left < -1 || (right > innerWidth + 1 && control.getAttribute('role') !== 'option')) lost.push(nameOf(control));
  }
  // Nothing but code may need scrolling sideways.
  for (const box of document.querySelectorAll<HTMLElement>('*')) {
    const style = getComputedStyle(box);
    if (['auto', 'scroll'].includes(style.overflowX) && box.scrollWidth > box.clientWidth + 1 && box.tagName !== 'PRE' && box.tagName !== 'TEXTAREA' && box.checkVisibility()) tooWide.push(`${nameOf(box)} by ${String(box.scrollWidth - box.clientWidth)}`);
  }
  const cut: string[] = [];
  const texts = document.createTreeWalker(modal ?? document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const holder = node.parentElement;
    if (!holder || node.nodeValue?.trim() === '' || !holder.checkVisibility({ visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const { left, right, width } = range.getBoundingClientRect();
    for (let box: HTMLElement | null = holder; box && width > 1; box = box.parentElement) {
      const style = getComputedStyle(box);
      // For readers only, or shortened on purpose, with the whole elsewhere.
      if (style.textOverflow === 'ellipsis' || style.position === 'absolute' && style.width === '1px') break;
      const shown = box.getBoundingClientRect();
      if (style.overflowX === 'hidden' && (right > shown.right + 1 || left < shown.left - 1)) cut.push(`“${(node.nodeValue ?? '').trim().slice(0, 40)}”`);
      if (style.overflowX !== 'visible') break;
    }
  }
  return { tooWide, lost, cut: [...new Set(cut)], controls: controls.length };
}

/** Names of controls that are shown, without those of lists, whose rows come and go as they are scrolled. */
export function namesOf(selector: string): readonly string[] {
  const modal = document.querySelector('dialog[open], [role="menu"]');
  return [...document.querySelectorAll<HTMLElement>(selector)]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && (!modal || modal.contains(one)) && !one.closest('[role="listbox"]'))
    .map((one) => (one.getAttribute('aria-label') ?? one.textContent).replace(/\s+/g, ' ').trim());
}

/** Under forced colours: controls without a text, an icon or an edge of their own, and choices whose state cannot be seen. */
export function measureForced(selector: string): readonly string[] {
  const edged = (one: Element | null): boolean => {
    if (!one) return false;
    const style = getComputedStyle(one);
    return ['Top', 'Right', 'Bottom', 'Left'].some((side) => parseFloat(style.getPropertyValue(`border-${side.toLowerCase()}-width`)) > 0 && style.getPropertyValue(`border-${side.toLowerCase()}-style`) !== 'none') || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0);
  };
  const bad: string[] = [];
  const say = (element: Element, what: string): void => {
    bad.push(`${what}: ${element.getAttribute('aria-label') ?? element.closest('label')?.textContent ?? element.textContent}`);
  };
  for (const control of document.querySelectorAll<HTMLElement>(selector)) {
    if (!control.checkVisibility({ visibilityProperty: true })) continue;
    const field = control.matches('input:not([type="radio"], [type="checkbox"]), select, textarea');
    const label = control.closest('label');
    const said = control.textContent.trim() !== '' || label?.textContent.trim() !== '' || control.querySelector('svg') !== null;
    const edge = [control, control.parentElement, label].some(edged);
    if (field ? !edge : !said && !edge) say(control, 'not seen');
  }
  // What is chosen looks other than what is not.
  const look = (one: Element): string => {
    const style = getComputedStyle(one);
    // The browser puts one colour in place of every background, but for what keeps its own.
    const ground = style.forcedColorAdjust === 'none' ? style.backgroundColor : '';
    return [style.borderBottomColor, style.borderBottomWidth, style.outlineStyle, style.outlineWidth, ground].join('|');
  };
  for (const group of document.querySelectorAll('fieldset, [role="tablist"], [role="listbox"], nav')) {
    const choices = [...group.querySelectorAll('label:has(input[type="radio"]), [role="tab"], [role="option"], a[href]')];
    const chosen = choices.filter((one) => one.matches(':has(:checked), [aria-selected="true"], [aria-current="page"]'));
    const others = choices.filter((one) => !chosen.includes(one));
    for (const one of chosen) if (others.some((other) => look(other) === look(one))) say(one, 'its choice is not seen');
  }
  for (const toggle of document.querySelectorAll('[role="switch"]')) {
    const thumb = toggle.querySelector('i');
    if (!thumb || getComputedStyle(thumb).backgroundColor === getComputedStyle(toggle).backgroundColor) say(toggle, 'its state is not seen');
  }
  for (const item of document.querySelectorAll('[data-highlighted], [cmdk-item][data-selected="true"]')) if (!edged(item)) say(item, 'that it is in hand is not seen');
  return bad;
}

export { CONTROLS };

/** How does one take a drawing along?  As a picture, and as text. */

const LOOKS = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'font-family', 'font-size', 'font-weight', 'text-anchor'];

/** The whole drawing as a file's text, in the colours that it has here. */
export function pictureOf(svg: SVGSVGElement, width: number, height: number): string {
  const world = svg.querySelector('.rms-world') as SVGGElement;
  const copy = world.cloneNode(true) as SVGGElement;
  copy.removeAttribute('transform');
  const drawn = [...world.querySelectorAll<SVGElement>('*')];
  [...copy.querySelectorAll<SVGElement>('*')].forEach((element, n) => {
    const looks = getComputedStyle(drawn[n] as SVGElement);
    LOOKS.forEach(look => element.setAttribute(look, looks.getPropertyValue(look)));
    ['role', 'tabindex', 'aria-pressed', 'class'].forEach(name => element.removeAttribute(name));
  });
  copy.querySelectorAll('[aria-hidden]').forEach(badge => badge.remove());
  const whole = document.createElementNS(svg.namespaceURI, 'svg') as SVGSVGElement;
  whole.setAttribute('viewBox', `0 0 ${width} ${height}`);
  whole.setAttribute('width', String(width));
  whole.setAttribute('height', String(height));
  whole.append(copy);
  return new XMLSerializer().serializeToString(whole);
}

export function download(name: string, type: string, text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Pages that did not come over https have no clipboard. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  if (!copied) {
    throw new Error('this page may not write to the clipboard');
  }
}

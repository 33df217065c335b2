/**
 * Reads XML strictly, as far as our documents use it: elements, attributes, text, the five named entities.
 * Anything else, and anything that is not well-formed, is an error.
 */

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function unescaped(text: string): string {
  if (/[<>]/.test(text)) throw new Error(`unescaped: ${text}`);
  return text.replace(/&([^;]*);?/g, (whole, name: string) => {
    const value = entities[name];
    if (value === undefined || !whole.endsWith(';')) throw new Error(`no such entity: ${whole}`);
    return value;
  });
}

function attributesOf(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  const rest = text.replace(/\s+([A-Za-z_][\w:.-]*)="([^"<]*)"/g, (_, name: string, value: string) => {
    if (name in attributes) throw new Error(`attribute ${name} twice`);
    attributes[name] = unescaped(value);
    return '';
  });
  if (rest.trim() !== '') throw new Error(`not attributes: ${rest}`);
  return attributes;
}

/** The root element. Throws where the text is not well-formed. */
export function parseXml(text: string): XmlElement {
  const body = text.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/, '');
  if (body === text) throw new Error('no XML declaration');
  type Open = { name: string; attributes: Record<string, string>; children: XmlElement[]; text: string };
  const root: Open = { name: '', attributes: {}, children: [], text: '' };
  const open: Open[] = [root];
  let at = 0;
  for (const match of body.matchAll(/<(\/?)([A-Za-z_][\w:.-]*)((?:\s+[^<>"]+="[^"]*")*)\s*(\/?)>/g)) {
    open.at(-1)!.text += unescaped(body.slice(at, match.index));
    at = match.index + match[0].length;
    const [, closing, name, attributes, empty] = match;
    if (closing === '/') {
      const ended = open.pop()!;
      if (ended.name !== name || open.length === 0) throw new Error(`</${name}> closes ${ended.name}`);
      continue;
    }
    const element: Open = { name: name!, attributes: attributesOf(attributes!), children: [], text: '' };
    open.at(-1)!.children.push(element);
    if (empty !== '/') open.push(element);
  }
  if (open.length !== 1 || root.children.length !== 1) throw new Error('not one whole element');
  if ((root.text + body.slice(at)).trim() !== '') throw new Error('text outside of the root');
  return root.children[0]!;
}

/** The elements at a path of names, below `element`. */
export function find(element: XmlElement, path: string): XmlElement[] {
  return path
    .split('/')
    .reduce<XmlElement[]>(
      (found, name) => found.flatMap(({ children }) => children.filter((one) => one.name === name)),
      [element],
    );
}

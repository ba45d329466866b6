/**
 * Building elements.
 *
 * Text of the server only ever becomes text nodes: nothing on this page parses data as markup, so a
 * resource called `<script>` is shown and not run. The page's policy forbids inline script too, but
 * correctness here does not rest on it.
 */

/**
 * Makes an element.
 *
 * @param {string} tag its name
 * @param {object} attributes attributes by name; `on` holds listeners by event. False, null and
 *   undefined leave an attribute out, true writes it empty.
 * @param {...(Node|string|number|null|undefined|Array)} children nodes and texts; nothing is made of null
 * @returns {HTMLElement} the element
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  append(element, children);
  return element;
}

/** Replaces everything inside an element. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

let nextId = 0;

/** An id that no other element of the page has. */
export function uniqueId(stem) {
  nextId += 1;
  return `${stem}-${nextId}`;
}

// Building the page. Data only ever becomes text nodes and attribute values, never markup.

/**
 * Makes an element.
 * Functions named `on…` become listeners, `style` an object of CSS properties set through the CSSOM, booleans become
 * bare attributes, and null or undefined leave the attribute out. A falsy child, except 0, is skipped.
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(element, name, value);
  append(element, children);
  return element;
}

function setProp(element, name, value) {
  if (value === null || value === undefined) return;
  if (name.startsWith("on") && typeof value === "function") {
    element.addEventListener(name.slice(2), value);
  } else if (name === "style") {
    for (const [property, setting] of Object.entries(value)) element.style.setProperty(property, setting);
  } else if (name === "value" || name === "checked" || name === "selected" || name === "indeterminate") {
    element[name] = value;
  } else if (typeof value === "boolean" && !name.startsWith("aria-")) {
    element.toggleAttribute(name, value);
  } else {
    element.setAttribute(name, String(value));
  }
}

function append(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    parent.append(child instanceof Node ? child : String(child));
  }
}

/** Replaces everything inside `parent`. */
export function fill(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
  return parent;
}

let lastId = 0;

/** An id that no other element has, to tie labels and descriptions to what they describe. */
export function uniqueId(prefix) {
  lastId += 1;
  return `${prefix}-${lastId}`;
}

/** Calls `action` once nothing has called this for `wait` milliseconds. */
export function debounce(action, wait) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), wait);
  };
}

/**
 * Calls `action` every `interval` milliseconds until `signal` aborts or it returns true. Waits for each call to end, and
 * rests while the tab is hidden.
 */
export function poll(action, interval, signal) {
  let timer;
  let isRunning = false;
  const stop = () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", resume);
  };
  const run = async () => {
    if (signal.aborted || isRunning || document.hidden) return;
    isRunning = true;
    const isDone = await action().catch(() => false);
    isRunning = false;
    if (isDone || signal.aborted) stop();
    else timer = setTimeout(run, interval);
  };
  const resume = () => {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(run, interval);
  };
  document.addEventListener("visibilitychange", resume);
  signal.addEventListener("abort", stop);
  timer = setTimeout(run, interval);
}

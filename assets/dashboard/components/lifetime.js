// How long something lives: a choice, with a number of days where none of the choices fits.

import { h } from "../dom.js";
import { DAY } from "../format.js";
import { field } from "./form.js";

const PREFERENCE = "memsync-key-lifetime";

/** Choices for keys, in seconds; 0 is for ever. */
export const KEY_LIFETIMES = [[0, "Never"], [7 * DAY, "In 7 days"], [30 * DAY, "In 30 days"], [90 * DAY, "In 90 days"], [365 * DAY, "In 1 year"]];

/** Choices for episodic memories. */
export const MEMORY_LIFETIMES = [[0, "Keep forever"], [30 * DAY, "30 days"], [90 * DAY, "90 days"], [365 * DAY, "1 year"]];

/** What this browser proposes for new keys, in seconds. */
export function preferredKeyLifetime() {
  const seconds = Number(localStorage.getItem(PREFERENCE));
  return seconds > 0 && seconds <= 365 * DAY ? seconds : 0;
}

/** Sets what this browser proposes for new keys. */
export function preferKeyLifetime(seconds) {
  if (seconds > 0) localStorage.setItem(PREFERENCE, String(seconds));
  else localStorage.removeItem(PREFERENCE);
}

/**
 * @param options the choices, `[[seconds, label]]`
 * @param value the one taken at first, in seconds
 * @returns {{element: HTMLElement, seconds: (refuse) => number|undefined}} `seconds` refuses a number of days out of range
 */
export function lifetimeField({ name, label, hint, options, value, maxDays }) {
  const isKnown = options.some(([seconds]) => seconds === value);
  const choice = field({ name, label, hint, tag: "select", options: [...options, ["custom", "Custom"]], value: isKnown ? value : "custom" });
  const days = field({ name: `${name}_days`, label: "Days", type: "number", min: 1, max: maxDays, inputmode: "numeric", value: isKnown ? "" : Math.max(1, Math.round(value / DAY)) });
  const follow = () => (days.element.hidden = choice.input.value !== "custom");
  choice.input.addEventListener("change", follow);
  follow();

  const seconds = (refuse) => {
    if (choice.input.value !== "custom") return Number(choice.input.value);
    const count = Number(days.input.value);
    if (Number.isInteger(count) && count >= 1 && count <= maxDays) return count * DAY;
    refuse(`${name}_days`, `Enter a whole number of days from 1 to ${maxDays}`);
    return undefined;
  };
  return { element: h("div", { class: "field-pair lifetime" }, choice.element, days.element), seconds };
}

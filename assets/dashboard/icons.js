// The icons: strokes on a grid of 20, drawn in the colour of the text around them.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  overview: "M3 9.5 10 4l7 5.5V16a1 1 0 0 1-1 1h-4v-5H8v5H4a1 1 0 0 1-1-1z",
  memories: "M4 4h12v9H9l-3.5 3.5V13H4zM7 7.2h6M7 9.8h4",
  profile: "M10 10a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4zM3.8 17c.6-3 3-4.6 6.2-4.6s5.6 1.6 6.2 4.6",
  keys: "M12.7 10.6a3.9 3.9 0 1 0-3.3-3.3L3 13.7V17h3.3v-2h2v-2h2zM13.4 6.7h.01",
  usage: "M3.5 3.5v13h13M7 13.5v-3M10.5 13.5v-7M14 13.5v-5",
  activity: "M10 5.5V10l3 2M10 17a7 7 0 1 1 0-14 7 7 0 0 1 0 14z",
  settings: "M3 6h8M15 6h2M3 14h2M9 14h8M13 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM7 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  docs: "M5 3h7l3.5 3.5V17H5zM11.5 3v4h4M7.5 10.5h5M7.5 13.5h5",
  signOut: "M8 3.5H4v13h4M12.5 6.5 16 10l-3.5 3.5M16 10H8",
  menu: "M3 6h14M3 10h14M3 14h14",
  close: "m5 5 10 10M15 5 5 15",
  plus: "M10 4v12M4 10h12",
  search: "M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM13 13l4 4",
  copy: "M7 7h9.5v9.5H7zM13 7V3.5H3.5V13H7",
  check: "m4 10.5 4 4 8-9",
  lock: "M5 9h10v7.5H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  edit: "M4 16l.8-3.5L13 4.3a1.4 1.4 0 0 1 2 0l.7.7a1.4 1.4 0 0 1 0 2L7.5 15.2zM11.5 6l2.5 2.5",
  rotate: "M16 8A6.3 6.3 0 0 0 4.7 6.7L3.5 8M3.5 4.5V8H7M4 12a6.3 6.3 0 0 0 11.3 1.3l1.2-1.3M16.5 15.5V12H13",
  trash: "M4 6h12M8 6V4h4v2M5.5 6l.7 10.5h7.6L14.5 6M8.5 9v4.5M11.5 9v4.5",
  download: "M10 3.5V13M6 9.5l4 4 4-4M4 16.5h12",
  back: "M11.5 5 6.5 10l5 5",
  chevron: "m7 8 3 3.5L13 8",
  warning: "M10 3.5 17.5 16.5h-15zM10 8.5v3.5M10 14.2h.01",
  info: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 9.3v4M10 6.7h.01",
  user: "M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4.5 16.5c.5-2.7 2.7-4 5.5-4s5 1.3 5.5 4",
};

/** An icon that says nothing to a screen reader: the words stand beside it. */
export function icon(name, size = 18) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  const attributes = {
    viewBox: "0 0 20 20",
    width: size,
    height: size,
    fill: "none",
    stroke: "currentColor",
    "stroke-width": 1.6,
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
    "aria-hidden": "true",
    class: "icon",
  };
  for (const [attribute, value] of Object.entries(attributes)) svg.setAttribute(attribute, value);
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** The mark of the product. */
export function logo(size = 28) {
  const image = document.createElement("img");
  Object.assign(image, { src: "/dashboard/assets/icon.svg", alt: "", width: size, height: size });
  return image;
}

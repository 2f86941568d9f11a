// Starts Swagger UI on this server's own document, and mends what keeps its markup from being read aloud.

const dark = matchMedia("(prefers-color-scheme: dark)");
const useScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", useScheme);
useScheme();

const api = document.getElementById("api");

/** Whether a label says something beside the control within it. */
function isNamed(control) {
  const parts = [...(control.labels ?? [])].flatMap((label) => [...label.childNodes]);
  return control.ariaLabel || parts.some((part) => !part.contains(control) && part.textContent.trim());
}

/** Gives a control the name that it lacks. */
function name(selector, label) {
  for (const control of api.querySelectorAll(selector)) {
    if (!isNamed(control)) control.ariaLabel = label(control);
  }
}

/** The name of the parameter in whose row a control stands. */
function parameter(control) {
  return control.closest("tr")?.dataset.paramName ?? "Value";
}

function mend() {
  name(".operation-filter-input", () => "Filter by tag");
  name("#servers", () => "Server");
  name(".close-modal", () => "Close");
  name(".content-type, .content-type-wrapper select, .response-control-media-type select", () => "Media type");
  name(".examples-select-element", () => "Example");
  name(".body-param__text", () => "Request body");
  name("td.parameters-col_description :is(input, select, textarea)", parameter);
  name(":is(input, select, textarea):not([type=hidden])", () => "Value");
  // A name must begin with the words that are seen.
  for (const button of api.querySelectorAll(".auth-btn-wrapper [aria-label]")) {
    button.removeAttribute("aria-label");
  }
  // What scrolls must be within reach of the keyboard.
  for (const scrollable of api.querySelectorAll(":is(pre, .responses-inner, .table-container)")) {
    if (scrollable.scrollWidth > scrollable.clientWidth || scrollable.scrollHeight > scrollable.clientHeight) {
      scrollable.tabIndex = 0;
    }
  }
}

let frame = 0;
const mendSoon = () => {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    mend();
  });
};
new MutationObserver(mendSoon).observe(api, { childList: true, subtree: true });

SwaggerUIBundle({
  url: "/openapi.json",
  domNode: api,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  syntaxHighlight: false,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  validatorUrl: null,
});
